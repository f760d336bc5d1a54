"""The visitor's feelings, other people's names for them, and the public sets that tell them.

The transformer of `moderation` learns them beside harm, and `agent` tells them; only training and measuring
read the sets.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

FEELINGS = ("neutral", "joy", "sadness", "anger", "fear", "surprise", "disgust")
"""Ekman's six, and none."""
GOEMOTIONS = {
    "neutral": "neutral",
    "joy": "joy amusement approval excitement gratitude love optimism relief pride admiration desire caring",
    "sadness": "sadness disappointment embarrassment grief remorse",
    "anger": "anger annoyance disapproval",
    "fear": "fear nervousness",
    "surprise": "surprise realization confusion curiosity",
    "disgust": "disgust",
}
"""Ours → GoEmotions' own grouping of its 28 labels."""
CPED = {
    "neutral": "neutral",
    "joy": "happy grateful relaxed positive-other",
    "sadness": "sadness depress",
    "anger": "anger",
    "fear": "fear worried",
    "surprise": "astonished",
    "disgust": "disgust",
}
"""Ours → CPED's 13 labels; "negative-other" may be any of several, and is left out."""


@dataclass(frozen=True, slots=True)
class FeltText:
    """A text, and what its readers took it to tell."""

    text: str
    labels: frozenset[str]
    """Of `FEELINGS`."""
    language: str
    part: str = "train"
    """"train", "dev" to tune, or "test"."""
    weight: float = 1.0


def goemotions(folder: Path, part: str) -> Iterator[FeltText]:
    """Read a part of GoEmotions: "train", "dev" or "test"."""
    names = folder.joinpath("labels.txt").read_text(encoding="utf-8").split()
    ours = _ours(GOEMOTIONS)
    for line in folder.joinpath(f"{part}.tsv").read_text(encoding="utf-8").splitlines():
        text, numbers, _ = line.split("\t")
        yield FeltText(text, frozenset(ours[names[int(number)]] for number in numbers.split(",")), "en", part)


def cped(file: Path) -> Iterator[FeltText]:
    """Read CPED's dialogues, which have no such parts here: 3 of 5 train, 1 is to tune, 1 to test."""
    ours = _ours(CPED)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["Emotion"] in ours:
                part = {0: "dev", 1: "test"}.get(crc32(row["Dialogue_ID"].encode()) % 5, "train")
                yield FeltText(row["Utterance"], frozenset({ours[row["Emotion"]]}), "zh", part)


def felt(data: Path, part: str) -> Iterator[FeltText]:
    """Read a part of both sets, "train", "dev" or "test"; a set that is missing is left out."""
    english, chinese = data / "goemotions", data / "cped_zh" / "valid_split.csv"
    if english.is_dir():
        yield from goemotions(english, part)
    if chinese.is_file():
        yield from (one for one in cped(chinese) if one.part == part)


def _ours(grouping: dict[str, str]) -> dict[str, str]:
    return {theirs: ours for ours, group in grouping.items() for theirs in group.split()}
