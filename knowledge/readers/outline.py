"""The outline of a document that is being read: what is said under which headings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from knowledge.document import Section


@dataclass(slots=True)
class _Part:
    level: int
    heading: str
    anchor: str
    page: int | None
    paragraphs: list[str] = field(default_factory=list)
    entry: Section | None = None
    """Of a table of questions, which are sections of their own."""
    again: bool = False
    """The heading stands on an earlier page."""


class Outline:
    """Collects headings and paragraphs in reading order."""

    def __init__(self) -> None:
        self._parts = [_Part(0, "", "", None)]

    def head(self, level: int, text: str, anchor: str = "") -> None:
        """Begin a section.

        Args:
            level: 1 for the outermost.
            text: the heading.
            anchor: its name in the page, if it has one.
        """
        text = " ".join(text.split())
        if text:
            self._parts.append(_Part(level, text, anchor, self._parts[-1].page))

    def say(self, paragraph: str) -> None:
        """Add a paragraph to the present section."""
        if paragraph.strip():
            self._parts[-1].paragraphs.append(paragraph.strip())

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
    def title(self) -> str:
        """The first heading, where it stands above all others; else empty."""
        heads = [part for part in self._parts if part.heading and not part.again and part.entry is None]
        if not heads or any(part.level <= heads[0].level for part in heads[1:]):
            return ""
        return heads[0].heading

    def sections(self) -> list[Section]:
        """Return what was collected."""
        found: list[Section] = []
        above: list[tuple[int, str]] = []
        for part in self._parts:
            if part.heading and not part.again and part.entry is None:
                above = [one for one in above if one[0] < part.level]
                above.append((part.level, part.heading))
            parents = tuple(name for _, name in above)
            if part.entry is not None:
                found.append(replace(part.entry, parents=parents, page=part.page))
            elif part.paragraphs:
                text = "\n\n".join(part.paragraphs)
                found.append(
                    Section(part.heading, text, parents=parents[:-1], page=part.page, anchor=part.anchor)
                )
        return found
