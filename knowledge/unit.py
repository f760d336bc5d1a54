"""Units: the short texts of a passage that a question may resemble, each with a vector of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.chunk import sentences_of
from knowledge.passage import Passage

MOST_QUESTIONS = 200
"""Phrasings of one answer: FAQs that were gathered from what people asked have more than a hundred."""
MOST_SENTENCES = 12
"""A minute of speech has fewer; texts that are longer are still found by their whole and by their words."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A text that stands for a passage in the vector search."""

    passage: int
    """Number of its passage."""
    kind: str
    """"title", "question", "sentence" or "whole" (title and text together)."""
    text: str
    id: str
    """Of its passage and its text: what did not change keeps its vector."""

    @property
    def heading(self) -> bool:
        """Tell whether it says what the passage is about, rather than what the passage says."""
        return self.kind in ("title", "question")


def units_of(passages: Sequence[Passage]) -> list[Unit]:
    """Return the units of passages, each passage's together, in a fixed order."""
    units = []
    for number, passage in enumerate(passages):
        seen = set()
        for kind, text in _texts(passage):
            if text not in seen:
                seen.add(text)
                units.append(Unit(number, kind, text, _id(passage, text)))
    return units


def _texts(passage: Passage) -> Iterator[tuple[str, str]]:
    yield "title", passage.title
    for question in passage.questions[:MOST_QUESTIONS]:
        yield "question", question
    sentences = [s for paragraph in passage.text.split("\n\n") for s in sentences_of(paragraph)]
    for sentence in sentences[:MOST_SENTENCES]:
        yield "sentence", sentence
    yield "whole", f"{passage.title}\n{passage.text}"


def _id(passage: Passage, text: str) -> str:
    return hashlib.sha256(f"{passage.id}\0{text}".encode()).hexdigest()[:24]
