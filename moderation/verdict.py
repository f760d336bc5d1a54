"""A verdict: what may be done with a text, and which rule said so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    """What to do with a text, mildest first."""

    ALLOW = "allow"
    MASK = "mask"
    """Go on with `Verdict.text`, in which the spans are masked."""
    SOFTEN = "soften"
    """Go on, but answer with care (the visitor is upset or in trouble)."""
    REFUSE = "refuse"
    """Do not go on; say the prepared safe line."""
    ESCALATE = "escalate"
    """Do not go on; hand over to a person, or give the help line."""
    END = "end"
    """Close the conversation."""


class Direction(StrEnum):
    """Where a text comes from."""

    INPUT = "input"
    OUTPUT = "output"
    DOCUMENT = "document"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the original text, in characters."""

    start: int
    end: int
    category: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The guard's answer for one text."""

    action: Action
    rule: str
    """The rule that decided, for example "pii.card" or "injection.override"; "" when nothing fired."""
    text: str
    """The text to go on with: masked where the action is `mask`, else as given."""
    direction: Direction = Direction.INPUT
    category: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    """category → 0..1"""
    spans: tuple[Span, ...] = ()

    @property
    def passes(self) -> bool:
        """True when the conversation may go on with `text`."""
        return self.action in (Action.ALLOW, Action.MASK, Action.SOFTEN)
