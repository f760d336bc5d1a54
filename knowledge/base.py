"""The knowledge base: documents in, passages out."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from knowledge.answerability import Evidence
from knowledge.embedder import Embedder
from knowledge.errors import DocumentError, StoreError
from knowledge.learning import Learning, Progress, Skipped
from knowledge.passage import Passage, wanted_by
from knowledge.quarantine import Check, Rescreened
from knowledge.ranking import Ranking, Reranker
from knowledge.record import Record, text_record
from knowledge.rescreening import rescreened
from knowledge.store import Store
from knowledge.table import default_embedder
from knowledge.writer import LearnReport, Writer


class KnowledgeBase:
    """Knowledge in a folder. Many may read one folder; who writes takes turns.

    Methods may be called from several threads.
    """

    def __init__(self, store: Store, embedder: Embedder, reranker: Reranker | None = None) -> None:
        self._store = store
        self._embedder = embedder
        self._reranker = reranker
        self._lock = threading.RLock()
        self._writer = Writer(store, embedder, self._lock)
        self._loaded: Ranking | None = None

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        embedder: Embedder | None = None,
        reranker: Reranker | None = None,
        server: str = "",
    ) -> KnowledgeBase:
        """Open the index in a folder; the folder is made when something is first learnt.

        Args:
            path: the index's folder.
            embedder: makes the vectors; by default the embedded one. Knowledge that another one indexed is
                indexed again at the next `add`; until then it is searched by its words.
            reranker: a second model that puts the first passages in order; by default none.
            server: address of a chroma server that holds the vectors, such as "http://127.0.0.1:8000"; by
                default they lie in the folder.

        Raises:
            StoreError: the path is a file, or the index in it is damaged.
        """
        base = cls(Store(Path(path), server), embedder or default_embedder(), reranker)
        base._store.read()
        return base

    @property
    def engine(self) -> str:
        """What searches: word index, vector database and embedder."""
        return f"bm25s+chromadb/{self._embedder.name}"

    @property
    def indexed_by(self) -> str:
        """Name of the embedder that made the index's vectors; empty where nothing was learnt."""
        catalogue = self._load().catalogue
        return catalogue.embedder if catalogue.records else ""

    def add_texts(self, texts: Iterable[tuple[str, str]]) -> LearnReport:
        """Learn texts that are already in memory.

        Args:
            texts: pairs of id and text; the id becomes the passage's id and source, an id that is known is
                replaced. A text may be Markdown; one with several sections is not split.

        Raises:
            DocumentError: an id is empty.
            StoreError: the index cannot be written.
        """
        records = {}
        skipped = []
        for id_, text in texts:
            if not id_:
                raise DocumentError("a text has an empty id; give each text an id of its own")
            if not text.strip():
                skipped.append(Skipped(id_, "empty"))
                continue
            records[id_] = text_record(id_, text)
        report = self._commit(records, ())
        self._writer.keep_version("learn")
        return replace(report, skipped=tuple(skipped))

    def add(
        self,
        paths: str | Path | Iterable[str | Path],
        *,
        check: Check | None = None,
        progress: Progress | None = None,
    ) -> LearnReport:
        """Learn files, folders, web pages and sitemaps.

        Unchanged files are passed over; what was learnt from a folder or sitemap and is no longer in it is
        forgotten. Nothing is written where nothing changed.

        Args:
            paths: paths, or addresses with http:// or https://.
            check: called with each passage's words; returns why they must not be learnt, or "".
            progress: called with the documents done, those known of, and the present one's source.

        Raises:
            DocumentError: a path does not exist, an address cannot be fetched.
            StoreError: the index cannot be written.
        """
        listed = [paths] if isinstance(paths, str | Path) else list(paths)
        known = self._store.read()
        learning = Learning(known, check=check, progress=progress)
        report = LearnReport(passages=len(known.passages()))
        # Another embedder's vectors are made anew even where no document changed.
        stale = bool(known.records) and known.embedder != self._embedder.name
        for batch in learning.batches(listed):
            gone = learning.gone - batch.keys()
            if batch or gone or stale:
                report = report.then(self._commit(batch, gone))
        if report.added or report.updated or report.removed:
            self._writer.keep_version("learn")
        return replace(
            report, unchanged=report.unchanged + learning.unchanged, skipped=tuple(learning.skipped)
        )

    def rescreen(
        self, check: Check, *, share: float = 1.0, stop: Callable[[], bool] = lambda: False
    ) -> Rescreened:
        """Judge anew what was checked by something else than `check` as it is now; nothing is read again.

        What was kept out comes back where it may, what may no longer be used goes into quarantine. Nothing
        happens where another process is screening, which is told, or where another embedder made the index.

        Args:
            check: as of `add`, with a `fingerprint`.
            share: of a processor that the work may take.
            stop: true when it is to be given up.

        Raises:
            InterruptedError: it was given up; documents that were done stay done.
            StoreError: the index cannot be written.
        """
        return rescreened(self._writer, check, share, stop)

    def is_being_written(self) -> bool:
        """Tell whether another process is writing; who writes now would wait for it."""
        try:
            with (self._store.folder / "lock").open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def remove(self, sources: Iterable[str]) -> LearnReport:
        """Forget documents by source (of documents, without "#section")."""
        report = self._commit({}, set(sources))
        self._writer.keep_version("remove")
        return report

    def search(
        self,
        query: str,
        k: int = 5,
        language: str | None = None,
        *,
        tags: Iterable[str] = (),
        languages: Iterable[str] = (),
        since: str = "",
        context: Sequence[str] = (),
    ) -> list[Passage]:
        """Find the passages that answer a question, best first.

        Args:
            query: the question, in any of the languages.
            k: at most so many.
            language: ISO 639-1; passages in it are preferred. By default the question's own.
            tags: only passages with at least one of these.
            languages: only passages in one of these.
            since: ISO 8601 date; only passages that were updated then or later, as far as that is known.
            context: what was said before, oldest first, for questions that do not stand by themselves.

        Returns:
            Passages with `score`, 0..1, the calibrated likelihood that the passage answers the question.
            Empty when nothing shares a word with it.
        """
        loaded = self._load()
        return [
            replace(loaded.passages[number], score=score)
            for number, score, _ in loaded.rank(
                query, k, language, context=context, allow=wanted_by(tags, languages, since)
            )
        ]

    def search_many(self, queries: Sequence[str], k: int = 5) -> list[list[Passage]]:
        """Search several questions."""
        return [self.search(query, k) for query in queries]

    def answerable(self, query: str, language: str | None = None) -> float:
        """Return the likelihood, 0..1, that the knowledge answers a question."""
        ranked = self._load().rank(query, 5, language)
        return max((score for _, score, _ in ranked), default=0.0)

    def evidence(self, query: str, k: int = 5) -> list[tuple[Passage, Evidence]]:
        """Return the signals behind the scores, best passage first: for calibration and for explaining."""
        loaded = self._load()
        return [
            (replace(loaded.passages[number], score=score), evidence)
            for number, score, evidence in loaded.rank(query, k)
        ]

    def texts(self) -> list[str]:
        """Return all passages' texts, titles and questions, for a recognizer's language model."""
        found: dict[str, None] = {}
        for passage in self._load().passages:
            found.update(dict.fromkeys((passage.title, *passage.questions, passage.text)))
        return list(found)

    def documents(self) -> list[Record]:
        """Return the documents, sorted by source; those that are in quarantine as a whole left out."""
        return [one for one in self._load().catalogue.records.values() if one.passages or not one.withheld]

    def digest(self) -> str:
        """Return the version of the content: equal content, equal digest."""
        return self._load().catalogue.version

    @property
    def count(self) -> int:
        """Number of passages."""
        return len(self._load().passages)

    def warm_up(self) -> None:
        """Load all that the first search would load."""
        self.search("hello", 1)

    def close(self) -> None:
        """Free what is held; the next call loads it again."""
        with self._lock:
            self._loaded = None
            self._store.close()

    def _load(self) -> Ranking:
        with self._lock:
            if self._loaded is None or self._is_replaced(self._loaded):
                try:
                    self._loaded = self._read()
                except StoreError:
                    # Another process may have replaced the knowledge while it was being read.
                    try:
                        self._loaded = self._read()
                    except StoreError:
                        if self._loaded is None:
                            raise
            return self._loaded

    def _is_replaced(self, loaded: Ranking) -> bool:
        """Tell whether another process has learnt; what cannot be read takes the place of nothing."""
        try:
            return self._store.read().version != loaded.catalogue.version
        except StoreError:
            return False

    def _commit(self, records: dict[str, Record], removed: Iterable[str]) -> LearnReport:
        with self._lock:
            done = self._writer.commit(records, removed)
            self._loaded = None
            return done

    def _read(self) -> Ranking:
        catalogue = self._store.read()
        vectors = self._store.vectors(catalogue, self._embedder)
        return Ranking(
            catalogue,
            self._store.words(catalogue),
            vectors,
            self._embedder,
            topics=self._store.topics(catalogue, vectors),
            reranker=self._reranker,
        )
