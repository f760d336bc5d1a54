"""What a face tells of feeling: scores from the 52 blendshapes that face trackers give.

The movements are those that Ekman and Friesen's coding system names for each feeling (a smile with raised
cheeks for joy, lowered brows and tight lips for anger …). Nothing learns here, and nothing was measured on
felt faces: it is a hint beside words, for a visitor who allowed the camera.
"""

from __future__ import annotations

from collections.abc import Mapping

from moderation.feelings import FEELINGS

MOVEMENTS: dict[str, dict[str, float]] = {
    "joy": {"mouthSmile": 0.7, "cheekSquint": 0.3},
    "sadness": {"browInnerUp": 0.35, "mouthFrown": 0.45, "mouthShrugLower": 0.2},
    "anger": {"browDown": 0.45, "mouthPress": 0.25, "eyeSquint": 0.1, "jawForward": 0.1, "noseSneer": 0.1},
    "fear": {"browInnerUp": 0.3, "browOuterUp": 0.15, "eyeWide": 0.35, "mouthStretch": 0.2},
    "surprise": {"browInnerUp": 0.25, "browOuterUp": 0.25, "eyeWide": 0.2, "jawOpen": 0.3},
    "disgust": {"noseSneer": 0.6, "mouthUpperUp": 0.3, "browDown": 0.1},
}
"""Label → blendshape, both sides' mean where it has two → share."""
CENTRE = ("jawOpen", "jawForward", "browInnerUp", "mouthShrugLower")
"""Blendshapes that have no sides."""
AGAINST = {
    "joy": {"mouthFrown": 0.5, "browDown": 0.3},
    "sadness": {"mouthSmile": 0.6, "eyeWide": 0.3},
    "anger": {"mouthSmile": 0.7, "browInnerUp": 0.4},
    "fear": {"mouthSmile": 0.6, "browDown": 0.4},
    "surprise": {"browDown": 0.5, "mouthFrown": 0.3, "mouthStretch": 0.4},
    "disgust": {"mouthSmile": 0.5, "jawOpen": 0.3},
}
"""What speaks against each."""
STILL = 0.25
"""A feeling whose movements reach so far makes the face no longer neutral."""


def face_scores(blendshapes: Mapping[str, float]) -> dict[str, float]:
    """Return a score, 0..1, for each feeling.

    Args:
        blendshapes: ARKit name → 0..1, as MediaPipe's face landmarker gives them, best as their mean over a
            second or so in which the visitor does not speak; unknown names are left out, others count as 0.
    """
    scores: dict[str, float] = {}
    for label, shares in MOVEMENTS.items():
        moved = sum(share * _moved(blendshapes, name) for name, share in shares.items())
        against = sum(share * _moved(blendshapes, name) for name, share in AGAINST[label].items())
        scores[label] = round(min(max(moved - against, 0.0), 1.0), 4)
    strongest = max(scores.values())
    scores["neutral"] = round(max(1.0 - strongest / (2 * STILL), 0.0), 4)
    return {label: scores[label] for label in FEELINGS}


def _moved(blendshapes: Mapping[str, float], name: str) -> float:
    names = (name,) if name in CENTRE else (f"{name}Left", f"{name}Right")
    values = [min(max(float(blendshapes.get(each, 0.0)), 0.0), 1.0) for each in names]
    return sum(values) / len(values)
