"""A real chroma server on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from knowledge import KnowledgeBase, StoreError


@contextmanager
def chroma(folder: Path, port: int) -> Iterator[str]:
    command = [Path(sys.executable).with_name("chroma"), "run", "--path", folder, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(300):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None, "chroma does not start"
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_server_holds_the_vectors_and_its_end_stops_learning_only(tmp_path: Path, port: int) -> None:
    import chromadb

    with chroma(tmp_path / "server", port) as url:
        base = KnowledgeBase.open(tmp_path / "index", server=url)
        base.add_texts([("a", "Cats sleep sixteen hours."), ("b", "Dogs like long walks.")])
        other = KnowledgeBase.open(tmp_path / "other", server=url)
        other.add_texts([("c", "Fish swim.")])
        client = chromadb.HttpClient(host="127.0.0.1", port=port)
        assert sorted(one.count() for one in client.list_collections()) == [1, 2]
        base.remove(["b"])
        assert sorted(one.count() for one in client.list_collections()) == [1, 1]
        base.close()
        other.close()
        assert not (tmp_path / "index" / "chroma").exists()
    digest = base.digest()
    with pytest.raises(StoreError, match="does not answer; start it"):
        base.add_texts([("d", "Cows eat grass.")])
    again = KnowledgeBase.open(tmp_path / "index", server=url)
    assert again.search("how long do cats sleep")[0].id == "a"
    assert again.digest() == digest
    with chroma(tmp_path / "server", port):
        again.add_texts([("d", "Cows eat grass.")])
        assert again.search("what do cows eat")[0].id == "d"


def test_the_database_in_the_folder_holds_one_vector_a_passage(tmp_path: Path) -> None:
    import chromadb
    from chromadb.config import Settings

    base = KnowledgeBase.open(tmp_path)
    base.add_texts([(f"t{n}", f"Text number {n} about lamps.\n\nIt has two paragraphs.") for n in range(5)])
    base.remove(["t1"])
    base.close()
    settings = Settings(anonymized_telemetry=False)
    client = chromadb.PersistentClient(path=str(tmp_path / "chroma"), settings=settings)
    collection = client.get_collection("passages")
    held = collection.get(include=["metadatas"])
    assert sorted(str(item["passage"]) for item in held["metadatas"] or ()) == ["t0", "t2", "t3", "t4"]
