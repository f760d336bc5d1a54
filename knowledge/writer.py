"""The writer: puts what was learnt, forgotten or screened anew into an index, in one step each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from knowledge.embedder import Embedder
from knowledge.learning import Skipped
from knowledge.record import Catalogue, Record
from knowledge.store import Store
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

    def then(self, later: LearnReport) -> LearnReport:
        """Return what both did, one after the other."""
        return LearnReport(
            added=self.added + later.added,
            updated=self.updated + later.updated,
            removed=self.removed + later.removed,
            unchanged=self.unchanged + later.unchanged,
            skipped=self.skipped + later.skipped,
            passages=later.passages,
        )


class Writer:
    """Changes an index; each change is seen as a whole or not at all.

    Args:
        store: where the index lies.
        embedder: makes the vectors.
        lock: of the threads of this process; other processes are held off by the store's.
    """

    def __init__(self, store: Store, embedder: Embedder, lock: AbstractContextManager[bool]) -> None:
        self.store = store
        self.embedder = embedder
        self._lock = lock

    def commit(self, records: dict[str, Record], removed: Iterable[str]) -> LearnReport:
        """Put documents in, by source, and take others out.

        Raises:
            StoreError: the index cannot be written.
        """
        with self._lock, self.store.writing():
            before = self.store.read()
            noted(self.store.folder, before, first=True)
            forgotten = [source for source in removed if source in before.records]
            kept = {source: record for source, record in before.records.items() if source not in forgotten}
            catalogue = Catalogue.of(kept | records, self.embedder.name)
            held = {source: one.digest for source, one in before.records.items() if one.passages}
            said = {source: one.digest for source, one in records.items() if one.passages}
            same = sum(held.get(source) == digest for source, digest in said.items())
            added = len(said.keys() - held.keys())
            self._write(before, catalogue)
            return LearnReport(
                added=added,
                updated=len(said) - added - same,
                removed=len(forgotten) + len((records.keys() - said.keys()) & held.keys()),
                unchanged=same,
                passages=len(catalogue.passages()),
            )

    def exchange(self, judged: Sequence[tuple[Record, Record]]) -> None:
        """Put documents that were screened anew in the place of those that are still as they were.

        Args:
            judged: each document as it was read, and as it is to be.

        Raises:
            StoreError: the index cannot be written.
        """
        if not judged:
            return
        with self._lock, self.store.writing():
            now = self.store.read()
            noted(self.store.folder, now, first=True)
            new = {after.source: after for old, after in judged if now.records.get(old.source) == old}
            self._write(now, Catalogue.of(now.records | new, self.embedder.name))

    def keep_version(self, cause: str) -> None:
        """Keep the index as it is as a version; see `Versions.keep`."""
        with self._lock, self.store.writing():
            noted(self.store.folder, self.store.read(), cause)

    def _write(self, before: Catalogue, catalogue: Catalogue) -> None:
        if catalogue != before:
            self.store.write(catalogue, self.embedder)
