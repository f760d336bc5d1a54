"""The versions of a desk's knowledge, as `--json` and sentences tell them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from knowledge.revising import versions_of

if TYPE_CHECKING:
    from knowledge import KnowledgeBase
    from knowledge.versions import Version


def versions_document(knowledge: KnowledgeBase) -> dict[str, Any]:
    """Return the versions that are kept, the latest first."""
    versions = versions_of(knowledge)
    return {"versions": [_version(one, present=at == 0) for at, one in enumerate(versions)]}


def rollback_document(wanted: Version, made: Version | None, passages: int) -> dict[str, Any]:
    """Return what bringing a version back has changed.

    Args:
        wanted: the version.
        made: the one that came of it; None: nothing was changed.
        passages: that the desk knows now.
    """
    return {
        "brought_back": wanted.number,
        "version": made.number if made else None,
        "changes": _changes(made) if made else None,
        "passages": passages,
    }


def rollback_told(wanted: Version, made: Version | None, passages: int) -> str:
    """Return the same as a sentence."""
    if made is None:
        return f"version {wanted.number} is what the desk knows already; nothing was changed"
    when = datetime.fromtimestamp(wanted.at).strftime("%Y-%m-%d %H:%M")
    return (
        f"the desk knows what it knew at version {wanted.number} of {when}: {made.changes}, "
        f"{passages} passages; this is version {made.number}"
    )


def _version(version: Version, *, present: bool) -> dict[str, Any]:
    return {
        "number": version.number,
        "at": datetime.fromtimestamp(version.at, UTC).isoformat(timespec="seconds"),
        "cause": version.cause,
        "changes": _changes(version),
        "documents": version.documents,
        "passages": version.passages,
        "present": present,
    }


def _changes(version: Version) -> dict[str, Any]:
    changes = version.changes
    names = {kind: list(sources) for kind, sources in (changes.names or {}).items()}
    counts = {"added": changes.added, "updated": changes.updated, "removed": changes.removed}
    return {**counts, "names": names}
