"""Topics: where a knowledge says of many answers how people ask for them, it can learn to tell them apart.

A small classifier over the answers is fitted to the questions that stand in the documents, when they are
learnt. At a question it is asked together with the nearest of those questions and with the words and word
pairs, and the three have one vote each.
"""

from __future__ import annotations

import collections
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.files import write_whole
from knowledge.lexicon import HAN, english_words
from knowledge.passage import Passage
from knowledge.stem import stem
from knowledge.vectors import Near, UnitVectors
from knowledge.words import tokens_of

FORMAT = 1
FEWEST_QUESTIONS = 6
"""Ways to ask for an answer from which a classifier learns more than the nearest of them tells."""
MOST_TOPICS = 400
MOST_QUESTIONS = 40_000
SHARE = 0.5
"""Of all headings that must belong to topics with enough questions."""
STEPS = 100
RATE = 0.3
SCALE = 4.0
"""Of the vectors that the classifier reads, which have length 1."""
RIDGE = 1e-5
NEIGHBOURS = 20
CLOSE = 0.05
"""A question that is farther than the nearest by so much has 1/e of its vote."""
SMOOTH = 0.1
"""Added to the count of each word in each topic."""
SHARPNESS = 0.35
"""Of the word model's logarithms: words of one question depend on each other."""
WEIGHT = 8.0
"""Of a topic's likelihood in a passage's standing."""

Floats = npt.NDArray[np.float32]


