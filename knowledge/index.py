"""The word index: BM25 over passages, and the words of titles and questions for a closer look."""

from __future__ import annotations

import collections
import hashlib
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.files import write_whole
from knowledge.lexicon import lexicon
from knowledge.passage import Passage
from knowledge.ragged import ends, find, joined, places_of, ragged, taken
from knowledge.words import tokens_of, words_of

FORMAT = 5
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
_RAGGED = ("tokens", "counts", "units", "keys")
_GROWING = ("contents", "counts_data", "counts_pointers")
"""What only `WordIndex.build` reads."""
_NOTHING: dict[str, Any] = {"contents": np.zeros(0, dtype=np.uint64), "units_of": np.zeros(1, dtype=np.int64)}
for _name in _RAGGED:
    _NOTHING |= {f"{_name}_data": np.zeros(0, np.int32), f"{_name}_pointers": np.zeros(1, np.int64)}


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
    def build(cls, passages: Sequence[Passage], before: WordIndex | None = None) -> WordIndex:
        """Count the words of passages.

        Args:
            passages: all, in their order.
            before: an index that `load` read with `to_grow`; passages that it holds are not read again.
        """
        contents = np.asarray([_content(passage) for passage in passages], dtype=np.uint64)
        known = before._arrays if before is not None else _NOTHING
        places = find(known["contents"], contents)
        numbers = dict(before.vocabulary) if before is not None else {}

        def number(token: str) -> int:
            return numbers.setdefault(token, len(numbers))

        bags: list[list[int]] = []
        times: list[list[int]] = []
        units: list[list[int]] = []
        keys: list[list[int]] = []
        sizes: list[int] = []
        for at in np.flatnonzero(places < 0).tolist():
            passage = passages[at]
            titled = tokens_of(passage.title) * TITLE_TIMES
            asked = [token for question in passage.questions for token in tokens_of(question)]
            bag = collections.Counter(map(number, (*titled, *asked, *tokens_of(passage.text))))
            bags.append(sorted(bag))
            times.append([bag[token] for token in bags[-1]])
            headings = _headings(passage)
            sizes.append(len(headings))
            for heading in headings:
                words = words_of(heading)
                units.append(sorted({number(token) for token in tokens_of(heading)}))
                keys.append(sorted({number(word.key) for word in words}))
        # Rows of the index before, and behind them those of what is new.
        places = np.where(places < 0, np.cumsum(places < 0) - 1 + len(known["contents"]), places)
        old = {name: (known[f"{name}_data"], known[f"{name}_pointers"]) for name in _RAGGED}
        tokens = taken(joined(old["tokens"], ragged(bags)), places)
        counts = taken(joined(old["counts"], ragged(times)), places)
        units_of = np.concatenate([known["units_of"], known["units_of"][-1] + ends(sizes)[1:]])
        chosen = places_of(units_of, places)
        unit_rows = taken(joined(old["units"], ragged(units)), chosen)
        key_rows = taken(joined(old["keys"], ragged(keys)), chosen)
        # A word of passages that are gone is a word that is not known.
        used = np.zeros(len(numbers), dtype=bool)
        for data, _ in (tokens, unit_rows, key_rows):
            used[data] = True
        renamed = (np.cumsum(used) - 1).astype(np.int32)
        arrays: dict[str, Any] = {
            "format": FORMAT,
            "vocabulary": "\n".join(token for token, at in numbers.items() if used[at]),
            "contents": contents,
            "document_of": np.asarray(_documents(passages), dtype=np.int32),
            "units_of": ends(np.diff(units_of)[places]),
        }
        for name, (data, pointers) in (("tokens", tokens), ("units", unit_rows), ("keys", key_rows)):
            arrays |= {f"{name}_data": renamed[data], f"{name}_pointers": pointers}
        arrays |= {"counts_data": counts[0], "counts_pointers": counts[1]}
        size = int(used.sum())
        arrays["frequency"] = np.bincount(arrays["tokens_data"], minlength=size).astype(np.int32)
        return cls(arrays | _bm25(arrays, size))

    @classmethod
    def load(cls, file: Path, *, to_grow: bool = False) -> WordIndex | None:
        """Read an index; None where the file is missing, damaged or of another version.

        Args:
            file: that `save` wrote.
            to_grow: read what `build` needs, too.
        """
        try:
            with np.load(file, allow_pickle=False) as found:
                if int(found["format"]) != FORMAT:
                    return None
                wanted = [name for name in found.files if to_grow or name not in _GROWING]
                return cls({name: found[name] for name in wanted})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
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
        last = int(np.searchsorted(document_of, document_of[passage], side="right"))
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


def _content(passage: Passage) -> int:
    """Return a number for what the index counts of a passage."""
    words = "\0".join((passage.title, passage.text, *passage.questions))
    return int.from_bytes(hashlib.blake2b(words.encode(errors="surrogatepass"), digest_size=8).digest())


def _documents(passages: Sequence[Passage]) -> list[int]:
    """Return for each passage the number of its document's first; a document's passages are neighbours."""
    first: list[int] = []
    for number, passage in enumerate(passages):
        before = passages[number - 1] if number else None
        same = before is not None and before.source.partition("#")[0] == passage.source.partition("#")[0]
        first.append(first[-1] if same else number)
    return first


def _bm25(arrays: dict[str, Any], size: int) -> dict[str, Any]:
    """Let bm25s say what every word is worth in every passage; a sparse matrix by word."""
    tokens, counts, pointers = arrays["tokens_data"], arrays["counts_data"], arrays["tokens_pointers"]
    count = len(pointers) - 1
    found = {
        "bm25_data": np.zeros(0, dtype=np.float32),
        "bm25_indices": np.zeros(0, dtype=np.int32),
        "bm25_pointers": np.concatenate([[0], np.cumsum(arrays["frequency"])]).astype(np.int64),
    }
    if not len(tokens):
        return found
    from bm25s import scoring

    rows = np.repeat(np.arange(count, dtype=np.int32), np.diff(pointers))
    lengths = np.bincount(rows, weights=counts, minlength=count).astype(np.float32)
    share = scoring._score_tfc_lucene(
        tf_array=counts.astype(np.float32), l_d=lengths[rows], l_avg=float(lengths.mean()), k1=K1, b=B
    )
    frequencies, places = np.unique(arrays["frequency"], return_inverse=True)
    rarity = [scoring._score_idf_lucene(times, N=count) for times in frequencies.tolist()]
    share *= np.asarray(rarity, dtype=np.float32)[places][tokens]
    order = np.argsort(tokens, kind="stable")
    return found | {"bm25_data": share[order].astype(np.float32), "bm25_indices": rows[order]}
