"""Texts read into what can be compared: clauses with their words, numbers, and whether they deny."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from agent.denying import ways
from agent.quantities import Quantity, quantities
from agent.splitter import split_sentences
from knowledge.words import Word, words_of

HAN = re.compile(r"[\u3400-\u9fff]")
LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9&.+'’-]*[A-Za-z0-9]|[A-Z]")
_BORDER = re.compile(
    r"[,:](?!\d)|[;—()，；：（）]|\b(?:but|however|although|whereas|while)\b|(?<!不)但是?|然而|而且"
    r"|(?<=[\u3400-\u9fff])(?:并且?|同时)(?![不非未没无排列行发存联入])"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence that says one thing."""

    text: str
    words: tuple[Word, ...]
    """Without numbers."""
    keys: frozenset[str]
    """By which its words are found."""
    numbers: tuple[Quantity, ...]
    negated: bool
    """It holds a word that denies."""
    either: bool
    """It may be said with a "not" and without: "only in Europe"."""
    states: bool = True
    """False for a title: it supports words, but says neither yes nor no."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text, read."""

    text: str
    clauses: tuple[Clause, ...]
    windows: tuple[tuple[Clause, ...], ...]
    """The clauses of every sentence with those of the next, and the title's."""
    sentences: tuple[tuple[Clause, ...], ...]
    wholes: tuple[tuple[Clause, tuple[Clause, ...]], ...]
    """Sentences of several clauses, undivided, with these; one denies where any of them does."""
    numbers: tuple[Quantity, ...]
    latin: frozenset[str]
    """Its words in Latin letters, in lower case."""


@lru_cache(maxsize=512)
def read(text: str, title: str = "") -> Source:
    """Read a text; what was read lately is remembered."""
    heading = _clause(title, states=False)
    undivided = split_sentences(text)
    sentences = [
        tuple(_clause(part) for part in _BORDER.split(sentence) if part and part.strip())
        for sentence in undivided
    ]
    start = (heading,) if title else ()
    windows = tuple(start + one + two for one, two in pairwise([*sentences, ()]))
    return Source(
        f"{title}\n{text}",
        start + tuple(clause for sentence in sentences for clause in sentence),
        windows,
        tuple(sentences),
        tuple(
            (replace(_clause(sentence), negated=any(clause.negated for clause in parts)), parts)
            for sentence, parts in zip(undivided, sentences, strict=True)
            if len(parts) > 1
        ),
        tuple(quantities(title)) + tuple(quantities(text)),
        frozenset(word.casefold() for word in LATIN_WORD.findall(f"{title} {text}")) | _initials(text),
    )


NOTHING = Source("", (), (), (), (), (), frozenset())
"""What says nothing."""


def _initials(text: str) -> frozenset[str]:
    """Return what names of several words may be shortened to: "eu" for the European Union."""
    found: set[str] = set()
    for run in re.findall(r"(?:[A-Z][a-z]+\s+){1,4}[A-Z][a-z]+", text):
        letters = "".join(word[0] for word in run.split()).casefold()
        found.update(letters[a:b] for a in range(len(letters)) for b in range(a + 2, len(letters) + 1))
    return frozenset(found)


def _clause(text: str, *, states: bool = True) -> Clause:
    plain = ways().no_negation.sub(" ", text)
    words = tuple(part for word in words_of(text) for part in _parts(word) if not _is_number(part))
    return Clause(
        text,
        words,
        frozenset(key for word in words for key in (word.stem, *word.parts, *filter(means, word.concepts))),
        tuple(quantities(text)),
        bool(ways().negation.search(plain.replace("’", "'"))),
        bool(ways().either_way.search(text)),
        states,
    )


_DENIED = ("not ", "no ", "never ")


def _parts(word: Word) -> Iterable[Word]:
    """Return the words of an English phrase that stands for one concept; else the word."""
    denied = word.surface.startswith(_DENIED)  # the clause is negated: that says it already
    if len(word.parts) == 1 and not denied and not HAN.match(word.surface):  # "covered for" means "warranty"
        return (replace(word, stem=word.parts[0], parts=()),)
    if word.parts and not HAN.match(word.surface):
        return (Word(part, part, plain=word.plain) for part in word.parts)
    return (word,)


def _is_number(word: Word) -> bool:
    if word.surface.isdigit():
        return True
    found = quantities(word.surface)
    return bool(found) and found[0].unit != "weekday" and not word.concepts


def keys_of(clauses: Iterable[Clause]) -> frozenset[str]:
    """Return by what the words of clauses are found: stems, Chinese pairs, and concepts."""
    return frozenset[str]().union(*(clause.keys for clause in clauses))


def means(concept: str) -> bool:
    """Tell whether words of a concept say the same; aspects and kinds of things do not."""
    return not concept.startswith("#~") and concept not in ways().kinds
