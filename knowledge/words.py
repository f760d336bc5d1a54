"""Text to words: segmentation, stems and concepts, the same for documents and for questions."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from knowledge.lexicon import HAN, Lexicon, english_words, lexicon
from knowledge.stem import stem

_RUN = re.compile(r"[\u3400-\u9fff]+|[^\u3400-\u9fff]+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_segmenter_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or a phrase that stands for one concept, that may tell what a text is about."""

    surface: str
    stem: str
    concepts: tuple[str, ...] = ()
    plain: bool = False
    """True for a word that a question is not about ("yesterday", "husband")."""
    parts: tuple[str, ...] = ()
    """Tokens that stand for it piecewise: the words of a phrase, the character pairs of a Chinese word."""

    @property
    def key(self) -> str:
        """The token by which synonyms meet: the first proper concept, or else the stem."""
        return next((name for name in self.concepts if not name.startswith("#~")), self.stem)


def words_of(text: str) -> list[Word]:
    """Split a text into its content words, stop words left out, synonyms marked."""
    return [word for sentence in _SENTENCE.split(text) for word in _sentence_words(sentence)]


@lru_cache(maxsize=20_000)
def _sentence_words(sentence: str) -> tuple[Word, ...]:
    """Return a sentence's words; a sentence is learnt several times: alone, and in its passage."""
    known = lexicon()
    found: list[Word] = []
    for run in _RUN.findall(sentence):
        found += _chinese(run, known) if HAN.match(run) else _english(run, known)
    return tuple(found)


def tokens_of(text: str) -> list[str]:
    """Return what the word index counts: stems, concepts, Chinese words and character pairs."""
    tokens: list[str] = []
    for word in words_of(text):
        tokens.append(word.stem)
        tokens += word.parts
        tokens += word.concepts
        if not HAN.match(word.stem):
            # "hasn't arrived" is late, and still about arriving.
            tokens += [name for part in word.parts for name in lexicon().concepts.get(part, ())]
    # Pairs across word borders make up for the segmenter's freedom.
    for run in _RUN.findall(text):
        if HAN.match(run):
            inside = {part for word in _chinese(run, lexicon()) for part in word.parts}
            tokens += [pair for pair in _pairs(run) if pair not in inside]
    return tokens


def language_of(text: str) -> str:
    """Tell Chinese ("zh") from everything else ("en") by the script that carries the words."""
    han = len(HAN.findall(text))
    return "zh" if han and han >= len(re.findall(r"[A-Za-z]+", text)) else "en"


def _english(text: str, known: Lexicon) -> list[Word]:
    surfaces = english_words(text)
    stems = [stem(surface) for surface in surfaces]
    found: list[Word] = []
    at = 0
    while at < len(surfaces):
        length, concepts = _phrase(stems, at, known)
        if length:
            phrase = stems[at : at + length]
            content = [
                (surface, part)
                for surface, part in zip(surfaces[at : at + length], phrase, strict=True)
                if surface.replace("'", "") not in known.stop
            ]
            name = " ".join(phrase)
            found.append(Word(name, name, concepts, parts=tuple(part for _, part in content)))
            at += length
            continue
        surface, part = surfaces[at], stems[at]
        if surface.replace("'", "") not in known.stop and (len(surface) > 1 or surface.isdigit()):
            found.append(Word(surface, part, known.concepts.get(part, ()), plain=part in known.plain))
        at += 1
    return found


def _phrase(stems: list[str], at: int, known: Lexicon) -> tuple[int, tuple[str, ...]]:
    """Return the length of the longest known phrase that starts here, and its concepts."""
    longest, concepts = 0, []
    for phrase, concept in known.phrases.get(stems[at], ()):
        size = len(phrase)
        if size >= longest and tuple(stems[at : at + size]) == phrase:
            longest = size
            concepts.append(concept)
    return longest, tuple(concepts)


@lru_cache(maxsize=20_000)
def _chinese(run: str, known: Lexicon) -> tuple[Word, ...]:
    found = []
    for surface in _segmenter().cut(run, HMM=False):
        if surface in known.stop:
            continue
        parts = tuple(_pairs(surface))
        found.append(
            Word(
                surface,
                surface,
                known.concepts.get(surface, ()),
                plain=surface in known.plain,
                parts=parts if len(surface) > 2 else (),
            )
        )
    return tuple(found)


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _segmenter() -> Any:
    with _segmenter_lock:
        return _load_segmenter()


@lru_cache(maxsize=1)
def _load_segmenter() -> Any:
    """Load jieba with the package's own words, without its log lines and its warnings about itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba

    jieba.setLogLevel(logging.CRITICAL)
    segmenter = jieba.Tokenizer()
    segmenter.initialize()
    for word in lexicon().chinese_words:
        if len(word) > 1:
            segmenter.add_word(word)
    return segmenter
