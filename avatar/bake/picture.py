"""Reading and smoothing of the bake's pictures, typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.errors import RigError

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


def read_rgba(path: Path) -> U8:
    """A render as RGBA uint8[H, W, 4]."""
    import cv2

    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
        raise RigError(f"{path} is missing or not an RGBA picture: run the Blender bake again")
    return np.ascontiguousarray(picture[:, :, [2, 1, 0, 3]], np.uint8)


def blur(picture: NDArray[Any], sigma: float) -> F32:
    """Gaussian blur of a picture or mask, as float32."""
    import cv2

    return np.asarray(cv2.GaussianBlur(np.asarray(picture, np.float32), (0, 0), sigma), np.float32)


def disc(radius: float) -> U8:
    """A round structuring element for morphology."""
    import cv2

    n = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (n, n)), np.uint8)


def light_of(colour: F32) -> F32:
    """Lightness float32[H, W] of RGB."""
    return np.asarray(colour @ np.array([0.30, 0.59, 0.11], np.float32), np.float32)
