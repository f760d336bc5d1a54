"""The seven emotions of the design as faces, in a form that leaves the mouth free to speak."""

from __future__ import annotations

from functools import cache

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
    # AU 6 + 12 with a little of the teeth: without the cheeks it would be a polite smile
    "happy": mirrored(
        {
            "mouthSmile_": 0.78, "cheekSquint_": 0.75, "eyeSquint_": 0.34, "mouthDimple_": 0.10,
            "browOuterUp_": 0.15, "browInnerUp": 0.12,
            "mouthUpperUp_": 0.24, "mouthLowerDown_": 0.06, "jawOpen": 0.10,
        }
    ),
    # AU 1 with 6 + 12: brows of sorrow over a warm mouth; the tilted head says the rest
    "empathetic": mirrored(
        {
            "browInnerUp": 0.85, "mouthSmile_": 0.50, "cheekSquint_": 0.36, "eyeSquint_": 0.24,
            "mouthDimple_": 0.12,
        }
    ),
    # AU 1 + 15 + 17 + 28: lips rolled in over a raised chin, head and eyes lowered
    "apologetic": mirrored(
        {
            "browInnerUp": 1.0, "mouthFrown_": 0.30, "mouthRollLower": 0.45, "mouthRollUpper": 0.35,
            "mouthShrugLower": 0.35, "eyeBlink_": 0.10,
        }
    ),
    # AU 1 + 4 + 7 + 15: a furrow, narrowed eyes, corners down; the head turns as if to hear better
    "concerned": mirrored(
        {
            "browDown_": 1.0, "browInnerUp": 0.60, "mouthFrown_": 0.38, "eyeSquint_": 0.50,
            "mouthStretch_": 0.15,
        }
    ),
    # AU 1 + 2 + 5 + 26, with a trace of a smile lest it look like fright
    "surprised": mirrored(
        {
            "browInnerUp": 0.85, "browOuterUp_": 0.90, "eyeWide_": 0.75, "jawOpen": 0.30,
            "mouthFunnel": 0.12, "mouthSmile_": 0.10,
        }
    ),
    # one brow up, one down, lips to the side; the eyes look up and aside
    "thinking": mirrored(
        {
            "browDownLeft": 0.60, "browOuterUpRight": 0.85, "browInnerUp": 0.20, "mouthLeft": 0.80,
            "mouthPucker": 0.25, "mouthRollLower": 0.15, "mouthFrown_": 0.10, "eyeSquintLeft": 0.30,
        }
    ),
}  # fmt: skip
"""Emotion → ARKit weights at intensity 1."""

EARLY_RISE = 0.6
"""Exponent on the intensity: half an emotion must already be read in a face."""

HEAD_TILT: dict[str, tuple[float, float, float]] = {
    "happy": (0.0, -1.5, 1.5),
    "empathetic": (0.0, 1.5, 6.5),
    "apologetic": (0.0, 6.5, -2.0),
    "concerned": (-3.0, 1.5, -3.5),
    "surprised": (0.0, -2.5, 0.0),
    "thinking": (-4.0, -2.5, 3.5),
}
"""Degrees of yaw, pitch and roll that belong to an emotion at intensity 1."""
GAZE_ASIDE: dict[str, tuple[float, float]] = {"thinking": (-17.0, 10.0), "apologetic": (0.0, -9.0)}
"""Degrees by which its eyes leave the visitor, in a still picture; in motion see `avatar.attention`."""

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

SPEECH_SPOILERS = [
    BLENDSHAPE_INDEX[n]
    for n in (
        "jawOpen", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight",
        "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight", "mouthShrugLower", "mouthShrugUpper",
        "mouthRollLower", "mouthRollUpper", "mouthPressLeft", "mouthPressRight",
    )
]  # fmt: skip
"""Mouth shapes of an expression that would spoil a viseme: they leave while the mouth speaks."""
MOUTH = [i for i, name in enumerate(ARKIT_BLENDSHAPES) if name.startswith(("mouth", "jaw", "tongue"))]
WIDE = [i for i, n in enumerate(ARKIT_BLENDSHAPES) if n.startswith(("mouthSmile", "mouthStretch"))]
ROUND = [BLENDSHAPE_INDEX["mouthPucker"]]
ROUND_OVER_WIDE = 0.6
"""Share of a smile that full rounding takes away: nobody says /u/ with a broad mouth."""
MOUTH_WHILE_SPEAKING = 0.6
"""Share of an expression's mouth that remains while the mouth speaks."""


def _ones(shapes: list[int]) -> F32:
    """1 where a shape is one of these, 0 elsewhere: float32[52]."""
    return np.isin(np.arange(len(ARKIT_BLENDSHAPES)), shapes).astype(np.float32)


_MOUTH, _SPOILERS, _WIDE = _ones(MOUTH), _ones(SPEECH_SPOILERS), _ones(WIDE)


def expression(emotion: str, intensity: float = 1.0) -> F32:
    """Weights float32[52] of an emotion; an unknown one is neutral, intensity is clipped to [0, 1].

    Intensities below 1 lie on the way from the neutral face, early ones farther than their number says.
    """
    neutral = _weights("neutral")
    target = _weights(emotion if emotion in EXPRESSIONS else "neutral")
    return np.asarray(neutral + (target - neutral) * _share(intensity), np.float32)


def head_tilt(emotion: str, intensity: float = 1.0) -> F32:
    """Degrees float32[3] of yaw, pitch and roll that go with an emotion."""
    return np.array(HEAD_TILT.get(emotion, (0.0, 0.0, 0.0)), np.float32) * _share(intensity)


def gaze_aside(emotion: str, intensity: float = 1.0) -> tuple[float, float]:
    """Degrees by which the eyes leave the visitor in a still picture of an emotion: left, up."""
    left, up = GAZE_ASIDE.get(emotion, (0.0, 0.0))
    return left * _share(intensity), up * _share(intensity)


def _share(intensity: float) -> float:
    return float(min(max(intensity, 0.0), 1.0) ** EARLY_RISE)


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
    mouthed = (1 - (1 - MOUTH_WHILE_SPEAKING) * speaking) * (1 - 0.5 * closure)
    under = face * (1 - _MOUTH * (1 - mouthed)[:, None])
    under *= 1 - _SPOILERS * np.maximum(speaking, closure)[:, None]
    under *= 1 - _WIDE * (ROUND_OVER_WIDE * mouth[:, ROUND])
    under += mouth
    return np.asarray(np.minimum(np.maximum(under, 0, out=under), 1, out=under), np.float32)


@cache
def _weights(emotion: str) -> F32:
    """An emotion's weights, not to be written to."""
    return _vector(EXPRESSIONS[emotion])


def _vector(weights: dict[str, float]) -> F32:
    out = np.zeros(len(ARKIT_BLENDSHAPES), np.float32)
    for name, value in weights.items():
        out[BLENDSHAPE_INDEX[name]] = value
    return out
