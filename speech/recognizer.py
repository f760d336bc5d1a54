"""The protocol of recognition engines, and which one is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from speech.timeline import Pcm

RECOGNITION_RATE_HZ = 16_000
"""Every recognizer stream takes 16 kHz mono."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard in one utterance."""

    text: str
    """Empty when nothing was said, or nothing that the engine trusts."""
    language: str
    """ISO 639-1, for example "en" or "zh"."""
    confidence: float
    """0..1; below `LOW_CONFIDENCE` the dialogue asks the visitor to repeat."""
    engine: str
    """Engine and model, for example "faster-whisper/base" or "pocketsphinx/desk-trigram"."""


LOW_CONFIDENCE = 0.35


class RecognizerStream(Protocol):
    """One utterance being heard; not shared between threads."""

    def feed(self, pcm: Pcm) -> None:
        """Take the next 16 kHz mono samples; returns when they have been taken in."""

    def finish(self) -> Transcript:
        """End the utterance and return what was heard."""

    def close(self) -> None:
        """Throw the utterance away; safe to call twice and after `finish`."""


class Recognizer(Protocol):
    """A recognition engine; thread-safe by running one utterance at a time."""

    engine: str
    languages: tuple[str, ...]

    def transcribe(self, pcm: Pcm, sample_rate: int) -> Transcript:
        """Recognise a whole utterance of any rate, mono (n,) or (n, channels)."""

    def stream(self) -> RecognizerStream:
        """Begin an utterance that arrives in pieces."""

    def close(self) -> None:
        """Free the engine and end its worker, if any."""
