"""Engines that say and find the same every time, for load and for the speed of the harness itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from agent.scripted import ScriptedAnswerer
from agent.sentence import Emotion
from knowledge.passage import Passage
from moderation.verdict import Action, Direction, Verdict

if TYPE_CHECKING:
    from agent.engines import Engines
    from knowledge.record import Record
    from moderation.guard import Guard

LINES = ("You have thirty days to return something.", "The thirty days begin when your parcel arrives.")
CALM = Emotion("neutral", 0.0, {})
PASSAGE = Passage("1", "returns.md", "Returns", " ".join(LINES), 0.9)


class ScriptedKnowledge:
    """Finds one passage for everything."""

    engine = "scripted"

    def search(self, query: str, k: int = 5, language: str | None = None) -> list[Passage]:
        """Return the passage."""
        return [PASSAGE]

    def answerable(self, query: str) -> float:
        """Return the passage's score."""
        return PASSAGE.score

    def documents(self) -> list[Record]:
        """Name no document: nothing is suggested."""
        return []

    def digest(self) -> str:
        """Return the version of what never changes."""
        return "scripted"

    def close(self) -> None:
        """Nothing is held."""


class ScriptedGuard:
    """Lets everything through; says prepared lines as the guard that it stands for."""

    engine = "scripted"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def quick(self, text: str, direction: str = "input", *_: Any, **__: Any) -> Verdict:
        """Let a text through."""
        return Verdict(Action.ALLOW, "", text, Direction(direction))

    screen = quick

    def judges(self, direction: str) -> bool:
        """No engine judges beside it."""
        return False

    def budget_s(self, direction: str) -> float:
        """No time is needed."""
        return 1.0

    def safe_line(self, verdict: Verdict, language: str) -> str:
        """Return a prepared line."""
        return self._guard.safe_line(verdict, language)


def unmoved(text: str) -> Emotion:
    """Feel nothing in any words."""
    return CALM


def scripted(engines: Engines) -> None:
    """Put scripted engines into a desk, and take its tools away."""
    engines.answerer, engines.fallback, engines.tools = ScriptedAnswerer(LINES), None, ()
    engines.knowledge = cast("Any", ScriptedKnowledge())
    engines.guard = cast("Any", ScriptedGuard(engines.guard))
    engines.feels = unmoved
