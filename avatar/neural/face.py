"""Where the face is in a picture: the box that a lip model is shown, the lower face that it may change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import BLENDSHAPE_INDEX, finite, head_matrix, limited, project, weights_of
from avatar.look import CHEST_LIFT_M, HEAD_LIFT
from avatar.pose import Pose
from avatar.rig import Rig

F32 = NDArray[np.float32]

FOREHEAD = 0.63
"""Top of the box above the eyes, in heights from chin to eyes.

Boxes of the face detector that Wav2Lip was trained with (S3FD) reach from the middle of the forehead to the
chin: the eyes lie a third from the top, and the half that the model draws begins at the nose."""
BELOW_CHIN = 0.10
"""Bottom of the box below the resting chin: Wav2Lip pads its boxes there."""
BELOW_OPEN_CHIN = 0.04
"""Bottom of the box below the chin of an open mouth, where that is lower."""
HALF_WIDTH = (1.05, 1.30)
"""Half the box's width in distances between the eyes, where the rig's cheeks say less or more."""
CHEEK_DEPTH_M = 0.035
"""The cheeks' outline lies up to this far behind the eyes' centres; ears and back of the head behind it."""
OUTLINE_DEPTH_M = 0.015
"""Where the sides of the box turn about: behind the eyes' centres."""
CHIN_MOVES = 0.5
"""The chin is the lowest that moves with the jaw by this share of what moves most."""
CHIN_HALF_WIDTH_M = 0.008
LOWER_FACE_MOVES = 0.03
"""The lower face is what some mouth shape moves by this share of the height from chin to eyes."""
INSIDE_DEPTH_M = 0.045
"""Farther behind the lips lie throat and tongue root, not the face."""

VIEWS_DEG = ((0.0, 0.0), (-12.0, 0.0), (12.0, 0.0), (0.0, -12.0), (0.0, 12.0))
"""Yaw and pitch of heads whose outlines are looked at ahead; between them, other points barely stick out."""


JAW = (
    234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454,
)  # fmt: skip
"""MediaPipe's landmarks along the jaw, from cheek to cheek."""
CHIN = 152
UNDER_EYES = (50, 280)
"""On the cheekbones, as high as the middle of the nose: the top of the lower face."""
EYE_CORNERS = (33, 133, 263, 362)


@dataclass(frozen=True, slots=True)
class Face:
    """One face; lengths in pixels, or in sides of a rig's square picture, from the top left corner."""

    box: F32
    """float32[4]: left, top, right, bottom."""
    lower: F32
    """float32[n, 2]: corners (x, y) of the convex hull of what speaking moves."""

    def scaled(self, scale: float, origin: tuple[float, float]) -> Face:
        """The face in other units: lengths times `scale`, from where the corner lies at `origin`."""
        corner = np.array(origin, np.float32)
        return Face(
            self.box * np.float32(scale) + np.tile(corner, 2), self.lower * np.float32(scale) + corner
        )

    @staticmethod
    def of_landmarks(points: F32) -> Face:
        """The face of a picture or video without a rig.

        Args:
            points: MediaPipe's landmarks float32[≥ 468, ≥ 2], in pixels.
        """
        import cv2

        xy = np.ascontiguousarray(points[:, :2], np.float32)
        eyes, chin, jaw = xy[list(EYE_CORNERS)].mean(axis=0), xy[CHIN], xy[list(JAW)]
        height = float(chin[1] - eyes[1])
        top, bottom = eyes[1] - FOREHEAD * height, chin[1] + BELOW_CHIN * height
        box = np.array([jaw[:, 0].min(), top, jaw[:, 0].max(), bottom], np.float32)
        hull = cv2.convexHull(np.concatenate([jaw[2:-2], xy[list(UNDER_EYES)]]))
        return Face(box, np.asarray(hull[:, 0], np.float32))


