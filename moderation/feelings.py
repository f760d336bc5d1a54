"""Public sets of emotions that the encoder learns from beside the moderation heads."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

FEELINGS = ("neutral", "joy", "sadness", "anger", "fear", "surprise", "disgust")
"""Ekman's six, and none."""
_GOEMOTIONS = {
    "neutral": (27,),
    "joy": (0, 1, 4, 5, 8, 13, 15, 17, 18, 20, 21, 23),
    "sadness": (9, 12, 16, 24, 25),
    "anger": (2, 3, 10),
    "fear": (14, 19),
    "surprise": (6, 7, 22, 26),
    "disgust": (11,),
}
"""GoEmotions' labels, grouped as its authors do."""
_CPED = {
    "neutral": "neutral",
    "happy": "joy",
    "grateful": "joy",
    "relaxed": "joy",
    "positive-other": "joy",
    "sadness": "sadness",
    "depress": "sadness",
    "anger": "anger",
    "fear": "fear",
    "worried": "fear",
    "astonished": "surprise",
    "disgust": "disgust",
}
"""CPED's; "negative-other" may be any of several, and is left out."""


def felt(data: Path, part: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Texts with the emotions that their readers saw.

    Args:
        data: folder of the sets; a missing one is left out.
        part: "train", "dev" or "test" of GoEmotions; of CPED's dialogues, which have no such parts here, one
            in five is "dev", one in five "test".

    Yields:
        text, float32[len(FEELINGS)].
    """
    english = data / "goemotions" / f"{part}.tsv"
    if english.is_file():
        for line in english.read_text(encoding="utf-8").splitlines():
            text, labels, _ = line.split("\t")
            seen = {int(label) for label in labels.split(",")}
            yield text, np.array([bool(seen & set(_GOEMOTIONS[name])) for name in FEELINGS], np.float32)
    chinese = data / "cped_zh" / "valid_split.csv"
    if chinese.is_file():
        with chinese.open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                name = _CPED.get(row["Emotion"])
                if name and _part(row["Dialogue_ID"]) == part:
                    yield row["Utterance"], np.array([each == name for each in FEELINGS], np.float32)


def _part(dialogue: str) -> str:
    return {0: "dev", 1: "test"}.get(crc32(dialogue.encode()) % 5, "train")
