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

    @property
    def rank(self) -> int:
        """How strict the action is: 0 (allow) to 5 (end)."""
        return _RANKS[self]


_RANKS = {action: rank for rank, action in enumerate(Action)}


class Direction(StrEnum):
    """Where a text comes from."""

    INPUT = "input"
    """Said or typed by the visitor."""
    OUTPUT = "output"
    """About to be said by the desk."""
    DOCUMENT = "document"
    """A passage of the desk's knowledge."""
    TOOL = "tool"
    """The result of a business action."""


class Category(StrEnum):
    """What a text can be about that a policy decides on."""

    HATE = "hate"
    """Slurs and contempt for a protected group."""
    HARASSMENT = "harassment"
    """Insults and threats that aim at a person or at the desk."""
    SEXUAL = "sexual"
    SEXUAL_MINORS = "sexual_minors"
    VIOLENCE = "violence"
    SELF_HARM = "self_harm"
    DANGEROUS = "dangerous"
    """Weapons, drugs, fraud, break-ins: help with what is dangerous or illegal."""
    PROFANITY = "profanity"
    """Rude words that aim at nobody."""
    INJECTION = "injection"
    """Attempts to replace the desk's instructions."""
    PII = "pii"
    """Personal data."""
    SECRETS = "secrets"
    """Keys, tokens, passwords."""
    UNSAFE_LINK = "unsafe_link"
    TOPIC = "topic"
    """A topic that the desk does not advise on."""
    COMPETITOR = "competitor"
    PROMISE = "promise"
    """A promise that the company does not make."""
    BLOCKED = "blocked"
    """The desk's own blocked words."""
    ENGINE = "engine"
    """An engine that should have judged the text did not: "engine.timeout", "engine.error"."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the original text, in characters."""

    start: int
    end: int
    category: str


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """The guard's answer for one text.

    `repr` and `str` never show the text, so that a verdict may be logged.
    """

    action: Action
    rule: str
    """The rule that decided, for example "pii.card" or "injection.override"; "" when nothing fired."""
    text: str
    """The text to go on with: masked where personal data or secrets are to be masked, else as given."""
    direction: Direction = Direction.INPUT
    category: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    """category → 0..1"""
    spans: tuple[Span, ...] = ()
    """Where the rules fired, in the text as given (not in the masked one), by start."""
    rules: tuple[str, ...] = ()
    """Every rule that fired, the deciding one first."""
    failed: tuple[str, ...] = ()
    """Engines that should have judged it and did not, such as "openai.timeout": it is flagged."""

    @property
    def passes(self) -> bool:
        """True when the conversation may go on with `text`."""
        return self.action in (Action.ALLOW, Action.MASK, Action.SOFTEN)

    def __repr__(self) -> str:
        scores = ", ".join(f"{name}={score:.2f}" for name, score in sorted(self.scores.items()))
        return (
            f"Verdict({self.action.value}, rule={self.rule!r}, direction={self.direction.value}, "
            f"scores=({scores}), spans={len(self.spans)}, characters={len(self.text)})"
        )
