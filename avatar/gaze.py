"""Where a person's eyes look, from what the face landmarker finds: for performance capture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import BLENDSHAPE_INDEX, LOOK_OUT_DEG, LOOK_UP_DEG
from avatar.photo.landmarks import EYE_RIM, IRIS, FoundFace

F32 = NDArray[np.float32]

IRIS_LEFT_DEG, IRIS_UP_DEG = 165.0, 370.0
"""Degrees for an iris that lies one eye's width beside, or above, the middle of its corners.

Sideways that is the geometry of an eye (its radius is a third of its width); upward the tracker shows less
than half of the way, on every rig that looked up and down before it."""
SHAPES_UP = 2.2
"""The tracker's eyeLookUp and eyeLookDown tell that part of a look, 1 / this."""
CLOSING = 0.4
"""Of the way from the person's usual lids to closed ones: beyond it, the tracker's looks are the lids'."""
LID_MARGIN_S = 0.10
"""Before and after a blink lids still move, and the tracker lags."""
_BLINKS = [BLENDSHAPE_INDEX[f"eyeBlink{side}"] for side in ("Left", "Right")]


def gaze_of(face: FoundFace) -> tuple[float, float]:
    """Degrees relative to the head: to the face's left, and up; meaningless while the eyes are closed.

    The mean of two views with unlike faults: the tracker's shapes, which follow the lids, too, and the
    place of the irises between the corners of the eyes, seen from straight before the head.
    """
    w = face.blendshapes

    def look(name: str) -> float:
        return float(w[BLENDSHAPE_INDEX[name]])

    left = look("eyeLookOutLeft") - look("eyeLookInLeft") + look("eyeLookInRight") - look("eyeLookOutRight")
    up = look("eyeLookUpLeft") + look("eyeLookUpRight") - look("eyeLookDownLeft") - look("eyeLookDownRight")
    beside, above = _iris_offset(face)
    return (
        (left / 2 * LOOK_OUT_DEG + beside * IRIS_LEFT_DEG) / 2,
        (up / 2 * LOOK_UP_DEG * SHAPES_UP + above * IRIS_UP_DEG) / 2,
    )


def _iris_offset(face: FoundFace) -> tuple[float, float]:
    """How far the irises lie beside and above the middle of their eyes' corners, in widths of the eye."""
    turn = face.matrix[:3, :3] / max(float(np.linalg.norm(face.matrix[:3, 1])), 1e-6)
    points = face.points * np.array([1, -1, -1], np.float32) @ turn  # x right, y up, z to the viewer
    offsets = []
    for side in IRIS:
        one, other = points[EYE_RIM[side][0]], points[EYE_RIM[side][8]]
        width = max(float(np.linalg.norm(one - other)), 1e-6)
        offsets.append((points[IRIS[side][0]] - (one + other) / 2)[:2] / width)
    beside, above = np.mean(offsets, axis=0)
    return float(beside), float(above)


def held_over_blinks(gaze: F32, weights: F32, times_s: NDArray[np.float64]) -> F32:
    """Looks float32[n, 2] without what the lids do to them: bridged straight from before a blink to after it.

    Args:
        gaze: degrees float32[n, 2], as `gaze_of` tells them.
        weights: the tracker's shapes float32[n, 52].
        times_s: float64[n], growing.
    """
    lids = weights[:, _BLINKS].max(axis=1)
    usual = float(np.median(lids))
    closed = times_s[lids > usual + CLOSING * (1 - usual)]
    if not len(closed):
        return gaze
    after = np.searchsorted(closed, times_s)
    near = np.minimum(
        np.abs(times_s - closed[np.minimum(after, len(closed) - 1)]),
        np.abs(times_s - closed[np.maximum(after - 1, 0)]),
    )
    seen = near > LID_MARGIN_S
    if not seen.any():
        return np.zeros_like(gaze)
    return np.stack([np.interp(times_s, times_s[seen], column[seen]) for column in gaze.T], 1).astype(
        np.float32
    )
