"""One version of the knowledge in memory, and the order in which its passages answer a question."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from knowledge.answerability import Evidence, Nearness, likelihood, standing, weigh
from knowledge.embedder import Embedder
from knowledge.errors import KnowledgeError
from knowledge.index import Floats, WordIndex
from knowledge.passage import Passage
from knowledge.query import Asked, Query, understand
from knowledge.record import Catalogue
from knowledge.spelling import Speller
from knowledge.table import TableEmbedder
from knowledge.topics import NO_TOPIC, Meant, Topics
from knowledge.vectors import AROUND_UNITS, Near, UnitVectors
from knowledge.words import language_of

log = logging.getLogger(__name__)

CANDIDATES = 24
"""Passages that are looked at closely from the word search, and half as many from the vectors."""
OTHER_LAST = 0.6
"""Factor on the standing of a passage in another language: what the table reads looks nearer."""
AROUND = 3
"""So many units of a document that are near say more than one."""
OTHER_LANGUAGE = 0.85
"""Factor on the likelihood of a passage in another language: better than nothing, worse than one's own."""
TURNS = 6
"""Of a conversation that are thought of with a question; what lies further back is another matter."""
TURN_WEIGHT = 0.45
"""Weight of the words of the turn just before against the question's own."""
TURN_FADES = 0.8
"""Share of its weight that each turn further back keeps."""
TURN_VECTOR = 0.25
"""Length of the turns' vector that is added to the question's."""
BLOCK = 256
"""Passages of which the best is looked for first."""
RERANKED = 16
"""Passages that a second model looks at."""
Ranked = tuple[int, float, Evidence]
"""Number of a passage, likelihood, signals."""
Allowed = npt.NDArray[np.bool_]
"""Whether each passage may be found, bool[p]."""


class Reranker(Protocol):
    """Reads question and passage together, which is slower and tells more."""

    name: str

    def scores(self, question: str, texts: Sequence[str]) -> Floats:
        """Return float32[n], greater where a text answers the question better."""


