"""Recognition with pocketsphinx: English only, always there, best with a desk's own language model.

Each utterance runs in a worker process (sphinx_worker.py); as many workers live as utterances have run at the
same time, up to a limit.
"""

from __future__ import annotations

import contextlib
import math
import threading
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from speech.audio import to_mono_16k
from speech.errors import SpeechError, WorkerDied
from speech.recognizer import RECOGNITION_RATE_HZ, Transcript
from speech.spelled import with_numbers
from speech.sphinx_process import SphinxProcess
from speech.timeline import Pcm, Word
from speech.trigram import LanguageFiles
from speech.vad import VadSettings, speech_segments

CMN_PRIOR = (53.4, 5.1, -4.7, 11.7, -12.6, -0.8, -8.1, -7.1, -2.4, -3.2, 0.9, -1.2, -0.8)
"""Usual cepstral mean at 16 kHz: half of recordings of people, half of synthetic voices."""

MARGIN_S = 0.3
"""Sound kept before and after speech in a whole utterance: soft onsets and endings lie there."""

HEARABLE = VadSettings(speech_s=0.1)
"""What passes as speech at all: a "no" of 0.15 s must; noises do not at any length."""

MAX_WORKERS = 8
"""Utterances heard at the same time; each worker takes about 60 MB."""

WAIT_FOR_WORKER_S = 10.0


def confidence_of(
    words: Sequence[tuple[str, float, float]], desk_words: frozenset[str] = frozenset()
) -> float:
    """How likely at least half of an utterance's words were heard right.

    Args:
        words: (word, posterior 0..1, ln P of the language model).
        desk_words: The desk's own words; empty when there is no desk model.

    Returns:
        0..1: a logistic function, fitted on customers' questions in synthetic voices, right or misheard, and
        on speech about other things, recorded and synthetic.
    """
    if not words:
        return 0.0
    posterior = sum(word[1] for word in words) / len(words)
    likely = max(-10.0, sum(word[2] for word in words) / len(words))
    foreign = sum(word[0] not in desk_words for word in words) / len(words) if desk_words else 0.0
    score = -1.94 + 6.02 * posterior + 0.43 * likely + 5.85 / len(words) - 4.02 * foreign
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
        self._desk_words = language.words if language else frozenset[str]()
        self._options = {
            "lm": str(language.model) if language else None,
            "dict": str(language.dictionary) if language else None,
            "cmn_prior": CMN_PRIOR,
        }
        self._places = threading.BoundedSemaphore(max_workers)
        self._lock = threading.Lock()
        self._idle: list[SphinxProcess] = []
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
            return self._whole(sound[start:end], start)
        except WorkerDied:
            return self._whole(sound[start:end], start)

    def _whole(self, sound: Pcm, first: int) -> Transcript:
        worker = self._take()
        try:
            heard = worker.ask_json(b"W", _int16(sound))
            return self._transcript(heard, first / RECOGNITION_RATE_HZ)
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

    def _take(self) -> SphinxProcess:
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
            return SphinxProcess(self._options)
        except BaseException:
            self._places.release()
            raise

    def _give(self, worker: SphinxProcess) -> None:
        self._places.release()
        with self._lock:
            if worker.alive and not self._closed:
                self._idle.append(worker)
                return
        worker.end()

    def _transcript(self, heard: dict[str, Any], from_s: float = 0.0) -> Transcript:
        words = [(str(word), float(posterior), float(ln_p)) for word, posterior, ln_p, *_ in heard["words"]]
        times = tuple(Word(str(each[0]), each[3] + from_s, each[4] + from_s) for each in heard["words"])
        text = with_numbers(" ".join(word for word, _, _ in words))
        ending = min((posterior for _, posterior, _ in words[-2:]), default=None)
        return Transcript(text, "en", confidence_of(words, self._desk_words), self.engine, ending, times)


class SphinxStream:
    """One utterance that a worker hears while it is spoken."""

    def __init__(self, recognizer: SphinxRecognizer, worker: SphinxProcess) -> None:
        self._recognizer = recognizer
        self._worker: SphinxProcess | None = worker
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


def _give_back(recognizer: SphinxRecognizer, worker: SphinxProcess) -> None:
    if worker.alive and not worker.clean:
        with contextlib.suppress(SpeechError):
            worker.ask(b"X")
    recognizer._give(worker)


def _int16(pcm: Pcm) -> bytes:
    return (np.clip(pcm, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
