"""Recognition with pocketsphinx: English only, always there, best with a desk's own language model.

Each utterance runs in a worker process (sphinx_worker.py); as many workers live as utterances have run at the
same time, up to a limit.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from speech.audio import to_mono_16k
from speech.errors import EngineUnavailable, SpeechError, WorkerDied
from speech.recognizer import RECOGNITION_RATE_HZ, Transcript
from speech.spelled import with_numbers
from speech.sphinx_worker import HEADER
from speech.timeline import Pcm
from speech.trigram import LanguageFiles
from speech.vad import VadSettings, speech_segments

CMN_PRIOR = (53.4, 5.1, -4.7, 11.7, -12.6, -0.8, -8.1, -7.1, -2.4, -3.2, 0.9, -1.2, -0.8)
"""Usual cepstral mean at 16 kHz: half of recordings of people, half of synthetic voices."""

START_TIMEOUT_S = 30.0
"""Until the model is loaded; it takes 0.1 to 0.7 s on an idle machine."""

REPLY_TIMEOUT_S = 10.0
"""For one answer, plus the length of the sound that it takes: decoding runs ten times faster than speech."""

CLOSE_WAIT_S = 1.0
"""How long a worker may take to end after its input closed, before it is killed."""

MARGIN_S = 0.3
"""Sound kept before and after speech in a whole utterance: soft onsets and endings lie there."""

HEARABLE = VadSettings(speech_s=0.1)
"""What passes as speech at all: a "no" of 0.15 s must; noises do not at any length."""

MAX_WORKERS = 8
"""Utterances heard at the same time; each worker takes about 60 MB."""

WAIT_FOR_WORKER_S = 10.0


def confidence_of(words: Sequence[tuple[str, float, float]]) -> float:
    """How likely an utterance was heard mostly right.

    Args:
        words: (word, posterior 0..1, ln P of the language model).

    Returns:
        0..1, a logistic function fitted on customers' questions against foreign and misheard speech.
    """
    if not words:
        return 0.0
    posterior = sum(word[1] for word in words) / len(words)
    likely = max(-10.0, sum(word[2] for word in words) / len(words))
    score = 2.1 + 5.3 * posterior + 1.4 * likely + 6.6 / len(words)
    return 1.0 / (1.0 + math.exp(-score))


class SphinxRecognizer:
    """pocketsphinx with a desk's language model, or with its general English one.

    Args:
        language: The desk's model; None takes the general one, which hears questions worse.
        max_workers: Utterances that may be heard at the same time.
    """

    languages: tuple[str, ...] = ("en",)

    def __init__(self, language: LanguageFiles | None = None, *, max_workers: int = MAX_WORKERS) -> None:
        self.engine = "pocketsphinx/desk-trigram" if language else "pocketsphinx/en-us"
        self._options = {
            "lm": str(language.model) if language else None,
            "dict": str(language.dictionary) if language else None,
            "cmn_prior": CMN_PRIOR,
        }
        self._places = threading.BoundedSemaphore(max_workers)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._closed = False

    def warm(self) -> None:
        """Start a worker, so that the first utterance does not wait for the model."""
        self._give(self._take())

    def transcribe(self, pcm: ArrayLike, sample_rate: int) -> Transcript:
        """Recognise a whole utterance; heard a second time when a worker died over it.

        Raises:
            AudioError: The sound cannot be used.
            WorkerDied: The worker died twice.
        """
        sound = to_mono_16k(pcm, sample_rate)
        segments = speech_segments(sound, HEARABLE)
        if not segments:
            return self._transcript({"words": []})
        start = max(0, int((segments[0][0] - MARGIN_S) * RECOGNITION_RATE_HZ))
        end = int((segments[-1][1] + MARGIN_S) * RECOGNITION_RATE_HZ)
        try:
            return self._whole(sound[start:end])
        except WorkerDied:
            return self._whole(sound[start:end])

    def _whole(self, sound: Pcm) -> Transcript:
        worker = self._take()
        try:
            return self._transcript(worker.ask_json(b"W", _int16(sound)))
        finally:
            self._give(worker)

    def stream(self) -> SphinxStream:
        """Begin an utterance that arrives in pieces; close it, or another may have to wait for its worker."""
        worker = self._take()
        try:
            worker.ask(b"B")
        except BaseException:
            self._give(worker)
            raise
        return SphinxStream(self, worker)

    def close(self) -> None:
        """End the workers; those that still hear end when their utterance does."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    def _take(self) -> _Worker:
        if not self._places.acquire(timeout=WAIT_FOR_WORKER_S):
            raise WorkerDied("all recognition workers are busy: try again, or raise max_workers")
        try:
            with self._lock:
                if self._closed:
                    raise SpeechError("the recognizer was closed: load a new one")
                while self._idle:
                    worker = self._idle.pop()
                    if worker.alive:
                        return worker
                    worker.end()
            return _Worker(self._options)
        except BaseException:
            self._places.release()
            raise

    def _give(self, worker: _Worker) -> None:
        self._places.release()
        with self._lock:
            if worker.alive and not self._closed:
                self._idle.append(worker)
                return
        worker.end()

    def _transcript(self, heard: dict[str, Any]) -> Transcript:
        words = [(str(word), float(posterior), float(ln_p)) for word, posterior, ln_p in heard["words"]]
        text = with_numbers(" ".join(word for word, _, _ in words))
        return Transcript(text, "en", confidence_of(words), self.engine)


class SphinxStream:
    """One utterance that a worker hears while it is spoken."""

    def __init__(self, recognizer: SphinxRecognizer, worker: _Worker) -> None:
        self._recognizer = recognizer
        self._worker: _Worker | None = worker
        self._pieces: list[Pcm] = []
        # An abandoned stream must not keep its worker for ever.
        self._return = weakref.finalize(self, _give_back, recognizer, worker)

    def feed(self, pcm: Pcm) -> None:
        """Take the next 16 kHz mono samples; returns when they are decoded.

        Raises:
            WorkerDied: The worker ended; say the utterance again on a new stream.
        """
        if self._worker is None:
            raise SpeechError("the utterance has ended: begin another stream")
        if len(pcm):
            self._pieces.append(pcm)
            self._worker.ask(b"A", _int16(pcm))

    def finish(self) -> Transcript:
        """End the utterance; empty when the voice activity detector finds no speech in it.

        Raises:
            WorkerDied: The worker ended; say the utterance again on a new stream.
        """
        if self._worker is None:
            raise SpeechError("the utterance has ended: begin another stream")
        sound = np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.float32)
        try:
            if not speech_segments(sound, HEARABLE):
                return self._recognizer._transcript({"words": []})
            heard = self._worker.ask_json(b"E")
            self._worker.clean = True
            return self._recognizer._transcript(heard)
        finally:
            self.close()

    def close(self) -> None:
        """Give the worker back; safe to call twice and after `finish`."""
        self._worker = None
        self._pieces = []
        self._return()


def _give_back(recognizer: SphinxRecognizer, worker: _Worker) -> None:
    if worker.alive and not worker.clean:
        with contextlib.suppress(SpeechError):
            worker.ask(b"X")
    recognizer._give(worker)


def _int16(pcm: Pcm) -> bytes:
    return (np.clip(pcm, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()


class _Worker:
    """The client's end of one worker process; one thread at a time."""

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
