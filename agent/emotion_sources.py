"""What the classifier of feelings learns from beside the public sets: our own texts, and calm questions."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

from moderation.feelings import FEELINGS, FeltText

TEXTS = Path(__file__).with_name("emotion_texts")
EACH = 16
"""Texts that are made of one pattern at most."""
SHOUTED = 8
"""One text of so many is in capitals: they make a feeling stronger, they are none."""
PATTERN_WEIGHT = 12.0
"""Of all texts of a pattern together, where one of GoEmotions weighs 1."""
KEPT_ASIDE = 7
"""One pattern of so many tunes the labels' offsets."""
CALM_EACH = 2000
CALM_WEIGHT = 1.0
SEED = 11


def own_texts(folder: Path = TEXTS) -> list[FeltText]:
    """Read the texts of `agent/emotion_texts`: one pattern in seven is kept aside to tune with."""
    examples = []
    for language in ("en", "zh"):
        labels, place = frozenset[str](), 0
        for line in folder.joinpath(f"{language}.txt").read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                labels, place = frozenset(line.strip("[]").split()), 0
                if labels - set(FEELINGS):
                    raise ValueError(f"{language}.txt: {line} names none of {', '.join(FEELINGS)}")
            elif line and not line.startswith("#"):
                texts = list(made_of(line, random.Random(SEED + crc32(line.encode()))))
                place += 1
                part = "dev" if place % KEPT_ASIDE == 0 else "train"
                weight = PATTERN_WEIGHT / len(texts)
                examples += [FeltText(text, labels, language, part, weight) for text in texts]
    return examples


def made_of(pattern: str, rnd: random.Random) -> Iterator[str]:
    """Yield texts of a pattern; every second one as a recogniser might write it, without punctuation."""
    parts = [part.split("|") for part in re.split(r"[{}]", pattern)]
    made = set[str]()
    for _ in range(EACH * 4):
        text = re.sub(r"\s+([.,!?])", r"\1", " ".join("".join(map(rnd.choice, parts)).split()))
        if len(made) % 2:
            text = re.sub(r"[.,。，]+", " ", text).strip()
        if len(made) % SHOUTED == 0:
            text = text.upper()
        made.add(text)
        if len(made) == EACH:
            break
    yield from sorted(made)


def calm(folder: Path) -> list[FeltText]:
    """Read what customers ask calmly, where those sets are there."""
    examples = []
    for path in (folder / "banking77" / "train.csv", *sorted(folder.glob("hwu64/*.csv"))):
        if not path.exists():
            continue
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if not row[1].startswith("general")]
        chosen = random.Random(SEED).sample(rows, min(CALM_EACH, len(rows)))
        texts = [row[0] for row in chosen]
        examples += [
            FeltText(
                text, frozenset({"neutral"}), "en", "train" if place % KEPT_ASIDE else "dev", CALM_WEIGHT
            )
            for place, text in enumerate(texts)
        ]
    return examples
