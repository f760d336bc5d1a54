"""Fetching the files of a model: resumed, checked, and there only when whole."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from speech.errors import SpeechError

if TYPE_CHECKING:
    import httpx

    from speech.models import Model

ATTEMPTS = 4
"""How often a broken download is resumed before the command fails."""

MAX_REDIRECTS = 5

SPARE_BYTES = 64 << 20
"""Room that must remain on the disk after a download."""

MANIFEST = "manifest.json"
"""Names each file's size and digest; written last, so a folder with it is whole."""

Progress = Callable[[float, float], None]
"""Told the bytes fetched and the bytes of the whole model."""


class DownloadError(SpeechError):
    """A model could not be fetched; running the command again continues where it stopped."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Remote:
    """What the hub says of a file."""

    path: str
    size: int
    digest: str
    """Hexadecimal: 64 digits SHA-256, 40 digits SHA-1 of the Git blob."""
    commit: str

    @property
    def name(self) -> str:
        """File name in the cache."""
        return PurePosixPath(self.path).name


class Download:
    """One model being fetched.

    Args:
        client: Where requests go.
        address: Of the hub.
        name: In the catalogue.
        model: What to fetch.
        draft: Folder for what is not whole yet; kept when the download fails.
        folder: Where the whole model appears.
        progress: Told of the bytes.
    """

    def __init__(
        self,
        client: httpx.Client,
        address: str,
        name: str,
        model: Model,
        draft: Path,
        folder: Path,
        progress: Progress,
    ) -> None:
        self._client = client
        self._base = address if model.address else f"{address}/{model.repository}/resolve"
        self._name = name
        self._model = model
        self._draft = draft
        self._folder = folder
        self._progress = progress
        self._done = 0
        self._total = 0

    def run(self) -> Path:
        """Fetch what is not here yet; returns the model's folder."""
        remotes: list[Remote] = []
        for path in self._model.files:
            # All files from the commit that the first came from: the repository may change meanwhile.
            remotes.append(self._look_up(path, remotes[0].commit if remotes else "main"))
        self._total = sum(remote.size for remote in remotes)
        here = sum(file.stat().st_size for file in self._draft.iterdir())
        free = shutil.disk_usage(self._draft).free
        if self._total - here + SPARE_BYTES > free:
            raise DownloadError(
                f"{self._name} needs {self._total / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free in "
                f"{self._folder.parent}: make room, or set VISAVIS_MODELS to another folder"
            )
        for remote in remotes:
            self._fetch(remote)
        return self._publish(remotes)

    def _look_up(self, path: str, revision: str) -> Remote:
        if self._model.address:
            return self._look_up_elsewhere(path)
        url = f"{self._base}/{revision}/{path}"
        response = self._client.head(url)
        headers = dict(response.headers)
        # The hub sends small files from a cache of its own, by a redirect to the same host; the digest of a
        # large file stands in the redirect to its storage, which need not be followed.
        for _ in range(MAX_REDIRECTS):
            further = response.next_request
            if "x-linked-etag" in headers or further is None or further.url.host != response.url.host:
                break
            response = self._client.send(further)
            headers |= dict(response.headers)
        if response.status_code >= 400:
            raise DownloadError(f"{url} answers {response.status_code} {response.reason_phrase}: try later")
        digest = headers.get("x-linked-etag") or headers.get("etag", "")
        digest = digest.removeprefix("W/").strip('"').lower()
        size = headers.get("x-linked-size") or headers.get("content-length", "")
        if len(digest) not in (40, 64) or not size.isdigit():
            raise DownloadError(f"{url} states no size and digest: check HF_ENDPOINT ({self._base})")
        return Remote(path, int(size), digest, headers.get("x-repo-commit", revision))

    def _look_up_elsewhere(self, path: str) -> Remote:
        """A file that lies by itself: its size from the server, its digest from the catalogue."""
        url = f"{self._base}/{path}"
        response = self._client.head(url, follow_redirects=True)
        size = response.headers.get("content-length", "")
        if response.status_code >= 400 or not size.isdigit():
            raise DownloadError(f"{url} answers {response.status_code} {response.reason_phrase}: try later")
        return Remote(path, int(size), self._model.sha256, "")

    def _fetch(self, remote: Remote) -> None:
        whole = self._draft / remote.name
        if (
            whole.is_file()
            and whole.stat().st_size == remote.size
            and _digest(whole, remote) == remote.digest
        ):
            self._add(remote.size)
            return
        part = self._draft / f"{remote.name}.{remote.digest[:12]}.part"
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._append(remote, part)
            except DownloadError:
                raise
            except Exception as error:
                if attempt == ATTEMPTS or not _worth_retrying(error):
                    raise
                time.sleep(0.5 * attempt)
                continue
            break
        if _digest(part, remote) != remote.digest:
            part.unlink()
            raise DownloadError(
                f"{remote.path} arrived damaged (its checksum differs) and was removed: "
                f"run `visavis models pull {self._name}` again"
            )
        part.replace(whole)

    def _append(self, remote: Remote, part: Path) -> None:
        start = part.stat().st_size if part.is_file() else 0
        if start > remote.size:
            part.unlink()
            start = 0
        before = self._done
        self._add(start)
        if start == remote.size and start:
            return
        headers = {"Range": f"bytes={start}-"} if start else {}
        url = "/".join(part for part in (self._base, remote.commit, remote.path) if part)
        try:
            with self._client.stream("GET", url, headers=headers, follow_redirects=True) as response:
                if response.status_code not in (200, 206):
                    raise DownloadError(f"{url} answers {response.status_code}: try later")
                appending = start > 0 and response.status_code == 206
                if not appending:
                    self._done = before
                with part.open("ab" if appending else "wb") as file:
                    self._write(response, file, remote.size - (start if appending else 0))
        except BaseException:
            self._done = before
            raise
        if part.stat().st_size < remote.size:
            self._done = before
            raise ConnectionResetError("the download broke off")

    def _write(self, response: httpx.Response, file: IO[bytes], expected: int) -> None:
        for block in response.iter_raw():
            expected -= len(block)
            if expected < 0:
                raise DownloadError("the server sends more than the file holds: check HF_ENDPOINT")
            file.write(block)
            self._add(len(block))

    def _add(self, count: int) -> None:
        self._done += count
        self._progress(self._done, self._total)

    def _publish(self, remotes: list[Remote]) -> Path:
        entries = [{"name": r.name, "size": r.size, "digest": r.digest} for r in remotes]
        manifest = {
            "model": self._name,
            "repository": self._model.repository,
            "commit": remotes[0].commit,
            "licence": self._model.licence,
            "files": entries,
        }
        (self._draft / MANIFEST).write_text(json.dumps(manifest, indent=1))
        if self._folder.exists():
            shutil.rmtree(self._folder)  # it was not whole, or nothing would have been fetched
        self._draft.rename(self._folder)
        return self._folder


def _worth_retrying(error: Exception) -> bool:
    import httpx

    return isinstance(error, (httpx.TransportError, ConnectionError)) and not isinstance(
        error, (httpx.UnsupportedProtocol, httpx.ConnectError)
    )


def _digest(path: Path, remote: Remote) -> str:
    """SHA-256 of a file, or its Git blob's SHA-1 where that is what the hub states."""
    hasher = hashlib.sha256() if len(remote.digest) == 64 else hashlib.sha1(usedforsecurity=False)
    if len(remote.digest) == 40:
        hasher.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()
