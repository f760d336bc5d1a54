"""PDF: text by pages, headings known by their size, running heads left out."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from knowledge.document import Document
from knowledge.errors import DocumentError
from knowledge.readers.given import Given, document, join_lines
from knowledge.readers.outline import Outline, as_sentence
from knowledge.readers.unseen_ink import without_unseen

MOST_PAGES = 3000
HEADING_SIZE = 1.14
"""Times the size of the running text, from which on a short line is a heading."""
MOST_HEADING = 90
"""Characters."""
MOST_LINES = 3
"""Of a heading; more of one size are text, such as a table in larger letters."""
RUNNING_SHARE = 0.5
"""Share of the pages on which a first or last line stands again, numbers aside, if it is no text."""
LEAST_RUNNING = 2
SHORT_LINE = 0.72
"""Times the page's longest line: a sentence that ends before ends a paragraph."""
_END = re.compile(r"[.!?。！？:：;；”\"')）]\s*$")
_BULLET = re.compile(r"^\s*(?:[•●▪◦‣·–*-]|\(?\d{1,3}[.)、]|[①-⑳])\s*")
_SENTENCE_END = re.compile(r"^.{0,600}?[.!?。！？](?=\s|$|[\u4e00-\u9fff])", re.DOTALL)

_ASKS = re.compile(r"^[^\W\d_].{3,70}[?？]$")
"""A line that is a question and a paragraph of its own: what follows answers it."""
_BOLD = re.compile(r"bold|black|heavy|semibold", re.IGNORECASE)


class Line(NamedTuple):
    """What stands on a line; no text between paragraphs."""

    text: str
    size: float
    """Of the letters, in points."""
    bold: bool


