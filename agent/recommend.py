"""Next questions: what the desk answers, is near what was asked, and what similar visitors went on to ask.

A suggestion is a question or a heading of the desk's own documents. Before it is shown it is tried: a desk
that would not answer it from that very passage, whose guard would not let it through, or that would begin to
act on it, does not suggest it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from agent.recommend_history import Habits
from agent.sentence import Outcome
from agent.smalltalk import Talk, small_talk
from agent.suggestion import About, Heading, Suggestion, topic_of
from agent.trial import is_asked, name_of, tried
from knowledge.passage import Passage
from knowledge.table import default_embedder
from knowledge.words import words_of

if TYPE_CHECKING:
    from agent.engines import Engines
    from knowledge import KnowledgeBase

K = TypeVar("K")
V = TypeVar("V")
log = logging.getLogger(__name__)

MOST = 3
"""Suggestions at once: more is a menu that nobody reads aloud to themselves."""
HABITS_FILE = "asked-next.npz"
LOOKED_AT = 24
"""Passages that each search brings."""
TRIED = 10
"""Candidates that are tried at most: each is a search."""
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
AS_NEAR = 0.6
"""Share of the best candidate's value below which another is left out."""
PLAIN = 0.06
"""How much less a bare heading is worth than something that people ask."""
SAME = 0.9
"""Likeness from which on two questions, or two answers, are the same."""
APART = 0.3
"""How much a candidate loses by being like one that is already chosen."""
SAMPLE = 400
"""Passages of which it is told what a desk is about."""
A_DOCUMENT = 0.08
"""How much a candidate loses by each that is chosen from its document."""
PASSED_OVER = 2
"""Times that something is suggested to one visitor who does not take it up."""
KEPT = 4096
"""Vectors and trials that are kept."""

Floats = npt.NDArray[np.float32]
_STARTS = {Talk.GREETING, Talk.IDENTITY}
_recommenders: WeakKeyDictionary[KnowledgeBase, Recommender] = WeakKeyDictionary()
_making = Lock()


@dataclass(slots=True)
class _Candidate:
    """A passage that may be suggested."""

    passage: Passage
    vector: Floats
    """Of title and text together."""
    name: Floats
    """Of the title."""
    value: float = 0.0
    habit: float = 0.0


