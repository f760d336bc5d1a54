"""Passages that share most of their phrases, found without comparing all with all."""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence

from knowledge.passage import Passage

WORDS, CHARACTERS = 4, 6
"""Length of a phrase: English words, Chinese characters."""
LEAST = 6
"""Phrases that a passage must have to be compared."""
SHARE = 0.7
"""Of the shorter one's phrases, that both have."""
COMMON = 40
"""Passages that may share a phrase; one of more is a form of words, and tells nothing."""

_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")


def alike_pairs(passages: Sequence[Passage]) -> dict[tuple[int, int], float]:
    """Return pairs of passages of one language that share most of their phrases.

    Returns:
        Numbers of two passages, rising → the share of the shorter one's phrases that both have.
    """
    phrases = [_phrases(passage) for passage in passages]
    places: dict[int, list[int]] = defaultdict(list)
    for number, own in enumerate(phrases):
        if len(own) >= LEAST:
            for phrase in own:
                places[phrase].append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for numbers in places.values():
        if 1 < len(numbers) <= COMMON:
            shared.update((one, other) for at, one in enumerate(numbers) for other in numbers[at + 1 :])
    pairs = {}
    for (one, other), count in shared.items():
        share = count / min(len(phrases[one]), len(phrases[other]))
        if share >= SHARE and passages[one].language == passages[other].language:
            pairs[one, other] = share
    return pairs


def _phrases(passage: Passage) -> set[int]:
    """Return the passage's phrases, hashed; numbers count as equal, so that only they may differ."""
    tokens = ["0" if token[0].isdigit() else token for token in _TOKEN.findall(passage.text.casefold())]
    size = CHARACTERS if passage.language == "zh" else WORDS
    return {
        zlib.crc32(" ".join(tokens[at : at + size]).encode("utf-8", "replace"))
        for at in range(len(tokens) - size + 1)
    }
