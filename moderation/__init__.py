"""What may be heard and said: a guard that screens every text by a desk's policy."""

from typing import TYPE_CHECKING

from moderation.errors import ModerationError, PolicyError
from moderation.guard import Guard
from moderation.screener import Classifier, Finding, Screener, Subject
from moderation.verdict import Action, Category, Direction, Span, Verdict

if TYPE_CHECKING:
    from moderation.policy import Policy

__all__ = [
    "Action",
    "Category",
    "Classifier",
    "Direction",
    "Finding",
    "Guard",
    "ModerationError",
    "Policy",
    "PolicyError",
    "Screener",
    "Span",
    "Subject",
    "Verdict",
]


def __getattr__(name: str) -> object:
    if name == "Policy":  # pydantic, which a mere import should not pay for
        from moderation.policy import Policy

        return Policy
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
