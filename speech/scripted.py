"""A recognizer that hears what it is told to: for tests, evaluations and load."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from numpy.typing import ArrayLike

from speech.audio import to_mono_16k
from speech.errors import SpeechError
from speech.recognizer import RECOGNITION_RATE_HZ, Transcript
from speech.timeline import Pcm

AUDIBLE = 0.01
"""Peak below which the scripted ear hears nothing: a scripted voice is louder, silence and dither are not."""


class ScriptedRecognizer:
    """Hears the given texts one after the other, whatever is said; hears "" in silence.

    Args:
        texts: What is heard; a `Transcript` sets language and confidence too. After the last, "" is heard.
        confidence: Of plain texts.
    """

    engine = "scripted"

    def __init__(
        self,
        texts: Iterable[str | Transcript] = (),
        *,
        languages: tuple[str, ...] = ("en",),
        confidence: float = 1.0,
    ) -> None:
        self.languages = languages
        self._texts: Iterator[str | Transcript] = iter(tuple(texts))
        self._confidence = confidence
        self._lock = threading.Lock()
        self._closed = False

    def transcribe(self, pcm: ArrayLike, sample_rate: int) -> Transcript:
        """Hear the next text, unless the sound is silent."""
        return self._hear(float(abs(to_mono_16k(pcm, sample_rate)).max(initial=0.0)))

    def stream(self) -> ScriptedStream:
        """Begin an utterance."""
        return ScriptedStream(self)

    def warm(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Refuse to hear any more."""
        self._closed = True

    def _hear(self, peak: float) -> Transcript:
        if self._closed:
            raise SpeechError("the recognizer was closed: load a new one")
        silent = Transcript("", self.languages[0], 0.0, self.engine)
        if peak < AUDIBLE:
            return silent
        with self._lock:
            text = next(self._texts, silent)
        if isinstance(text, Transcript):
            return text
        return Transcript(text, self.languages[0], self._confidence, self.engine)


class ScriptedStream:
    """One utterance of a scripted recognizer."""

    def __init__(self, recognizer: ScriptedRecognizer) -> None:
        self._recognizer = recognizer
        self._peak = 0.0
        self._ended = False
        self.heard_s = 0.0
        """Sound that was fed, in seconds."""

    def feed(self, pcm: Pcm) -> None:
        """Take the next 16 kHz mono samples."""
        if self._ended:
            raise SpeechError("the utterance has ended: begin another stream")
        self._peak = max(self._peak, float(abs(pcm).max(initial=0.0)))
        self.heard_s += len(pcm) / RECOGNITION_RATE_HZ

    def finish(self) -> Transcript:
        """End the utterance and hear the next text, unless it was silent."""
        if self._ended:
            raise SpeechError("the utterance has ended: begin another stream")
        self._ended = True
        return self._recognizer._hear(self._peak)

    def close(self) -> None:
        """Throw the utterance away."""
        self._ended = True
