"""Misspelt words of an English question, put right where the knowledge has the word that was meant."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable

from knowledge.index import WordIndex
from knowledge.lexicon import RAREST, english_words, lexicon
from knowledge.stem import stem

SHORTEST = 4
"""Letters; shorter words have too many neighbours."""
LONG = 7
"""Letters from which a word may differ in its ending as well."""
FULL = {
    "whats": "what is", "whos": "who is", "wheres": "where is", "hows": "how is", "thats": "that is",
    "theres": "there is", "dont": "do not", "doesnt": "does not", "didnt": "did not", "cant": "cannot",
    "couldnt": "could not", "wouldnt": "would not", "shouldnt": "should not", "isnt": "is not",
    "arent": "are not", "wasnt": "was not", "werent": "were not", "hasnt": "has not", "havent": "have not",
    "hadnt": "had not", "im": "i am", "ive": "i have", "youre": "you are", "theyre": "they are",
}  # fmt: skip
"""What people type without an apostrophe; "its", "wont" and "id" are words of their own."""
COMMON_NATS = 9.5
"""Information of a word that everybody uses: some 2,500 words are that common."""
OWN_NATS = 3.0
"""A word that the knowledge has is what was meant rather than one that is e³ times as common."""
SLIP_NATS = 3.0
"""A listed word that is e³ times as rare as one with the same letters, or one doubled, is a slip."""
MOST_LETTERS = 2_000_000
"""Of the knowledge, read for its words: a third of a second, once."""
_WORD = re.compile(r"\b[A-Za-z]+(?:['’][A-Za-z]+)?\b")
_BEGIN = re.compile(r"(?:^|[.!?\n])\W*$")
_TWICE = re.compile(r"(.)\1")


class Speller:
    """Knows the words of a knowledge; its table is made at first use.

    Args:
        index: of the knowledge.
        texts: gives the knowledge's texts.
    """

    def __init__(self, index: WordIndex, texts: Callable[[], Iterable[str]]) -> None:
        self._index, self._texts = index, texts
        self._lock = threading.Lock()
        self._table: dict[str, str] | None = None

    def mend(self, text: str) -> str:
        """Return the text with its misspelt words as they are spelt; unchanged where there are none."""

        def mended(match: re.Match[str]) -> str:
            word = match[0]
            name = word[0].isupper() and not word.isupper() and not _BEGIN.search(text[: match.start()])
            if name or not word.isascii():
                return word
            return FULL.get(word.lower()) or self._meant(word.lower()) or word

        return _WORD.sub(mended, text)

    def _meant(self, word: str) -> str | None:
        """Return the known word that a misspelt one was meant to be."""
        known = lexicon()
        root = stem(word)
        if (
            len(word) < SHORTEST
            or not word.isalpha()
            or root in known.concepts
            or root in known.foreign
            or root in self._index.vocabulary
        ):
            return None
        listed = known.is_english(word)
        for form in (word, *_one_less(word)):
            found = self._words().get(form)
            if found is None or abs(len(found) - len(word)) > 1:
                continue
            if not listed:
                return found
            told = known.information.get(found, RAREST)
            slip = _once(found) == _once(word) or sorted(found) == sorted(word)
            if slip and known.information[word] - told >= SLIP_NATS:
                return found
        # "warrantee": its ending differs too
        forms = (root, *_one_less(root)) if not listed and len(word) >= LONG else ()
        return next(
            (self._words()[form] for form in (f"{one}~" for one in forms) if form in self._words()), None
        )

    def _words(self) -> dict[str, str]:
        """Map known words, and each with one letter left out, to the word (SymSpell's idea); stems too."""
        with self._lock:
            if self._table is None:
                self._table = self._make()
            return self._table

    def _make(self) -> dict[str, str]:
        known, letters = lexicon(), 0
        own: set[str] = set()
        for text in self._texts():
            own.update(english_words(text))
            letters += len(text)
            if letters > MOST_LETTERS:
                break
        own.update(word for word in known.information if stem(word) in known.concepts)
        common = {word for word, nats in known.information.items() if nats <= COMMON_NATS}

        def likelihood(word: str) -> float:
            return known.information.get(word, RAREST) - OWN_NATS * (word in own)

        words = [word for word in own | common if len(word) >= SHORTEST and word.isalpha() and word.isascii()]
        words.sort(key=lambda word: (likelihood(word), word))
        table = {word: word for word in words}
        for word in words:
            for form in _one_less(word):
                table.setdefault(form, word)
            for form in (root := stem(word), *_one_less(root)):
                table.setdefault(f"{form}~", word)
        return table


def _one_less(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(1, len(word))]


def _once(word: str) -> str:
    """Return the word with doubled letters single."""
    return _TWICE.sub(r"\1", word)
