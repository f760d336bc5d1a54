"""Texts to vectors. The embedded embedder knows spelling and synonyms, and needs no model file."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from knowledge.lexicon import HAN, lexicon
from knowledge.words import Word, words_of

Vectors = npt.NDArray[np.float32]

DIMENSION = 384
NONZERO = 6
"""Entries of ±1 in a feature's random vector: sparse random projections keep angles (Achlioptas 2003)."""
GRAMS = (3, 4, 5)
"""Character n-grams, as in subword word vectors: they forgive endings and typing errors."""
WEIGHT_WORD = 1.0
WEIGHT_CONCEPT = 1.0
WEIGHT_GRAMS = 0.7
"""Of all n-grams of a word together."""
MOST_WORDS_KEPT = 60_000
"""Vectors of words kept in memory, 1.5 kB each."""


class Embedder(Protocol):
    """Turns texts into vectors whose dot product says how close they are."""

    name: str
    """Stands in the index: another name means other vectors, and the index is built again."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32[n, dimension], each row of length 1, or 0 for a text without words."""


class HashedEmbedder:
    """Sums of hashed features of a text's words: the word, its concepts, its character n-grams.

    A word counts by how rare it is in general talk, so that vectors depend on no collection.
    """

    name = f"hashed-{DIMENSION}-3"
    dimension = DIMENSION

    def __init__(self) -> None:
        self._words: dict[str, Vectors] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in words_of(text):
                vectors[row] += self._word(word)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.where(lengths > 0, lengths, 1)
        return vectors

    def _word(self, word: Word) -> Vectors:
        kept = self._words.get(word.surface)
        if kept is not None:
            return kept
        vector = np.zeros(DIMENSION, dtype=np.float32)
        _add(vector, [word.stem], WEIGHT_WORD)
        _add(vector, [*word.concepts], WEIGHT_CONCEPT)
        _add(vector, _grams(word.surface), WEIGHT_GRAMS)
        length = float(np.linalg.norm(vector))
        vector *= np.float32(_weight(word) / (length or 1.0))
        if len(self._words) < MOST_WORDS_KEPT:
            self._words[word.surface] = vector
        return vector


def _weight(word: Word) -> float:
    if word.plain:
        return 0.25
    if HAN.match(word.surface):
        return min(1.0, 0.4 + 0.2 * len(word.surface))
    return max(0.2, lexicon().rarity(word.surface))


def _grams(surface: str) -> list[str]:
    if HAN.match(surface):
        return list(surface)
    framed = f"<{surface}>"
    return [framed[at : at + size] for size in GRAMS for at in range(len(framed) - size + 1)]


def _add(vector: Vectors, features: Sequence[str], weight: float) -> None:
    """Add the features' random vectors, all together of about the length `weight`."""
    if not features:
        return
    step = np.float32(weight / np.sqrt(NONZERO * len(features)))
    for feature in features:
        data = feature.encode()
        for number in range(NONZERO):
            bits = zlib.crc32(data, number * 0x9E3779B1 & 0xFFFFFFFF)
            # The low bits choose the place, a high one the sign.
            vector[bits % DIMENSION] += step if bits >> 31 else -step
