"""A question that a visitor may ask next, and what it was suggested after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.sentence import Citation, Outcome

Heading = Literal["next", "topics", "choice"]
"""What suggestions are: what goes on from an answer; what the desk can speak of, where it had no answer;
which of two things is meant."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question that the desk answers."""

    text: str
    """As it is shown and asked: words of the desk's documents, never a visitor's."""
    source: str
    """Of the passage that answers it."""
    title: str
    why: Literal["content", "visitors"] = "content"
    """What it owes its place to: likeness, or that similar visitors went on to it."""

    @property
    def topic(self) -> str:
        """Name the passage."""
        return topic_of(self.source, self.title)


@dataclass(frozen=True, slots=True)
class About:
    """What a turn was about, and the conversation before it."""

    question: str
    """As the guard let it through."""
    language: str
    """ISO 639-1, of the answer."""
    outcome: Outcome
    citations: tuple[Citation, ...] = ()
    asked: tuple[str, ...] = ()
    """Questions before it, the oldest first."""
    topics: tuple[str, ...] = ()
    """That answers rested on before it, the oldest first."""
    shown: tuple[str, ...] = ()
    """Topics that were suggested before and not taken up, one for each time."""


def topic_of(source: str, title: str) -> str:
    """Name the passage of a source and a title; stays the same when its text is written anew."""
    return f"{source} {title}".replace("\0", " ")
