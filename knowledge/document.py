"""Documents: Markdown and plain text files with a front matter block."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import DocumentError
from knowledge.words import language_of

SUFFIXES = (".md", ".markdown", ".txt")
MOST_BYTES = 2_000_000
"""A help page has a few kilobytes; a larger file is an export that should be split first."""
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_SPACE = re.compile(r"[ \t\u00a0]+")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the text below it."""

    heading: str
    """Empty for text before the first heading."""
    text: str
    """Paragraphs, separated by blank lines, without markup."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file, read."""

    source: str
    """Path relative to the folder that was learnt, with forward slashes."""
    title: str
    language: str
    kind: str
    """"article" or "faq"."""
    sections: tuple[Section, ...]
    questions: tuple[str, ...] = ()
    """Other ways in which people ask for this document."""
    tags: tuple[str, ...] = ()
    updated: str = ""
    digest: str = ""
    """Of the file's bytes."""


def find_documents(path: Path) -> Iterator[tuple[str, Path]]:
    """List the documents of a file or folder.

    Returns:
        Pairs of source (relative to the folder) and file, sorted; hidden files and other types left out.

    Raises:
        DocumentError: there is no such file or folder.
    """
    if path.is_file():
        yield path.name, path
        return
    if not path.is_dir():
        raise DocumentError(
            f"{path}: no such file or folder; give the path of a document or of a folder of them"
        )
    for file in sorted(path.rglob("*")):
        relative = file.relative_to(path)
        hidden = any(part.startswith(".") for part in relative.parts)
        if file.is_file() and not hidden and file.suffix.lower() in SUFFIXES:
            yield relative.as_posix(), file


def read_document(file: Path, source: str) -> Document:
    """Read one Markdown or text file.

    Raises:
        DocumentError: it is too large, not text, of another type, or holds nothing to say.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise DocumentError(
            f"{source}: not a type that can be learnt; convert it to one of {', '.join(SUFFIXES)}"
        )
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise DocumentError(f"{source}: {size} bytes is more than {MOST_BYTES}; split the file")
        data = file.read_bytes()
    except OSError as error:
        raise DocumentError(
            f"{source}: cannot be read ({error.strerror}); check the file's permissions"
        ) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{source}: not UTF-8 at byte {error.start}; save it again as UTF-8") from error
    if "\0" in text:
        raise DocumentError(f"{source}: holds zero bytes, so it is no text file; leave it out")
    return parse_document(text, source, digest=hashlib.sha256(data).hexdigest())


def parse_document(text: str, source: str, *, digest: str = "") -> Document:
    """Parse a document's text; see `read_document`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    front, body = _front_matter(text, source)
    sections = _sections(body)
    title = _line(front, "title") or next((s.heading for s in sections if s.heading), "") or Path(source).stem
    sections = [Section("" if s.heading == title else s.heading, s.text) for s in sections if s.text]
    if not sections:
        raise DocumentError(f"{source}: no text below the title; write a paragraph or leave the file out")
    kind = _line(front, "kind") or "article"
    if kind not in ("article", "faq"):
        raise DocumentError(f'{source}: kind is "{kind}"; write "article" or "faq"')
    return Document(
        source=source,
        title=title,
        language=_line(front, "language") or language_of(body),
        kind=kind,
        sections=tuple(sections),
        questions=_list(front, "questions"),
        tags=_list(front, "tags"),
        updated=_line(front, "updated"),
        digest=digest or hashlib.sha256(text.encode()).hexdigest(),
    )


def plain_text(markdown: str) -> str:
    """Return Markdown as words that can be read aloud: no markers, link targets, images or HTML."""
    text = re.sub(r"<!--.*?-->", "", markdown, flags=re.DOTALL)
    text = re.sub(r"<(script|style)\b.*?</\1\s*>", "", text, flags=re.DOTALL | re.IGNORECASE)
    text = re.sub(r"^```.*?^```\s*$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"</?[A-Za-z][^<>]*>", "", text)
    text = re.sub(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<!\w)([*_])(?=\S)([^*_\n]+?)(?<=\S)\1(?!\w)", r"\2", text)
    text = re.sub(r"`([^`\n]+)`", r"\1", text)
    text = re.sub(r"^[ \t]*(?:[-*+]|>|\d+[.)])[ \t]+", "", text, flags=re.MULTILINE)
    paragraphs = re.split(r"\n\s*\n", text)
    joined = (_join_lines(paragraph) for paragraph in paragraphs)
    return "\n\n".join(paragraph for paragraph in joined if paragraph)


def _join_lines(paragraph: str) -> str:
    text = re.sub(
        r"(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff\uff00-\uffef])", "", paragraph.strip()
    )
    return _SPACE.sub(" ", text.replace("\n", " ")).strip()


def _sections(body: str) -> list[Section]:
    found: list[tuple[str, list[str]]] = [("", [])]
    fenced = False
    for line in body.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        heading = None if fenced else _HEADING.match(line)
        if heading:
            found.append((plain_text(heading.group(2)), []))
        else:
            found[-1][1].append(line)
    return [Section(heading, plain_text("\n".join(lines))) for heading, lines in found]


def _front_matter(text: str, source: str) -> tuple[dict[str, object], str]:
    found = _FRONT.match(text)
    if not found:
        return {}, text
    import yaml

    try:
        front = yaml.safe_load(found.group(1))
    except yaml.YAMLError as error:
        reason = str(error).replace("\n", " ")
        raise DocumentError(f"{source}: the block between the --- lines is not YAML: {reason}") from error
    if front is None:
        front = {}
    if not isinstance(front, dict):
        raise DocumentError(f'{source}: the block between the --- lines must hold "name: value" lines')
    return front, text[found.end() :]


def _line(front: dict[str, object], key: str) -> str:
    value = front.get(key)
    return "" if value is None else str(value).strip()


def _list(front: dict[str, object], key: str) -> tuple[str, ...]:
    value = front.get(key)
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(str(item).strip() for item in values if str(item).strip())
