"""Hints for who keeps the documents: passages that say the same twice, and passages that contradict another.

Two passages are compared where one comes up as an answer to what the other is headed with. They contradict
each other where sentences on one subject name different amounts, or one denies what the other says.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from knowledge.base import KnowledgeBase
from knowledge.chunk import sentences_of
from knowledge.embedder import Vectors
from knowledge.passage import Passage
from knowledge.shingles import alike_pairs
from knowledge.table import default_embedder

LOOKED_UP = 4
"""Headings and questions of a passage that are looked up."""
FOUND = 8
"""Passages that are compared with the one that was looked up."""
MOST_PASSAGES = 5_000
"""That are looked up: some minutes; of more, only those that share whole phrases are compared."""
LIKELY, PROBABLE, POSSIBLE = 0.85, 0.75, 0.5
"""Likelihood that a passage answers the other's heading: from here on both surely, probably or perhaps speak
of one thing."""
MANY = 3
"""A passage that differs from more others is one of a kind of table: a price for each country or hotel."""
KIN_QUESTION, KIN = 5, 2
"""A heading to which so many documents have an answer is one that each of a kind has; documents that share so
many of these speak of two things of one kind, such as two hotels, and may well differ."""
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
Progress = Callable[[int, int], None]
"""Told the passages looked at, and all."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is said."""

    source: str
    title: str
    text: str
    """The sentence; the whole passage of a duplicate."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Two places that a person should look at."""

    kind: str
    """"contradiction" or "duplicate"."""
    about: str
    """What differs: the unit of the amounts ("hour", "eur" …) or "not"; empty for a duplicate."""
    first: Place
    second: Place
    likeness: float
    """0..1: how surely both speak of one thing."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: int
    at: int
    """Row of its vector."""
    text: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class _Found:
    strength: float
    about: str
    one: _Sentence
    other: _Sentence


def find_hints(
    base: KnowledgeBase, read: Reader, progress: Progress = lambda _done, _all: None
) -> list[Hint]:
    """Return hints, contradictions first, the surest of each first.

    Args:
        base: the knowledge.
        read: reads a sentence.
        progress: told how far it is.

    Raises:
        KnowledgeError: the knowledge cannot be read.
    """
    passages = base._load().passages
    answers = _answers(base, passages, progress)
    kin = _kin(answers, passages)
    same = {pair: share for pair, share in alike_pairs(passages).items() if _pair(pair, passages) not in kin}
    answers = {pair: likely for pair, likely in answers.items() if _pair(pair, passages) not in kin}
    texts = _Texts(passages, read, answers.keys() | same.keys())
    found = [hit for pair, likely in answers.items() if (hit := texts.contradiction(*pair, likely))]
    twice: list[Hint] = []
    for (one, other), share in sorted(same.items(), key=lambda item: -item[1]):
        differing = texts.contradiction(one, other, 1.0, alike=True)
        if differing:
            found.append(differing)
        elif texts.equal(one, other):
            first, second = (_place(passages[at], passages[at].text) for at in (one, other))
            twice.append(Hint("duplicate", "", first, second, round(share, 2)))
    return [*_told(found, passages), *twice]


def _answers(
    base: KnowledgeBase, passages: Sequence[Passage], progress: Progress
) -> dict[tuple[int, int], float]:
    """Return pairs of passages of different documents, and how likely one answers the other's heading."""
    numbers = {passage.id: number for number, passage in enumerate(passages)}
    answers: dict[tuple[int, int], float] = {}
    for number, passage in enumerate(passages[:MOST_PASSAGES]):
        progress(number, len(passages))
        for asked in (passage.title, *passage.questions)[:LOOKED_UP]:
            for found in base.search(asked, FOUND, passage.language):
                other = numbers.get(found.id, number)
                if found.language != passage.language or _document(found) == _document(passage):
                    continue
                pair = (min(number, other), max(number, other))
                if found.score >= POSSIBLE:
                    answers[pair] = max(answers.get(pair, 0.0), found.score)
    return answers


