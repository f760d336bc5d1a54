"""A stream of written text in, sentences out, the first as early as it makes sense."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

FIRST_LETTERS = 10
"""The first chunk is spoken as soon as so many letters end in punctuation: sound early."""
LATER_CHARS = 300
"""A later chunk is cut at a clause once it is longer: nobody listens to more in one breath."""

_END_LATIN = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)")
_END_CJK = re.compile(r"[。！？；…]+[”’」』）]*")
_CLAUSE = re.compile(r"[,;:—](?=\s)|[，、：]")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|No|vs|etc|approx|e\.g|i\.e|Inc|Ltd|Co|[A-Z]))\.$")
_ORDINAL_ONLY = re.compile(r"^\s*\d+\.$")


@dataclass(slots=True)
class SentenceSplitter:
    """Collects pieces of text and hands out whole sentences.

    A Latin full stop ends a sentence only when white space follows, so that "29.99" and "shop.example" stay
    whole; Chinese punctuation ends one at once.
    """

    first_letters: int = FIRST_LETTERS
    later_chars: int = LATER_CHARS
    _held: str = field(default="", init=False)
    _any: bool = field(default=False, init=False)

    def feed(self, piece: str) -> list[str]:
        """Take the next piece of text; return the sentences that it completes."""
        self._held += piece
        done: list[str] = []
        while (cut := self._cut()) is not None:
            sentence, self._held = self._held[:cut].strip(), self._held[cut:]
            if sentence:
                done.append(sentence)
                self._any = True
        return done

    def take(self, pattern: re.Pattern[str]) -> str:
        """Remove and return what the text that waits begins with, if it matches; else ""."""
        found = pattern.match(self._held)
        if not found:
            return ""
        self._held = self._held[found.end() :]
        return found.group()

    @property
    def waiting(self) -> str:
        """The text that no sentence end has come for yet."""
        return self._held

    def flush(self) -> list[str]:
        """Return what is left as a last sentence, if anything is."""
        rest, self._held = self._held.strip(), ""
        return [rest] if rest else []

    def _cut(self) -> int | None:
        ends = sorted(
            [m.end() for m in _END_LATIN.finditer(self._held) if not self._is_abbreviation(m)]
            + [m.end() for m in _END_CJK.finditer(self._held)]
            + [m.end() for m in re.finditer(r"\n{2,}|\n(?=\s*[-*•\d])", self._held)]
        )
        for end in ends:
            if self._any or _letters(self._held[:end]) >= self.first_letters:
                return end
        if len(self._held) > self.later_chars:
            clauses = [m.end() for m in _CLAUSE.finditer(self._held[: self.later_chars])]
            space = self._held.rfind(" ", 0, self.later_chars)
            return clauses[-1] if clauses else (space if space > 0 else self.later_chars)
        return None

    def _is_abbreviation(self, end: re.Match[str]) -> bool:
        before = self._held[: end.end()]
        if not end.group().startswith(".") or len(end.group().rstrip("\"'”’)]")) > 1:
            return False
        line = before.rsplit("\n", 1)[-1]
        if _ORDINAL_ONLY.match(line):
            return True
        return bool(_ABBREVIATION.search(before))


def split_sentences(text: str) -> list[str]:
    """Split a whole text."""
    splitter = SentenceSplitter(first_letters=1)
    return splitter.feed(text) + splitter.flush()


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in text)
