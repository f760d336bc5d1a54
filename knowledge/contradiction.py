"""Sentences of two passages that contradict each other: other amounts, or a "not", on one subject."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from knowledge.chunk import sentences_of
from knowledge.embedder import Vectors
from knowledge.passage import Passage
from knowledge.table import default_embedder

LIKELY, PROBABLE = 0.85, 0.75
"""Likelihood that a passage answers the other's heading: from here on both surely or probably speak of one
thing."""
TWICE = 0.85
"""Of the rare words of the shorter of two texts that stand there twice, so much is in the other one too."""
NO_MEASURE = frozenset(("", "weekday", "name"))
"""Units of numbers that may be of anything."""


class Number(Protocol):
    """A number with what it measures."""

    @property
    def value(self) -> float:
        """In one unit for all of a kind."""

    @property
    def unit(self) -> str:
        """Empty where none is named."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sentence says, as far as it can be compared."""

    keys: frozenset[str]
    """Of its words, without numbers."""
    numbers: tuple[Number, ...]
    negated: bool
    hedged: bool
    """It may be said with a "not" and without: "only in Europe"."""


Reader = Callable[[str], Facts]
"""Reads a sentence."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage, read."""

    passage: int
    """Number of its passage."""
    at: int
    """Row of its vector."""
    text: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two sentences that contradict each other."""

    strength: float
    """How surely both speak of one thing; grows without a bound."""
    about: str
    """What differs: the unit of the amounts, or "not"."""
    one: Sentence
    other: Sentence


class Texts:
    """The sentences of the passages that are compared."""

    def __init__(self, passages: Sequence[Passage], read: Reader, pairs: Iterable[tuple[int, int]]) -> None:
        self._passages = passages
        self._sentences: dict[int, list[Sentence]] = {}
        self._headings: dict[int, frozenset[str]] = {}
        self._all: list[Sentence] = []
        for number in sorted({number for pair in pairs for number in pair}):
            passage = passages[number]
            own: list[Sentence] = []
            for paragraph in passage.text.split("\n\n"):
                for text in sentences_of(paragraph):
                    own.append(Sentence(number, len(self._all) + len(own), text, read(text)))
            self._all += own
            self._sentences[number] = own
            self._headings[number] = read(passage.title).keys
        self._frequency = Counter(key for one in self._all for key in one.facts.keys)

    @cached_property
    def _vectors(self) -> Vectors:
        """Of the sentences without their numbers."""
        plain = ("".join(" " if letter.isdigit() else letter for letter in one.text) for one in self._all)
        return default_embedder().embed(list(plain))

    def contradiction(
        self, one: int, other: int, likely: float, *, alike: bool = False
    ) -> Contradiction | None:
        """Return the sentences in which two passages contradict each other most clearly.

        Args:
            one: number of a passage.
            other: of the other.
            likely: how likely both answer one question.
            alike: they share whole phrases, so that their sentences must be all but equal to be of one thing.
        """
        ours, theirs = _amounts(self._sentences[one]), _amounts(self._sentences[other])
        best: Contradiction | None = None
        for first in self._sentences[one]:
            for second in self._sentences[other]:
                for about in self._differing(first, second, ours, theirs):
                    strength = self._strength(first, second, likely, about, alike=alike)
                    if strength and (best is None or strength > best.strength):
                        best = Contradiction(strength, about, first, second)
        return best

    def equal(self, one: int, other: int) -> bool:
        """Tell whether two passages that share phrases say the same: in all their words and all amounts."""
        ours, theirs = self._sentences[one], self._sentences[other]
        if _amounts(ours) != _amounts(theirs):
            return False
        keys = [frozenset[str]().union(*(each.facts.keys for each in own)) for own in (ours, theirs)]
        return self._weight(keys[0] & keys[1]) >= TWICE * min(self._weight(each) for each in keys)

    def _differing(
        self,
        first: Sentence,
        second: Sentence,
        ours: Mapping[str, set[float]],
        theirs: Mapping[str, set[float]],
    ) -> Iterator[str]:
        one, other = _amounts([first]), _amounts([second])
        equal = first.facts.keys == second.facts.keys
        for unit in one.keys() & other.keys():
            # An amount that both passages name somewhere is agreed on, unless the sentences are the same.
            if not (one[unit] & other[unit] if equal else ours[unit] & theirs[unit]):
                yield unit
        if first.facts.negated != second.facts.negated and not (first.facts.hedged or second.facts.hedged):
            yield "not"

    def _strength(
        self, first: Sentence, second: Sentence, likely: float, about: str, *, alike: bool
    ) -> float:
        """Return how surely two sentences are of one thing, 0 where that is not sure enough."""
        words = self._overlap(first.facts.keys, second.facts.keys)
        headings = self._headings[first.passage], self._headings[second.passage]
        subject = self._overlap(first.facts.keys | headings[0], second.facts.keys | headings[1])
        meaning = float(self._vectors[first.at] @ self._vectors[second.at])
        sure = meaning + words + subject
        if alike:
            enough = words >= 0.8 and self._covered(first, second)
        elif about == "not":
            enough = (likely >= LIKELY and words >= 0.5 and sure >= 1.7) or (
                (words >= 0.85 and meaning >= 0.8)
                or self._covered(first, second)
                and (
                    (words >= 0.5 and meaning >= 0.8)
                    or (likely >= LIKELY and words >= 0.35 and meaning >= 0.75)
                )
            )
        else:
            enough = (
                (likely >= LIKELY and sure >= 1.3 and (words >= 0.4 or subject >= 0.5))
                or (likely >= PROBABLE and words >= 0.55 and meaning >= 0.7)
                or (words >= 0.5 and meaning >= 0.65 and self._covered(first, second))
            )
        return likely + sure if enough else 0.0

    def _covered(self, first: Sentence, second: Sentence) -> bool:
        """Tell whether one of two headings says nothing that the other passage does not speak of."""
        return any(
            self._weight(self._headings[one.passage] - self._whole(other.passage))
            <= 0.2 * self._weight(self._headings[one.passage])
            for one, other in ((first, second), (second, first))
        )

    def _whole(self, passage: int) -> frozenset[str]:
        keys = (one.facts.keys for one in self._sentences[passage])
        return self._headings[passage].union(*keys)

    def _overlap(self, one: frozenset[str], other: frozenset[str]) -> float:
        return self._weight(one & other) / (self._weight(one | other) or 1.0)

    def _weight(self, keys: Iterable[str]) -> float:
        return sum(math.log1p(len(self._all) / (self._frequency[key] or 1)) for key in keys)


def _amounts(sentences: Iterable[Sentence]) -> dict[str, set[float]]:
    amounts: dict[str, set[float]] = defaultdict(set)
    for sentence in sentences:
        for number in sentence.facts.numbers:
            if number.unit not in NO_MEASURE:
                amounts[number.unit].add(round(number.value, 4))
    return dict(amounts)
