"""The visitor's feelings, and how other people's names for feelings map to them."""

from __future__ import annotations

LABELS = ("neutral", "joy", "sadness", "anger", "fear", "surprise", "disgust")
"""Ekman's six and neutral."""

GOEMOTIONS = {
    "anger": "anger annoyance disapproval",
    "disgust": "disgust",
    "fear": "fear nervousness",
    "joy": "joy amusement approval excitement gratitude love optimism relief pride admiration desire caring",
    "sadness": "sadness disappointment embarrassment grief remorse",
    "surprise": "surprise realization confusion curiosity",
    "neutral": "neutral",
}
"""GoEmotions' own grouping of its 28 labels."""

CPED = {
    "neutral": "neutral",
    "joy": "happy grateful relaxed positive-other",
    "sadness": "sadness depress",
    "anger": "anger",
    "fear": "fear worried",
    "surprise": "astonished",
    "disgust": "disgust",
}
"""CPED's 13 labels; "negative-other" tells too little."""


def grouped(grouping: dict[str, str]) -> dict[str, str]:
    """Return their label → ours."""
    return {theirs: ours for ours, group in grouping.items() for theirs in group.split()}
