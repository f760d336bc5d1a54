"""The knowledge base: documents in, passages out."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge.answerability import Evidence
from knowledge.embedder import Embedder
from knowledge.errors import DocumentError, StoreError
from knowledge.index import WordIndex
from knowledge.learning import KEEP_AFTER, Learning, Progress, Skipped
from knowledge.passage import Passage
from knowledge.quarantine import Check, Rescreened, alone, compared, resting, screened, stale, together
from knowledge.ranking import Ranking, Reranker
from knowledge.record import Catalogue, Record, text_record
from knowledge.store import Store
from knowledge.table import default_embedder
from knowledge.versions import noted


@dataclass(frozen=True, slots=True)
class LearnReport:
    """What learning did, in documents."""

    added: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: tuple[Skipped, ...] = ()
    passages: int = 0
    """Passages in the knowledge afterwards."""


class KnowledgeBase:
    """Knowledge in a folder. Many may read one folder; who writes takes turns.

    Methods may be called from several threads.
    """

    def __init__(self, store: Store, embedder: Embedder, reranker: Reranker | None = None) -> None:
        self._store = store
        self._embedder = embedder
        self._reranker = reranker
        self._lock = threading.RLock()
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
        report = self._commit(records, removed=(), skipped=skipped)
        self._keep_version("learn")
        return report

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
                done = self._commit(batch, removed=gone, skipped=[])
                report = LearnReport(
                    added=report.added + done.added,
                    updated=report.updated + done.updated,
                    removed=report.removed + done.removed,
                    unchanged=report.unchanged + done.unchanged,
                    passages=done.passages,
                )
        if report.added or report.updated or report.removed:
            self._keep_version("learn")
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
        known = self._store.read()
        found = Rescreened()
        if known.embedder != self._embedder.name or not stale(known, check):
            return found
        with alone(self._store.folder) as mine:
            if not mine:
                return replace(found, elsewhere=True)
            rest = resting(share, stop)
            judged: list[tuple[Record, Record]] = []
            size = 0
            try:
                for before in stale(self._store.read(), check):
                    after = screened(before, check, rest)
                    judged.append((before, after))
                    change = compared(before, after)
                    found, size = together(found, change), size + change.passages
                    if size >= KEEP_AFTER:
                        self._exchange(judged)
                        judged, size = [], 0
            finally:
                self._exchange(judged)
        if found.came_back or found.went:
            self._keep_version("screen")
        return found

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
        report = self._commit({}, removed=set(sources), skipped=[])
        self._keep_version("remove")
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
                query, k, language, context=context, allow=_filter(tags, languages, since)
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

    def _keep_version(self, cause: str) -> None:
        with self._lock, self._store.writing():
            noted(self._store.folder, self._store.read(), cause)

    def _read(self) -> Ranking:
        catalogue = self._store.read()
        passages = tuple(catalogue.passages())
        file = self._store.folder / f"words-{catalogue.version}.npz"
        index = WordIndex.load(file) if passages else None
        if index is None or index.count != len(passages):
            index = WordIndex.build(passages)
        vectors = self._store.vectors(catalogue, self._embedder)
        return Ranking(
            catalogue,
            index,
            vectors,
            self._embedder,
            topics=self._store.topics(catalogue, vectors),
            reranker=self._reranker,
        )

    def _commit(
        self, records: dict[str, Record], removed: Iterable[str], skipped: list[Skipped]
    ) -> LearnReport:
        with self._lock, self._store.writing():
            before = self._store.read()
            noted(self._store.folder, before, first=True)
            forgotten = [source for source in removed if source in before.records]
            kept = {source: record for source, record in before.records.items() if source not in forgotten}
            catalogue = Catalogue.of(kept | records, self._embedder.name)
            held = {source: one.digest for source, one in before.records.items() if one.passages}
            said = {source: one.digest for source, one in records.items() if one.passages}
            same = sum(held.get(source) == digest for source, digest in said.items())
            added = len(said.keys() - held.keys())
            self._write(before, catalogue)
            self._loaded = None
            return LearnReport(
                added=added,
                updated=len(said) - added - same,
                removed=len(forgotten) + len((records.keys() - said.keys()) & held.keys()),
                unchanged=same,
                skipped=tuple(skipped),
                passages=len(catalogue.passages()),
            )

    def _exchange(self, judged: Sequence[tuple[Record, Record]]) -> None:
        """Put documents that were screened anew in the place of those that are still as they were."""
        if not judged:
            return
        with self._lock, self._store.writing():
            now = self._store.read()
            noted(self._store.folder, now, first=True)
            new = {after.source: after for old, after in judged if now.records.get(old.source) == old}
            self._write(now, Catalogue.of(now.records | new, self._embedder.name))

    def _write(self, before: Catalogue, catalogue: Catalogue) -> None:
        if catalogue != before:
            self._store.write(catalogue, self._embedder)
            self._save_words(catalogue)

    def _save_words(self, catalogue: Catalogue) -> None:
        folder = self._store.folder
        file = folder / f"words-{catalogue.version}.npz"
        try:
            if not file.exists():
                older = next((WordIndex.load(old, to_grow=True) for old in folder.glob("words-*.npz")), None)
                WordIndex.build(catalogue.passages(), older).save(file)
            for old in folder.glob("words-*.npz"):
                if old != file:
                    old.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"{folder}: cannot be written ({error.strerror}); free some space or choose another folder"
            ) from error


def _filter(tags: Iterable[str], languages: Iterable[str], since: str) -> Callable[[Passage], bool] | None:
    """Return what tells whether a passage may be found; None where all may."""
    wanted, spoken = {tag.casefold() for tag in tags}, set(languages)
    if not (wanted or spoken or since):
        return None
    return lambda passage: (
        (not wanted or any(tag.casefold() in wanted for tag in passage.tags))
        and (not spoken or passage.language in spoken)
        and (not since or passage.updated[: len(since)] >= since)
    )