class Ranking:
    """One version of the knowledge; replaced as a whole."""

    def __init__(
        self,
        catalogue: Catalogue,
        index: WordIndex,
        vectors: UnitVectors,
        embedder: Embedder,
        *,
        topics: Topics | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.passages: tuple[Passage, ...] = tuple(catalogue.passages())
        self.vectors = vectors
        self._index = index
        self._speller = Speller(index, self._texts)
        self._embedder = embedder
        self._topics = topics
        self._reranker = reranker
        sources = [passage.source.partition("#")[0] for passage in self.passages]
        # A document's passages are neighbours, and so are a passage's units.
        new = np.asarray(
            [at == 0 or sources[at - 1] != source for at, source in enumerate(sources)], dtype=bool
        )
        self._document = np.cumsum(new) - 1
        self._units_of = np.append(vectors.first[:-1][new], len(vectors.owners))

    def rank(
        self,
        text: str,
        k: int,
        language: str | None = None,
        *,
        context: Sequence[str] = (),
        allow: Callable[[Passage], bool] | None = None,
    ) -> list[Ranked]:
        """Return the best passages for a question, best first.

        Args:
            text: the question.
            k: at most so many.
            language: ISO 639-1; passages in it are preferred.
            context: what was said before it, oldest first: decides between passages that the question alone
                leaves equal ("Is it free?"), and never makes an answer likelier.
            allow: tells which passages may be found; by default all.
        """
        if not self.passages or k < 1:
            return []
        allowed = np.asarray([allow(passage) for passage in self.passages], dtype=bool) if allow else None
        text = self.mend(text)
        query = understand(text, self._index)
        whole = self._with_context(query, context)
        weighted = list(_weighted_tokens(whole))
        if not weighted:
            return []
        words = self._index.scores(weighted)
        if allowed is not None:
            words *= allowed
        vector = self._vector(text)
        thought = self._thought(vector, context)
        near = self.vectors.near(thought, allowed) if len(vector) else None
        seen = _Seen(near, self._document)
        candidates = set(_best(words, CANDIDATES)) | set(seen.best(CANDIDATES // 2))
        general = (
            self._embedder.general(vector)
            if isinstance(self._embedder, TableEmbedder) and len(vector)
            else None
        )
        meant: list[Meant] = []
        if self._topics is not None and near is not None:
            meant, nearest = self._topics.meant(text, thought, near)
            candidates.update(nearest)
        top = float(words.max())
        wanted = language or language_of(text)
        ranked = []
        for number in candidates:
            nearness = self._nearness(number, seen, general)
            share = float(words[number]) / top if top else 0.0
            evidence = weigh(query, number, self._index, nearness, share)
            place = standing(
                evidence if whole is query else weigh(whole, number, self._index, nearness, share)
            )
            if meant and self._topics is not None:
                topic = self._topics.of[number]
                told = meant[topic] if topic >= 0 else NO_TOPIC
                evidence = replace(
                    evidence, topics=1.0, topic=told.share, topic_near=told.near, topic_told=told.told
                )
                place += told.place
            factor = 1.0 if self.passages[number].language == wanted else OTHER_LANGUAGE
            behind = 1.0 if factor == 1.0 else OTHER_LAST
            ranked.append((behind * place, number, factor, evidence))
        ranked.sort(key=lambda item: (-item[0], item[1]))
        if self._reranker is not None:
            ranked = self._read_again(text, ranked)
        best = 1.0
        falling = []
        for _, number, factor, evidence in ranked[:k]:
            # A passage further down is never said to be likelier than one before it.
            best = min(best, likelihood(evidence) * factor)
            falling.append((number, best, evidence))
        return falling

    def _texts(self) -> Iterator[str]:
        """The texts that words are learnt from."""
        for passage in self.passages:
            if passage.language == "en":
                yield from (passage.title, *passage.questions, passage.text)

    def mend(self, text: str) -> str:
        """Return a question with its misspelt words as the knowledge spells them."""
        return self._speller.mend(text)

    def _with_context(self, query: Query, context: Sequence[str]) -> Query:
        """Return the question with the words of the turns before it, the further back the lighter."""
        if not context:
            return query
        known = {item.word.stem for item in query.asked}
        added: list[Asked] = []
        weight = TURN_WEIGHT
        for turn in reversed(context[-TURNS:]):
            for item in understand(self.mend(turn), self._index).asked:
                if item.topical and item.known and item.word.stem not in known:
                    known.add(item.word.stem)
                    added.append(replace(item, weight=item.weight * weight, share=weight))
            weight *= TURN_FADES
        return Query(query.text, (*query.asked, *added)) if added else query

    def _thought(self, vector: Floats, context: Sequence[str]) -> Floats:
        """Return the question's vector, turned a little towards what was said before."""
        if not context or not len(vector):
            return vector
        turned = vector + np.float32(TURN_VECTOR) * self._vector("\n".join(context[-2:]))
        return np.asarray(turned / (float(np.linalg.norm(turned)) or 1.0), dtype=np.float32)

    def _vector(self, text: str) -> Floats:
        """Return the question's vector, empty where the passages' are of another embedder."""
        nothing = np.zeros(0, dtype=np.float32)
        if self.catalogue.embedder != self._embedder.name or not len(self.vectors.owners):
            return nothing
        try:
            return np.asarray(self._embedder.embed([text])[0], dtype=np.float32)
        except KnowledgeError as error:
            log.warning("searching by words alone: %s", error)
            return nothing

    def _nearness(self, number: int, seen: _Seen, general: float | None) -> Nearness:
        """Collect what the units of a passage and of its document say.

        Args:
            number: of the passage.
            seen: what is near the question.
            general: likeness of the question and general talk.
        """
        if seen.near is None:
            return Nearness(
                0.0, 0.0, 0.0, 0.0, heading=False, general=general or 0.0, meant=general is not None
            )
        first, last = int(self.vectors.first[number]), int(self.vectors.first[number + 1])
        document = int(self._document[number])
        begin = max(int(self._units_of[document]), first - AROUND_UNITS)
        end = min(int(self._units_of[document + 1]), last + AROUND_UNITS)
        around = seen.near.of(begin, end)
        likeness = around[first - begin : last - begin]
        at = int(likeness.argmax())
        own = np.sort(around)[-AROUND:]
        nearest = max(float(own[-1]), seen.documents.get(document, 0.0))
        return Nearness(
            vector=float(likeness[at]),
            whole=float(likeness[-1]),
            around=float(own.mean()),
            margin=nearest - (seen.second if nearest >= seen.first else seen.first),
            heading=bool(self.vectors.headings[first + at]),
            general=general or 0.0,
            meant=general is not None,
        )

    def _read_again(
        self, text: str, ranked: list[tuple[float, int, float, Evidence]]
    ) -> list[tuple[float, int, float, Evidence]]:
        """Put the first passages in the order of the second model."""
        assert self._reranker is not None
        head, rest = ranked[:RERANKED], ranked[RERANKED:]
        texts = [f"{self.passages[item[1]].title}\n{self.passages[item[1]].text}" for item in head]
        try:
            scores = self._reranker.scores(text, texts)
        except KnowledgeError as error:
            log.warning("passages stay in their first order: %s", error)
            return ranked
        order = sorted(range(len(head)), key=lambda at: -float(scores[at]))
        return [head[at] for at in order] + rest


class _Seen:
    """Which passages and documents are near a question."""

    def __init__(self, near: Near | None, document: npt.NDArray[np.intp]) -> None:
        self.near = near
        self.documents: dict[int, float] = {}
        self.first = self.second = 0.0
        self._passages = np.zeros(0, dtype=np.int64)
        self._best: Floats = np.zeros(0, dtype=np.float32)
        if near is None or not len(near.units):
            return
        self._passages, self._best = near.passages()
        numbers = document[self._passages]
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        greatest = np.maximum.reduceat(self._best, starts)
        self.documents = dict(zip(numbers[starts].tolist(), greatest.tolist(), strict=True))
        two = np.sort(greatest)[-2:].tolist()
        self.second, self.first = two if len(two) == 2 else (0.0, two[0])

    def best(self, most: int) -> list[int]:
        """Return the nearest passages."""
        return [int(self._passages[at]) for at in _best(self._best, most)]


def _weighted_tokens(query: Query) -> Iterator[tuple[int, float]]:
    """Yield the token numbers that BM25 adds up, each with its weight."""
    weights: dict[int, float] = {}
    for item in query.asked:
        scale = (1.0 if item.topical else 0.35) * item.share
        if item.exact is not None:
            weights[item.exact] = max(weights.get(item.exact, 0.0), scale)
        for token, degree in item.others:
            weights[token] = max(weights.get(token, 0.0), scale * degree * 0.8)
        for part in item.parts:
            weights[part] = max(weights.get(part, 0.0), scale * 0.5)
    yield from weights.items()


def _best(scores: Floats, most: int) -> list[int]:
    """Return the numbers of the best passages that score above zero."""
    chosen = np.arange(len(scores))
    if len(scores) > most * BLOCK:
        # The best lie in the blocks whose own best are best: most of a large array is looked at once.
        blocks = np.maximum.reduceat(scores, np.arange(0, len(scores), BLOCK))
        begins = np.argpartition(blocks, len(blocks) - most)[-most:] * BLOCK
        chosen = (begins[:, None] + np.arange(BLOCK)).ravel()
        chosen = chosen[chosen < len(scores)]
    if len(chosen) > most:
        chosen = chosen[np.argpartition(scores[chosen], len(chosen) - most)[-most:]]
    return [int(number) for number in chosen if scores[number] > 0]
