"""Markdown with a front matter block."""

from __future__ import annotations

import re
from pathlib import Path

from knowledge.document import Document
from knowledge.errors import DocumentError
from knowledge.readers.encoding import decode
from knowledge.readers.given import Given, document
from knowledge.readers.hiding import cut_hidden_markup
from knowledge.readers.outline import Outline

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S.*)$")
_FENCE = re.compile(r"^[ \t]*(```|~~~)")
_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*){0,200}\|?[ \t]*$")
_UNDERLINE = re.compile(r"^(=+|-{3,})[ \t]*$")
_DEFINITION = re.compile(r"^ {0,3}\[(?!\^)[^\[\]\n]{1,200}\]:[ \t]+\S.*$", re.MULTILINE)
"""Of a link's target, or a remark in that disguise: never shown."""
_SPACE = re.compile(r"[ \t\u00a0]+")
MOST_FRONT = 100_000
"""Characters of a front matter block; YAML's aliases are not let loose on more."""


def read(given: Given) -> Document:
    """Read a Markdown file.

    Raises:
        DocumentError: it is not text, its front matter is wrong, or nothing is left to say.
    """
    text = decode(given.data, given.source, given.charset)
    return parse_document(text, given.source, given=given)


def parse_document(text: str, source: str, *, given: Given | None = None) -> Document:
    """Parse a document's text; see `read`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    given = given or Given(text.encode("utf-8", "replace"), source, Path(source).suffix)
    front, body = _front_matter(text, source)
    body, hidden = cut_hidden_markup(_DEFINITION.sub("", body))
    outline = _outline(body)
    title = _line(front, "title") or outline.first_heading
    kind = _line(front, "kind") or "article"
    if kind not in ("article", "faq"):
        raise DocumentError(f'{source}: kind is "{kind}"; write "article" or "faq"')
    return document(
        given,
        outline.sections(title, bare=kind != "faq"),
        title=title,
        language=_line(front, "language"),
        kind=kind,
        updated=_line(front, "updated"),
        url=_line(front, "url"),
        questions=_list(front, "questions"),
        tags=_list(front, "tags"),
        hidden=hidden,
    )


def plain_text(markdown: str) -> str:
    """Return Markdown as words that can be read aloud: no markers, link targets, images or HTML.

    Every step takes time in proportion to the text's length, also on a text that means harm.
    """
    text = _without(markdown, "<!--", "-->")
    for tag in ("script", "style"):
        text = _without(text, f"<{tag}", f"</{tag}>")
    text = _told_tables(_unfenced(text))
    text = re.sub(r"!\[[^\[\]]{0,500}\]\([^()\n]{0,2000}\)", "", text)
    text = re.sub(r"\[([^\[\]]{1,500})\]\([^()\n]{0,2000}\)", r"\1", text)
    text = re.sub(r"</?[A-Za-z][^<>]*>", "", text)
    text = re.sub(r"(\*\*|__)(?=\S)(.{1,400}?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<!\w)([*_])(?=\S)([^*_\n]{1,400}?)(?<=\S)\1(?!\w)", r"\2", text)
    text = re.sub(r"`([^`\n]{1,1000})`", r"\1", text)
    text = re.sub(r"^[ \t]*(?:[-*+]|>|\d{1,9}[.)])[ \t]+", "", text, flags=re.MULTILINE)
    paragraphs = re.split(r"\n[ \t]*\n", text)
    joined = (_join_lines(paragraph) for paragraph in paragraphs)
    return "\n\n".join(paragraph for paragraph in joined if paragraph)


def _without(text: str, start: str, end: str) -> str:
    """Cut what stands between two marks, the marks with it; an open one cuts to the end."""
    low = text.lower()
    kept = []
    at = 0
    while (begin := low.find(start, at)) >= 0:
        kept.append(text[at:begin])
        close = low.find(end, begin)
        at = close + len(end) if close >= 0 else len(text)
    return "".join(kept) + text[at:]


def _told_tables(text: str) -> str:
    """Write tables as one paragraph a row, each cell after its column's name."""
    from knowledge.readers.table import sections_of_rows

    if "|" not in text:
        return text
    told: list[str] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        if "|" in lines[at] and at + 1 < len(lines) and _RULE.match(lines[at + 1]) and "-" in lines[at + 1]:
            rows = [_cells(lines[at])]
            at += 2
            while at < len(lines) and "|" in lines[at]:
                rows.append(_cells(lines[at]))
                at += 1
            sections, faq = sections_of_rows(rows)
            told += [f"\n{one.heading} {one.text}\n" if faq else f"\n{one.text}\n" for one in sections]
        else:
            told.append(lines[at])
            at += 1
    return "\n".join(told)


def _cells(line: str) -> list[str]:
    line = line.strip().removeprefix("|").removesuffix("|")
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line)]


def _unfenced(text: str) -> str:
    kept = []
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if mark and (not fence or mark.group(1) == fence):
            fence = "" if fence else mark.group(1)
        elif not fence:
            kept.append(line)
    return "\n".join(kept)


def _join_lines(paragraph: str) -> str:
    text = re.sub(
        r"(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff\uff00-\uffef])", "", paragraph.strip()
    )
    return _SPACE.sub(" ", text.replace("\n", " ")).strip()


def _outline(body: str) -> Outline:
    outline = Outline()
    below: list[str] = []
    fence = ""

    def end() -> None:
        words = plain_text("\n".join(below))
        if words:
            outline.say(words)
        elif any(line.strip() for line in below):
            outline.leave_out()
        below.clear()

    for line in body.split("\n"):
        mark = _FENCE.match(line)
        if mark and (not fence or mark.group(1) == fence):
            fence = "" if fence else mark.group(1)
        heading = None if fence or mark else _HEADING.match(line)
        under = None if fence or not _is_lone(below) else _UNDERLINE.match(line)
        if heading:
            end()
            outline.head(len(heading.group(1)), plain_text(heading.group(2).rstrip("# \t")))
        elif under:
            words = plain_text(below.pop())
            end()
            outline.head(1 if line.startswith("=") else 2, words)
        else:
            below.append(line)
    end()
    return outline


def _is_lone(lines: list[str]) -> bool:
    """Tell whether the last line is a paragraph of its own, which a line below makes a heading."""
    if not lines or not lines[-1].strip() or re.match(r"[ \t]|[-*+>|#]|\d+[.)]", lines[-1]):
        return False
    return len(lines) == 1 or not lines[-2].strip()


def _front_matter(text: str, source: str) -> tuple[dict[str, object], str]:
    found = _FRONT.match(text)
    if not found:
        return {}, text
    import yaml

    try:
        if len(found.group(1)) > MOST_FRONT or "&" in found.group(1) and re.search(r"\*\w", found.group(1)):
            raise DocumentError(
                f"{source}: the block between the --- lines is too large or uses YAML aliases; "
                'write plain "name: value" lines'
            )
        front = yaml.safe_load(found.group(1))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
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
