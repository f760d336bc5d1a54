"""A sentence of a reply: the unit of synthesis and of output moderation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from knowledge.passage import Passage

REPLY_EMOTIONS = ("neutral", "happy", "empathetic", "apologetic", "concerned", "surprised", "thinking")
"""The labels that voice and face can show."""


class Outcome(StrEnum):
    """How a turn ended for the visitor."""

    ANSWERED = "answered"
    CLARIFIED = "clarified"
    """Asked back: which of two things is meant, or please repeat."""
    ABSTAINED = "abstained"
    """Said that it does not know."""
    REFUSED = "refused"
    HANDOFF = "handoff"
    """Passed on, or offered to pass on, to a person."""


@dataclass(frozen=True, slots=True)
class Emotion:
    """A feeling: of a reply's sentence (`REPLY_EMOTIONS`) or of the visitor."""

    label: str = "neutral"
    intensity: float = 0.5
    """0..1"""
    scores: Mapping[str, float] = field(default_factory=dict)
    """label → 0..1, where the emotion was detected rather than chosen."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that a sentence rests on."""

    source: str
    """The passage's source, or "tool:NAME" for a tool's result."""
    title: str
    text: str
    score: float
    """0..1"""
    url: str = ""
    """Where people can open it at the right place; empty where it has no address."""
    page: int | None = None
    """Of its document, from 1; None where it has no pages."""
    section: str = ""
    """Headings that it stands under, outermost first, with " > " between."""

    @classmethod
    def of(cls, passage: Passage) -> Citation:
        """Cite a passage."""
        return cls(
            passage.source,
            passage.title,
            passage.text,
            passage.score,
            url=passage.url,
            page=passage.page,
            section=passage.section,
        )


@dataclass(frozen=True, slots=True)
class Sentence:
    """A few words to be screened, spoken and shown together."""

    text: str
    language: str = "en"
    emotion: Emotion = field(default_factory=Emotion)
    outcome: Outcome = Outcome.ANSWERED
    """How the turn ends if this is its last sentence."""
    citations: tuple[Citation, ...] = ()
    gesture: str = ""
    """A motion of head and face, by its name in `avatar.GESTURES`; "" leaves it to outcome and emotion."""
    pace: float = 1.0
    """Factor on the speed at which the emotion is spoken."""
    person: str = ""
    """Name of the person whose words these are; empty: the desk's own."""
