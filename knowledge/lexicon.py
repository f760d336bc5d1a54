"""What the package knows of words before it has read anything: concepts, stop words, how common a word is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TypeVar

from knowledge.stem import stem

HAN = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
RAREST = 12.0
"""Information, in nats, of a word that the frequency list (1.2 million words) does not hold."""

Item = TypeVar("Item")

_DATA = resources.files("knowledge") / "data"


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """Word knowledge of the package, read once."""

    concepts: dict[str, tuple[str, ...]]
    """Stem or Chinese word → concepts ("#refund"; aspects begin with "#~")."""
    phrases: dict[str, tuple[tuple[tuple[str, ...], str], ...]]
    """First stem → (all stems, concept), longest first; English only."""
    chinese_words: tuple[str, ...]
    """Words that the segmenter must keep whole."""
    stop: frozenset[str]
    """Words, not stems."""
    plain: frozenset[str]
    """English stems and Chinese words that a question is not about."""
    foreign: frozenset[str]
    """English stems and Chinese words of other people's business."""
    information: dict[str, float]
    """English word → -log of its share, in nats."""

    def rarity(self, word: str) -> float:
        """Return how telling an English word is: 0 for the commonest, 1 for one that is not listed."""
        return min(self.information.get(word, RAREST), RAREST) / RAREST

    def is_english(self, word: str) -> bool:
        """Tell whether a word is spelt as people spell it."""
        return word in self.information


def english_words(text: str) -> list[str]:
    """Split text into lower-case English words and numbers, without the possessive 's."""
    words = WORD.findall(text.lower().replace("’", "'"))
    return [word.removesuffix("'s") for word in words]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """Read the data files of the package."""
    concepts: dict[str, list[str]] = {}
    phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    chinese: list[str] = []
    for line in _lines("synonyms.txt"):
        name, _, words = line.partition("=")
        concept = "#" + name.strip()
        english, _, han = words.partition("|")
        for entry in _entries(english):
            stems = tuple(stem(word) for word in english_words(entry))
            if len(stems) == 1:
                _append(concepts, stems[0], concept)
            elif stems:
                _append(phrases, stems[0], (stems, concept))
        for entry in _entries(han):
            _append(concepts, entry.lower(), concept)
            chinese.append(entry)
    sections = _sections("stopwords.txt")
    return Lexicon(
        concepts={word: tuple(names) for word, names in concepts.items()},
        phrases={
            first: tuple(sorted(found, key=lambda item: -len(item[0]))) for first, found in phrases.items()
        },
        chinese_words=tuple(dict.fromkeys(chinese)),
        stop=frozenset(sections["stop"] + sections["stop-zh"]),
        plain=frozenset([stem(word) for word in sections["plain"]] + sections["plain-zh"]),
        foreign=frozenset([stem(word) for word in sections["foreign"]] + sections["foreign-zh"]),
        information=_information(_lines("english_words.txt")),
    )


def _append(table: dict[str, list[Item]], key: str, value: Item) -> None:
    values = table.setdefault(key, [])
    if value not in values:
        values.append(value)


def _entries(text: str) -> Iterator[str]:
    return (entry.strip() for entry in text.split(",") if entry.strip())


def _lines(name: str) -> list[str]:
    lines = (_DATA / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _sections(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    words: list[str] = []
    for line in _lines(name):
        if line.startswith("["):
            words = found.setdefault(line.strip("[]"), [])
        else:
            words.extend(line.split())
    return found


def _information(lines: Iterable[str]) -> dict[str, float]:
    counts = {word: int(count) for word, _, count in (line.partition(" ") for line in lines)}
    total = sum(counts.values()) or 1
    return {word: -math.log(count / total) for word, count in counts.items()}
