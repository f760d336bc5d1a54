"""A voice in a process of its own: frames over pipes, time limits, one restart."""

from __future__ import annotations

import contextlib
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from speech.errors import EngineUnavailable, SpeechError, WorkerDied
from speech.timeline import Pcm

_FRAME = struct.Struct("<II")
"""Header length and body length in bytes, little-endian: the workers' protocol (see espeak_worker.py)."""

_MAX_HEADER_BYTES = 64 << 20
_MAX_BODY_BYTES = 1 << 30
"""Beyond these a frame is garbage, not a long text."""

_CLOSE_WAIT_S = 1.0
"""How long a worker may take to end after its input closed, before it is killed."""

_INT16_FULL_SCALE = 32768.0


@dataclass(frozen=True, slots=True)
class VoiceReply:
    """What a worker answered to one request."""

    header: Mapping[str, Any]
    pcm: Pcm
    """float32[n] in [-1, 1]."""


class VoiceWorker:
    """Starts a worker program when first needed, and asks it one thing at a time.

    Thread-safe: callers wait for their turn. A worker that dies is started once more for the same
    request; if that one dies too, the request fails.

    Args:
        script: the worker program, run by this Python as a child process.
        arguments: its command line.
        name: what to call it in messages, for example "espeak-ng".
        remedy: what brings it when it is missing; ends the message of `EngineUnavailable`.
        start_timeout_s: until its greeting.
        reply_timeout_s: for one request, whatever its length.
    """

    def __init__(
        self,
        script: Path,
        arguments: Sequence[str] = (),
        *,
        name: str,
        remedy: str,
        start_timeout_s: float = 20.0,
        reply_timeout_s: float = 30.0,
    ) -> None:
        # -P: the folder of the script stays off sys.path, so that its neighbours cannot shadow modules.
        self._command = (sys.executable, "-P", str(script), *arguments)
        self._name = name
        self._remedy = remedy
        self._start_timeout_s = start_timeout_s
        self._reply_timeout_s = reply_timeout_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._greeting: Mapping[str, Any] = {}
        self._finalizer: weakref.finalize[..., Any] | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The running worker's process id, None while there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def greeting(self) -> Mapping[str, Any]:
        """Start the worker if needed and return what it said of itself.

        Raises:
            EngineUnavailable: the engine or its model is missing.
            WorkerDied: it ended, or did not answer, while starting.
        """
        with self._lock:
            self._ensure_started()
            return self._greeting

    def ask(self, request: Mapping[str, object]) -> VoiceReply:
        """Send one request and wait for its answer.

        Raises:
            EngineUnavailable: the engine, its model or the voice that was asked for is missing.
            SpeechError: the worker refused the request.
            WorkerDied: it died twice over this request, or did not answer in time.
        """
        with self._lock:
            try:
                return self._exchange(request)
            except _EndedError:
                self._stop()
            try:
                return self._exchange(request)
            except _EndedError as ended:
                self._stop()
                raise WorkerDied(
                    f"the {self._name} voice died twice while speaking ({ended}); try again, "
                    "and if it stays so, report the text that does it"
                ) from None

    def close(self) -> None:
        """End the worker; safe to call twice. A closed worker does not start again."""
        with self._lock:
            self._closed = True
            self._stop()

    def _exchange(self, request: Mapping[str, object]) -> VoiceReply:
        self._ensure_started()
        deadline = time.monotonic() + self._reply_timeout_s
        encoded = json.dumps(request).encode()
        try:
            self._write(_FRAME.pack(len(encoded), 0) + encoded, deadline)
            header, body = self._read_frame(deadline)
        except TimeoutError:
            self._stop()
            raise WorkerDied(
                f"the {self._name} voice did not answer within {self._reply_timeout_s:g} s and was ended; "
                "try again with a shorter text"
            ) from None
        except BaseException:
            # Interrupted between question and answer (Ctrl-C, for example): the stream is out of step.
            self._stop()
            raise
        if not header.get("ok"):
            message = str(header.get("message", "no reason given"))
            if header.get("code") == "voice":
                raise EngineUnavailable(f"{message}; choose another voice")
            raise SpeechError(f"the {self._name} voice refused the text: {message}")
        return VoiceReply(header, _decode(body, str(header.get("format", "s16le"))))

    def _ensure_started(self) -> None:
        if self._closed:
            raise SpeechError(f"the {self._name} voice was closed; load a new synthesizer")
        if self._process is not None and self._process.poll() is None:
            return
        self._stop()
        try:
            process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise EngineUnavailable(
                f"the {self._name} voice cannot be started: {error}; {self._remedy}"
            ) from None
        assert process.stdin is not None
        assert process.stdout is not None
        os.set_blocking(process.stdin.fileno(), False)
        os.set_blocking(process.stdout.fileno(), False)
        self._process = process
        self._finalizer = weakref.finalize(self, _end, process)
        try:
            header, _ = self._read_frame(time.monotonic() + self._start_timeout_s)
        except (_EndedError, TimeoutError) as error:
            self._stop()
            raise WorkerDied(f"the {self._name} voice did not start ({error}); {self._remedy}") from None
        except BaseException:
            self._stop()
            raise
        if not header.get("ok"):
            self._stop()
            raise EngineUnavailable(f"{self._name}: {header.get('message', 'unavailable')}; {self._remedy}")
        self._greeting = header

    def _write(self, data: bytes, deadline: float) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        descriptor = self._process.stdin.fileno()
        view = memoryview(data)
        while view:
            _await(descriptor, select.POLLOUT, deadline)
            try:
                view = view[os.write(descriptor, view) :]
            except BlockingIOError:
                continue
            except OSError:
                raise _EndedError(self._fate()) from None

    def _read_frame(self, deadline: float) -> tuple[dict[str, Any], bytes]:
        header_bytes, body_bytes = _FRAME.unpack(self._read(_FRAME.size, deadline))
        if header_bytes > _MAX_HEADER_BYTES or body_bytes > _MAX_BODY_BYTES:
            raise _EndedError("it sent something that is no frame")
        try:
            header = json.loads(self._read(header_bytes, deadline))
        except ValueError:
            raise _EndedError("it sent something that is no frame") from None
        return header, self._read(body_bytes, deadline)

    def _read(self, count: int, deadline: float) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        data = bytearray()
        while len(data) < count:
            _await(descriptor, select.POLLIN, deadline)
            try:
                piece = os.read(descriptor, min(count - len(data), 1 << 20))
            except BlockingIOError:
                continue
            if not piece:
                raise _EndedError(self._fate())
            data += piece
        return bytes(data)

    def _fate(self) -> str:
        assert self._process is not None
        try:
            return f"exit status {self._process.wait(_CLOSE_WAIT_S)}"
        except subprocess.TimeoutExpired:
            return "it closed its output"

    def _stop(self) -> None:
        if self._finalizer is not None:
            self._finalizer()
        self._finalizer = None
        self._process = None


class _EndedError(Exception):
    """The worker closed its end of the pipe."""


def _await(descriptor: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000.0):
        raise TimeoutError("no answer in time")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the worker's input, which ends it; kill it if it does not; reap it."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # a broken pipe has nothing left to flush
                pipe.close()
    try:
        process.wait(_CLOSE_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _decode(body: bytes, layout: str) -> Pcm:
    if layout == "f32le":
        return np.frombuffer(body, "<f4").astype(np.float32)
    return np.frombuffer(body, "<i2").astype(np.float32) / np.float32(_INT16_FULL_SCALE)
