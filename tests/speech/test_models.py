"""Models are fetched from a real local server: resumed, checked, and there only when whole."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from speech import download, models
from speech.download import DownloadError
from speech.errors import EngineUnavailable
from speech.models import CATALOGUE, Model, cache_dir, find, hub_answers, pull

BIG = np.random.default_rng(0).bytes(700_000)
SMALL = b'{"sample_rate": 22050}\n'
CONTENTS = {"config.json": SMALL, "deep/model.bin": BIG}
COMMIT = "c" * 40


@dataclass
class Hub:
    """A hub that behaves as told, and remembers what it was asked."""

    address: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """(method, path, Range)"""
    cut_after: int | None = None
    """Bytes after which the next download breaks off."""
    damaged: bool = False
    status: int = 200
    ranges: bool = True
    digests: bool = True

    def downloads(self) -> list[str]:
        return [
            ranged for method, path, ranged in self.asked if method == "GET" and path.endswith("model.bin")
        ]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    monkeypatch.setenv("VISAVIS_MODELS", str(tmp_path / "models"))
    monkeypatch.setitem(CATALOGUE, "toy", Model("me/toy", tuple(CONTENTS), 0.7, "MIT", "tests"))
    monkeypatch.setattr(download.time, "sleep", lambda _: None)
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Stay silent."""

        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, *, with_body: bool) -> None:
            ranged = self.headers.get("Range", "")
            hub.asked.append((self.command, self.path, ranged))
            name = re.sub(r"^/(cdn|me/toy/resolve/[^/]+)/", "", self.path)
            data = CONTENTS.get(name)
            if hub.status != 200 or data is None:
                self.send_response(404 if data is None else hub.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if not self.path.startswith("/cdn"):
                # As the public hub does: the digest of a large file stands in a redirect to its storage.
                self.send_response(302)
                if hub.digests and name.endswith(".bin"):
                    self.send_header("X-Linked-Etag", f'"{hashlib.sha256(data).hexdigest()}"')
                    self.send_header("X-Linked-Size", str(len(data)))
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("Location", f"/cdn/{name}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = int(ranged.removeprefix("bytes=").rstrip("-")) if ranged and hub.ranges else 0
            body = data[start:]
            self.send_response(206 if start else 200)
            if hub.digests:
                blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
                self.send_header("ETag", f'"{blob}"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not with_body:
                return
            if hub.damaged:
                body = body[:-1] + bytes([body[-1] ^ 1])
            if hub.cut_after is not None and name.endswith(".bin"):
                body, hub.cut_after = body[: hub.cut_after], None
                self.close_connection = True
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        hub.address = f"http://127.0.0.1:{listening.server_port}"
        yield hub
        listening.shutdown()
        thread.join()
    models._answers.cache_clear()


def test_a_model_is_fetched_checked_and_found(server: Hub) -> None:
    assert find("toy") is None
    seen: list[tuple[float, float]] = []
    folder = pull("toy", base_url=server.address, progress=lambda done, total: seen.append((done, total)))
    assert folder == find("toy") == cache_dir() / "toy"
    assert (folder / "model.bin").read_bytes() == BIG
    assert (folder / "config.json").read_bytes() == SMALL
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["commit"] == COMMIT
    assert manifest["files"][1]["digest"] == hashlib.sha256(BIG).hexdigest()
    assert seen[-1] == (len(BIG) + len(SMALL), len(BIG) + len(SMALL))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert all(COMMIT in path for method, path, _ in server.asked if method == "GET" and "resolve" in path)


def test_a_model_that_is_here_is_not_fetched_again(server: Hub) -> None:
    pull("toy", base_url=server.address)
    server.asked.clear()
    pull("toy", base_url=server.address)
    assert server.asked == []


def test_a_download_that_breaks_off_is_resumed_at_once(server: Hub) -> None:
    server.cut_after = 300_000
    pull("toy", base_url=server.address)
    assert "bytes=300000-" in server.downloads()
    assert (cache_dir() / "toy" / "model.bin").read_bytes() == BIG


def test_a_later_run_continues_where_the_one_before_stopped(
    server: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    server.cut_after = 300_000
    with pytest.raises(DownloadError, match="visavis models pull toy"):
        pull("toy", base_url=server.address)
    assert find("toy") is None
    assert not (cache_dir() / "toy").exists()
    server.asked.clear()
    seen: list[float] = []
    pull("toy", base_url=server.address, progress=lambda done, _: seen.append(done))
    assert server.downloads()[0] == "bytes=300000-"
    assert (cache_dir() / "toy" / "model.bin").read_bytes() == BIG
    assert seen[-1] == len(BIG) + len(SMALL)


def test_a_server_that_cannot_resume_is_asked_for_everything(server: Hub) -> None:
    server.cut_after, server.ranges = 300_000, False
    pull("toy", base_url=server.address)
    assert (cache_dir() / "toy" / "model.bin").read_bytes() == BIG


def test_a_damaged_file_is_thrown_away(server: Hub) -> None:
    server.damaged = True
    with pytest.raises(DownloadError, match="checksum differs"):
        pull("toy", base_url=server.address)
    assert find("toy") is None
    server.damaged = False
    assert (pull("toy", base_url=server.address) / "model.bin").read_bytes() == BIG


@pytest.mark.parametrize("status", [404, 429, 503])
def test_an_error_of_the_server_is_told(server: Hub, status: int) -> None:
    server.status = status
    with pytest.raises(DownloadError, match=str(status)):
        pull("toy", base_url=server.address)


def test_a_server_without_digests_is_refused(server: Hub) -> None:
    server.digests = False
    with pytest.raises(DownloadError, match="no size and digest"):
        pull("toy", base_url=server.address)


def test_a_server_that_is_not_there_is_told(server: Hub) -> None:
    with pytest.raises(DownloadError, match="check the network"):
        pull("toy", base_url="http://127.0.0.1:9")
    with pytest.raises(DownloadError, match="cannot be reached"):
        pull("toy", base_url="not an address")


def test_a_full_disk_is_told_before_anything_is_fetched(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DownloadError, match=r"needs 1 MB.*make room"):
        pull("toy", base_url=server.address)
    assert server.downloads() == []


def test_a_folder_that_cannot_be_written_is_told(
    server: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VISAVIS_MODELS", str(tmp_path / "file"))
    with pytest.raises(DownloadError, match="cannot be written"):
        pull("toy", base_url=server.address)


def test_two_processes_do_not_fetch_the_same_model(server: Hub) -> None:
    with models._draft("toy"), pytest.raises(DownloadError, match="another process"):
        pull("toy", base_url=server.address)


def test_a_model_that_lost_a_file_is_not_found_and_is_fetched_again(server: Hub) -> None:
    folder = pull("toy", base_url=server.address)
    (folder / "model.bin").write_bytes(BIG[:100])
    assert find("toy") is None
    assert (pull("toy", base_url=server.address) / "model.bin").read_bytes() == BIG


def test_a_model_that_was_copied_by_hand_is_found(server: Hub) -> None:
    folder = cache_dir() / "toy"
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(SMALL)
    assert find("toy") is None
    (folder / "model.bin").write_bytes(BIG)
    assert find("toy") == folder


def test_a_model_that_lies_elsewhere_is_checked_against_the_catalogue(
    server: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(digest: str) -> Model:
        return Model(
            "me/far", ("deep/model.bin",), 1, "MIT", "tests", address=f"{server.address}/cdn", sha256=digest
        )

    server.digests = False
    monkeypatch.setitem(CATALOGUE, "far", elsewhere("0" * 64))
    with pytest.raises(DownloadError, match="checksum differs"):
        pull("far")
    assert find("far") is None
    monkeypatch.setitem(CATALOGUE, "far", elsewhere(hashlib.sha256(BIG).hexdigest()))
    server.cut_after = 300_000
    assert (pull("far") / "model.bin").read_bytes() == BIG
    assert "bytes=300000-" in server.downloads()
    server.status = 503
    monkeypatch.setitem(CATALOGUE, "near", elsewhere("0" * 64))
    with pytest.raises(DownloadError, match="503"):
        pull("near")


def test_an_unknown_model_is_refused_by_naming_the_known() -> None:
    assert find("whisper-colossal") is None
    with pytest.raises(EngineUnavailable, match="whisper-base"):
        pull("whisper-colossal")


def test_the_hub_is_asked_once_and_never_when_offline(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    for name in ("VISAVIS_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "1")
        assert hub_answers() is False
        monkeypatch.delenv(name)
    assert server.asked == []
    assert hub_answers() is True
    assert hub_answers() is True
    assert len(server.asked) == 1


def test_a_hub_that_is_not_there_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("VISAVIS_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert hub_answers() is False


def test_every_model_of_the_catalogue_states_licence_purpose_and_files() -> None:
    for name, model in CATALOGUE.items():
        assert model.licence, name
        assert model.purpose, name
        assert len(set(model.names())) == len(model.files), name
        assert model.size_mb > 1, name
