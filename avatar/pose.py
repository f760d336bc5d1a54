"""A pose: everything that a renderer needs to know of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ARKIT_BLENDSHAPES: tuple[str, ...] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft",
    "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft",
    "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft",
    "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""Apple's 52 face blendshapes, in alphabetical order: the order of every weight vector here."""


@dataclass(frozen=True, slots=True)
class Pose:
    """One moment of the face."""

    blendshapes: Mapping[str, float] = field(default_factory=dict)
    """ARKit name → weight in [0, 1]; what is missing is 0."""
    head: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Degrees: yaw (+ to the face's left), pitch (+ down), roll (+ to its left shoulder)."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Degrees relative to the head: (+ to the face's left, + up)."""
    breath: float = 0.0
    """0..1: how far the chest is lifted."""
