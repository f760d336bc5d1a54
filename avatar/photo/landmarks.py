"""Faces found in pictures: MediaPipe's FaceLandmarker behind a small interface."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError
from avatar.pose import ARKIT_BLENDSHAPES

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

LANDMARKS = 478
"""468 points of the face and 5 of each iris."""
MESH_LANDMARKS = 468
CHATTER = re.compile(rb"[IW]\d{4} |(INFO|WARNING): |WARNING: All log messages before absl")
"""Lines that the library writes to stderr and nobody needs."""
_HUSH = threading.Lock()
SMALLEST_MODEL_BYTES = 100_000
"""A landmarker file below this is no model: a pointer of a version control system, or a broken download."""

# indices of the canonical face mesh; "left" is the person's own left
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
    149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""Inner rim of the lips from the right corner to the left one; entries of both rows face each other."""
OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
EYE_RIM = {
    "right": (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    "left": (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
}
IRIS = {"right": (468, 469, 470, 471, 472), "left": (473, 474, 475, 476, 477)}
"""Centre of the iris, then four points on its rim."""
CHEEKS = (234, 454)
"""The widest points of the face."""

SEARCHED_PARTS = (2, 3, 4)
"""Halves, thirds and quarters of a photo's sides are searched for small faces."""
SMALLEST_PART_PX = 160
"""A part smaller than this shows no face large enough."""
LIPS_MIDDLE = slice(4, 7)
"""Entries of both inner rims whose points part most when a mouth opens."""


@dataclass(frozen=True, slots=True)
class FoundFace:
    """One face in a picture."""

    points: F32
    """float32[478, 3]: x right and y down in pixels, z away from the viewer in about the same unit."""
    blendshapes: F32
    """float32[52] in [0, 1], in the order of `ARKIT_BLENDSHAPES`; 0 where the tracker has no such shape."""
    matrix: F32
    """float32[4, 4]: the head in camera space (x right, y up, z toward the viewer; centimetres)."""

    @property
    def width_px(self) -> float:
        """Distance between the cheeks in pixels."""
        first, second = CHEEKS
        return float(np.linalg.norm(self.points[first, :2] - self.points[second, :2]))

    @property
    def head_deg(self) -> tuple[float, float, float]:
        """Yaw, pitch and roll in degrees with the signs of `Pose.head`."""
        return head_angles(self.matrix)


def head_angles(matrix: F32) -> tuple[float, float, float]:
    """Yaw, pitch and roll (degrees, signs of `Pose.head`) of a facial transformation matrix.

    The matrix maps x right, y up, z toward the viewer; here x is right, y away from the viewer, z up, so
    that R' = C R Cᵀ. `avatar.geometry.head_matrix` is turn(z) · nod(x) · lean(y): its angles are read back.
    """
    rotation = np.asarray(matrix, np.float64)[:3, :3]
    rotation = rotation / np.cbrt(max(np.linalg.det(rotation), 1e-9))
    change = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    own = change @ rotation @ change.T
    pitch = np.arcsin(np.clip(own[2, 1], -1, 1))
    yaw = np.arctan2(-own[0, 1], own[1, 1])
    roll = np.arctan2(-own[2, 0], own[2, 2])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def mouth_aspect(points: F32) -> float:
    """Height of the gap between the lips by the mouth's width, of landmarks float32[478, ≥ 2]."""
    xy = points[:, :2]
    upper, lower = xy[list(INNER_UPPER)], xy[list(INNER_LOWER)]
    height = np.linalg.norm(upper[LIPS_MIDDLE] - lower[LIPS_MIDDLE], axis=1).mean()
    return float(height / max(float(np.linalg.norm(upper[0] - upper[-1])), 1e-6))


class Landmarker:
    """Finds faces in pictures or, with `video=True`, in the successive frames of a video.

    Args:
        model: file `face_landmarker.task` of MediaPipe.
        faces: how many faces to look for.
        video: frames follow each other: the tracker smooths and skips its detector.

    Raises:
        AvatarError: mediapipe or a system library that it needs is not installed, or the model is missing or
            not one.
    """

    def __init__(self, model: Path, *, faces: int = 1, video: bool = False) -> None:
        if not model.is_file() or model.stat().st_size < SMALLEST_MODEL_BYTES:
            raise AvatarError(
                f"no face landmarker model at {model}: fetch it with `visavis models pull face-landmarker`"
            )
        try:
            import mediapipe
            from mediapipe.tasks.python import vision
            from mediapipe.tasks.python.core.base_options import BaseOptions
        except (ImportError, OSError) as error:
            raise AvatarError(
                f"finding faces needs mediapipe ({error}): pip install 'visavis[face]'"
            ) from error
        self._mediapipe: Any = mediapipe
        self._video = video
        mode = vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model)), running_mode=mode, num_faces=faces,
            output_face_blendshapes=True, output_facial_transformation_matrixes=True,
        )  # fmt: skip
        try:
            with _hushed():
                self._task: Any = vision.FaceLandmarker.create_from_options(options)
        except OSError as error:
            if ".so" in str(error):
                raise AvatarError(
                    f"mediapipe lacks a system library ({error}): apt-get install libegl1 libgles2"
                ) from error
            raise AvatarError(f"{model} cannot be read ({error}): check it") from error
        except (RuntimeError, ValueError) as error:
            raise AvatarError(
                f"{model} is not a face landmarker model ({error}): fetch it again with "
                "`visavis models pull face-landmarker`"
            ) from error

    @property
    def version(self) -> str:
        """Name and version of the tracker."""
        return f"mediapipe {self._mediapipe.__version__}"

    def __enter__(self) -> Landmarker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the model back; mediapipe must not be left to do it while Python ends."""
        with _hushed():
            self._task.close()

    def find(self, picture: U8, time_ms: int = 0) -> list[FoundFace]:
        """Faces in a picture, the largest first.

        Args:
            picture: RGB uint8[H, W, 3].
            time_ms: for video, the frame's time; it must grow from call to call.
        """
        image = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(picture)
        )
        result = self._task.detect_for_video(image, time_ms) if self._video else self._task.detect(image)
        height, width = picture.shape[:2]
        # z is scaled as x is
        unit = np.array([width, height, width], np.float32)
        index = {name: i for i, name in enumerate(ARKIT_BLENDSHAPES)}
        faces = []
        for points, shapes, matrix in zip(
            result.face_landmarks, result.face_blendshapes, result.facial_transformation_matrixes, strict=True
        ):
            weights = np.zeros(len(ARKIT_BLENDSHAPES), np.float32)
            for shape in shapes:
                if shape.category_name in index:
                    weights[index[shape.category_name]] = shape.score
            xyz = np.array([(p.x, p.y, p.z) for p in points], np.float32) * unit
            faces.append(FoundFace(xyz, weights, np.asarray(matrix, np.float32)))
        return sorted(faces, key=lambda face: -face.width_px)

    def search(self, picture: U8) -> list[FoundFace]:
        """Faces in a photo, the largest first; where the whole shows none, in overlapping parts of it.

        The detector sees a picture at 192 px a side: in a photo of a whole person it overlooks the face.
        """
        faces = self.find(picture)
        height, width = picture.shape[:2]
        for parts in SEARCHED_PARTS:
            if faces or min(height, width) < parts * SMALLEST_PART_PX:
                break
            tall, wide = height // parts, width // parts
            for top in range(0, height - tall + 1, tall // 2):
                for left in range(0, width - wide + 1, wide // 2):
                    part = picture[top : top + tall, left : left + wide]
                    for face in self.find(part):
                        face.points[:, :2] += np.array([left, top], np.float32)
                        faces.append(face)
        found: list[FoundFace] = []
        for face in sorted(faces, key=lambda face: -face.width_px):
            middle = face.points[:, :2].mean(0)
            if all(np.hypot(*(middle - f.points[:, :2].mean(0))) > 0.5 * f.width_px for f in found):
                found.append(face)
        return found


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep what the library logs at levels info and warning from stderr; its errors are passed on."""
    with _HUSH:
        try:
            sys.stderr.flush()
            kept = os.dup(2)
        except (OSError, ValueError, AttributeError):  # nobody listens anyway
            yield
            return
        with tempfile.TemporaryFile() as heard:
            os.dup2(heard.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(kept, 2)
                os.close(kept)
                heard.seek(0)
                said = [line for line in heard.read().splitlines(keepends=True) if not CHATTER.match(line)]
                if said:
                    os.write(2, b"".join(said))
