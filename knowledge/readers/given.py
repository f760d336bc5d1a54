"""What a reader is given, and what all readers do with what they find."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from knowledge.document import Document, Section, Withheld
from knowledge.errors import DocumentError
from knowledge.words import language_of

MOST_CHARACTERS = 20_000_000
"""Of one document's text: some 20,000 pages. More is a mistake, or means harm."""

MOST_HEADING = 1000
"""Characters of a title, a heading or a question."""

HIDDEN_RUN = 4
"""So many invisible characters are no typesetter's doing."""

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})")
_SPACE = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f]+")
_SHAPES = re.compile("[\u2f00-\u2fd5\uf900-\ufaff\ufb00-\ufb06]+")
_RADICALS = str.maketrans(
    "\u2ed3\u2ed4\u2edb\u2edd\u2ee2\u2ec5\u2ecb\u2eda\u2edc\u2ef0\u2eec\u2ee5\u2ee6\u2ee9\u2ea0\u2ec4\u2ed8\u2ee3\u2ee4\u2ec9\u2ec1\u2ef3\u2eea",
    "长门风食马见车页飞龙齐鱼鸟黄民西青骨鬼贝虎龟麦",
)
"""Unicode knows no decomposition of these."""
READING = 2
"""Raised when documents are read otherwise than before, so that they are read again."""
_QUESTION = re.compile(r"[?？]\s*$")


@dataclass(frozen=True, slots=True)
class Given:
    """A file's or page's bytes, and what is known of them."""

    data: bytes
    source: str
    suffix: str
    """Lower case, with the point."""
    charset: str = ""
    """What the web server says; empty where unknown."""
    updated: str = ""
    """What the file system or the web server says; the document's own word counts more."""
    url: str = ""

    @property
    def stem(self) -> str:
        """The name without folders and ending."""
        return PurePosixPath(self.source.rstrip("/")).stem or self.source


def document(
    given: Given,
    sections: Sequence[Section],
    *,
    title: str = "",
    language: str = "",
    kind: str = "",
    updated: str = "",
    url: str = "",
    questions: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
    hidden: Sequence[str] = (),
) -> Document:
    """Make the document of what a reader found: clean, in one language, with its digest.

    Args:
        given: what was read.
        sections: in reading order; those without text are left out.
        title: by default the first heading, or else the file's name.
        language: by default told from the script.
        kind: by default "faq" if every heading is a question.
        updated: ISO 8601; by default as given.
        url: by default as given.
        questions: other ways in which people ask for it.
        tags: words to filter by.
        hidden: what was left out because people do not see it, one phrase each.

    Raises:
        DocumentError: nothing is left to say.
    """
    if sum(len(section.text) for section in sections) > MOST_CHARACTERS:
        raise DocumentError(
            f"{given.source}: holds more than {MOST_CHARACTERS} characters; split it into several files"
        )
    notes = list(hidden)
    invisible = max((len(_INVISIBLE.findall(section.text)) for section in sections), default=0)
    if invisible >= HIDDEN_RUN:
        notes.append("invisible characters between the words")
    title = " ".join(clean(title).split())[:MOST_HEADING]
    title = title or next((clean(s.heading) for s in sections if s.heading.strip()), "") or given.stem
    kept = []
    for section in sections:
        text = clean(section.text)
        heading = " ".join(clean(section.heading).split())[:MOST_HEADING]
        if text:
            parents = tuple(clean(parent) for parent in section.parents)
            parents = tuple(parent for parent in parents if parent and parent != title)
            kept.append(
                replace(
                    section,
                    heading="" if heading == title else heading,
                    text=text,
                    parents=parents,
                    questions=_words(section.questions),
                    tags=_words(section.tags),
                    url=clean(section.url),
                    updated=iso_date(section.updated),
                )
            )
    withheld = tuple(
        Withheld(given.source, f"{given.source}: {note} left out; show it, or delete it from the document")
        for note in dict.fromkeys(notes)
    )
    if not kept:
        because = f" ({withheld[0].reason.partition(': ')[2]})" if withheld else ""
        raise DocumentError(
            f"{given.source}: no text below the title{because}; write a paragraph or leave the file out"
        )
    whole = " ".join(section.text[:2000] for section in kept[:50])
    headed = [section.heading for section in kept if section.heading]
    if not kind:
        asks = len(headed) >= 2 and all(_QUESTION.search(heading) for heading in headed)
        kind = "faq" if asks else "article"
    declared = language.strip().lower().replace("_", "-").partition("-")[0]
    if declared in ("", "en", "zh"):
        # Templates call Chinese pages English.
        written = language_of(whole)
        kept = [
            section if section.language else replace(section, language=_language(section, written))
            for section in kept
        ]
        declared = written
    return Document(
        source=given.source,
        title=title,
        language=declared,
        kind=kind,
        sections=tuple(kept),
        questions=_words(questions),
        tags=_words(tags),
        updated=iso_date(updated) or iso_date(given.updated),
        digest=digest_of(given.data),
        url=clean(url or given.url),
        withheld=withheld,
    )


def digest_of(data: bytes) -> str:
    """Return what tells whether a file, or the way in which it is read, has changed."""
    return hashlib.sha256(b"%d\0" % READING + data).hexdigest()


def clean(text: str) -> str:
    """Return a text without invisible and control characters, its spaces and blank lines single.

    Ligatures and the radicals that PDF writes for Chinese characters become the letters that they stand for.
    """
    text = unicodedata.normalize("NFC", text.translate(_RADICALS))
    text = _SHAPES.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)
    text = _CONTROL.sub("", _INVISIBLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n"))
    text = _SPACE.sub(" ", text)
    return re.sub(r"\n\s*\n\s*", "\n\n", re.sub(r" ?\n ?", "\n", text)).strip()


def iso_date(text: str) -> str:
    """Return the date that a text names as YYYY-MM-DD; empty where it is written in another way."""
    found = _DATE.search(text)
    if not found:
        return ""
    year, month, day = map(int, found.groups())
    return f"{year:04}-{month:02}-{day:02}" if 1 <= month <= 12 and 1 <= day <= 31 else ""


def join_lines(lines: Sequence[str]) -> str:
    """Join the lines of a paragraph: with spaces, Chinese without, hyphenated words mended."""
    joined = ""
    for line in (" ".join(line.split()) for line in lines):
        if not joined or not line:
            joined += line
        elif re.search(r"[A-Za-z]-$", joined) and line[0].islower():
            joined = joined[:-1] + line
        elif _han(joined[-1]) and _han(line[0]):
            joined += line
        else:
            joined += " " + line
    return joined


def _words(texts: Sequence[str]) -> tuple[str, ...]:
    cleaned = (" ".join(clean(text).split())[:MOST_HEADING] for text in texts)
    return tuple(dict.fromkeys(text for text in cleaned if text))


def _han(character: str) -> bool:
    return "\u3000" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"


def _language(section: Section, otherwise: str) -> str:
    text = f"{section.heading} {section.text}"
    return language_of(text) if len(text) >= 8 else otherwise