class Topics:
    """The answers of a knowledge, and how they are asked for.

    Attributes:
        of: for each passage the number of its topic, -1 where it has none.
    """

    weight = WEIGHT

    def __init__(self, arrays: dict[str, Any], vectors: UnitVectors) -> None:
        self._arrays = arrays
        self.of: list[int] = arrays["of"].tolist()
        self._classifier: Floats = arrays["classifier"]
        self._features: npt.NDArray[np.uint32] = arrays["features"]
        self._words: npt.NDArray[np.float16] = arrays["words"]
        self._count = self._classifier.shape[1]
        topic = arrays["of"][vectors.owners]
        self._topic_of_unit: npt.NDArray[np.int32] = np.where(vectors.headings, topic, -1)

    @classmethod
    def build(cls, passages: Sequence[Passage], vectors: UnitVectors) -> Topics | None:
        """Learn the topics; None where a knowledge has too few questions, as most have."""
        keys = list(_keys(passages))
        numbers: dict[str, int] = {}
        of = np.asarray([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int32)
        headings = np.flatnonzero(vectors.headings)
        asked = of[vectors.owners[headings]]
        counts = np.bincount(asked, minlength=len(numbers))
        kept = np.flatnonzero(counts >= FEWEST_QUESTIONS)
        inside = np.isin(asked, kept)
        if not 2 <= len(kept) <= MOST_TOPICS or inside.mean() < SHARE or inside.sum() > MOST_QUESTIONS:
            return None
        place = np.full(len(numbers), -1, dtype=np.int32)
        place[kept] = np.arange(len(kept))
        headings, labels = headings[inside], place[asked[inside]]
        features, words = _fit_words(passages, place[of], len(kept))
        arrays = {
            "format": FORMAT,
            "of": place[of],
            "classifier": _fit(vectors.read(headings), labels, len(kept)),
            "features": features,
            "words": words,
        }
        return cls(arrays, vectors)

    @classmethod
    def load(cls, file: Path, vectors: UnitVectors, passages: int) -> Topics | None:
        """Read topics; None where there are none, or where the file is damaged or of another version."""
        try:
            with np.load(file, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            if int(arrays["format"]) != FORMAT or len(arrays["of"]) != passages:
                return None
            return cls(arrays, vectors)
        except (OSError, ValueError, KeyError, EOFError):
            return None

    def save(self, file: Path) -> None:
        """Write them to a file, in one step."""
        write_whole(file, lambda target: np.savez(target, **self._arrays))

    def likely(self, text: str, vector: Floats, near: Near) -> dict[int, float]:
        """Return how likely a question asks for each topic; what is below a thousandth is left out."""
        told = _softmax(SCALE * vector @ self._classifier) + self._vote(near) + self._by_words(text)
        told /= float(told.sum()) or 1.0
        return {int(topic): float(told[topic]) for topic in np.flatnonzero(told > 1e-3)}

    def _vote(self, near: Near) -> Floats:
        topic = self._topic_of_unit[near.units]
        asked = topic >= 0
        topic, values = topic[asked], near.values[asked]
        if len(values) > NEIGHBOURS:
            best = np.argpartition(values, -NEIGHBOURS)[-NEIGHBOURS:]
            topic, values = topic[best], values[best]
        votes = np.zeros(self._count, dtype=np.float32)
        if len(values):
            np.add.at(votes, topic, np.exp((values - values.max()) / CLOSE))
            votes /= votes.sum()
        return votes

    def _by_words(self, text: str) -> Floats:
        hashed = np.asarray(list(_hashes(text)), dtype=np.uint32)
        if not len(hashed) or not len(self._features):
            return np.full(self._count, 1.0 / self._count, dtype=np.float32)
        at = np.minimum(np.searchsorted(self._features, hashed), len(self._features) - 1)
        at = at[self._features[at] == hashed]
        return _softmax(SHARPNESS * self._words[at].astype(np.float32).sum(axis=0))


def _keys(passages: Sequence[Passage]) -> Iterator[str]:
    """Yield what each passage answers: its text where that is more than the question, else its document."""
    for passage in passages:
        alone = passage.text == passage.title
        yield "\0" + passage.source.partition("#")[0] if alone else passage.text


def _fit(vectors: Floats, labels: npt.NDArray[np.int32], count: int) -> Floats:
    """Fit a logistic model by Adam.

    Args:
        vectors: float32[n, d].
        labels: topic of each, int32[n].
        count: of topics.

    Returns:
        float32[d, count].
    """
    inputs = SCALE * vectors
    weights: npt.NDArray[Any] = np.zeros((inputs.shape[1], count), dtype=np.float32)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    rows = np.arange(len(labels))
    for step in range(1, STEPS + 1):
        told = _softmax(inputs @ weights)
        told[rows, labels] -= 1.0
        slope = inputs.T @ told / len(labels) + RIDGE * weights
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        rate = RATE * (1.0 - step / (STEPS + 1))
        weights -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-6)
    return weights


def _fit_words(
    passages: Sequence[Passage], topics: npt.NDArray[np.int32], count: int
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float16]]:
    """Count words and pairs of words by topic (naive Bayes).

    Returns:
        Hashes of the features, uint32[f], rising, and each one's logarithm in each topic against its mean,
        float16[f, count].
    """
    counted: dict[int, collections.Counter[int]] = collections.defaultdict(collections.Counter)
    for passage, topic in zip(passages, topics.tolist(), strict=True):
        if topic >= 0:
            for heading in {passage.title, *passage.questions}:
                for feature in set(_hashes(heading)):
                    counted[feature][topic] += 1
    features = sorted(feature for feature, topics_of in counted.items() if sum(topics_of.values()) > 1)
    table = np.full((len(features), count), SMOOTH, dtype=np.float32)
    for row, feature in enumerate(features):
        for topic, times in counted[feature].items():
            table[row, topic] += times
    asked = np.bincount(topics[topics >= 0], minlength=count).astype(np.float32)
    logs = np.log(table / (asked + 1.0)[None, :])
    return np.asarray(features, dtype=np.uint32), (logs - logs.mean(axis=1, keepdims=True)).astype(np.float16)


def _hashes(text: str) -> Iterator[int]:
    """Yield the hashed stems of a text, and their neighbours as pairs; Chinese words and character pairs."""
    stems = [stem(word) for word in english_words(text)]
    for one in stems:
        yield zlib.crc32(one.encode())
    for one, two in zip(["^", *stems], [*stems, "$"], strict=True):
        yield zlib.crc32(f"{one} {two}".encode())
    if HAN.search(text):
        for token in tokens_of(text):
            yield zlib.crc32(token.encode())


def _softmax(values: npt.NDArray[Any]) -> Floats:
    shifted = np.exp(values - values.max(axis=-1, keepdims=True))
    found: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return found
