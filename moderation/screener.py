"""What a guard is made of: screeners that find something in a text, and classifiers that score it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from moderation import disguise, mirrored, normalise
from moderation.normalise import Reading
from moderation.verdict import Direction


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a screener found, at a stretch of the original text."""

    rule: str
    """"category.name", such as "pii.card"."""
    score: float
    """0..1"""
    start: int
    end: int
    replacement: str = ""
    """What kind of mask to put in its place; the category's where empty."""

    @property
    def category(self) -> str:
        """The rule's category."""
        return self.rule.partition(".")[0]


class Subject:
    """A text to be screened, with its readings, made once and when first needed."""

    def __init__(self, text: str, direction: Direction, language: str) -> None:
        self.text = text
        self.direction = direction
        self.language = language

    @cached_property
    def folded(self) -> Reading:
        """See `normalise.fold`."""
        return normalise.fold(self.text)

    @cached_property
    def shown(self) -> Reading | None:
        """See `mirrored.shown`."""
        return mirrored.shown(self.text)

    @cached_property
    def words(self) -> Reading:
        """See `normalise.words`."""
        return normalise.words(self.folded)

    @cached_property
    def dense(self) -> Reading | None:
        """See `normalise.dense`; None where the text holds no Chinese."""
        return normalise.dense(self.folded) if normalise.has_han(self.folded.text) else None

    @cached_property
    def disguises(self) -> list[Reading]:
        """See `disguise.disguises`; and the words as they are shown, where they are written backwards."""
        found = list(disguise.disguises(self.folded))
        return found if self.shown is None else [normalise.words(self.shown), *found]

    @cached_property
    def dense_disguises(self) -> list[Reading]:
        """See `disguise.dense_disguises`; and the characters as they are shown, as above."""
        found = list(disguise.dense_disguises(self.dense)) if self.dense is not None else []
        return found if self.shown is None else [normalise.dense(self.shown), *found]


class Screener(Protocol):
    """Finds something in a text by rules: quick, deterministic, never raises on any text."""

    def screen(self, subject: Subject) -> Iterable[Finding]:
        """What is found in one text, in any order."""
        ...


class Classifier(Protocol):
    """Scores texts by a model, in batches."""

    name: str

    def scores(self, texts: Sequence[str], direction: Direction) -> Sequence[Mapping[str, float]]:
        """category → 0..1 for each text."""
        ...
