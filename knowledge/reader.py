"""Reading files: limits on size and time, and a process of its own for formats that can do harm."""

from __future__ import annotations

import datetime
import json
import os
import select
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from knowledge.document import Document, unknown_type
from knowledge.errors import DocumentError
from knowledge.readers import SUFFIXES
from knowledge.readers.given import Given
from knowledge.readers.worker import SIZES, from_wire, read_given

MOST_BYTES = 100_000_000
"""Of any file: a manual with its pictures, or 200,000 questions with answers."""
MOST_TEXT_BYTES = 8_000_000
"""Of running text: a thousand help pages. More is an export that should be split first."""
TIME_LIMIT_S = 60.0
"""For one document, and half a second more for each megabyte: the largest manuals take half a minute."""
START_LIMIT_S = 30.0
NEAR_BYTES = 200_000
"""Text up to this size is read without the process."""
_TEXT = ("markdown", "plain")
_WORDS = ("markdown", "plain", "html")


def load(file: Path, source: str) -> Given:
    """Read a file's bytes.

    Raises:
        DocumentError: it is too large, of an unknown type, or cannot be opened.
    """
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise DocumentError(unknown_type(source))
    try:
        with file.open("rb") as stream:
            found = os.fstat(stream.fileno())
            check_size(found.st_size, suffix, source)
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise DocumentError(
            f"{source}: cannot be read ({error.strerror}); check the file's permissions"
        ) from error
    check_size(len(data), suffix, source)
    updated = datetime.datetime.fromtimestamp(found.st_mtime, datetime.UTC).date().isoformat()
    return Given(data, source, suffix, updated=updated)


def check_size(size: int, suffix: str, source: str) -> None:
    """See that a document is not too large.

    Raises:
        DocumentError: it is.
    """
    most = MOST_TEXT_BYTES if SUFFIXES.get(suffix) in _WORDS else MOST_BYTES
    if size > most:
        raise DocumentError(
            f"{source}: {size / 1e6:.1f} MB is more than {most // 1_000_000} MB; split the file"
        )


def read_document(file: Path, source: str) -> Document:
    """Read one file.

    Raises:
        DocumentError: it cannot be read; the message says why and what to do.
    """
    with Reader() as reader:
        return reader.read(load(file, source))


class Reader:
    """Reads documents one after the other; use it as a context manager. For one thread.

    Args:
        time_limit_s: for one document.
    """

    def __init__(self, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._time_limit_s = time_limit_s
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, given: Given) -> Document:
        """Read a document.

        Raises:
            DocumentError: it cannot be read.
        """
        if SUFFIXES.get(given.suffix) in _TEXT and len(given.data) <= NEAR_BYTES:
            return read_given(given)
        head = {name: value for name, value in asdict(given).items() if name != "data"}
        limit = self._time_limit_s + len(given.data) / 2e6
        try:
            reply = self._ask(json.dumps(head).encode(), given.data, limit)
        except _LateError:
            self._kill()
            raise DocumentError(
                f"{given.source}: reading took longer than {limit:.0f} s and was stopped; "
                "split it or save it in another format"
            ) from None
        except (OSError, EOFError, ValueError):
            self._kill()
            raise DocumentError(
                f"{given.source}: the reader broke down over it; save it again in its program, "
                "or in another format"
            ) from None
        if "error" in reply:
            raise DocumentError(str(reply["error"]))
        return from_wire(reply["document"])

    def close(self) -> None:
        """End the process."""
        self._kill()

    def _ask(self, head: bytes, data: bytes, limit_s: float) -> dict[str, Any]:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        deadline = time.monotonic() + limit_s + START_LIMIT_S
        out = memoryview(SIZES.pack(len(head), len(data)) + head + data)
        descriptor = process.stdin.fileno()
        while out:
            _await(descriptor, select.POLLOUT, deadline)
            out = out[os.write(descriptor, out[: 1 << 16]) :]
        deadline = time.monotonic() + limit_s
        size, _ = SIZES.unpack(_receive(process.stdout.fileno(), SIZES.size, deadline))
        reply: dict[str, Any] = json.loads(_receive(process.stdout.fileno(), size, deadline))
        return reply

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._kill()
            paths = [os.path.abspath(path) for path in sys.path if path] + [str(Path(__file__).parents[1])]
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "knowledge.readers.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                start_new_session=True,  # a Ctrl-C is answered by the parent alone
            )
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)
        return self._process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.kill()
        process.wait()


class _LateError(Exception):
    """The process did not answer in time."""


def _await(descriptor: int, event: int, deadline: float) -> None:
    poll = select.poll()  # select() knows no descriptor over 1,023: a server with its visitors has more
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000.0):
        raise _LateError


def _receive(descriptor: int, size: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    left = size
    while left:
        _await(descriptor, select.POLLIN, deadline)
        part = os.read(descriptor, min(left, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
