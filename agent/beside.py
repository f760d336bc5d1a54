"""What is seen beside a sentence, judged as if it were said: what it rests on, and its cards."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.cards import Card, listed, source_card
from agent.sentence import Citation
from agent.splitter import split_sentences
from moderation import Guard
from moderation.screener import Finding
from moderation.verdict import Direction

TOOL = "tool:"
"""How the source of a tool's result begins."""
_CONTACTS = frozenset(("pii.email", "pii.phone"))
"""What documents hold of these is written for the public: where a shop or an office is reached."""

Exempt = Callable[[Finding], bool]
"""Tells whether something that the rules found may stand."""


def beside(
    citation: Citation, language: str, guard: Guard, given: Sequence[str] = ()
) -> tuple[Citation, tuple[Card, ...]]:
    """Return what a sentence rests on as it may be seen, and the cards that come of it.

    Personal data is masked, lines that the desk must not say are left out. Engines judge what tools returned
    and what stands on cards; the rest of a document they read when it was learned.

    Args:
        citation: of a sentence that is judged itself elsewhere.
        language: ISO 639-1, of the sentence.
        guard: the desk's.
        given: what the visitor said and may read again.
    """
    look = _Look(guard, language, given, document=not citation.source.startswith(TOOL))
    title, section = look.line(citation.title), look.line(citation.section)
    seen = replace(citation, title=title, section=section, text=look.text(citation.text))
    cards = look.card(listed(seen.text, title)), source_card(seen)
    return seen, tuple(card for card in cards if card is not None)


class _Look:
    """Judges the words of one source."""

    def __init__(self, guard: Guard, language: str, given: Sequence[str], *, document: bool) -> None:
        self._guard, self._language, self._given = guard, language, given
        self._document = document

    def line(self, text: str) -> str:
        """Return a heading as it may be seen; empty where it may not."""
        return self._judged(text, engines=False) or ""

    def text(self, text: str) -> str:
        """Return a text of several lines without what may not be seen."""
        engines = not self._document
        whole = self._judged(text, engines=engines)
        if whole is not None:
            return whole
        lines: list[str] = []
        for line in text.splitlines():
            if (judged := self._judged(line, engines=engines)) is not None:
                lines.append(judged)
                continue
            pieces = [self._judged(piece, engines=engines) for piece in split_sentences(line)]
            if kept := " ".join(piece for piece in pieces if piece):
                lines.append(kept)
        return self._judged("\n".join(lines), engines=engines) or ""

    def card(self, card: Card | None) -> Card | None:
        """Return a list with the items that may be seen; None where no list is left."""
        if card is None or self._judged("\n".join(card.items), engines=True) is not None:
            return card
        judged = [self._judged(item, engines=True) for item in card.items]
        items = tuple(item for item in judged if item)
        return replace(card, items=items) if len(items) > 1 else None

    def _judged(self, text: str, *, engines: bool) -> str | None:
        """Return a text as it may be said; None where it may not."""
        if not text.strip():
            return text
        guard, back = self._guard, given_back(text, self._given)
        documents = _CONTACTS if self._document else frozenset[str]()
        verdict = guard.quick(
            text,
            Direction.OUTPUT,
            self._language,
            exempt=lambda finding: finding.rule in documents or back(finding),
        )
        masked = verdict.text
        if engines and verdict.passes and guard.judges(Direction.OUTPUT):
            verdict = guard.slow(replace(verdict, text=blanked(masked, self._given)))
        return masked if verdict.passes else None


def given_back(text: str, given: Sequence[str]) -> Exempt:
    """Return what tells which findings in a text lie wholly in what the visitor gave.

    A number is given only where it stands by itself: "900" is no part of a longer one. Two that stand side by
    side count as one stretch.
    """
    places: list[tuple[int, int]] = []
    for start, end in sorted(match.span() for match in _places(text, given)):
        if places and not re.search(r"\w", text[places[-1][1] : start]):
            places[-1] = places[-1][0], max(end, places[-1][1])
        else:
            places.append((start, end))
    return lambda finding: any(start <= finding.start and finding.end <= end for start, end in places)


def blanked(text: str, given: Sequence[str]) -> str:
    """Return a text for engines, with an ellipsis for what the visitor gave."""
    for form in sorted(given, key=len, reverse=True):
        if form.strip():
            text = _pattern(form).sub("…", text)
    return text


def _places(text: str, given: Sequence[str]) -> list[re.Match[str]]:
    return [match for form in given if form.strip() for match in _pattern(form).finditer(text)]


def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\d){re.escape(form.strip())}(?!\d)")
