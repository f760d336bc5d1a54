"""The seven emotions of the design as faces, in a form that leaves the mouth free to speak."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import BLENDSHAPE_INDEX
from avatar.pose import ARKIT_BLENDSHAPES
from avatar.viseme import mirrored

F32 = NDArray[np.float32]

EMOTIONS = ("neutral", "happy", "empathetic", "apologetic", "concerned", "surprised", "thinking")

EXPRESSIONS: dict[str, dict[str, float]] = {
    # a service face at rest is friendly: corners slightly up, eyes open and soft
    "neutral": mirrored({"mouthSmile_": 0.20, "cheekSquint_": 0.08, "eyeWide_": 0.10}),
    "happy": mirrored(
        {
            "mouthSmile_": 0.68, "cheekSquint_": 0.55, "eyeSquint_": 0.22, "mouthDimple_": 0.12,
            "browOuterUp_": 0.18, "browInnerUp": 0.10,
            "mouthUpperUp_": 0.30, "mouthLowerDown_": 0.10, "jawOpen": 0.06,
        }
    ),
    "empathetic": mirrored(
        {
            "browInnerUp": 0.52, "mouthSmile_": 0.30, "cheekSquint_": 0.18, "eyeSquint_": 0.12,
            "mouthPress_": 0.08,
        }
    ),
    "apologetic": mirrored(
        {
            "browInnerUp": 0.80, "mouthFrown_": 0.16, "mouthPress_": 0.40, "mouthStretch_": 0.12,
            "eyeSquint_": 0.12, "mouthShrugLower": 0.15, "eyeLookDown_": 0.10,
        }
    ),
    "concerned": mirrored(
        {"browDown_": 0.42, "browInnerUp": 0.48, "mouthFrown_": 0.34, "eyeSquint_": 0.26, "mouthPucker": 0.10}
    ),
    "surprised": mirrored(
        {
            "browInnerUp": 0.75, "browOuterUp_": 0.75, "eyeWide_": 0.62, "jawOpen": 0.20, "mouthFunnel": 0.16,
            "mouthSmile_": 0.12,
        }
    ),
    "thinking": mirrored(
        {
            "browDownLeft": 0.30, "browOuterUpRight": 0.50, "browInnerUp": 0.18, "mouthPress_": 0.22,
            "mouthLeft": 0.18, "eyeSquint_": 0.12, "mouthSmile_": 0.08,
        }
    ),
}  # fmt: skip
"""Emotion → ARKit weights at intensity 1."""

HEAD_TILT: dict[str, tuple[float, float, float]] = {
    "empathetic": (0.0, 1.5, 3.0),
    "apologetic": (0.0, 3.5, 1.5),
    "concerned": (0.0, 1.8, -1.5),
    "surprised": (0.0, -2.2, 0.0),
    "thinking": (-3.0, -1.5, 2.0),
    "happy": (0.0, -0.8, 1.0),
}
"""Degrees of yaw, pitch and roll that belong to an emotion at intensity 1."""

ARRIVE_S: dict[str, float] = {
    "neutral": 0.50, "happy": 0.36, "empathetic": 0.50, "apologetic": 0.45, "concerned": 0.45,
    "surprised": 0.22, "thinking": 0.38,
}  # fmt: skip
"""Seconds in which an expression goes from 10 to 90 %: surprise is quick, sympathy comes slowly."""
SUSTAIN: dict[str, tuple[float, float, float]] = {
    "neutral": (1.0, 1.0, 1.0),
    "happy": (0.82, 1.2, 1.5),
    "empathetic": (0.90, 1.5, 2.0),
    "apologetic": (0.85, 1.5, 2.0),
    "concerned": (0.88, 1.5, 2.0),
    "surprised": (0.55, 0.8, 0.9),
    "thinking": (0.90, 2.0, 2.0),
}
"""Share of an expression that stays when it lasts, seconds until it begins to settle, and how slowly (time
constant in seconds): a face that holds its first surprise looks like a mask."""

SPEECH_OPENERS = [
    BLENDSHAPE_INDEX[n]
    for n in (
        "jawOpen", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight",
        "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    )
]  # fmt: skip
"""Mouth shapes of an expression that would spoil a viseme: they leave while the mouth speaks."""
MOUTH = [i for i, name in enumerate(ARKIT_BLENDSHAPES) if name.startswith(("mouth", "jaw", "tongue"))]
MOUTH_WHILE_SPEAKING = 0.6
"""Share of an expression's mouth that remains while the mouth speaks."""


def expression(emotion: str, intensity: float = 1.0) -> F32:
    """Weights float32[52] of an emotion; an unknown one is neutral, intensity is clipped to [0, 1].

    Intensities below 1 lie on the way from the neutral face.
    """
    neutral = _vector(EXPRESSIONS["neutral"])
    target = _vector(EXPRESSIONS.get(emotion, EXPRESSIONS["neutral"]))
    return np.asarray(neutral + (target - neutral) * min(max(intensity, 0.0), 1.0), np.float32)


def head_tilt(emotion: str, intensity: float = 1.0) -> F32:
    """Degrees float32[3] of yaw, pitch and roll that go with an emotion."""
    return np.array(HEAD_TILT.get(emotion, (0.0, 0.0, 0.0)), np.float32) * min(max(intensity, 0.0), 1.0)


def speak_over(face: F32, mouth: F32, speaking: F32, closure: F32) -> F32:
    """Lay speech over an expression.

    Args:
        face: expression weights float32[n, 52].
        mouth: speech weights float32[n, 52].
        speaking: float32[n] in [0, 1], how much the mouth is speaking.
        closure: float32[n] in [0, 1], how firmly the lips must close: nothing may hold them open.

    Returns:
        Weights float32[n, 52] in [0, 1].
    """
    under = face.copy()
    under[:, MOUTH] *= (1 - (1 - MOUTH_WHILE_SPEAKING) * speaking)[:, None]
    under[:, SPEECH_OPENERS] *= (1 - np.maximum(speaking, closure))[:, None]
    under[:, MOUTH] *= (1 - 0.5 * closure)[:, None]
    return np.asarray(np.clip(under + mouth, 0, 1), np.float32)


def _vector(weights: dict[str, float]) -> F32:
    out = np.zeros(len(ARKIT_BLENDSHAPES), np.float32)
    for name, value in weights.items():
        out[BLENDSHAPE_INDEX[name]] = value
    return out
