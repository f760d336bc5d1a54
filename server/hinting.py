"""Hints on a desk's documents, as `visavis knowledge hints` tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.clauses import read
from knowledge.contradiction import Facts
from knowledge.hints import Hint, Place, Progress, find_hints

if TYPE_CHECKING:
    from knowledge import KnowledgeBase

ABOUT = {
    "not": "one says not",
    "hour": "times differ",
    "workday": "working days differ",
    "month": "lengths of time differ",
    "percent": "shares differ",
    "date": "dates differ",
    "clock": "hours differ",
    "discount": "discounts differ",
    "kg": "weights differ",
    "km": "distances differ",
    "cm": "sizes differ",
    "degree": "temperatures differ",
}
"""What differs → in words; prices else."""


def facts_of(sentence: str) -> Facts:
    """Read a sentence: its words, its amounts, whether it denies."""
    clauses = read(sentence).clauses
    return Facts(
        keys=frozenset[str]().union(*(clause.keys for clause in clauses)),
        numbers=tuple(number for clause in clauses for number in clause.numbers),
        negated=any(clause.negated for clause in clauses),
        hedged=any(clause.either for clause in clauses),
    )


def hints_document(knowledge: KnowledgeBase, progress: Progress) -> dict[str, Any]:
    """Return the hints as `--json` prints them.

    Raises:
        KnowledgeError: the knowledge cannot be read.
    """
    return {
        "hints": [_hint(one) for one in find_hints(knowledge, facts_of, progress)],
        "passages": knowledge.count,
    }


def _hint(hint: Hint) -> dict[str, Any]:
    why = "said twice" if hint.kind == "duplicate" else ABOUT.get(hint.about, "prices differ")
    return {
        "kind": hint.kind,
        "why": why,
        "likeness": hint.likeness,
        "first": _place(hint.first),
        "second": _place(hint.second),
    }


def _place(place: Place) -> dict[str, str]:
    return {"source": place.source, "title": place.title, "text": place.text}
