"""Next questions: what the desk answers, is near what was asked, and what similar visitors went on to ask.

A suggestion is a question or a heading of the desk's own documents. Before it is shown it is tried: a desk
that would not answer it from that very passage, whose guard would not let it through, or that would begin to
act on it, does not suggest it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from threading import Lock
from time import thread_time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from agent.recommend_candidates import SAME, Candidate, Candidates, alike, document_of, keep
from agent.recommend_history import Habits
from agent.sentence import Outcome
from agent.smalltalk import Talk, small_talk
from agent.suggestion import About, Heading, Suggestion, topic_of
from agent.trial import name_of, tried
from knowledge.passage import Passage
from knowledge.words import words_of

if TYPE_CHECKING:
    from agent.engines import Engines
    from knowledge import KnowledgeBase

log = logging.getLogger(__name__)

MOST = 3
"""Suggestions at once: more is a menu that nobody reads aloud to themselves."""
HABITS_FILE = "asked-next.npz"
TRIAL_S = 0.03
"""Processor time of a turn after which only what was tried before is suggested: each trial is a search, and
others wait for the lock that it holds."""
TRIED = 10
"""Candidates that are tried at most: each is a search."""
AS_NEAR = 0.6
"""Share of the best candidate's value below which another is left out."""
APART = 0.3
"""How much a candidate loses by being like one that is already chosen."""
A_DOCUMENT = 0.08
"""How much a candidate loses by each that is chosen from its document."""
_STARTS = {Talk.GREETING, Talk.IDENTITY}
_recommenders: WeakKeyDictionary[KnowledgeBase, Recommender] = WeakKeyDictionary()
_making = Lock()


class Recommender:
    """Finds next questions at one desk; may be called from several threads.

    Args:
        engines: the desk's.
    """

    def __init__(self, engines: Engines) -> None:
        self.habits = Habits.load(engines.desk.state_folder / HABITS_FILE) or Habits()
        """What visitors went on to ask; replaced as a whole."""
        self._candidates = Candidates()
        self._tried: dict[tuple[str, str, str], str] = {}
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
            return "topics", self._starting(about, engines) if talk in _STARTS else ()
        if about.outcome is Outcome.ABSTAINED:
            found = self._candidates.near([about.question], [], about, engines.knowledge, self.habits)
            near = self._chosen(found, about, engines)
            return "topics", near or self._starting(about, engines)
        titles = [name_of(one) for one in cited]
        texts = [f"{name}\n{one.text}" for name, one in zip(titles, cited, strict=True)]
        asked = [about.question, *titles]
        found = self._candidates.near(asked, texts, about, engines.knowledge, self.habits)
        return "next", self._chosen(found, about, engines)

    # Which of it is

    def _starting(self, about: About, engines: Engines) -> tuple[Suggestion, ...]:
        """Return what a visitor may begin with."""
        found = self._candidates.starts(about, engines.knowledge, self.habits)
        return self._chosen(found, about, engines)

    def _choice(self, topics: Iterable[str], about: About, engines: Engines) -> tuple[Suggestion, ...]:
        """Return the things that were named when the desk asked back."""
        known = self._candidates.known(engines.knowledge)
        found = [known[topic] for topic in topics if topic in known]
        tried = [(one, self._tried_text(one, about, engines)) for one in found]
        return tuple(Suggestion(text, one.source, one.title) for one, text in tried if text)[:MOST]

    def _chosen(self, candidates: list[Candidate], about: About, engines: Engines) -> tuple[Suggestion, ...]:
        """Return the best candidates that differ from each other and that the desk answers."""
        chosen: list[Candidate] = []
        suggestions: list[Suggestion] = []
        left = sorted(candidates, key=lambda one: (-one.value, one.passage.source))
        left = [one for one in left if one.value >= AS_NEAR * left[0].value]
        until_s = thread_time() + TRIAL_S
        for _ in range(TRIED):
            if not left or len(chosen) == MOST:
                break
            best = max(left, key=lambda one: one.value - _twice(one, chosen))
            left.remove(best)
            if alike(best, chosen) >= SAME:
                continue
            text = self._tried_text(best.passage, about, engines, until_s)
            if not text or any(_words(text) == _words(one) for one in (about.question, *about.asked)):
                continue
            why: bool = best.habit > best.value - best.habit
            chosen.append(best)
            suggestions.append(
                Suggestion(text, best.passage.source, best.passage.title, "visitors" if why else "content")
            )
        return tuple(suggestions)

    def _tried_text(self, passage: Passage, about: About, engines: Engines, until_s: float = math.inf) -> str:
        """Return the words in which a passage is asked for, once they have been tried; "" if none do.

        Past a time of this thread's processor clock nothing more is tried.
        """
        key = (engines.knowledge.digest(), passage.id, about.language)
        kept = self._tried.get(key)
        if kept is None:
            if thread_time() > until_s:
                return ""
            kept = tried(passage, engines)
            keep(self._tried, key, kept)
        return kept


def _twice(one: Candidate, chosen: Sequence[Candidate]) -> float:
    """Return how much a candidate's value falls by what is chosen already."""
    place = document_of(one.passage.source)
    beside = sum(document_of(its.passage.source) == place for its in chosen)
    return APART * alike(one, chosen) + A_DOCUMENT * beside


def _words(text: str) -> list[str]:
    return sorted(word.key for word in words_of(text) if not word.plain) or [text]