class Recommender:
    """Finds next questions at one desk; may be called from several threads.

    Args:
        engines: the desk's.
    """

    def __init__(self, engines: Engines) -> None:
        self.habits = Habits.load(engines.desk.state_folder / HABITS_FILE) or Habits()
        """What visitors went on to ask; replaced as a whole."""
        self._vectors: dict[str, Floats] = {}
        self._tried: dict[tuple[str, str, str], str] = {}
        self._passages: tuple[str, dict[str, Passage]] = ("", {})
        self._centre: tuple[tuple[str, str], list[Passage]] = (("", ""), [])
        self._warned = False

    @classmethod
    def of(cls, engines: Engines) -> Recommender:
        """Return the one of a desk's knowledge, which all its conversations share."""
        with _making:
            found = _recommenders.get(engines.knowledge)
            if found is None:
                found = _recommenders[engines.knowledge] = cls(engines)
            return found

    def recommend(self, about: About, engines: Engines) -> tuple[Heading, tuple[Suggestion, ...]]:
        """Return what a visitor may ask next, best first; nothing where it would be out of place.

        Args:
            about: what the turn was about.
            engines: the desk's.
        """
        try:
            return self._recommend(about, engines)
        except Exception as error:  # an answer is complete without it
            if not self._warned:
                self._warned = True
                log.warning("no next questions are suggested: %s: %s", type(error).__name__, error)
            return "next", ()

    def _recommend(self, about: About, engines: Engines) -> tuple[Heading, tuple[Suggestion, ...]]:
        cited = [one for one in about.citations if not one.source.startswith("tool:")]
        talk = small_talk(about.question)
        if about.outcome in (Outcome.REFUSED, Outcome.HANDOFF):
            return "next", ()
        if about.outcome is Outcome.CLARIFIED:
            topics = [topic_of(one.source, one.title) for one in cited]
            return "choice", self._choice(topics, about, engines)
        if talk is not None:
            return "topics", self._starts(about, engines) if talk in _STARTS else ()
        if about.outcome is Outcome.ABSTAINED:
            near = self._chosen(self._candidates([about.question], [], about, engines), about, engines)
            return "topics", near or self._starts(about, engines)
        titles = [name_of(one) for one in cited]
        texts = [f"{name}\n{one.text}" for name, one in zip(titles, cited, strict=True)]
        found = self._candidates([about.question, *titles], texts, about, engines)
        return "next", self._chosen(found, about, engines)

    # What could be suggested

    def _candidates(
        self, asked: Sequence[str], answered: Sequence[str], about: About, engines: Engines
    ) -> list[_Candidate]:
        """Return passages that are near what was asked and answered, and where visitors went on to.

        Args:
            asked: the question, then titles of what answered it.
            answered: what answered it.
            about: the turn.
            engines: the desk's.
        """
        cited = [topic_of(one.source, one.title) for one in about.citations]
        done = (*about.topics, *cited)
        likely = self._habit(done)
        passages: dict[str, Passage] = {}
        for text in dict.fromkeys(asked):
            for passage in engines.knowledge.search(text, LOOKED_AT, about.language):
                passages.setdefault(topic_of(passage.source, passage.title), passage)
        if likely:
            known = self._known(engines.knowledge)
            passages |= {topic: known[topic] for topic in likely if topic in known}
        questions = [self._vector(text) for text in (about.question, *about.asked)]
        answers = [self._vector(text) for text in answered]
        documents = {_document(one.source) for one in about.citations}
        candidates = []
        for topic, passage in passages.items():
            if topic in cited or not self._fits(passage, about):
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
            near += BESIDE * (_document(passage.source) in documents) - PLAIN * (not is_asked(passage))
            candidates.append(_Candidate(passage, whole, name, near + habit, habit))
        return candidates

    def _habit(self, done: Sequence[str]) -> dict[str, float]:
        """Return where similar visitors went on to, with its part of a candidate's value."""
        habits = self.habits
        if not any(habits.knows(topic) for topic in done):
            return {}
        share = HABIT * habits.visits / (habits.visits + MANY)
        return {topic: share * value for topic, value in habits.likely(done, LOOKED_AT).items()}

    def _starts(self, about: About, engines: Engines) -> tuple[Suggestion, ...]:
        """Return what visitors ask most, or what the desk is about where that is not known."""
        known, habits = self._known(engines.knowledge), self.habits
        order = [habits.topics[at] for at in np.argsort(-habits.popular, kind="stable").tolist()]
        popular = [known[topic] for topic in order if topic in known and self._fits(known[topic], about)]
        central = () if popular else self._central(engines.knowledge, about.language)
        passages = popular or [one for one in central if self._fits(one, about)]
        found = []
        for at, passage in enumerate(passages[:LOOKED_AT]):
            whole, name = self._vector(f"{name_of(passage)}\n{passage.text}"), self._vector(name_of(passage))
            value = 1.0 - 0.01 * at
            found.append(_Candidate(passage, whole, name, value, value if popular else 0.0))
        return self._chosen(found, about, engines)

    def _central(self, knowledge: KnowledgeBase, language: str) -> list[Passage]:
        """Return what is likest to all the rest, which is what the desk is about."""
        key, (kept, centre) = (knowledge.digest(), language), self._centre
        if kept != key:
            own = [one for one in self._known(knowledge).values() if one.language == language]
            own = [one for one in own if is_asked(one)] or own
            own = own[:: max(1, len(own) // SAMPLE)]
            names = np.asarray([self._vector(name_of(one)) for one in own])
            order = np.argsort(-(names @ names.mean(axis=0)), kind="stable") if own else np.zeros(0, int)
            centre = [own[at] for at in order.tolist()]
            self._centre = key, centre
        return centre

    @staticmethod
    def _fits(passage: Passage, about: About) -> bool:
        """Tell whether something may be suggested to this visitor now."""
        topic = topic_of(passage.source, passage.title)
        past = about.shown.count(topic) >= PASSED_OVER or topic in about.topics
        return passage.language == about.language and not past

    def _choice(self, topics: Iterable[str], about: About, engines: Engines) -> tuple[Suggestion, ...]:
        """Return the things that were named when the desk asked back."""
        known = self._known(engines.knowledge)
        found = [known[topic] for topic in topics if topic in known]
        tried = [(one, self._tried_text(one, about, engines)) for one in found]
        return tuple(Suggestion(text, one.source, one.title) for one, text in tried if text)[:MOST]

    def _known(self, knowledge: KnowledgeBase) -> dict[str, Passage]:
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

    # Which of it is

    def _chosen(self, candidates: list[_Candidate], about: About, engines: Engines) -> tuple[Suggestion, ...]:
        """Return the best candidates that differ from each other and that the desk answers."""
        chosen: list[_Candidate] = []
        suggestions: list[Suggestion] = []
        left = sorted(candidates, key=lambda one: (-one.value, one.passage.source))
        left = [one for one in left if one.value >= AS_NEAR * left[0].value]
        for _ in range(TRIED):
            if not left or len(chosen) == MOST:
                break
            best = max(left, key=lambda one: one.value - _twice(one, chosen))
            left.remove(best)
            if _alike(best, chosen) >= SAME:
                continue
            text = self._tried_text(best.passage, about, engines)
            if not text or any(_words(text) == _words(one) for one in (about.question, *about.asked)):
                continue
            why: bool = best.habit > best.value - best.habit
            chosen.append(best)
            suggestions.append(
                Suggestion(text, best.passage.source, best.passage.title, "visitors" if why else "content")
            )
        return tuple(suggestions)

    def _tried_text(self, passage: Passage, about: About, engines: Engines) -> str:
        """Return the words in which a passage is asked for, once they have been tried; "" if none do."""
        key = (engines.knowledge.digest(), passage.id, about.language)
        kept = self._tried.get(key)
        if kept is None:
            kept = tried(passage, engines)
            _keep(self._tried, key, kept)
        return kept

    def _vector(self, text: str) -> Floats:
        kept = self._vectors.get(text)
        if kept is None:
            kept = default_embedder().embed([text])[0]
            _keep(self._vectors, text, kept)
        return kept


def _twice(one: _Candidate, chosen: Sequence[_Candidate]) -> float:
    """Return how much a candidate's value falls by what is chosen already."""
    place = _document(one.passage.source)
    beside = sum(_document(its.passage.source) == place for its in chosen)
    return APART * _alike(one, chosen) + A_DOCUMENT * beside


def _alike(one: _Candidate, chosen: Iterable[_Candidate]) -> float:
    """Return how much a candidate is like the likest of those that are chosen."""
    return max((max(_like(one.vector, its.vector), _like(one.name, its.name)) for its in chosen), default=0.0)


def _like(one: Floats, other: Floats) -> float:
    return float(one @ other)


def _words(text: str) -> list[str]:
    return sorted(word.key for word in words_of(text) if not word.plain) or [text]


def _document(source: str) -> str:
    return source.partition("#")[0]


def _keep(kept: dict[K, V], key: K, value: V) -> None:
    """Keep a value; all are let go of when they are many."""
    if len(kept) >= KEPT:
        kept.clear()
    kept[key] = value
