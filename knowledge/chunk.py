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
_SENTENCE = re.compile(r".+?(?:[.!?]+[\"')\]]*(?=\s|$)|[。！？!?；]+[”’」）]*|$)\s*", re.DOTALL)


def passages_of(document: Document) -> list[Passage]:
    """Cut a document into passages.

    A passage's id depends on its source, title and text only, so that what did not change keeps its id.
    """
    passages: list[Passage] = []
    questions = _assign_questions(document)
    for at, section in enumerate(document.sections):
        pieces = _split(section.text, document.language)
        slug = slugify(section.heading)
        for number, piece in enumerate(pieces, start=1):
            anchor = slug if number == 1 or not slug else f"{slug}-{number}"
            faq = document.kind == "faq" and bool(section.heading)
            title = section.heading if faq else _title(document.title, section.heading, document.language)
            source = f"{document.source}#{anchor}" if anchor else document.source
            passages.append(
                Passage(
                    id=passage_id(source, title, piece),
                    source=source,
                    title=title,
                    text=piece,
                    language=document.language,
                    kind=document.kind,
                    questions=questions[at] if number == 1 else (),
                )
            )
    return passages


def passage_id(source: str, title: str, text: str) -> str:
    """Return the id of a passage's content: 20 hexadecimal digits."""
    return hashlib.sha256("\0".join((source, title, text)).encode()).hexdigest()[:20]


def slugify(heading: str) -> str:
    """Return a heading as it stands after "#" in a source; Chinese stays as it is."""
    text = unicodedata.normalize("NFKC", heading).lower()
    return re.sub(r"[^\w\u3400-\u9fff]+", "-", text).strip("-")


def _title(title: str, heading: str, language: str) -> str:
    if not heading:
        return title
    return f"{title}：{heading}" if language == "zh" else f"{title}: {heading}"


def _assign_questions(document: Document) -> list[tuple[str, ...]]:
    """Give each of the document's other phrasings to the section that shares most words with it."""
    assigned: list[list[str]] = [[] for _ in document.sections]
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
    """Split by paragraphs, then by sentences, into pieces of at most a minute."""
    most = MOST_HAN if language == "zh" else MOST_CHARACTERS
    if len(text) <= most:
        return [text]
    pieces: list[str] = []
    for paragraph in text.split("\n\n"):
        for unit in [paragraph] if len(paragraph) <= most else sentences_of(paragraph):
            glue = "\n\n" if unit is paragraph else ("" if language == "zh" else " ")
            if pieces and len(pieces[-1]) + len(glue) + len(unit) <= most:
                pieces[-1] += glue + unit
            else:
                pieces.append(unit)
    return pieces


def sentences_of(text: str) -> list[str]:
    """Split a paragraph into sentences, English or Chinese."""
    return [found.strip() for found in _SENTENCE.findall(text) if found.strip()]