def read(given: Given) -> Document:
    """Read a PDF's text; each section knows its page.

    Raises:
        DocumentError: it is damaged, needs a password, is too long, or holds pictures of text only.
    """
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    if b"%PDF-" not in given.data[:2048]:
        raise DocumentError(f"{given.source}: is no PDF; save it again as one")
    try:
        reader = pypdf.PdfReader(io.BytesIO(given.data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentError(f"{given.source}: needs a password; save it again without one")
        count = len(reader.pages)
        if count > MOST_PAGES:
            raise DocumentError(f"{given.source}: has {count} pages, more than {MOST_PAGES}; split it")
        hidden: list[str] = []
        pages = [_lines(page, reader, hidden) for page in reader.pages]
        title = str((reader.metadata.title if reader.metadata else "") or "").strip()
        updated = _date(reader)
    except DocumentError:
        raise
    except Exception as error:  # pypdf raises whatever a damaged file leads it into
        raise DocumentError(
            f"{given.source}: the PDF is damaged ({type(error).__name__}); "
            "open it in its program and save it again"
        ) from error
    if not any(text.strip() for page in pages for text, *_ in page):
        if hidden:
            return document(given, [], hidden=hidden)
        raise DocumentError(
            f"{given.source}: holds no text, perhaps scanned pictures; run a text recognition (OCR) over it"
        )
    pages = _without_running(pages)
    outline = Outline()
    scale = _Scale.of(pages)
    for number, page in enumerate(pages, start=1):
        _add_page(outline, page, number, scale)
    title = outline.title or _sane(title) or given.stem
    return document(
        given,
        outline.sections(title),
        title=title,
        updated=updated,
        hidden=hidden,
    )


def _lines(page: Any, reader: Any, hidden: list[str]) -> list[Line]:
    """Return a page's lines."""
    lines: list[Line] = []
    words: list[str] = []
    size = 0.0
    bold = True

    def visit(text: str, cm: Sequence[float], tm: Sequence[float], font: Any, points: float) -> None:
        nonlocal size, bold
        scale = (tm[2] ** 2 + tm[3] ** 2) ** 0.5 * (cm[2] ** 2 + cm[3] ** 2) ** 0.5
        for at, part in enumerate((text or "").split("\n")):
            if at:
                lines.append(Line("".join(words).strip(), round(size, 1), bold))
                words.clear()
                size, bold = 0.0, True
            if part.strip():
                bold = bold and bool(_BOLD.search(_font_name(font)))
                size = max(size, abs(float(points or 0.0)) * scale)
            words.append(part)

    hidden += without_unseen(page, reader)
    page.extract_text(visitor_text=visit)
    lines.append(Line("".join(words).strip(), round(size, 1), bold))
    return lines


def _font_name(font: Any) -> str:
    return str(font.get("/BaseFont", "")) if hasattr(font, "get") else ""


def _without_running(pages: list[list[Line]]) -> list[list[Line]]:
    """Leave out page numbers, and the heads and feet that run through the pages."""

    def edges(page: list[Line]) -> list[int]:
        filled = [at for at, (text, *_) in enumerate(page) if text]
        return sorted({*filled[:2], *filled[-2:]})

    def form(text: str) -> str:
        return re.sub(r"\d+", "#", text)

    seen = Counter(f for page in pages for f in {form(page[at][0]) for at in edges(page)})
    running = {f for f, times in seen.items() if times >= max(LEAST_RUNNING, RUNNING_SHARE * len(pages))}
    kept = []
    for page in pages:
        drop = {
            at
            for at in edges(page)
            if form(page[at][0]) in running
            or re.fullmatch(r"[-–\s]*(?:第\s*)?\d{1,4}[-–\s]*页?", page[at][0])
        }
        kept.append([line for at, line in enumerate(page) if at not in drop])
    return kept


@dataclass(frozen=True, slots=True)
class _Scale:
    """What a document's headings look like."""

    body: float
    """Size of the running text."""
    marked: bool
    """Whether bold lines stand out from it."""
    sizes: tuple[float, ...]
    """Of headings, the largest first."""

    @classmethod
    def of(cls, pages: list[list[Line]]) -> _Scale:
        """Learn it from the pages."""
        sizes: Counter[float] = Counter()
        bold = 0
        for line in (line for page in pages for line in page):
            sizes[line.size] += len(line.text)
            bold += len(line.text) * line.bold
        body = sizes.most_common(1)[0][0] if sizes else 0.0
        plain = cls(body, bold * 4 < sizes.total(), ())
        heads = {line.size for page in pages for line in page if plain.level(line)}
        return replace(plain, sizes=tuple(sorted((size for size in heads if size > body), reverse=True)))

    def level(self, line: Line) -> int:
        """Return the level of a heading, 0 for running text."""
        if not re.search(r"[^\W\d_]{2}", line.text) or len(line.text) > MOST_HEADING:
            return 0
        if line.size >= HEADING_SIZE * self.body > 0:
            return self.sizes.index(line.size) + 1 if line.size in self.sizes else 1
        ends = line.text[-1] in ".。,，;；" or _BULLET.match(line.text)
        return len(self.sizes) + 1 if self.marked and line.bold and line.size >= self.body and not ends else 0


def _add_page(outline: Outline, page: list[Line], number: int, scale: _Scale) -> None:
    longest = max((len(line.text) for line in page), default=0)
    paragraph: list[str] = []
    last = outline.last_paragraph() if number > 1 else ""
    # A sentence that the page break cuts stays whole, where it began.
    broken = bool(last) and not _END.search(last)
    outline.turn(number)
    heading: list[str] = []
    height = 0

    def end() -> None:
        nonlocal broken
        text = join_lines(paragraph)
        paragraph.clear()
        if broken and text:
            found = _SENTENCE_END.match(text)
            if found:
                outline.continue_last(found.group())
                text = text[found.end() :].strip()
            broken = False
        outline.say(text)

    def head() -> None:
        if len(heading) > MOST_LINES and outline.first_heading:
            for row in heading:
                outline.say(as_sentence(row))
        elif heading:
            outline.head(height, join_lines(heading), lines=heading)
        heading.clear()

    for line in page:
        text, level = line.text, scale.level(line)
        if not level and not paragraph and not broken and _ASKS.match(text):
            level = len(scale.sizes) + 1
        if level:
            end()
            broken = False
            # A heading of two lines is one heading.
            if height != level:
                head()
            heading.append(text)
            height = level
            continue
        if text:
            head()
        if not text or _BULLET.match(text):
            end()
        if text:
            paragraph.append(_BULLET.sub("", text) if re.match(r"^\s*[•●▪◦‣·]", text) else text)
            if _END.search(text) and len(text) < SHORT_LINE * longest:
                end()
    end()
    head()


def _sane(title: str) -> str:
    """Return a title that a person wrote, not a program's name for its file."""
    made = re.search(
        r"\.(?:docx?|indd|pptx?|xlsx?|pdf|tmp)$|^(?:microsoft|untitled|about:blank|无标题)", title, re.I
    )
    return "" if made or len(title) < 3 else title


def _date(reader: Any) -> str:
    try:
        made = reader.metadata.modification_date or reader.metadata.creation_date
        return str(made.date().isoformat()) if made else ""
    except Exception:  # dates are written in every way there is
        return ""
