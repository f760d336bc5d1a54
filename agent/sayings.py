"""What visitors say that stands in no document: the embedded recogniser hears only words that it expects."""

from __future__ import annotations

SAYINGS = (
    "Stop.", "Wait.", "Hold on.", "Stop talking please.", "Never mind.", "One moment.", "Go on.", "Sorry.",
    "Yes.", "No.", "Yes please.", "No thank you.", "Thank you.", "Okay.", "Right.", "I see.",
    "Uh huh.", "Mhm.", "Hmm.", "Yeah.", "Sure.", "Good.", "Got it.", "Great.", "How much?",
    "That is wrong.", "That is not what I meant.", "I have a question.", "I have another question.",
    "Hello.", "Goodbye.", "Can you say that again?", "I would like to talk to a person.",
)  # fmt: skip
WEIGHT = 8
"""How often each is counted: as often as a subject that some pages speak about."""


def expected(texts: list[str]) -> list[str]:
    """What a desk's recogniser should expect: its documents' texts, and what everybody says."""
    return [*texts, *SAYINGS * WEIGHT]
