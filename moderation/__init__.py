"""What may be heard and said: a guard that screens every text by a desk's policy."""

from .errors import ModerationError, PolicyError
from .guard import Guard
from .policy import Policy
from .screener import Classifier, Finding, Screener, Subject
from .verdict import Action, Category, Direction, Span, Verdict

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
