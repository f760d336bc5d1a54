"""Plain text; questions and answers are known by their letters ("Q:", "问：")."""

from __future__ import annotations

import re

from knowledge.document import Document, Section
from knowledge.readers import markdown
from knowledge.readers.encoding import decode
from knowledge.readers.given import Given, document

_ASK = re.compile(r"^[ \t]*(?:Q(?:uestion)?|问题?|提问)[ \t]*\d{0,4}[ \t]*[:：.][ \t]*(\S.*)$", re.IGNORECASE)
_REPLY = re.compile(r"^[ \t]*(?:A(?:nswer)?|答案?|回答)[ \t]*\d{0,4}[ \t]*[:：.][ \t]*(.*)$", re.IGNORECASE)


def read(given: Given) -> Document:
    """Read a text file: as questions and answers if it is written so, or else like Markdown.

    Raises:
        DocumentError: it is not text, or nothing is left to say.
    """
    text = decode(given.data, given.source, given.charset)
    pairs = _pairs(text)
    if len(pairs) >= 2:
        return document(given, pairs, title=given.stem, kind="faq")
    return markdown.parse_document(text, given.source, given=given)


def _pairs(text: str) -> list[Section]:
    found: list[tuple[str, list[str]]] = []
    answering = False
    for line in text.splitlines():
        asked, replied = _ASK.match(line), _REPLY.match(line)
        if asked:
            found.append((asked.group(1).strip(), []))
            answering = False
        elif found and replied and not answering:
            found[-1][1].append(replied.group(1))
            answering = True
        elif answering:
            found[-1][1].append(line.strip())
    return [Section(question, "\n".join(lines).strip()) for question, lines in found if lines]
