"""The documents of a desk's knowledge, by the names that people call them, and as `--json` prints them."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from knowledge.revising import kept_out
from server.boundary import UsageError

if TYPE_CHECKING:
    from knowledge import KnowledgeBase
    from knowledge.record import Record


def list_document(knowledge: KnowledgeBase) -> dict[str, Any]:
    """Return what a desk answers from, and what it was told to leave out."""
    records = knowledge.documents()
    return {
        "documents": [_document(one) for one in records if one.passages],
        "passages": knowledge.count,
        "kept_out": [one.source for one in kept_out(records)],
    }


def sources_of(names: Sequence[str], records: Iterable[Record]) -> list[str]:
    """Return the sources that names stand for: sources, their files' names, or patterns.

    Raises:
        UsageError: a name stands for none, or is a file's name that several documents have.
    """
    sources = [one.source for one in records]
    return list(dict.fromkeys(found for name in names for found in _matching(name, sources)))


def listed(sources: Sequence[str]) -> str:
    """Return documents as a sentence names them; of many, only the first."""
    if len(sources) > 4:
        return f"{', '.join(sources[:3])} and {len(sources) - 3} more"
    return " and ".join(filter(None, (", ".join(sources[:-1]), sources[-1])))


def _matching(name: str, sources: list[str]) -> list[str]:
    if name in sources:
        return [name]
    if any(sign in name for sign in "*?["):
        found = fnmatch.filter(sources, name)
    else:
        found = [one for one in sources if one.rpartition("/")[2] == name]
        if len(found) > 1:
            raise UsageError(f"{name} may be {listed(found)}; write it as one of these")
    if not found:
        near = difflib.get_close_matches(name, sources, 1, 0.7)
        hint = f"do you mean {near[0]}?" if near else "`visavis knowledge list` names all"
        raise UsageError(f"there is no document {name}; {hint}")
    return found


def _document(record: Record) -> dict[str, Any]:
    return {
        "source": record.source,
        "title": record.title,
        "passages": len(record.passages),
        "languages": sorted({one.language for one in record.passages}),
        "kind": record.passages[0].kind,
        "tags": list(record.tags),
        "updated": record.updated,
        "place": record.place,
    }
