"""One version of the knowledge in memory, and the order in which its passages answer a question."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from knowledge.answerability import Evidence, Nearness, likelihood, standing, weigh
from knowledge.embedder import Embedder, Vectors
from knowledge.index import Floats, WordIndex
from knowledge.passage import Passage
from knowledge.query import Query, Speller, understand
from knowledge.record import Catalogue
from knowledge.table import TableEmbedder
from knowledge.words import language_of

CANDIDATES = 24
"""Passages that are looked at closely from the word search, and half as many from the vectors."""
OTHER_LAST = 0.6
"""Factor on the standing of a passage in another language: what the table reads looks nearer."""
AROUND = 3
"""So many units of a document that are near say more than one."""
OTHER_LANGUAGE = 0.85
"""Factor on the likelihood of a passage in another language: better than nothing, worse than one's own."""
Ranked = tuple[int, float, Evidence]
"""Number of a passage, likelihood, signals."""


class Ranking:
    """One version of the knowledge; replaced as a whole."""

    def __init__(self, catalogue: Catalogue, index: WordIndex, vectors: Vectors, embedder: Embedder) -> None:
        self.catalogue = catalogue
        self.passages: tuple[Passage, ...] = tuple(catalogue.passages())
        self.vectors = vectors
        self._index = index
        self._speller = Speller(index)
        self._embedder = embedder
        units = catalogue.units()
        self._headings = np.asarray([unit.heading for unit in units], dtype=bool)
        owners = np.asarray([unit.passage for unit in units], dtype=np.int32)
        self._first = np.searchsorted(owners, np.arange(len(self.passages) + 1))
        sources = [passage.source.partition("#")[0] for passage in self.passages]
        # A document's passages are neighbours, and so are a passage's units.
        new = np.asarray(
            [at == 0 or sources[at - 1] != source for at, source in enumerate(sources)], dtype=bool
        )
        self._document = np.cumsum(new) - 1
        self._units_of = np.append(self._first[:-1][new], len(units))
        self._nothing = np.zeros(len(units), dtype=np.float32)

    def rank(self, text: str, k: int, language: str | None = None) -> list[Ranked]:
        """Return the best passages for a question, best first."""
        if not self.passages or k < 1:
            return []
        query = understand(text, self._index, self._speller)
        weighted = list(_weighted_tokens(query))
        if not weighted:
            return []
        words = self._index.scores(weighted)
        vector = self._vector(text)
        # One thread: a library's threads wait for each other longer than this takes.
        likeness = np.einsum("ud,d->u", self.vectors, vector) if len(vector) else self._nothing
        nearest = np.maximum.reduceat(likeness, self._first[:-1])
        documents = np.maximum.reduceat(likeness, self._units_of[:-1])
        candidates = set(_best(words, CANDIDATES)) | set(_best(nearest, CANDIDATES // 2))
        general = (
            self._embedder.general(vector)
            if isinstance(self._embedder, TableEmbedder) and len(vector)
            else None
        )
        second, first = np.sort(documents)[-2:].tolist() if len(documents) > 1 else (0.0, float(documents[0]))
        ends = (first, second)
        top = float(words.max())
        wanted = language or language_of(text)
        ranked = []
        for number in candidates:
            near = self._nearness(number, likeness, documents, ends, general)
            share = float(words[number]) / top if top else 0.0
            evidence = weigh(query, number, self._index, near, share)
            factor = 1.0 if self.passages[number].language == wanted else OTHER_LANGUAGE
            behind = 1.0 if factor == 1.0 else OTHER_LAST
            ranked.append((behind * standing(evidence), number, factor, evidence))
        ranked.sort(key=lambda item: (-item[0], item[1]))
        best = 1.0
        falling = []
        for _, number, factor, evidence in ranked[:k]:
            # A passage further down is never said to be likelier than one before it.
            best = min(best, likelihood(evidence) * factor)
            falling.append((number, best, evidence))
        return falling

    def _vector(self, text: str) -> Floats:
        """Return the question's vector, empty where the passages' are of another embedder."""
        if self.catalogue.embedder != self._embedder.name:
            return np.zeros(0, dtype=np.float32)
        return np.asarray(self._embedder.embed([text])[0], dtype=np.float32)

    def _nearness(
        self,
        number: int,
        likeness: Floats,
        documents: Floats,
        ends: tuple[float, float],
        general: float | None,
    ) -> Nearness:
        """Collect what the units of a passage and of its document say.

        Args:
            number: of the passage.
            likeness: cosine of the question and every unit, float32[u].
            documents: the greatest in each document, float32[d].
            ends: the greatest of all, and the greatest of all other documents.
            general: likeness of the question and general talk.
        """
        first, last = self._first[number], self._first[number + 1]
        at = first + int(likeness[first:last].argmax())
        document = self._document[number]
        own = sorted(likeness[self._units_of[document] : self._units_of[document + 1]].tolist())[-AROUND:]
        nearest = float(documents[document])
        return Nearness(
            vector=float(likeness[at]),
            whole=float(likeness[last - 1]),
            around=sum(own) / len(own),
            margin=nearest - (ends[1] if nearest == ends[0] else ends[0]),
            heading=bool(self._headings[at]),
            general=general or 0.0,
            meant=general is not None,
        )


def _weighted_tokens(query: Query) -> Iterator[tuple[int, float]]:
    """Yield the token numbers that BM25 adds up, each with its weight."""
    weights: dict[int, float] = {}
    for item in query.asked:
        scale = 1.0 if item.topical else 0.35
        if item.exact is not None:
            weights[item.exact] = max(weights.get(item.exact, 0.0), scale)
        for token, degree in item.others:
            weights[token] = max(weights.get(token, 0.0), scale * degree * 0.8)
        for part in item.parts:
            weights[part] = max(weights.get(part, 0.0), scale * 0.5)
    yield from weights.items()


def _best(scores: Floats, most: int) -> list[int]:
    """Return the numbers of the best passages that score above zero."""
    if len(scores) > most:
        chosen: npt.NDArray[np.intp] = np.argpartition(scores, len(scores) - most)[-most:]
    else:
        chosen = np.arange(len(scores))
    return [int(number) for number in chosen if scores[number] > 0]
