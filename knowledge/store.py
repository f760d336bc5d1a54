"""What is kept on disk: the catalogue of documents and passages, their vectors, and the vector database.

The catalogue is the truth: it is replaced in one step after the vectors are written, so that a reader, or
a process that was killed in the middle, sees either the old knowledge or the new one.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from knowledge.database import Database
from knowledge.document import Withheld
from knowledge.embedder import Embedder
from knowledge.errors import BusyError, StoreError
from knowledge.files import write_whole
from knowledge.index import WordIndex
from knowledge.passage import Passage
from knowledge.record import FORMAT, Catalogue, Record, read_record
from knowledge.topics import Topics
from knowledge.vectors import UnitVectors, bytes_of, write


class Store:
    """The folder of an index. Opening and reading never write.

    Args:
        folder: of the index.
        server: address of a chroma server; empty for a database in the folder.
    """

    def __init__(self, folder: Path, server: str = "") -> None:
        self.folder = folder
        self._database = Database(folder, server)
        self._last: tuple[tuple[int, int, int], Catalogue] | None = None
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{folder}: is a file; give the path of a folder for the index")

    def read(self) -> Catalogue:
        """Read the catalogue; an empty one where there is none yet.

        Raises:
            StoreError: it is damaged or of another version of this program.
        """
        try:
            with self._catalogue_file.open(encoding="utf-8") as lines:
                state = _state(lines.fileno())
                last = self._last
                if last is not None and last[0] == state:
                    return last[1]
                head = json.loads(next(lines, ""))
                if head.get("format") != FORMAT:
                    raise StoreError(
                        f"{self.folder}: made by another version; delete the folder and learn again"
                    )
                # Before records had lines of their own, all were in the first.
                records = [read_record(item) for item in head.pop("records", ())]
                records += [read_record(json.loads(line)) for line in lines]
            if len(records) != head.get("documents", len(records)):
                raise ValueError("it breaks off")
        except FileNotFoundError:
            return Catalogue()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"{self._catalogue_file}: cannot be read ({error}); delete the folder and learn again"
            ) from error
        found = Catalogue({record.source: record for record in records}, head["embedder"], head["version"])
        self._last = (state, found)
        return found

    def write(self, catalogue: Catalogue, embedder: Embedder) -> None:
        """Write the vectors of units that are new, then the catalogue and its words, then drop what is gone.

        Raises:
            StoreError: the folder cannot be written, or the database cannot be reached.
        """
        try:
            passages = catalogue.passages()
            file = self._vectors_file(catalogue.version)
            vectors = UnitVectors.load(file, len(passages))
            if vectors is None:
                write(file, passages, embedder, self._before(embedder))
                vectors = UnitVectors.load(file, len(passages)) or UnitVectors.empty()
            self.topics(catalogue, vectors)
            self._database.put(passages, vectors, embedder)
            self._replace_catalogue(catalogue)
            self._database.drop_others(embedder)
            self._forget(catalogue.version)
            self._save_words(catalogue.version, passages)
        except OSError as error:
            raise StoreError(
                f"{self.folder}: cannot be written ({error.strerror}); "
                "free some space or choose another folder"
            ) from error

    def vectors(self, catalogue: Catalogue, embedder: Embedder) -> UnitVectors:
        """Return the vectors of the catalogue's units.

        Lost ones are made again, beside the catalogue where that can be written. Those of another embedder
        than the given one can only be read: none are returned where they are lost.
        """
        passages = catalogue.passages()
        if not passages:
            return UnitVectors.empty()
        found = UnitVectors.load(self._vectors_file(catalogue.version), len(passages))
        if found is not None:
            return found
        if catalogue.embedder != embedder.name:
            return UnitVectors.of_nothing(len(passages))
        with tempfile.TemporaryDirectory() as folder:
            for file in (self._vectors_file(catalogue.version), Path(folder, "vectors.npz")):
                try:
                    write(file, passages, embedder)
                except OSError:
                    continue
                found = UnitVectors.load(file, len(passages))
                if found is not None:
                    return found
        raise StoreError(f"{self.folder}: vectors cannot be made again; free some space or learn again")

    def topics(self, catalogue: Catalogue, vectors: UnitVectors) -> Topics | None:
        """Return what was learnt of how people ask; None for knowledge that says little of it.

        What is missing or cannot be read is learnt again, and kept where the folder can be written.
        """
        file = self._topics_file(catalogue.version)
        found = Topics.load(file, vectors, len(vectors.first) - 1)
        if found is None and len(vectors.owners):
            found = Topics.build(catalogue.passages(), vectors)
            if found is not None:
                with suppress(OSError):
                    found.save(file)
        return found

    def words(self, catalogue: Catalogue) -> WordIndex:
        """Return the index of the catalogue's words; one that is missing, or of others, is built."""
        passages = catalogue.passages()
        index = WordIndex.load(self._words_file(catalogue.version)) if passages else None
        if index is None or index.count != len(passages):
            index = WordIndex.build(passages)
        return index

    @contextmanager
    def writing(self, *, wait: bool = True) -> Iterator[None]:
        """Hold the folder's lock: two processes learn one after the other.

        Args:
            wait: until another process, or another thread, has finished; else say at once that it has not.

        Raises:
            BusyError: another one is changing the knowledge.
            StoreError: the folder cannot be made or written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("w")
        except OSError as error:
            raise StoreError(
                f"{self.folder}: cannot be written ({error.strerror}); choose a folder that you may write to"
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise BusyError(
                    "another command is changing this desk's knowledge; try again when it is done"
                ) from None
            yield

    def check(self) -> None:
        """See that the chroma server answers, where there is one.

        Raises:
            StoreError: it does not.
        """
        self._database.check()

    def close(self) -> None:
        """Let the database and what was read go."""
        self._last = None
        self._database.close()

    @property
    def _catalogue_file(self) -> Path:
        return self.folder / "catalogue.json"

    def _vectors_file(self, version: str) -> Path:
        return self.folder / f"vectors-{version}.npz"

    def _topics_file(self, version: str) -> Path:
        return self.folder / f"topics-{version}.npz"

    def _words_file(self, version: str) -> Path:
        return self.folder / f"words-{version}.npz"

    def _save_words(self, version: str, passages: Sequence[Passage]) -> None:
        file = self._words_file(version)
        others = [old for old in self.folder.glob("words-*.npz") if old != file]
        if not file.exists():
            older = next((WordIndex.load(old, to_grow=True) for old in others), None)
            WordIndex.build(passages, older).save(file)
        for old in others:
            old.unlink(missing_ok=True)

    def _before(self, embedder: Embedder) -> UnitVectors | None:
        """Return the vectors of the version that is being replaced, where the same embedder made them."""
        before = self.read()
        if before.embedder != embedder.name:
            return None
        return UnitVectors.load(self._vectors_file(before.version), len(before.passages()))

    def _forget(self, version: str) -> None:
        """Delete the side files of other versions."""
        file = self._vectors_file(version)
        kept = {file, bytes_of(file), self._topics_file(version)}
        for pattern in ("vectors-*", "topics-*"):
            for old in self.folder.glob(pattern):
                if old not in kept and not old.name.endswith(".part"):
                    old.unlink(missing_ok=True)

    def _replace_catalogue(self, catalogue: Catalogue) -> None:
        head = {
            "format": FORMAT,
            "embedder": catalogue.embedder,
            "version": catalogue.version,
            "documents": len(catalogue.records),
        }

        def lines(file: Any) -> None:
            file.write(json.dumps(head).encode() + b"\n")
            for record in catalogue.records.values():
                # By line, so that a large catalogue never stands in memory twice.
                file.write(json.dumps(record, ensure_ascii=False, default=_plain).encode() + b"\n")

        write_whole(self._catalogue_file, lines)
        with self._catalogue_file.open("rb") as written:
            self._last = (_state(written.fileno()), catalogue)


def _state(file: int) -> tuple[int, int, int]:
    """Return what differs from one file to the one that took its place."""
    found = os.fstat(file)
    return found.st_ino, found.st_mtime_ns, found.st_size


def _plain(item: Any) -> dict[str, Any]:
    """Return a record, a passage or a part that was withheld as JSON writes it."""
    if not isinstance(item, Record | Passage | Withheld):
        raise TypeError(f"{type(item).__name__} has no place in a catalogue")
    return {field.name: getattr(item, field.name) for field in fields(item)}
