"""How a face looks, whatever draws it: lashes, glints, breath, finely drawn boxes, and appearance maps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import BLENDSHAPE_INDEX

F32 = NDArray[np.float32]

ZOOM = 2
"""Pixels a side that are averaged into one around mouth and eyes."""
CHEST_LIFT_M = 0.0016
"""How far a full breath lifts the shoulders; the head rises by `HEAD_LIFT` of it."""
HEAD_LIFT = 0.45
LASH_RGB = (22, 15, 13)
LASH_STRENGTH = 0.55
LASH_SWING_RAD = math.radians(62)
"""How far the lashes swing down when the lid closes."""
LASH_RADIUS_PX = 0.42
"""Half thickness of a lash in a picture of 512 px."""
GLINTS = ((0.20, 0.26, 0.12, 0.85), (-0.24, -0.20, 0.07, 0.25))
"""Window reflections in the eye: x, z and radius in eyeball radii, strength."""
GLINT_SLACK_M = 0.0006
"""A glint is hidden only by what lies this much nearer: the cornea itself must not hide it."""
MOUTH_BOX_M = (-0.031, 0.031, -0.105, -0.045)
EYES_BOX_M = (-0.046, 0.046, -0.013, 0.016)
"""Left, right, bottom, top of the finely drawn boxes at rest, in metres from the middle between the eyes."""


RATIO_LOW, RATIO_HIGH = np.float32(0.35), np.float32(1.8)
"""Bounds of what appearance maps do to a colour."""


def map_weights(names: tuple[str, ...], weights: F32) -> F32:
    """How strongly each appearance map applies, float32[m] in [0, 1], from the 52 blendshape weights."""

    def w(name: str) -> float:
        return weight_of(weights, name)

    open_mouth = w("jawOpen") * (1 - 0.8 * w("mouthClose"))
    strengths = {
        "jaw": open_mouth / 0.7,
        "funnel": max(w("mouthFunnel"), w("mouthPucker")) / 0.8,
        "ee": (
            w("mouthUpperUpLeft")
            + w("mouthUpperUpRight")
            + w("mouthLowerDownLeft")
            + w("mouthLowerDownRight")
        )
        / 2.8,
        "press": (w("mouthPressLeft") + w("mouthPressRight")) / 2 + 0.5 * w("mouthRollLower"),
    }
    for side in ("Left", "Right"):
        strengths["blink" + side] = w("eyeBlink" + side)
        strengths["smile" + side] = w("mouthSmile" + side)
        strengths["browup" + side] = (w("browInnerUp") + w("browOuterUp" + side)) / 2
        strengths["browdn" + side] = w("browDown" + side)
        strengths["frown" + side] = w("mouthFrown" + side)
    return np.array([min(max(strengths.get(name, 0.0), 0.0), 1.0) for name in names], np.float32)


def weight_of(weights: F32, name: str) -> float:
    """One blendshape's weight by its name."""
    return float(weights[BLENDSHAPE_INDEX[name]])
