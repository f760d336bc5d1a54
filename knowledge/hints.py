"""Hints for who keeps the documents: passages that say the same twice, and passages that contradict another.

Two passages are compared where one comes up as an answer to what the other is headed with. They contradict
each other where sentences on one subject name different amounts, or one denies what the other says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from knowledge.base import KnowledgeBase
from knowledge.contradiction import PROBABLE, Contradiction, Reader, Texts
from knowledge.passage import Passage
from knowledge.shingles import alike_pairs

LOOKED_UP = 4
"""Headings and questions of a passage that are looked up."""
FOUND = 8
"""Passages that are compared with the one that was looked up."""
MOST_PASSAGES = 5_000
"""That are looked up: some minutes; of more, only those that share whole phrases are compared."""
POSSIBLE = 0.5
"""Likelihood that a passage answers the other's heading from which on both perhaps speak of one thing."""
MANY = 3
"""A passage that differs from more others is one of a kind of table: a price for each country or hotel."""
KIN_QUESTION, KIN = 5, 2
"""A heading to which so many documents have an answer is one that each of a kind has; documents that share so
many of these speak of two things of one kind, such as two hotels, and may well differ."""
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
    texts = Texts(passages, read, answers.keys() | same.keys())
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


def _told(found: Sequence[Contradiction], passages: Sequence[Passage]) -> list[Hint]:
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
