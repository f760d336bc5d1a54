"""Wording: which topic a question's words, word pairs and spelling speak of, by a linear model.

Unlike vectors, which know what any sentence is about, this model knows only what it was shown. A word that
no topic was asked for with moves nothing, so that its sum says how familiar a question is.
"""

from __future__ import annotations

import collections
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.lexicon import HAN, english_words
from knowledge.stem import stem
from knowledge.words import tokens_of

GRAM = 4
"""Letters of a piece of spelling."""
MOST_FEATURES = 30_000
"""The commonest are kept."""
SCALE = 3.0
"""Length of a question's features."""
STEPS = 30
"""Few: what is seldom seen shall not be learnt by heart."""
RATE = 0.3
RIDGE = 1e-6

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Wording:
    """Weights of features for topics.

    Attributes:
        features: uint32[f], hashes, rising.
        worth: float32[f], how telling each is.
        weights: float16[f, t].
    """

    features: npt.NDArray[np.uint32]
    worth: Floats
    weights: npt.NDArray[np.float16]

    @classmethod
    def fit(cls, texts: Sequence[str], topics: npt.NDArray[np.int32], count: int) -> Wording:
        """Fit a logistic model by Adam.

        Args:
            texts: questions.
            topics: of each, int32[n].
            count: of topics.
        """
        found = [sorted(set(hashes(text))) for text in texts]
        times = collections.Counter(feature for features in found for feature in features)
        common = [feature for feature, seen in times.most_common(MOST_FEATURES) if seen > 1]
        features = np.asarray(sorted(common), dtype=np.uint32)
        worth = np.asarray(
            [np.log(len(texts) / times[feature]) + 1.0 for feature in features.tolist()], dtype=np.float32
        )
        model = cls(features, worth, np.zeros((len(features), count), dtype=np.float16))
        if len(features):
            model.weights[:] = _fit(*model._rows(found), topics, model.weights.shape)
        return model

    def logits(self, text: str) -> Floats:
        """Return how much a question's words speak for each topic, float32[t]."""
        _, columns, values = self._rows([sorted(set(hashes(text)))])
        told: Floats = np.einsum("f,ft->t", values, self.weights[columns].astype(np.float32))
        return told

    def _rows(
        self, found: Sequence[Sequence[int]]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
        """Return known features of texts as a sparse matrix: pointers, columns, values."""
        pointers = np.zeros(len(found) + 1, dtype=np.int64)
        columns, values = [], []
        for row, features in enumerate(found):
            hashed = np.asarray(features, dtype=np.uint32)
            at = np.minimum(np.searchsorted(self.features, hashed), max(len(self.features) - 1, 0))
            at = at[self.features[at] == hashed] if len(self.features) else at[:0]
            worth = self.worth[at]
            length = float(np.linalg.norm(worth)) or 1.0
            columns.append(at.astype(np.int64))
            values.append(worth * np.float32(SCALE / length))
            pointers[row + 1] = pointers[row] + len(at)
        return pointers, np.concatenate(columns), np.concatenate(values)


def hashes(text: str, *, spelling: bool = True) -> Iterator[int]:
    """Yield the hashed stems of a text, their neighbours as pairs, and its spelling; Chinese words and pairs.

    Args:
        text: a question.
        spelling: whether pieces of English words are told, too.
    """
    words = english_words(text)
    stems = [stem(word) for word in words]
    for one in stems:
        yield zlib.crc32(one.encode())
    for one, two in zip(["^", *stems], [*stems, "$"], strict=True):
        yield zlib.crc32(f"{one} {two}".encode())
    spelt = f" {' '.join(words)} "
    for at in range(len(spelt) - GRAM + 1 if spelling else 0):
        yield zlib.crc32(f"~{spelt[at : at + GRAM]}".encode())
    if HAN.search(text):
        for token in tokens_of(text):
            yield zlib.crc32(token.encode())


def _fit(
    pointers: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    values: Floats,
    topics: npt.NDArray[np.int32],
    shape: tuple[int, ...],
) -> Floats:
    from knowledge.compiled import spread, sums

    weights: npt.NDArray[Any] = np.zeros(shape, dtype=np.float32)
    mean, square, slope = np.zeros_like(weights), np.zeros_like(weights), np.zeros_like(weights)
    told = np.zeros((len(topics), shape[1]), dtype=np.float32)
    rows = np.arange(len(topics))
    for step in range(1, STEPS + 1):
        sums(pointers, columns, values, weights, told)
        told -= told.max(axis=1, keepdims=True)
        np.exp(told, out=told)
        told /= told.sum(axis=1, keepdims=True)
        told[rows, topics] -= 1.0
        told /= np.float32(len(topics))
        spread(pointers, columns, values, told, slope)
        slope += np.float32(RIDGE) * weights
        mean += np.float32(0.1) * (slope - mean)
        square += np.float32(0.01) * (slope * slope - square)
        rate = RATE * (1.0 - step / (STEPS + 1)) / (1.0 - 0.9**step)
        spread_of = np.sqrt(square / np.float32(1.0 - 0.99**step)) + np.float32(1e-6)
        weights -= np.float32(rate) * mean / spread_of
    return weights
