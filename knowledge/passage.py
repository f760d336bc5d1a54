"""A passage: retrieved text that knows where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """One piece of a document, small enough to be read aloud."""

    id: str
    source: str
    """Path relative to the desk's knowledge folder, or URL; "#section" says where in it."""
    title: str
    """The document's title, with the section's where there is one; the question itself for an FAQ entry."""
    text: str
    """The words, without markup."""
    score: float = 0.0
    """0..1: how likely this passage answers the question that it was found for."""
    language: str = "en"
    """ISO 639-1."""
    kind: str = "article"
    """"article" or "faq"."""
    questions: tuple[str, ...] = ()
    """Other ways in which the document says that people ask this."""
    section: str = ""
    """Headings that it stands under, outermost first, with " > " between; without the document's title."""
    page: int | None = None
    """Of its document, from 1; None where it has no pages."""
    url: str = ""
    """Where people can open it at the right place; empty where the document has no address."""
    updated: str = ""
    """ISO 8601 date of the document's last change, where one is known."""
    tags: tuple[str, ...] = ()
    """Words to filter by."""


def wanted_by(tags: Iterable[str], languages: Iterable[str], since: str) -> Callable[[Passage], bool] | None:
    """Return what tells whether a passage may be found; None where all may."""
    wanted, spoken = {tag.casefold() for tag in tags}, set(languages)
    if not (wanted or spoken or since):
        return None
    return lambda passage: (
        (not wanted or any(tag.casefold() in wanted for tag in passage.tags))
        and (not spoken or passage.language in spoken)
        and (not since or passage.updated[: len(since)] >= since)
    )
