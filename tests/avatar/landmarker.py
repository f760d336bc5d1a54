"""Where tests find MediaPipe's face landmarker, and why they skip without it."""

from functools import cache
from pathlib import Path

import pytest

from avatar.errors import AvatarError
from avatar.photo import Landmarker

MODEL = Path(__file__).parents[3] / "shared/models/mediapipe-face-landmarker/face_landmarker.task"


@cache
def missing() -> str:
    """What is not here; empty if all is."""
    if not MODEL.is_file():
        return "needs ../shared/models/mediapipe-face-landmarker"
    try:
        Landmarker(MODEL).close()
    except AvatarError as error:
        return str(error)
    return ""


needs_landmarker = pytest.mark.skipif(bool(missing()), reason=missing())
