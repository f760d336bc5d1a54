"""How often words that end like these are a whole sentence: a small model of ends, learnt from text.

A logistic function of the last words, the first ones and the length, trained by `agent.train_endings` on
whole sentences and on their beginnings, cut anywhere. It knows that something is missing of "can you help me
activate", where no rule does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 14
"""Features share so many weights for each language."""
LANGUAGES = ("en", "zh")
WEIGHTS = Path(__file__).with_name("endings.npz")
MOST_WORDS = 12
"""Sentences longer than this are all the same to the model."""
_DIGITS = re.compile(r"\d+")


def buckets_of(words: Sequence[str]) -> list[int]:
    """Return the weights that belong to words of `heard_words`; Chinese characters are words."""
    words = [_DIGITS.sub("0", word) for word in words]
    last, first = words[-4:], words[:2]
    features = [f"n{min(len(words), MOST_WORDS)}", f"a {first[0]}", f"b {' '.join(first)}"]
    features += [f"{length} {' '.join(last[-length:])}" for length in range(1, len(last) + 1)]
    features += [
        f"c {first[0]} {last[-1]}",
        f"d {' '.join(first)} {last[-1]}",
        f"m{len(words) > 3} {last[-1]}",
    ]
    return [crc32(feature.encode()) % BUCKETS for feature in features]


def whole_probability(words: Sequence[str], language: str) -> float:
    """Tell how likely words are a whole sentence rather than the beginning of one, both being as frequent.

    Args:
        words: of `heard_words`, at least one.
        language: "en" or "zh".
    """
    weights, bias = _weights(language)
    total = bias + float(weights[buckets_of(words)].sum())
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


@lru_cache(maxsize=len(LANGUAGES))
def _weights(language: str) -> tuple[NDArray[np.float32], float]:
    with np.load(WEIGHTS) as stored:
        return stored[language].astype(np.float32), float(stored[f"{language}_bias"])
