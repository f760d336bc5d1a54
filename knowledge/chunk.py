"""Passages out of documents: one a section, split where a section is too long to be read aloud."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from knowledge.document import Document, Section
from knowledge.passage import Passage
from knowledge.words import words_of

MOST_CHARACTERS = 1000
"""About 170 English words, one minute of speech."""
MOST_HAN = 360
"""About one minute and a half of Chinese speech."""
MOST_SLUG = 80
"""Characters: some questions are as long as a letter."""
_SENTENCE = re.compile(
    r".+?(?:(?<![.!?])[.!?]++[\"')\]]*+(?=\s|$)|(?<![。！？!?；])[。！？!?；]++[”’」）]*+|$)\s*", re.DOTALL
)
"""A run of marks is taken whole or not at all: else a million of them would take hours."""


def passages_of(document: Document) -> list[Passage]:
    """Cut a document into passages.

    A passage's id depends on its source, title and text only, so that what did not change keeps its id.
    """
    passages: list[Passage] = []
    questions = _assign_questions(document)
    used: dict[str, int] = {}
    for at, section in enumerate(document.sections):
        language = section.language or document.language
        # Every viewer opens a PDF at "#page=3", and none at a heading.
        paged = f"page={section.page}" if section.page is not None else ""
        anchor = paged or section.anchor or slugify(section.heading)
        kind = section.kind or document.kind
        faq = kind == "faq" and bool(section.heading)
        title = section.heading if faq else _title(document.title, section, language)
        url = section.url or document.url
        for number, piece in enumerate(_split(section.text, language), start=1):
            # Sections of one heading, and pieces of one section, are told apart by a number.
            count = used[anchor] = used.get(anchor, 0) + 1
            apart = count > 1 and bool(anchor) and not paged
            place = f"{anchor}-{count}" if apart else anchor
            source = f"{document.source}#{place}" if place else document.source
            passages.append(
                Passage(
                    id=passage_id(source, title, piece),
                    source=source,
                    title=title,
                    text=piece,
                    language=language,
                    kind=kind,
                    questions=(*section.questions, *questions[at]) if number == 1 else (),
                    section=" > ".join(
                        (*section.parents, section.heading) if section.heading else section.parents
                    ),
                    page=section.page,
                    url=_place(url, section),
                    updated=section.updated or document.updated,
                    tags=tuple(dict.fromkeys((*document.tags, *section.tags))),
                )
            )
    return passages


def passage_id(source: str, title: str, text: str) -> str:
    """Return the id of a passage's content: 20 hexadecimal digits."""
    return hashlib.sha256("\0".join((source, title, text)).encode()).hexdigest()[:20]


def slugify(heading: str) -> str:
    """Return a heading as it stands after "#" in a source; Chinese stays as it is."""
    text = unicodedata.normalize("NFKC", heading).lower()
    return re.sub(r"[^\w\u3400-\u9fff]+", "-", text).strip("-")[:MOST_SLUG].strip("-")


def _place(url: str, section: Section) -> str:
    """Return the address of the section, where a browser can go to it."""
    if not url or "#" in url:
        return url
    if section.page is not None:
        return f"{url}#page={section.page}"
    return f"{url}#{section.anchor}" if section.anchor and not section.url else url


def _title(title: str, section: Section, language: str) -> str:
    """Return the document's title, the heading above and the section's own."""
    above = section.parents[-1:] if section.heading else ()
    colon = "：" if language == "zh" else ": "
    return colon.join(dict.fromkeys(part for part in (title, *above, section.heading) if part))


def _assign_questions(document: Document) -> list[tuple[str, ...]]:
    """Give each of the document's other phrasings to the section that shares most words with it."""
    assigned: list[list[str]] = [[] for _ in document.sections]
    if not document.questions:
        return [() for _ in assigned]
    bags = [_bag(section) for section in document.sections]
    for question in document.questions:
        keys = {word.key for word in words_of(question)} | {
            name for word in words_of(question) for name in word.concepts
        }
        best = max(range(len(bags)), key=lambda at: (len(keys & bags[at]), -at))
        assigned[best].append(question)
    return [tuple(questions) for questions in assigned]


def _bag(section: Section) -> set[str]:
    words = words_of(section.heading) + words_of(section.text)
    return {word.key for word in words} | {name for word in words for name in word.concepts}


def _split(text: str, language: str) -> list[str]:
    """Split by paragraphs, then by sentences, then anywhere, into pieces of at most a minute."""
    most = MOST_HAN if language == "zh" else MOST_CHARACTERS
    if len(text) <= most:
        return [text]
    pieces: list[str] = []
    for paragraph in text.split("\n\n"):
        whole = len(paragraph) <= most
        for number, unit in enumerate([paragraph] if whole else _short_sentences(paragraph, most)):
            glue = "\n\n" if whole or number == 0 else ("" if language == "zh" else " ")
            if pieces and len(pieces[-1]) + len(glue) + len(unit) <= most:
                pieces[-1] += glue + unit
            else:
                pieces.append(unit)
    return pieces


def _short_sentences(paragraph: str, most: int) -> list[str]:
    """Split into sentences; one that is too long is split between lines, clauses or words."""
    found: list[str] = []
    for line in paragraph.split("\n"):
        for sentence in sentences_of(line):
            rest = sentence
            while len(rest) > most:
                part = rest[:most]
                cut = max(part.rfind(mark) for mark in ",;，；、")
                cut = cut if cut > most // 2 else part.rfind(" ")
                cut = cut + 1 if cut > most // 2 else most
                found.append(rest[:cut].strip())
                rest = rest[cut:].strip()
            if rest:
                found.append(rest)
    return found


def sentences_of(text: str) -> list[str]:
    """Split a paragraph into sentences, English or Chinese."""
    return [found.strip() for found in _SENTENCE.findall(text) if found.strip()]
