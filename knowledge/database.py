"""The vector database: chromadb in the index's folder, or a chroma server that several machines share.

It holds one vector a passage, with what there is to filter by. Searches do not wait for it: they read the
mirror files beside the catalogue, so that a server that has vanished stops learning and nothing else.
"""

from __future__ import annotations

import hashlib
import socket
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from knowledge.embedder import Embedder
from knowledge.errors import StoreError
from knowledge.passage import Passage
from knowledge.vectors import UnitVectors

COLLECTION = "passages"
CONNECT_S = 3.0
"""How long a chroma server may take to be reached."""
BATCH = 2000
"""Passages a write; chromadb's own limit is above 5,000."""
INDEX = {"hnsw": {"space": "cosine", "ef_construction": 40, "max_neighbors": 12}}
"""A light index: it is asked by others, seldom, and must not slow learning down."""


class Database:
    """Passages' vectors in chromadb; opened at first use.

    Args:
        folder: of the index.
        server: address of a chroma server such as "http://127.0.0.1:8000"; empty for one in the folder.
    """

    def __init__(self, folder: Path, server: str = "") -> None:
        self._folder = folder
        self._server = server
        self._client: Any = None
        self._let_go: Callable[[], object] = lambda: None
        """Closes the client; called at the latest when nobody has this database any more."""
        self._name = COLLECTION
        self._gone: list[str] = []
        if server:
            # One server holds many desks.
            self._name += f"-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}"

    def put(self, passages: Sequence[Passage], vectors: UnitVectors, embedder: Embedder) -> None:
        """Write the passages that are new.

        Args:
            passages: all, in their order.
            vectors: of their units.
            embedder: that made them.

        Raises:
            StoreError: the database cannot be reached or written.
        """
        with self._mended():
            collection = self._collection(embedder)
            present = set(collection.get(include=[])["ids"])
            ids = _ids(vectors)
            self._gone = sorted(present.difference(ids))
            for batch in _batches([at for at, id_ in enumerate(ids) if id_ not in present]):
                chosen = [passages[at] for at in batch]
                collection.upsert(
                    ids=[ids[at] for at in batch],
                    embeddings=vectors.read(vectors.first[1:][batch] - 1),
                    documents=[passage.text for passage in chosen],
                    metadatas=[_metadata(passage) for passage in chosen],
                )

    def drop_others(self, embedder: Embedder) -> None:
        """Delete what the last `put` found and did not know.

        Raises:
            StoreError: the database cannot be reached or written.
        """
        if self._gone:
            with self._mended():
                collection = self._collection(embedder)
                for batch in _batches(self._gone):
                    collection.delete(ids=list(batch))
        self._gone = []

    def check(self) -> None:
        """See that the server answers; a database in the folder is not opened.

        Raises:
            StoreError: it does not.
        """
        if self._server:
            with self._mended():
                self._open().heartbeat()

    def close(self) -> None:
        """Let the database go, with its open files: chromadb keeps them until it is told."""
        self._client = None
        self._let_go()

    def _collection(self, embedder: Embedder) -> Any:
        """Open the collection; one that another embedder filled is dropped first."""
        client = self._open()
        wanted = {"embedder": embedder.name, "dimension": embedder.dimension}
        made = {"embedding_function": None, "metadata": wanted, "configuration": INDEX}
        collection = client.get_or_create_collection(self._name, **made)
        if (collection.metadata or {}).get("embedder") != embedder.name:
            client.delete_collection(self._name)
            collection = client.create_collection(self._name, **made)
        return collection

    def _open(self) -> Any:
        if self._client is None:
            import chromadb
            from chromadb.config import Settings

            settings = Settings(anonymized_telemetry=False)
            if self._server:
                address = urlsplit(self._server)
                secure = address.scheme == "https"
                # chromadb's own client waits for minutes where nothing answers.
                place = (address.hostname or "localhost", address.port or (443 if secure else 8000))
                socket.create_connection(place, CONNECT_S).close()
                self._client = chromadb.HttpClient(
                    host=place[0],
                    port=place[1],
                    ssl=secure,
                    settings=settings,
                )
            else:
                self._client = chromadb.PersistentClient(path=str(self._folder / "chroma"), settings=settings)
            self._let_go = weakref.finalize(self, _close, self._client)
            self._let_go.atexit = False
        return self._client

    @contextmanager
    def _mended(self) -> Iterator[None]:
        """Turn what chromadb raises into errors that say what to do."""
        try:
            yield
        except (OSError, StoreError):
            if not self._server:
                raise
            raise self._vanished() from None
        except Exception as error:  # chromadb raises its own, its Rust core's and httpx's errors
            self.close()
            if self._server:
                raise self._vanished() from error
            raise StoreError(
                f"{self._folder}: the vector database cannot be used ({error}); "
                f"delete the folder {self._folder / 'chroma'} and learn again"
            ) from error

    def _vanished(self) -> StoreError:
        self.close()
        return StoreError(
            f"the chroma server at {self._server} does not answer; start it (`chroma run`) or take its "
            "address out of the settings, then learn again; what was learnt before still answers"
        )


def _ids(vectors: UnitVectors) -> list[str]:
    """Return for each passage the id of its last unit, which is the whole of it."""
    return [f"{id_:016x}" for id_ in vectors.ids[vectors.first[1:] - 1].tolist()]


def _metadata(passage: Passage) -> dict[str, str]:
    return {
        "passage": passage.id,
        "source": passage.source,
        "title": passage.title,
        "language": passage.language,
        "kind": passage.kind,
        "updated": passage.updated,
        "tags": ",".join(passage.tags),
    }


def _batches(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))


def _close(client: Any) -> None:
    with suppress(Exception):  # one that broke down has nothing to free
        client.close()
    with suppress(AttributeError):  # those of a server leave their connections open
        for one in (client, client._admin_client):
            one._server._session.close()