class FaceFinder:
    """Finds the face of any pose of one rig, by its mesh."""

    def __init__(self, rig: Rig) -> None:
        camera = rig.manifest.camera
        self._camera = (camera.y, camera.z, camera.focal)
        self._pivot = np.array(rig.manifest.head_pivot, np.float32)
        self._limit = rig.manifest.head_limit_deg
        self._breath_m = CHEST_LIFT_M * HEAD_LIFT
        eyes = rig.manifest.eyes
        left, right = (np.array(eyes[side].centre, np.float32) for side in ("left", "right"))
        middle, apart = (left + right) / 2, float(np.linalg.norm(left - right))

        rest = rig.vertices[rig.active]
        jaw = np.linalg.norm(rig.deltas[BLENDSHAPE_INDEX["jawOpen"]], axis=1)
        swings = (jaw > CHIN_MOVES * jaw.max()) & (np.abs(rest[:, 0] - middle[0]) < CHIN_HALF_WIDTH_M)
        chin = int(np.flatnonzero(swings)[rest[swings, 2].argmin()]) if swings.any() else int(jaw.argmax())
        height = float(middle[2] - rest[chin, 2])
        self._height = height

        head = rig.vertices[rig.head_weight > 0.9]
        cheeks = head[
            (head[:, 1] < middle[1] + CHEEK_DEPTH_M)
            & (head[:, 2] < middle[2])
            & (head[:, 2] > middle[2] - 0.7 * height)
        ]
        reach = float(np.abs(cheeks[:, 0] - middle[0]).max()) if len(cheeks) else 0.0
        half = float(np.clip(reach, HALF_WIDTH[0] * apart, HALF_WIDTH[1] * apart))
        x, y, z = (float(value) for value in middle)
        self._frame = np.array(
            [
                [x, y, z + FOREHEAD * height],
                [x - half, y + OUTLINE_DEPTH_M, z - 0.4 * height],
                [x + half, y + OUTLINE_DEPTH_M, z - 0.4 * height],
                [*rest[chin, :2], rest[chin, 2] - BELOW_CHIN * height],
            ],
            np.float32,
        )

        names = [name for name in BLENDSHAPE_INDEX if name.startswith(("mouth", "jaw"))]
        moved = np.max([np.linalg.norm(rig.deltas[BLENDSHAPE_INDEX[name]], axis=1) for name in names], axis=0)
        front = float(rest[moved > 0.5 * moved.max(), 1].min())
        lower = (moved > LOWER_FACE_MOVES * height) & (rest[:, 1] < front + INSIDE_DEPTH_M)
        corners = _corners(rest[lower], rig.deltas[[BLENDSHAPE_INDEX[name] for name in names]][:, lower])
        kept = np.append(np.flatnonzero(lower)[corners], chin)  # the chin last: `find` looks for it there
        self._lower = np.ascontiguousarray(rest[kept])
        self._lower_weight = rig.head_weight[rig.active[kept]]
        self._lower_deltas = np.ascontiguousarray(rig.deltas[:, kept])

    def find(self, pose: Pose) -> Face:
        """The face of this pose, in sides of the rig's square picture."""
        import cv2

        lower = self._lower + np.tensordot(weights_of(pose), self._lower_deltas, 1)
        drop = lower[-1].copy()
        drop[2] -= BELOW_OPEN_CHIN * self._height
        outline = self._place(
            np.vstack([self._frame, drop[None]]), np.ones(len(self._frame) + 1, np.float32), pose
        )
        points = self._place(lower.astype(np.float32), self._lower_weight, pose)
        box = np.concatenate([outline.min(axis=0), outline.max(axis=0)])
        return Face(box=box, lower=np.asarray(cv2.convexHull(points)[:, 0], np.float32))

    def _place(self, points: F32, weight: F32, pose: Pose) -> F32:
        """Points of the resting head as the renderers place them, float32[n, 2] in sides of the picture."""
        turned = np.asarray(
            (points - self._pivot) @ head_matrix(limited(pose.head, self._limit)).T + self._pivot, np.float32
        )
        placed = points + (turned - points) * weight[:, None]
        placed[:, 2] += self._breath_m * min(max(finite(pose.breath), 0.0), 1.0)
        return project(placed.astype(np.float32), self._camera, 1)[0]


def _corners(rest: F32, deltas: F32) -> NDArray[np.intp]:
    """Which points can be corners of the hull: those that are, for some mouth shape in some view."""
    import cv2

    found: set[int] = set()
    for yaw, pitch in VIEWS_DEG:
        view = head_matrix((yaw, pitch, 0.0))
        for moved in (rest, *(rest + delta for delta in deltas)):
            flat = np.ascontiguousarray((moved @ view.T)[:, [0, 2]], np.float32)
            found.update(cv2.convexHull(flat, returnPoints=False)[:, 0].tolist())
    return np.array(sorted(found), np.intp)
