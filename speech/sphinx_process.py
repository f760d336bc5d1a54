"""The client's end of pocketsphinx's worker process: frames over pipes, with time limits."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
import weakref
from pathlib import Path
from typing import Any

from speech.errors import EngineUnavailable, SpeechError, WorkerDied
from speech.recognizer import RECOGNITION_RATE_HZ
from speech.sphinx_worker import HEADER

START_TIMEOUT_S = 30.0
"""Until the model is loaded; it takes 0.1 to 0.7 s on an idle machine."""

REPLY_TIMEOUT_S = 10.0
"""For one answer, plus the length of the sound that it takes: decoding runs ten times faster than speech."""

CLOSE_WAIT_S = 1.0
"""How long a worker may take to end after its input closed, before it is killed."""


class SphinxProcess:
    """One worker process, running its model; asked by one thread at a time.

    Args:
        options: What the worker's first frame tells it to load.

    Raises:
        EngineUnavailable: It does not start, or cannot load the model.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        program = Path(__file__).with_name("sphinx_worker.py")
        try:
            # -P keeps the program's folder off sys.path, where its neighbours would shadow other modules.
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise EngineUnavailable(f"pocketsphinx's worker cannot be started: {error}") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self.clean = True
        self.end = weakref.finalize(self, _end, self._process)
        try:
            self.ask(b"I", json.dumps(options).encode(), timeout_s=START_TIMEOUT_S)
        except SpeechError as error:
            self.end()
            raise EngineUnavailable(
                f"pocketsphinx did not start ({error}): run `pip install --force-reinstall pocketsphinx`"
            ) from None

    @property
    def alive(self) -> bool:
        """True while the process can be asked."""
        return bool(self.end.alive) and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def ask(self, kind: bytes, body: bytes = b"", *, timeout_s: float = REPLY_TIMEOUT_S) -> bytes:
        """Send a frame and wait for the answer's body."""
        deadline = time.monotonic() + timeout_s + len(body) / (2 * RECOGNITION_RATE_HZ)
        self.clean = False
        try:
            self._write(HEADER.pack(kind, len(body)) + body, deadline)
            answer, length = HEADER.unpack(self._read(HEADER.size, deadline))
            reply = self._read(length, deadline)
        except OSError as error:
            self.end()
            raise WorkerDied(f"the recognition worker ended ({error}): say it again") from None
        except BaseException:
            self.end()  # interrupted between question and answer: the pipes are out of step
            raise
        if answer == b"F":
            self.end()
            raise WorkerDied(f"the recognition worker failed ({reply.decode()}): say it again")
        self.clean = kind in b"IWEX"
        return reply

    def ask_json(self, kind: bytes, body: bytes = b"") -> dict[str, Any]:
        """Send a frame and wait for the answer's JSON."""
        heard: dict[str, Any] = json.loads(self.ask(kind, body))
        return heard

    def _write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            _await(self._in, select.POLLOUT, deadline)
            with contextlib.suppress(BlockingIOError):
                view = view[os.write(self._in, view) :]

    def _read(self, count: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < count:
            _await(self._out, select.POLLIN, deadline)
            piece = os.read(self._out, count - len(data))
            if not piece:
                raise BrokenPipeError("it closed its output")
            data += piece
        return bytes(data)


def _await(descriptor: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1e3):
        raise TimeoutError("no answer in time")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the worker's input, which ends it; kill it if it does not; reap it."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(CLOSE_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
