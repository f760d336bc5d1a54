"""Word documents: paragraphs, lists and tables under their headings."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from knowledge.document import Document
from knowledge.errors import DocumentError
from knowledge.readers.archive import check_archive
from knowledge.readers.given import Given, document
from knowledge.readers.outline import Outline
from knowledge.readers.table import sections_of_rows

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LEVEL = re.compile(r"^(?:heading|überschrift|titre|标题|標題|titolo|título|kop)\s*(\d)$", re.IGNORECASE)
LEAST_SIZE = 3.0
"""Points; smaller letters are not there to be read."""
TITLE_LEVEL = 1
BOLD_LEVEL = 12
"""Of a line in bold letters: below all headings that are marked as such."""
MOST_BOLD = 90
"""Characters of such a line."""
TEMPLATE_DATE = "2013-12-23"
"""Of python-docx's empty document: says nothing about what a program made of it."""


def read(given: Given) -> Document:
    """Read a Word document: what is shown, with insertions accepted and deletions gone.

    Raises:
        DocumentError: it is damaged, encrypted, a bomb, or nothing is left to say.
    """
    check_archive(given, "word/document.xml")
    import docx
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    try:
        file = docx.Document(io.BytesIO(given.data))
        outline = Outline()
        hidden: list[str] = []
        for element in _blocks(file.element.body):
            if element.tag == f"{_W}tbl":
                _table(Table(element, file), outline, hidden)
                continue
            text, unseen = _text(element)
            hidden += unseen
            level = _level(Paragraph(element, file._body))
            if level and text:
                outline.head(level, text)
            elif level is not None:
                outline.say(text)
        core = file.core_properties
        title, modified = core.title or "", core.modified
        if modified is not None and modified.date().isoformat() == TEMPLATE_DATE:
            modified = None
    except Exception as error:  # whatever a damaged part makes of python-docx and lxml
        raise DocumentError(
            f"{given.source}: the document is damaged ({type(error).__name__}); "
            "open it in its program and save it again"
        ) from error
    title = outline.title or title or given.stem
    return document(
        given,
        outline.sections(title),
        title=title,
        updated=modified.date().isoformat() if modified else "",
        hidden=hidden,
    )


def _blocks(parent: Any) -> Iterator[Any]:
    """Yield paragraphs and tables, also those that form fields and insertions enclose."""
    for child in parent:
        if child.tag in (f"{_W}p", f"{_W}tbl"):
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml", f"{_W}smartTag"):
            yield from _blocks(child)


def _table(table: Any, outline: Outline, hidden: list[str]) -> None:
    rows = []
    for row in table.rows:
        cells: list[str] = []
        # Merged cells are one element, named several times.
        for element in dict.fromkeys(cell._tc for cell in row.cells):
            parts = [_text(paragraph) for paragraph in element.iter(f"{_W}p")]
            cells.append("\n".join(text for text, _ in parts if text))
            hidden += [reason for _, unseen in parts for reason in unseen]
        rows.append(cells)
    found, faq = sections_of_rows(rows)
    outline.add(found, faq=faq)


def _text(paragraph: Any) -> tuple[str, list[str]]:
    """Return a paragraph's visible text, and what is hidden in it."""
    shown: list[str] = []
    hidden: list[str] = []
    for run in _runs(paragraph):
        text = "".join(_letters(run))
        reason = _unseen(run) if text.strip() else ""
        if reason:
            hidden.append(reason)
        else:
            shown.append(text)
    return "".join(shown).strip(), hidden


def _runs(paragraph: Any) -> Iterator[Any]:
    for run in paragraph.iter(f"{_W}r"):
        above = {parent.tag for parent in run.iterancestors()}
        if f"{_W}del" not in above and f"{_W}moveFrom" not in above:
            yield run


def _letters(run: Any) -> Iterator[str]:
    for child in run:
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag in (f"{_W}tab", f"{_W}br", f"{_W}cr"):
            yield " " if child.tag == f"{_W}tab" else "\n"
        elif child.tag == f"{_W}noBreakHyphen":
            yield "-"


def _unseen(run: Any) -> str:
    style = run.find(f"{_W}rPr")
    if style is None:
        return ""
    vanish = style.find(f"{_W}vanish")
    if vanish is not None and vanish.get(f"{_W}val") not in ("0", "false", "off"):
        return "hidden text"
    color, shade = style.find(f"{_W}color"), style.find(f"{_W}shd")
    mark = style.find(f"{_W}highlight")
    light = color is not None and re.fullmatch("f[c-f]f[c-f]f[c-f]", str(color.get(f"{_W}val")).lower())
    dark = shade is not None and str(shade.get(f"{_W}fill")).lower() not in ("auto", "ffffff", "none")
    in_table = any(parent.tag == f"{_W}tc" for parent in run.iterancestors())
    if light and not dark and mark is None and not in_table:
        return "white text"
    size = style.find(f"{_W}sz")
    if (
        size is not None
        and str(size.get(f"{_W}val")).isdigit()
        and int(size.get(f"{_W}val")) / 2 < LEAST_SIZE
    ):
        return "text too small to read"
    return ""


def _level(paragraph: Any) -> int | None:
    """Return the level of a heading, 1 for the title; 0 for text, None for a line of the contents."""
    style = paragraph.style
    for _ in range(10):  # styles may be based on each other in a circle
        if style is None:
            break
        if (style.name or "").lower().startswith("toc "):
            return None
        if style.name in ("Title", "标题") or style.style_id == "Title":
            return TITLE_LEVEL
        found = _LEVEL.match(style.name or "") or _LEVEL.match(style.style_id or "")
        if found:
            return int(found.group(1)) + 1
        style = style.base_style
    own = paragraph._p.find(f"{_W}pPr/{_W}outlineLvl")
    value = own.get(f"{_W}val") if own is not None else ""
    if value and value.isdigit() and int(value) < 9:
        return int(value) + 2
    return BOLD_LEVEL if _is_bold_line(paragraph) else 0


def _is_bold_line(paragraph: Any) -> bool:
    """Tell whether a paragraph is a heading to all who see it, though nobody has marked it as one."""
    text = paragraph.text.strip()
    runs = [run for run in paragraph.runs if run.text.strip()]
    inside = any(parent.tag == f"{_W}tc" for parent in paragraph._p.iterancestors())
    short = 2 <= len(text) <= MOST_BOLD and text[-1] not in ".。,，;；"
    return short and not inside and bool(runs) and all(run.bold for run in runs)
