"""What is kept on disk: the catalogue of documents and passages, and the vectors of units in chromadb.

The catalogue is the truth: it is replaced in one step after the vectors are written, so that a reader, or
a process that was killed in the middle, sees either the old knowledge or the new one.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np

from knowledge.embedder import Embedder, Vectors
from knowledge.errors import StoreError
from knowledge.passage import Passage
from knowledge.record import FORMAT, Catalogue, read_record
from knowledge.unit import Unit

COLLECTION = "units"
BATCH = 2000
"""Units a write; chromadb's own limit is above 5,000."""


class Store:
    """The folder of an index. Opening and reading never write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._client: Any = None
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{folder}: is a file; give the path of a folder for the index")

    def read(self) -> Catalogue:
        """Read the catalogue; an empty one where there is none yet.

        Raises:
            StoreError: it is damaged or of another version of this program.
        """
        try:
            data = json.loads(self._catalogue_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Catalogue()
        except (OSError, ValueError) as error:
            raise StoreError(
                f"{self._catalogue_file}: cannot be read ({error}); delete the folder and learn again"
            ) from error
        if data.get("format") != FORMAT:
            raise StoreError(f"{self.folder}: made by another version; delete the folder and learn again")
        records = {item["source"]: read_record(item) for item in data["records"]}
        return Catalogue(records, data["embedder"], data["version"])

    def write(self, catalogue: Catalogue, embedder: Embedder) -> None:
        """Write the units that are new to chromadb, then the catalogue, then drop what is gone.

        Raises:
            StoreError: the folder cannot be written.
        """
        try:
            collection = self._collection(embedder)
            passages = catalogue.passages()
            units = {unit.id: unit for unit in catalogue.units()}
            present = set(collection.get(include=[])["ids"])
            new = [unit for id_, unit in units.items() if id_ not in present]
            for batch in _batches(new):
                collection.upsert(
                    ids=[unit.id for unit in batch],
                    embeddings=embedder.embed([unit.text for unit in batch]),
                    documents=[unit.text for unit in batch],
                    metadatas=[_metadata(unit, passages[unit.passage]) for unit in batch],
                )
            self._replace_catalogue(catalogue)
            for gone in _batches(sorted(present - units.keys())):
                collection.delete(ids=list(gone))
            self._mirror(catalogue)
        except OSError as error:
            raise StoreError(
                f"{self.folder}: cannot be written ({error.strerror}); "
                "free some space or choose another folder"
            ) from error

    def vectors(self, catalogue: Catalogue) -> Vectors:
        """Return float32[n, d], one row for each of the catalogue's units.

        They come from the mirror file beside the database where it is fresh: it opens in a millisecond,
        the database takes two seconds.
        """
        if not catalogue.records:
            return np.zeros((0, 1), dtype=np.float32)
        try:
            return cast(Vectors, np.load(self._mirror_file(catalogue.version), mmap_mode="r"))
        except (OSError, ValueError):
            return self._fetch(catalogue)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder's lock: two processes learn one after the other.

        Raises:
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
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        """Let the database go."""
        self._client = None

    @property
    def _catalogue_file(self) -> Path:
        return self.folder / "catalogue.json"

    def _mirror_file(self, version: str) -> Path:
        return self.folder / f"vectors-{version}.npy"

    def _mirror(self, catalogue: Catalogue) -> None:
        target = self._mirror_file(catalogue.version)
        if not target.exists():
            vectors = self._fetch(catalogue)
            write_whole(target, lambda file: np.save(file, vectors))
        for old in self.folder.glob("vectors-*.npy"):
            if old != target:
                old.unlink(missing_ok=True)

    def _fetch(self, catalogue: Catalogue) -> Vectors:
        """Read the vectors from chromadb, in the catalogue's order."""
        ids = [unit.id for unit in catalogue.units()]
        collection = self._open().get_collection(COLLECTION, embedding_function=None)
        found: dict[str, Any] = {}
        for batch in _batches(ids):
            rows = collection.get(ids=list(batch), include=["embeddings"])
            found.update(zip(rows["ids"], rows["embeddings"], strict=True))
        missing = len(ids) - len(found)
        if missing:
            raise StoreError(
                f"{self.folder}: {missing} vectors are missing; delete the folder and learn again"
            )
        return np.asarray([found[id_] for id_ in ids], dtype=np.float32)

    def _collection(self, embedder: Embedder) -> Any:
        """Open the collection; one that another embedder filled is dropped first."""
        client = self._open()
        wanted = {"embedder": embedder.name, "dimension": embedder.dimension}
        collection = client.get_or_create_collection(
            COLLECTION, embedding_function=None, metadata=wanted, configuration={"hnsw": {"space": "cosine"}}
        )
        if (collection.metadata or {}).get("embedder") != embedder.name:
            client.delete_collection(COLLECTION)
            collection = client.create_collection(
                COLLECTION,
                embedding_function=None,
                metadata=wanted,
                configuration={"hnsw": {"space": "cosine"}},
            )
        return collection

    def _open(self) -> Any:
        if self._client is None:
            import chromadb
            from chromadb.config import Settings

            settings = Settings(anonymized_telemetry=False)
            try:
                self._client = chromadb.PersistentClient(path=str(self.folder / "chroma"), settings=settings)
            except Exception as error:  # chromadb raises its own and its Rust core's errors
                raise StoreError(
                    f"{self.folder}: the vector database cannot be opened ({error}); "
                    "delete the folder and learn again"
                ) from error
        return self._client

    def _replace_catalogue(self, catalogue: Catalogue) -> None:
        data = {
            "format": FORMAT,
            "embedder": catalogue.embedder,
            "version": catalogue.version,
            "records": [asdict(record) for record in catalogue.records.values()],
        }
        text = json.dumps(data, ensure_ascii=False).encode()
        write_whole(self._catalogue_file, lambda file: file.write(text))


def _metadata(unit: Unit, passage: Passage) -> dict[str, str]:
    return {
        "passage": passage.id,
        "unit": unit.kind,
        "source": passage.source,
        "title": passage.title,
        "language": passage.language,
        "kind": passage.kind,
    }


def write_whole(target: Path, write: Any) -> None:
    """Write a file so that it is there whole or not at all."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _batches(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))
