"""What a person gets with a visitor who is passed on: a summary, what was said, and their data by consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.confirming import Nod, nod
from agent.events import PassedOn
from agent.history import Exchange
from agent.particulars import Particulars, hidden
from agent.sentence import Outcome
from agent.summary import summary


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was said."""

    who: Literal["visitor", "ai", "person"]
    text: str
    name: str = ""
    """Of the person."""


@dataclass(frozen=True, slots=True)
class Handoff:
    """What a person gets with a visitor who is passed on."""

    reason: str
    there: bool
    """False: nobody was there."""
    consent: bool
    """The visitor agreed that what they told of themselves goes along."""
    language: str
    """ISO 639-1"""
    summary: str
    transcript: tuple[Line, ...]
    """As it was heard; without consent, what the visitor told of themselves is masked."""
    data: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """names, phones, emails, numbers, addresses → values; empty without consent."""


def handoff_of(
    passed: PassedOn, exchanges: Sequence[Exchange], question: str, told: Particulars, language: str
) -> Handoff:
    """Write down what a person gets.

    Args:
        passed: why, and whether what the visitor told goes along.
        exchanges: before this turn, the oldest first.
        question: of this turn, as the guard let it through.
        told: what the visitor told of themselves.
        language: ISO 639-1, of the summary.
    """

    def shown(text: str, *, own: bool) -> str:
        return text if passed.consent else hidden(text, told, language, own=own)

    lines = []
    for one in exchanges:
        reply = Line("person" if one.by else "ai", shown(one.reply, own=False), one.by)
        lines += [Line("visitor", shown(one.question, own=True)), reply]
    lines.append(Line("visitor", shown(question, own=True)))
    asked = Exchange(question, "", Outcome.HANDOFF, False, language)
    matters = [one for one in exchanges if nod(one.question) is Nod.UNCLEAR]
    if nod(question) is Nod.UNCLEAR:
        matters.append(asked)
    return Handoff(
        passed.reason,
        passed.there,
        passed.consent,
        language,
        shown(summary(matters, language=language), own=True),
        tuple(line for line in lines if line.text),
        told.document() if passed.consent else {},
    )
