"""The outline of a document that is being read: what is said under which headings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from knowledge.document import Section

_HAN = re.compile(r"[\u3400-\u9fff]")
_ASKS = re.compile(r"[?？]\s*$")


@dataclass(slots=True)
class _Part:
    level: int
    heading: str
    anchor: str
    page: int | None
    lines: tuple[str, ...] = ()
    """Of the heading, where it has several."""
    untold: bool = False
    """Something stands below the heading that cannot be said, such as code."""
    paragraphs: list[str] = field(default_factory=list)
    entry: Section | None = None
    """Of a table of questions, which are sections of their own."""
    again: bool = False
    """The heading stands on an earlier page."""


class Outline:
    """Collects headings and paragraphs in reading order."""

    def __init__(self) -> None:
        self._parts = [_Part(0, "", "", None)]

    def head(self, level: int, text: str, anchor: str = "", lines: Sequence[str] = ()) -> None:
        """Begin a section.

        Args:
            level: 1 for the outermost.
            text: the heading.
            anchor: its name in the page, if it has one.
            lines: of the heading, where it has several.
        """
        text = " ".join(text.split())
        if text:
            self._parts.append(_Part(level, text, anchor, self._parts[-1].page, tuple(lines)))

    def say(self, paragraph: str) -> None:
        """Add a paragraph to the present section."""
        if paragraph.strip():
            self._parts[-1].paragraphs.append(paragraph.strip())

    def leave_out(self) -> None:
        """Pass over something that cannot be said, such as code: the present heading is for that."""
        self._parts[-1].untold = True

    def add(self, sections: Sequence[Section], *, faq: bool) -> None:
        """Add a table's rows: questions as sections of their own, others as paragraphs."""
        now = self._parts[-1]
        for section in sections:
            if faq:
                self._parts.append(_Part(99, section.heading, "", now.page, entry=section))
            elif section.heading and section.heading not in section.text:
                self.say(f"{section.heading}\n{section.text}")
            else:
                self.say(section.text)
        if faq:
            self._parts.append(_Part(now.level, now.heading, now.anchor, now.page, again=True))

    def turn(self, page: int) -> None:
        """Begin a page; the heading goes on."""
        now = self._parts[-1]
        self._parts.append(_Part(now.level, now.heading, now.anchor, page, again=True))

    def last_paragraph(self) -> str:
        """Return what was said last, empty where a heading came after it."""
        for part in reversed(self._parts):
            if part.paragraphs:
                return part.paragraphs[-1]
            if not part.again:
                break
        return ""

    def continue_last(self, text: str) -> None:
        """Add words to what was said last."""
        part = next(part for part in reversed(self._parts) if part.paragraphs)
        glue = "" if part.paragraphs[-1][-1] > "\u3000" else " "
        part.paragraphs[-1] += glue + text

    @property
    def first_heading(self) -> str:
        """The first heading; empty where there is none."""
        return next((part.heading for part in self._parts if _is_head(part)), "")

    @property
    def title(self) -> str:
        """The first heading, where it stands above all others; else empty."""
        heads = [part for part in self._parts if _is_head(part)]
        if not heads or any(part.level <= heads[0].level for part in heads[1:]):
            return ""
        return heads[0].heading

    def sections(self, title: str = "", *, bare: bool = True) -> list[Section]:
        """Return what was collected.

        A heading with nothing below it is text of the heading above it: opening hours are often set so. One
        that asks has no answer and is left out, and so is the title.

        Args:
            title: of the document, as the reader knows it.
            bare: keep headings with nothing below them; among questions and answers they are questions too.
        """
        found: list[Section] = []
        above: list[_Part] = []
        alone = self._bare()
        latest: _Part | None = None
        for at, part in enumerate(self._parts):
            if _is_head(part):
                above = [one for one in above if one.level < part.level]
                if at in alone:
                    words = "\n\n".join(map(as_sentence, part.lines or (part.heading,)))
                    if not bare or _ASKS.search(part.heading) or part.heading in (title, self.title):
                        continue
                    over = above[-1] if above else self._parts[0]
                    if found and latest is over and found[-1].page == part.page:
                        found[-1] = replace(found[-1], text=f"{found[-1].text}\n\n{words}")
                        continue
                    names = tuple(one.heading for one in above)
                    found.append(
                        Section(over.heading, words, parents=names[:-1], page=part.page, anchor=over.anchor)
                    )
                    latest = over
                    continue
                above.append(part)
            parents = tuple(one.heading for one in above)
            if part.entry is not None:
                found.append(replace(part.entry, parents=parents, page=part.page))
                latest = None
            elif part.paragraphs:
                text = "\n\n".join(part.paragraphs)
                found.append(
                    Section(part.heading, text, parents=parents[:-1], page=part.page, anchor=part.anchor)
                )
                latest = above[-1] if above else self._parts[0]
        return found

    def _bare(self) -> set[int]:
        """Return which headings have neither text nor headings below them."""
        bare: set[int] = set()
        last: int | None = None
        for at, part in enumerate(self._parts):
            if _is_head(part):
                if last is not None and part.level > self._parts[last].level:
                    bare.discard(last)
                last = at
                bare.add(at)
            if last is not None and (part.paragraphs or part.untold or part.entry is not None):
                bare.discard(last)
        return bare


def as_sentence(line: str) -> str:
    """Return a heading or a table's row with a full stop, so that it is not read on into the next one."""
    if not line or not (line[-1].isalnum() or line[-1] in ")）%€$£¥元"):
        return line
    return line + ("。" if _HAN.search(line) else ".")


def _is_head(part: _Part) -> bool:
    return bool(part.heading) and not part.again and part.entry is None
