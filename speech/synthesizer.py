"""The protocol of synthesis engines, and which one is used."""

from __future__ import annotations

from typing import Protocol

from speech.timeline import Speech


class Synthesizer(Protocol):
    """A voice; thread-safe by speaking one text at a time."""

    engine: str
    """Engine and voice, for example "espeak-ng/en-us" or "piper/en_US-amy-medium"."""

    def speak(
        self, text: str, *, emotion: str = "neutral", intensity: float = 1.0, language: str | None = None
    ) -> Speech:
        """Speak one sentence; `language` is ISO 639-1, None lets the engine tell from the script."""

    def close(self) -> None:
        """Free the engine and end its worker, if any."""
