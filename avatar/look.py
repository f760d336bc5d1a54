"""How a face looks, whatever draws it: eyes, lashes, glints, breath, finely drawn boxes, appearance maps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import BLENDSHAPE_INDEX, LOOK_OUT_DEG, LOOK_UP_DEG, eye_matrix, finite, smoothstep

if TYPE_CHECKING:
    from avatar.framing import Frame
    from avatar.pose import Pose
    from avatar.rig import Eye, Rig

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Side = Literal["left", "right"]
SIDES: tuple[Side, ...] = ("left", "right")
Box = tuple[float, float, float, float]
"""Left, right, bottom, top in metres from the middle between the eyes."""

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
GLINT_OUT = 1.02
"""Eyeball radii from the middle of the eye at which glints lie: just before the cornea."""
GLINT_GONE = (0.35, 0.75)
"""Blink weights between which glints go out."""
MOUTH_BOX_M: Box = (-0.031, 0.031, -0.105, -0.045)
EYES_BOX_M: Box = (-0.046, 0.046, -0.013, 0.016)
"""The finely drawn boxes at rest."""
BOX_FORWARD_M = 0.01
"""How far before the middles of the eyes the boxes lie: about where its lids are."""
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


def blink_of(weights: F32, side: Side) -> float:
    """How far an eye is closed, 0 to 1."""
    return weight_of(weights, "eyeBlink" + side.capitalize())


def eye_turn(weights: F32, side: Side) -> F32:
    """Rotation float32[3, 3] of an eyeball."""
    name, sign = side.capitalize(), 1.0 if side == "left" else -1.0
    up = weight_of(weights, "eyeLookUp" + name) - weight_of(weights, "eyeLookDown" + name)
    out = weight_of(weights, "eyeLookOut" + name) - weight_of(weights, "eyeLookIn" + name)
    return eye_matrix(LOOK_OUT_DEG * out * sign, LOOK_UP_DEG * up)


def lash_swing(weights: F32) -> list[float]:
    """Radians by which the left and the right eye's lashes swing down with the lid that carries them."""
    return [LASH_SWING_RAD * min(1.0, blink_of(weights, side)) for side in SIDES]


def chest_lift(pose: Pose) -> float:
    """How far a pose's breath lifts the shoulders, in metres."""
    return CHEST_LIFT_M * min(max(finite(pose.breath), 0.0), 1.0)


def px_per_m(rig: Rig, frame: Frame) -> float:
    """Pixels of the frame to a metre across the middle of the head."""
    camera = rig.manifest.camera
    return camera.focal * frame.scale / -camera.y


def rise_px(rig: Rig, frame: Frame) -> int:
    """Rows of cloth that breath may lift into the frame from below, with one to spare."""
    return math.ceil(CHEST_LIFT_M * px_per_m(rig, frame)) + 1


def glint_points(eye: Eye) -> F64:
    """Where an eye's glints lie while the head is at rest, float64[glints, 3] in metres."""
    ahead = [(x, -GLINT_OUT * math.sqrt(1 - x * x - z * z), z) for x, z, _, _ in GLINTS]
    return np.array(eye.centre) + np.array(ahead) * eye.radius


def glint_share(blinks: F32) -> F32:
    """How much of its glints an eye shows that is so far closed, elementwise in [0, 1]."""
    return 1 - smoothstep(*GLINT_GONE, blinks)


def box_middle(eyes: Mapping[Any, Eye], box: Box) -> F64:
    """The middle of a finely drawn box while the head is at rest, float64[3] in metres."""
    x, y, z = np.mean([eye.centre for eye in eyes.values()], axis=0)
    left, right, bottom, top = box
    return np.array([x + (left + right) / 2, y - BOX_FORWARD_M, z + (bottom + top) / 2])


def box_size(box: Box, rig: Rig, frame: Frame) -> tuple[int, int]:
    """Width and height of a finely drawn box in pixels of the frame."""
    left, right, bottom, top = box
    scale = px_per_m(rig, frame)
    return (
        min(math.ceil((right - left) * scale), frame.width),
        min(math.ceil((top - bottom) * scale), frame.height),
    )
