"""What is kept on disk: the catalogue of documents and passages, and their vectors in chromadb.

The catalogue is the truth: it is replaced in one step after the vectors are written, so that a reader, or
a process that was killed in the middle, sees either the old knowledge or the new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from knowledge.embedder import Embedder, Vectors
from knowledge.errors import StoreError
from knowledge.passage import Passage

FORMAT = 1
COLLECTION = "passages"
BATCH = 2000
"""Passages a write; chromadb's own limit is above 5,000."""


@dataclass(frozen=True, slots=True)
class Record:
    """One document of the catalogue."""

    source: str
    digest: str
    """Of the file's bytes: tells what changed."""
    root: str
    """Folder that it was learnt from; empty for texts that were added directly."""
    title: str
    updated: str
    tags: tuple[str, ...]
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that the knowledge holds at one time."""

    records: dict[str, Record] = field(default_factory=dict)
    embedder: str = ""
    version: str = ""
    """Digest of the passages and of the embedder's name."""

    @classmethod
    def of(cls, records: dict[str, Record], embedder: str) -> Catalogue:
        """Make the catalogue of some documents, in a fixed order."""
        ordered = {source: records[source] for source in sorted(records)}
        digest = hashlib.sha256(f"{FORMAT}\0{embedder}\0".encode())
        for record in ordered.values():
            digest.update(f"{record.source}\0{record.digest}\0".encode())
            digest.update("\0".join(passage.id for passage in record.passages).encode())
        return cls(ordered, embedder, digest.hexdigest()[:16])

    def passages(self) -> list[Passage]:
        """Return all passages, in the order of the vectors; each id once."""
        unique = {passage.id: passage for record in self.records.values() for passage in record.passages}
        return list(unique.values())


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
        records = {item["source"]: _record(item) for item in data["records"]}
        return Catalogue(records, data["embedder"], data["version"])

    def write(self, catalogue: Catalogue, embedder: Embedder) -> None:
        """Write the passages that are new to chromadb, then the catalogue, then drop what is gone.

        Raises:
            StoreError: the folder cannot be written.
        """
        try:
            collection = self._collection(embedder)
            passages = {passage.id: passage for passage in catalogue.passages()}
            present = set(collection.get(include=[])["ids"])
            new = [passage for id_, passage in passages.items() if id_ not in present]
            for batch in _batches(new):
                collection.upsert(
                    ids=[passage.id for passage in batch],
                    embeddings=embedder.embed([searched_text(passage) for passage in batch]),
                    documents=[passage.text for passage in batch],
                    metadatas=[
                        {"source": p.source, "title": p.title, "language": p.language, "kind": p.kind}
                        for p in batch
                    ],
                )
            self._replace_catalogue(catalogue)
            for gone in _batches(sorted(present - passages.keys())):
                collection.delete(ids=list(gone))
            self._mirror(catalogue)
        except OSError as error:
            raise StoreError(
                f"{self.folder}: cannot be written ({error.strerror}); "
                "free some space or choose another folder"
            ) from error

    def vectors(self, catalogue: Catalogue) -> Vectors:
        """Return float32[n, d], one row for each of the catalogue's passages.

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
        ids = [passage.id for passage in catalogue.passages()]
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


def searched_text(passage: Passage) -> str:
    """Return what a passage is found by: title, other phrasings and text."""
    return "\n".join((passage.title, *passage.questions, passage.text))


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


def _record(item: dict[str, Any]) -> Record:
    passages = tuple(
        Passage(**{**passage, "questions": tuple(passage["questions"])}) for passage in item.pop("passages")
    )
    tags = tuple(item.pop("tags"))
    return Record(**item, tags=tags, passages=passages)


def _batches(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))
