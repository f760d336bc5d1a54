"""What the linear classifier looks at: hashed n-grams of a text's words, letters and Chinese characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from moderation.disguise import disguises
from moderation.mirrored import as_shown
from moderation.normalise import fold

MOST_CHARACTERS = 6000
"""Of a text; what comes after changes nothing."""
_TOKEN = re.compile(
    r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:'[^\W_]+)?|[!?！？。.…,，:;\"“”]+|[^\w\s]", re.UNICODE
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_SHORT, _LONG = 3, 5
"""Letters of a piece of a word."""
_SKIP = 3
"""Words between two that are looked at together."""


def tokens(text: str) -> list[str]:
    """Words, Chinese characters and signs of a folded text, in order."""
    return [token if token[0].isalnum() else token[0] for token in _TOKEN.findall(text.replace("’", "'"))]


def grams(text: str) -> Iterator[str]:
    """Every n-gram that is looked at, as text, as often as it occurs."""
    reading = fold(as_shown(text[:MOST_CHARACTERS]))
    yield from _grams(tokens(reading.text))
    for undone in disguises(reading):
        yield from _grams(undone.text.split())
        break


def _grams(found: list[str]) -> Iterator[str]:
    line = ["^", *found, "$"]
    for at, token in enumerate(line):
        yield "w" + token
        if at + 1 < len(line):
            yield f"b{token} {line[at + 1]}"
        if at + 2 < len(line):
            yield f"t{token} {line[at + 1]} {line[at + 2]}"
        if at + 3 < len(line) and _HAN.match(token):
            yield f"q{token}{line[at + 1]}{line[at + 2]}{line[at + 3]}"
        for gap in range(2, 2 + _SKIP):
            if at + gap < len(line):
                yield f"s{token} {line[at + gap]}"
        if len(token) >= _SHORT and token[0].isalnum():
            word = f"<{token}>"
            for length in range(_SHORT, _LONG + 1):
                for start in range(len(word) - length + 1):
                    yield "c" + word[start : start + length]


def hashes(text: str) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """A text's features: their names' CRC-32, ascending, and their weights, together of length 1.

    Returns:
        uint32[n], float32[n]: weight 1 + log(count) before it is brought to length 1.
    """
    found = np.fromiter((crc32(gram.encode()) for gram in grams(text)), np.uint32)
    names, counts = np.unique(found, return_counts=True)
    weights = (1.0 + np.log(counts)).astype(np.float32)
    norm = float(np.sqrt((weights * weights).sum()))
    return names, weights / norm if norm else weights
