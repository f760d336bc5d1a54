"""Documents: what a reader makes of a file or page, and which files of a folder can be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import DocumentError
from knowledge.passage import Passage
from knowledge.readers import SUFFIXES


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the text below it."""

    heading: str
    """Empty for text before the first heading; the question itself in an FAQ."""
    text: str
    """Paragraphs, separated by blank lines, without markup."""
    parents: tuple[str, ...] = ()
    """Headings above it, from the outermost one, without the document's title."""
    page: int | None = None
    """Of the document, from 1; None where it has no pages."""
    anchor: str = ""
    """What stands after "#" in the source; made of the heading where empty."""
    language: str = ""
    """ISO 639-1; the document's where empty."""
    questions: tuple[str, ...] = ()
    """Other ways in which people ask for this section."""
    tags: tuple[str, ...] = ()
    url: str = ""
    """Of a page of its own; the document's where empty."""
    updated: str = ""
    """The document's where empty."""
    kind: str = ""
    """"article" or "faq"; the document's where empty."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A part of a document that is not learnt."""

    source: str
    """The document's, with "#section" where only a part is meant."""
    reason: str
    """Says what was found and what to do."""
    passage: Passage | None = None
    """What a check kept out, which may come back; None for what a reader left out."""
    at: int = 0
    """Its place among the document's passages, from 0."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file or page, read."""

    source: str
    """Path relative to the folder that was learnt, with forward slashes; or the page's URL."""
    title: str
    language: str
    kind: str
    """"article" or "faq"."""
    sections: tuple[Section, ...]
    questions: tuple[str, ...] = ()
    """Other ways in which people ask for this document."""
    tags: tuple[str, ...] = ()
    updated: str = ""
    """ISO 8601 date, where the document says one."""
    digest: str = ""
    """Of the file's bytes; of the text of a web page, whose bytes change with every request."""
    url: str = ""
    """Where people can open it, if anywhere."""
    withheld: tuple[Withheld, ...] = ()
    """What stood hidden in it."""


def find_documents(
    path: Path, skipped: Callable[[str, str], None] = lambda _source, _reason: None
) -> Iterator[tuple[str, Path]]:
    """List the documents of a file or folder.

    Args:
        path: a file, or a folder, which is searched with the folders in it.
        skipped: told the source and the reason of what is passed over, hidden files excepted.

    Returns:
        Pairs of source (relative to the folder) and file, sorted.

    Raises:
        DocumentError: there is no such file or folder.
    """
    if path.is_file():
        yield path.name, path
        return
    if not path.is_dir():
        if path.exists():
            raise DocumentError(f"{path}: is neither a file nor a folder; give the path of one")
        raise DocumentError(
            f"{path}: no such file or folder; give the path of a document or of a folder of them"
        )
    root = path.resolve()
    for file in sorted(_walk(path, skipped)):
        # Names may hold bytes that are no text.
        source = file.relative_to(path).as_posix().encode("utf-8", "replace").decode()
        try:
            outside = file.is_symlink() and not file.resolve().is_relative_to(root)
        except (OSError, RuntimeError):
            outside = True
        if outside:
            skipped(
                source, f"{source}: a link out of the folder; copy the file here, or learn it by its path"
            )
        elif not file.is_file():
            skipped(source, f"{source}: not a regular file; leave it out of the folder")
        elif file.suffix.lower() not in SUFFIXES:
            skipped(source, unknown_type(source))
        else:
            yield source, file


def unknown_type(source: str) -> str:
    """Say that a file's type cannot be learnt, and which can."""
    return f"{source}: not a type that can be learnt; convert it to one of {', '.join(SUFFIXES)}"


def _walk(path: Path, skipped: Callable[[str, str], None]) -> Iterator[Path]:
    def cannot(error: OSError) -> None:
        folder = Path(error.filename or path)
        source = folder.relative_to(path).as_posix() if folder.is_relative_to(path) else str(folder)
        skipped(source, f"{source}: cannot be read ({error.strerror}); check the folder's permissions")

    for folder, names, files in os.walk(path, onerror=cannot):
        for name in [name for name in names if name.startswith(".")]:
            names.remove(name)
        for name in names:
            link = Path(folder, name)
            # A link within the folder is read where it points to.
            if link.is_symlink() and not link.resolve().is_relative_to(path.resolve()):
                source = link.relative_to(path).as_posix()
                skipped(source, f"{source}: a link out of the folder; learn that folder by its own path")
        yield from (Path(folder, name) for name in files if not name.startswith("."))
