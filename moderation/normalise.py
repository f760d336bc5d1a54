"""Normalisation: plain readings of a text, however it was disguised, each with a map back to the original.

- `fold`: compatibility forms, accents, look-alikes, case and invisible characters are gone;
  punctuation stays.
- `words`: what is not Chinese in `fold`, as words with one space between, before and after; no apostrophes.
- `dense`: letters and digits of `fold` without anything between, for Chinese.

Further readings, of texts that show signs of disguise, stand in `disguise`.
All take time linear in the text's length.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from moderation.confusable import read

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN_CHARACTER = re.compile(f"[{_HAN}]")
_WORD = re.compile(rf"[^\W_{_HAN}]+(?:'[^\W_{_HAN}]+)*")
_LETTERS = re.compile(r"[^\W_]+")
_NOT_JOINED = frozenset(("whore", "hell", "shell"))
"""What "who're", "he'll" and "she'll" would be without the apostrophe."""
Token: TypeAlias = tuple[int, int, str]
"""Where a word begins and ends in a reading, and the word."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a text."""

    text: str
    positions: array[int] | range
    """Original position of each character of `text`."""
    ends: array[int] | None = None
    """Original end of each character, where it was read from more than one character."""

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the original text that `text[start:end]` was read from."""
        if start >= end:
            return (0, 0)
        first, last = self.positions[start], self.positions[end - 1]
        if last < first:  # read from the end to the beginning
            return last, first + 1
        return first, self.ends[end - 1] if self.ends else last + 1


def fold(text: str) -> Reading:
    """Read a text without disguised characters; punctuation and spaces stay."""
    if text.isascii() and not _CONTROL.search(text):
        return Reading(text.lower(), range(len(text)))
    pieces: list[str] = []
    positions = array("i")
    for index, character in enumerate(text):
        piece = read(character)
        if len(piece) == 1:
            pieces.append(piece)
            positions.append(index)
        elif piece:
            pieces.append(piece)
            positions.extend([index] * len(piece))
    return Reading("".join(pieces), positions)


def words(folded: Reading) -> Reading:
    """Read a folded text as words: `" where is my order "`; apostrophes vanish, other signs part words."""
    return join(folded, tokens(folded))


def tokens(folded: Reading) -> Iterator[Token]:
    """The words of a folded text, with their apostrophes."""
    return ((match.start(), match.end(), match.group()) for match in _WORD.finditer(folded.text))


def dense(folded: Reading) -> Reading:
    """Read a folded text as letters and digits alone, as Chinese phrases are looked for."""
    pieces: list[str] = []
    positions = array("i")
    for match in _LETTERS.finditer(folded.text):
        pieces.append(match.group())
        positions.extend(folded.positions[match.start() : match.end()])
    return Reading("".join(pieces), positions)


def has_han(text: str) -> bool:
    """True where a text holds a Chinese character."""
    return not text.isascii() and _HAN_CHARACTER.search(text) is not None


def language_of(text: str) -> str:
    """The language of a text by its script: "zh" from one fifth Chinese letters on, else "en"."""
    if text.isascii():
        return "en"
    head = text[:2000]  # characters: enough to tell
    han = len(_HAN_CHARACTER.findall(head))
    return "zh" if han and han * 5 >= sum(map(str.isalpha, head)) else "en"


def join(folded: Reading, found: Iterable[Token]) -> Reading:
    """Words with one space between, from (start, end, word); a shortened word ends where its stretch ends."""
    pieces = [""]
    positions = array("i", [0])
    source = folded.positions
    for start, end, word in found:
        if "'" in word and len(word) == end - start:
            positions.extend([source[start + index] for index, sign in enumerate(word) if sign != "'"])
            word = word.replace("'", "")
            if word in _NOT_JOINED:
                positions.insert(len(positions) - 2, positions[-2])
                word = f"{word[:-2]} {word[-2:]}"
        elif len(word) == end - start > 0:
            positions.extend(source[start:end])
        elif word and start < end:
            positions.extend([source[min(start + index, end - 1)] for index in range(len(word) - 1)])
            positions.append(source[end - 1])
        else:
            continue
        positions.append(source[end - 1])
        pieces.append(word)
    pieces.append("")
    return Reading(" ".join(pieces) if len(pieces) > 2 else " ", positions)
