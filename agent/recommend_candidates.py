"""What may be suggested: passages near what was asked and answered, and where visitors went on to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from agent.recommend_history import Habits
from agent.suggestion import About, topic_of
from agent.trial import is_asked, name_of
from knowledge.passage import Passage
from knowledge.table import default_embedder

if TYPE_CHECKING:
    from knowledge import KnowledgeBase

K = TypeVar("K")
V = TypeVar("V")

LOOKED_AT = 24
"""Passages that each search brings."""
ASKED, ANSWERED, BESIDE = 0.4, 0.5, 0.08
"""Weights of the likeness to the question and to what answered it, and of standing in the same document."""
HABIT = 0.8
"""Weight of what similar visitors went on to ask, once many have."""
LIKELY = 0.1
"""From this share of a value on, that is enough for something that is about another matter."""
MANY = 100
"""Visits at which that weight is half of it."""
NEAR = {"en": 0.4, "zh": 0.24}
"""Likeness below which something is not about the same matter; Chinese vectors know words, not meanings."""
PLAIN = 0.06
"""How much less a bare heading is worth than something that people ask."""
SAME = 0.9
"""Likeness from which on two questions, or two answers, are the same."""
SAMPLE = 400
"""Passages of which it is told what a desk is about."""
PASSED_OVER = 2
"""Times that something is suggested to one visitor who does not take it up."""
KEPT = 4096
"""Vectors and trials that are kept."""

Floats = npt.NDArray[np.float32]


@dataclass(slots=True)
class Candidate:
    """A passage that may be suggested."""

    passage: Passage
    vector: Floats
    """Of title and text together."""
    name: Floats
    """Of the title."""
    value: float = 0.0
    habit: float = 0.0


class Candidates:
    """Finds candidates in one desk's knowledge; may be used from several threads."""

    def __init__(self) -> None:
        self._vectors: dict[str, Floats] = {}
        self._passages: tuple[str, dict[str, Passage]] = ("", {})
        self._centre: tuple[tuple[str, str], list[Passage]] = (("", ""), [])

    def near(
        self,
        asked: Sequence[str],
        answered: Sequence[str],
        about: About,
        knowledge: KnowledgeBase,
        habits: Habits,
    ) -> list[Candidate]:
        """Return passages that are near what was asked and answered, and where visitors went on to.

        Args:
            asked: the question, then titles of what answered it.
            answered: what answered it.
            about: the turn.
            knowledge: the desk's.
            habits: what visitors went on to ask.
        """
        cited = [topic_of(one.source, one.title) for one in about.citations]
        done = (*about.topics, *cited)
        likely = _likely(habits, done)
        passages: dict[str, Passage] = {}
        for text in dict.fromkeys(asked):
            for passage in knowledge.search(text, LOOKED_AT, about.language):
                passages.setdefault(topic_of(passage.source, passage.title), passage)
        if likely:
            known = self.known(knowledge)
            passages |= {topic: known[topic] for topic in likely if topic in known}
        questions = [self._vector(text) for text in (about.question, *about.asked)]
        answers = [self._vector(text) for text in answered]
        documents = {document_of(one.source) for one in about.citations}
        candidates = []
        for topic, passage in passages.items():
            if topic in cited or not _fits(passage, about):
                continue
            whole, name = self._vector(f"{name_of(passage)}\n{passage.text}"), self._vector(name_of(passage))
            if any(_like(whole, one) >= SAME for one in answers):
                continue
            if any(_like(name, one) >= SAME for one in questions):
                continue
            near_question = max(_like(questions[0], whole), _like(questions[0], name))
            near_answer = max((_like(whole, one) for one in answers), default=near_question)
            near = (ASKED * near_question + ANSWERED * near_answer) / (ASKED + ANSWERED)
            habit = likely.get(topic, 0.0)
            if near < NEAR.get(about.language, NEAR["en"]) and habit < LIKELY:
                continue
            near += BESIDE * (document_of(passage.source) in documents) - PLAIN * (not is_asked(passage))
            candidates.append(Candidate(passage, whole, name, near + habit, habit))
        return candidates

    def starts(self, about: About, knowledge: KnowledgeBase, habits: Habits) -> list[Candidate]:
        """Return what visitors ask most, or what the desk is about where that is not known."""
        known = self.known(knowledge)
        order = [habits.topics[at] for at in np.argsort(-habits.popular, kind="stable").tolist()]
        popular = [known[topic] for topic in order if topic in known and _fits(known[topic], about)]
        central = () if popular else self._central(knowledge, about.language)
        passages = popular or [one for one in central if _fits(one, about)]
        found = []
        for at, passage in enumerate(passages[:LOOKED_AT]):
            whole, name = self._vector(f"{name_of(passage)}\n{passage.text}"), self._vector(name_of(passage))
            value = 1.0 - 0.01 * at
            found.append(Candidate(passage, whole, name, value, value if popular else 0.0))
        return found

    def _central(self, knowledge: KnowledgeBase, language: str) -> list[Passage]:
        """Return what is likest to all the rest, which is what the desk is about."""
        key, (kept, centre) = (knowledge.digest(), language), self._centre
        if kept != key:
            own = [one for one in self.known(knowledge).values() if one.language == language]
            own = [one for one in own if is_asked(one)] or own
            own = own[:: max(1, len(own) // SAMPLE)]
            names = np.asarray([self._vector(name_of(one)) for one in own])
            order = np.argsort(-(names @ names.mean(axis=0)), kind="stable") if own else np.zeros(0, int)
            centre = [own[at] for at in order.tolist()]
            self._centre = key, centre
        return centre

    def known(self, knowledge: KnowledgeBase) -> dict[str, Passage]:
        """Return the passages by their names, as they stand now."""
        version, (kept, passages) = knowledge.digest(), self._passages
        if kept != version:
            passages = {
                topic_of(one.source, one.title): one
                for record in knowledge.documents()
                for one in reversed(record.passages)
            }
            self._passages = version, passages
        return passages

    def _vector(self, text: str) -> Floats:
        kept = self._vectors.get(text)
        if kept is None:
            kept = default_embedder().embed([text])[0]
            keep(self._vectors, text, kept)
        return kept


def _likely(habits: Habits, done: Sequence[str]) -> dict[str, float]:
    """Return where similar visitors went on to, with its part of a candidate's value."""
    if not any(habits.knows(topic) for topic in done):
        return {}
    share = HABIT * habits.visits / (habits.visits + MANY)
    return {topic: share * value for topic, value in habits.likely(done, LOOKED_AT).items()}


def _fits(passage: Passage, about: About) -> bool:
    """Tell whether something may be suggested to this visitor now."""
    topic = topic_of(passage.source, passage.title)
    past = about.shown.count(topic) >= PASSED_OVER or topic in about.topics
    return passage.language == about.language and not past


def alike(one: Candidate, chosen: Iterable[Candidate]) -> float:
    """Return how much a candidate is like the likest of those that are chosen."""
    return max((max(_like(one.vector, its.vector), _like(one.name, its.name)) for its in chosen), default=0.0)


def _like(one: Floats, other: Floats) -> float:
    return float(one @ other)


def document_of(source: str) -> str:
    """Name the document of a source."""
    return source.partition("#")[0]


def keep(kept: dict[K, V], key: K, value: V) -> None:
    """Keep a value; all are let go of when they are many."""
    if len(kept) >= KEPT:
        kept.clear()
    kept[key] = value