def _kin(answers: Mapping[tuple[int, int], float], passages: Sequence[Passage]) -> set[tuple[str, str]]:
    """Return pairs of documents that answer the same questions of two things of one kind."""
    near: dict[int, set[int]] = defaultdict(set)
    for (one, other), likely in answers.items():
        if likely >= PROBABLE:
            near[one].add(other)
            near[other].add(one)
    shared: Counter[tuple[str, str]] = Counter()
    for one, others in near.items():
        if len({_document(passages[other]) for other in others}) >= KIN_QUESTION:
            shared.update({_pair((one, other), passages) for other in others})
    kin: dict[str, set[str]] = defaultdict(set)
    for (first, second), count in shared.items():
        if count >= KIN:
            kin[first].add(second)
            kin[second].add(first)
    # Those of one kind have the others of it in common, also where few of their questions are.
    return {
        (min(first, second), max(first, second))
        for first, near_first in kin.items()
        for second in near_first.union(*(kin[each] for each in near_first))
        if first != second and (second in near_first or len(near_first & kin[second]) >= KIN)
    }


class _Texts:
    """The sentences of the passages that are compared."""

    def __init__(self, passages: Sequence[Passage], read: Reader, pairs: Iterable[tuple[int, int]]) -> None:
        self._passages = passages
        self._sentences: dict[int, list[_Sentence]] = {}
        self._headings: dict[int, frozenset[str]] = {}
        self._all: list[_Sentence] = []
        for number in sorted({number for pair in pairs for number in pair}):
            passage = passages[number]
            own: list[_Sentence] = []
            for paragraph in passage.text.split("\n\n"):
                for text in sentences_of(paragraph):
                    own.append(_Sentence(number, len(self._all) + len(own), text, read(text)))
            self._all += own
            self._sentences[number] = own
            self._headings[number] = read(passage.title).keys
        self._frequency = Counter(key for one in self._all for key in one.facts.keys)

    @cached_property
    def _vectors(self) -> Vectors:
        """Of the sentences without their numbers."""
        plain = ("".join(" " if letter.isdigit() else letter for letter in one.text) for one in self._all)
        return default_embedder().embed(list(plain))

    def contradiction(self, one: int, other: int, likely: float, *, alike: bool = False) -> _Found | None:
        """Return the sentences in which two passages contradict each other most clearly.

        Args:
            one: number of a passage.
            other: of the other.
            likely: how likely both answer one question.
            alike: they share whole phrases, so that their sentences must be all but equal to be of one thing.
        """
        ours, theirs = _amounts(self._sentences[one]), _amounts(self._sentences[other])
        best: _Found | None = None
        for first in self._sentences[one]:
            for second in self._sentences[other]:
                for about in self._differing(first, second, ours, theirs):
                    strength = self._strength(first, second, likely, about, alike=alike)
                    if strength and (best is None or strength > best.strength):
                        best = _Found(strength, about, first, second)
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
        first: _Sentence,
        second: _Sentence,
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
        self, first: _Sentence, second: _Sentence, likely: float, about: str, *, alike: bool
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

    def _covered(self, first: _Sentence, second: _Sentence) -> bool:
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


def _amounts(sentences: Iterable[_Sentence]) -> dict[str, set[float]]:
    amounts: dict[str, set[float]] = defaultdict(set)
    for sentence in sentences:
        for number in sentence.facts.numbers:
            if number.unit not in NO_MEASURE:
                amounts[number.unit].add(round(number.value, 4))
    return dict(amounts)


def _told(found: Sequence[_Found], passages: Sequence[Passage]) -> list[Hint]:
    """Return contradictions, every sentence in one of them, without those that are a kind of table."""
    often = Counter(at for one in found if one.about != "not" for at in (one.one.passage, one.other.passage))
    told: list[Hint] = []
    used: set[int] = set()
    for each in sorted(found, key=lambda one: -one.strength):
        if used & {each.one.at, each.other.at}:
            continue
        if max(often[each.one.passage], often[each.other.passage]) > MANY and each.about != "not":
            continue
        used |= {each.one.at, each.other.at}
        first, second = (_place(passages[one.passage], one.text) for one in (each.one, each.other))
        told.append(Hint("contradiction", each.about, first, second, round(min(1.0, each.strength / 4), 2)))
    return told


def _place(passage: Passage, text: str) -> Place:
    return Place(passage.source, passage.title, text)


def _pair(pair: tuple[int, int], passages: Sequence[Passage]) -> tuple[str, str]:
    first, second = sorted(_document(passages[at]) for at in pair)
    return first, second


def _document(passage: Passage) -> str:
    return passage.source.partition("#")[0]
