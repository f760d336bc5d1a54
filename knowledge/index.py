"""The word index: BM25 over passages, and the words of titles and questions for a closer look."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.files import write_whole
from knowledge.lexicon import lexicon
from knowledge.passage import Passage
from knowledge.words import tokens_of, words_of

FORMAT = 4
K1 = 1.2
B = 0.6
"""Length counts a little less than BM25's usual 0.75: passages are about equally long."""
WEIGHT_PLAIN = 0.12
"""Of a word that a question is not about."""
KNOWN_LEAST = 0.45
"""Weight of a word that is in every passage; one that is in a single passage has 1."""
SMALLEST = 200
"""In a knowledge of fewer passages, words are as telling as in one of so many: two texts say little about
which words are common."""
TITLE_TIMES = 2
"""A word of the title counts as often in BM25."""

LONG_DOCUMENT = 200
"""Passages; of a longer document so many together are looked at as one."""
MOST_KEPT = 10_000
"""Passages whose words stay looked up."""

Floats = npt.NDArray[np.float32]
Heading = tuple[frozenset[int], float]
"""Token numbers of a heading, and the weight of its words."""
Integers = npt.NDArray[np.int32]


class WordIndex:
    """Words of all passages, by number; built once, kept in a file."""

    def __init__(self, arrays: dict[str, Any]) -> None:
        self._arrays = arrays
        vocabulary = str(arrays["vocabulary"])
        self.vocabulary: dict[str, int] = {
            token: number for number, token in enumerate(vocabulary.split("\n") if vocabulary else ())
        }
        self.count = len(arrays["units_of"]) - 1
        frequency = np.maximum(arrays["frequency"], 1).astype(np.float32)
        size = max(self.count, SMALLEST)
        general = np.log1p((size - frequency + 0.5).clip(0) / (frequency + 0.5))
        rare = general / np.log1p((size + 0.5) / 0.5)
        self.worth: Floats = (KNOWN_LEAST + (1.0 - KNOWN_LEAST) * rare).astype(np.float32)
        plain = lexicon().plain
        self.worth[[number for token, number in self.vocabulary.items() if token in plain]] = WEIGHT_PLAIN
        self._documents: dict[int, frozenset[int]] = {}
        self._tokens: dict[int, frozenset[int]] = {}
        self._units: dict[int, tuple[Heading, ...]] = {}

    @classmethod
    def build(cls, passages: Sequence[Passage]) -> WordIndex:
        """Count the words of passages."""
        numbers: dict[str, int] = {}

        def number(token: str) -> int:
            return numbers.setdefault(token, len(numbers))

        bags: list[list[int]] = []
        units: list[list[int]] = []
        keys: list[list[int]] = []
        units_of = [0]
        for passage in passages:
            titled = tokens_of(passage.title) * TITLE_TIMES
            asked = [token for question in passage.questions for token in tokens_of(question)]
            bags.append([number(token) for token in (*titled, *asked, *tokens_of(passage.text))])
            for heading in _headings(passage):
                words = words_of(heading)
                units.append(sorted({number(token) for token in tokens_of(heading)}))
                keys.append(sorted({number(word.key) for word in words}))
            units_of.append(len(units))
        sets = [sorted(set(bag)) for bag in bags]
        frequency = np.zeros(len(numbers), dtype=np.int32)
        for bag in sets:
            frequency[bag] += 1
        arrays: dict[str, Any] = {
            "format": FORMAT,
            "vocabulary": "\n".join(numbers),
            "frequency": frequency,
            "document_of": np.asarray(_documents(passages), dtype=np.int32),
            "units_of": np.asarray(units_of, dtype=np.int32),
            **_ragged("tokens", sets),
            **_ragged("units", units),
            **_ragged("keys", keys),
            **_bm25(bags, len(numbers)),
        }
        return cls(arrays)

    @classmethod
    def load(cls, file: Path) -> WordIndex | None:
        """Read an index; None where the file is missing, damaged or of another version."""
        try:
            with np.load(file, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            return cls(arrays) if int(arrays["format"]) == FORMAT else None
        except (OSError, ValueError, KeyError, EOFError):
            return None

    def save(self, file: Path) -> None:
        """Write the index to a file, in one step."""
        write_whole(file, lambda target: np.savez(target, **self._arrays))

    def scores(self, weighted: Iterable[tuple[int, float]]) -> Floats:
        """Return BM25 scores of all passages, float32[n], for token numbers with weights."""
        data, indices, pointers = (
            self._arrays[name] for name in ("bm25_data", "bm25_indices", "bm25_pointers")
        )
        scores = np.zeros(self.count, dtype=np.float32)
        for token, weight in weighted:
            part = slice(pointers[token], pointers[token + 1])
            scores[indices[part]] += np.float32(weight) * data[part]
        return scores

    def tokens(self, passage: int) -> frozenset[int]:
        """Return the token numbers of a passage."""
        kept = self._tokens.get(passage)
        if kept is None:
            _bound(self._tokens)
            kept = self._tokens[passage] = self._row("tokens", passage)
        return kept

    def document_tokens(self, passage: int) -> frozenset[int]:
        """Return the token numbers of the whole document that a passage belongs to."""
        document_of = self._arrays["document_of"]
        first = int(document_of[passage])
        last = int(np.searchsorted(document_of, first, side="right"))
        if last - first > LONG_DOCUMENT:
            # A table of thousands of rows is no one text: a row's neighbours are its document.
            first += (passage - first) // LONG_DOCUMENT * LONG_DOCUMENT
            last = min(last, first + LONG_DOCUMENT)
        kept = self._documents.get(first)
        if kept is None:
            _bound(self._documents)
            kept = frozenset().union(*(self.tokens(row) for row in range(first, last)))
            self._documents[first] = kept
        return kept

    def units(self, passage: int) -> tuple[Heading, ...]:
        """Return the tokens and the weight of a passage's title and of each of its questions."""
        kept = self._units.get(passage)
        if kept is None:
            _bound(self._units)
            first, last = self._arrays["units_of"][passage : passage + 2]
            kept = self._units[passage] = tuple(
                (self._row("units", at), float(self.worth[list(self._row("keys", at))].sum()))
                for at in range(first, last)
            )
        return kept

    def _row(self, name: str, at: int) -> frozenset[int]:
        first, last = self._arrays[f"{name}_pointers"][at : at + 2]
        return frozenset(self._arrays[f"{name}_data"][first:last].tolist())


def _bound(kept: dict[int, Any]) -> None:
    """Let go of what was looked up before, when it is much."""
    if len(kept) >= MOST_KEPT:
        kept.clear()


def _headings(passage: Passage) -> list[str]:
    """Return what a passage is called: its title, the parts of the title, other phrasings."""
    parts = re.split(r": |：", passage.title, maxsplit=1)
    return list(dict.fromkeys((passage.title, *parts, *passage.questions)))


def _documents(passages: Sequence[Passage]) -> list[int]:
    """Return for each passage the number of its document's first; a document's passages are neighbours."""
    first: list[int] = []
    for number, passage in enumerate(passages):
        before = passages[number - 1] if number else None
        same = before is not None and before.source.partition("#")[0] == passage.source.partition("#")[0]
        first.append(first[-1] if same else number)
    return first


def _ragged(name: str, rows: Sequence[Sequence[int]]) -> dict[str, Integers]:
    pointers = np.zeros(len(rows) + 1, dtype=np.int32)
    np.cumsum([len(row) for row in rows], out=pointers[1:])
    flat = [item for row in rows for item in row]
    return {f"{name}_data": np.asarray(flat, dtype=np.int32), f"{name}_pointers": pointers}


def _bm25(bags: list[list[int]], size: int) -> dict[str, Any]:
    """Let bm25s compute every word's share in every passage, as a sparse matrix by word."""
    if not any(bags):
        empty = np.zeros(0, dtype=np.float32)
        return {
            "bm25_data": empty,
            "bm25_indices": empty.astype(np.int32),
            "bm25_pointers": np.zeros(size + 1, dtype=np.int32),
        }
    import bm25s

    retriever = bm25s.BM25(k1=K1, b=B, method="lucene")
    vocabulary = {token: token for token in range(size)}
    retriever.index((bags, vocabulary), create_empty_token=False, show_progress=False)
    scores = retriever.scores
    return {
        "bm25_data": scores["data"],
        "bm25_indices": scores["indices"],
        "bm25_pointers": scores["indptr"],
    }
