"""Topics: where a knowledge says of many answers how people ask for them, it can learn to tell them apart.

A small classifier over the answers is fitted to the questions that stand in the documents, when they are
learnt. At a question it is asked together with the nearest of those questions and with the words and word
pairs; what all three hold for likely is. How familiar the question's wording is says a fourth (`Wording`).
"""

from __future__ import annotations

import collections
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from knowledge.files import write_whole
from knowledge.passage import Passage
from knowledge.vectors import Near, UnitVectors
from knowledge.wording import Wording, hashes

FORMAT = 2
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
WEIGHT = 1.5
"""Of the three opinions on a topic in its passages' standing."""
DOUBT = 0.05
"""Added to each opinion: none of the three can rule a topic out alone."""
LOOKED_AT = 3
"""Topics of which the nearest passage is looked at, whatever else was found."""
_NUMBERED = re.compile(r"[\W_]*\d+$")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Meant:
    """What speaks for a topic."""

    place: float
    """What the three opinions put its passages forward by, compared with the likeliest topic: 0 or less."""
    share: float
    """Their mean, 0..1."""
    near: float
    """Cosine of the question and the nearest way to ask for it."""
    told: float
    """How much the question's wording speaks for it."""


NO_TOPIC = Meant(place=3 * WEIGHT * math.log(DOUBT), share=0.0, near=0.0, told=0.0)
"""Of a passage that few ask for."""


class Topics:
    """The answers of a knowledge, and how they are asked for.

    Attributes:
        of: for each passage the number of its topic, -1 where it has none.
    """

    def __init__(self, arrays: dict[str, Any], vectors: UnitVectors) -> None:
        self._arrays = arrays
        self.of: list[int] = arrays["of"].tolist()
        self._classifier: Floats = arrays["classifier"]
        self._features: npt.NDArray[np.uint32] = arrays["features"]
        self._words: npt.NDArray[np.float16] = arrays["words"]
        self._wording = Wording(arrays["spelt"], arrays["worth"], arrays["wording"])
        self._count = self._classifier.shape[1]
        topic = arrays["of"][vectors.owners]
        self._owners = vectors.owners
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
        texts, topics = _asked(passages, place[of])
        features, words = _fit_words(texts, topics, len(kept))
        wording = Wording.fit(texts, topics, len(kept))
        arrays = {
            "format": FORMAT,
            "of": place[of],
            "classifier": _fit(vectors.read(headings), labels, len(kept)),
            "features": features,
            "words": words,
            "spelt": wording.features,
            "worth": wording.worth,
            "wording": wording.weights,
        }
        return cls(arrays, vectors)

    @classmethod
    def load(cls, file: Path, vectors: UnitVectors, passages: int) -> Topics | None:
        """Read topics; None where there are none, or where the file is damaged or of another version."""
        try:
            with file.open("rb") as raw, np.load(raw, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            if int(arrays["format"]) != FORMAT or len(arrays["of"]) != passages:
                return None
            return cls(arrays, vectors)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None

    def save(self, file: Path) -> None:
        """Write them to a file, in one step."""
        write_whole(file, lambda target: np.savez(target, **self._arrays))

    def meant(self, text: str, vector: Floats, near: Near) -> tuple[list[Meant], list[int]]:
        """Return what speaks for each topic, and the nearest passages of those that are likeliest."""
        opinions = (_softmax(SCALE * vector @ self._classifier), self._vote(near), self._by_words(text))
        place = np.sum([np.log(opinion + DOUBT) for opinion in opinions], axis=0)
        share = np.mean(opinions, axis=0)
        told = self._wording.logits(text)
        topic = self._topic_of_unit[near.units]
        asked = topic >= 0
        nearest = np.zeros(self._count, dtype=np.float32)
        np.maximum.at(nearest, topic[asked], near.values[asked])
        first = []
        for number in np.argsort(-place)[:LOOKED_AT].tolist():
            if nearest[number] > 0.0:
                at = np.flatnonzero((topic == number) & (near.values == nearest[number]))[0]
                first.append(int(self._owners[near.units[at]]))
        place = WEIGHT * (place - place.max())
        columns = (column.tolist() for column in (place, share, nearest, told))
        return [Meant(*row) for row in zip(*columns, strict=True)], first

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
        hashed = np.asarray(list(hashes(text, spelling=False)), dtype=np.uint32)
        if not len(hashed) or not len(self._features):
            return np.full(self._count, 1.0 / self._count, dtype=np.float32)
        at = np.minimum(np.searchsorted(self._features, hashed), len(self._features) - 1)
        at = at[self._features[at] == hashed]
        return _softmax(SHARPNESS * self._words[at].astype(np.float32).sum(axis=0))


def _keys(passages: Sequence[Passage]) -> Iterator[str]:
    """Yield what each passage answers: its text where that is more than the question, else its document.

    "refund-1" and "refund-2" are one document.
    """
    for passage in passages:
        source = passage.source.partition("#")[0]
        yield f"\0{_NUMBERED.sub('', source) or source}" if _alone(passage) else passage.text


def _alone(passage: Passage) -> bool:
    """Tell whether a passage is a question and nothing else; a long one's title is its beginning."""
    return "\n" not in passage.text and passage.text.startswith(passage.title)


def _asked(
    passages: Sequence[Passage], topics: npt.NDArray[np.int32]
) -> tuple[list[str], npt.NDArray[np.int32]]:
    """Return all ways to ask for a topic, with their topics."""
    found = [
        (heading, topic)
        for passage, topic in zip(passages, topics.tolist(), strict=True)
        if topic >= 0
        for heading in dict.fromkeys((passage.text if _alone(passage) else passage.title, *passage.questions))
    ]
    return [heading for heading, _ in found], np.asarray([topic for _, topic in found], dtype=np.int32)


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
    texts: Sequence[str], topics: npt.NDArray[np.int32], count: int
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float16]]:
    """Count words and pairs of words by topic (naive Bayes).

    Returns:
        Hashes of the features, uint32[f], rising, and each one's logarithm in each topic against its mean,
        float16[f, count].
    """
    counted: dict[int, collections.Counter[int]] = collections.defaultdict(collections.Counter)
    for text, topic in zip(texts, topics.tolist(), strict=True):
        for feature in set(hashes(text, spelling=False)):
            counted[feature][topic] += 1
    features = sorted(feature for feature, topics_of in counted.items() if sum(topics_of.values()) > 1)
    table = np.full((len(features), count), SMOOTH, dtype=np.float32)
    for row, feature in enumerate(features):
        for topic, times in counted[feature].items():
            table[row, topic] += times
    asked = np.bincount(topics, minlength=count).astype(np.float32)
    logs = np.log(table / (asked + 1.0)[None, :])
    return np.asarray(features, dtype=np.uint32), (logs - logs.mean(axis=1, keepdims=True)).astype(np.float16)


def _softmax(values: npt.NDArray[Any]) -> Floats:
    shifted = np.exp(values - values.max(axis=-1, keepdims=True))
    found: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return found
