"""A voice that says the same sentence only once: what was said before is remembered."""

from __future__ import annotations

from functools import lru_cache

from speech.synthesizer import Synthesizer
from speech.timeline import Speech

REMEMBERED = 128
"""Sentences; some 40 MB. A desk says the same ones again and again."""


class RememberedVoice:
    """Speaks as another voice does.

    Args:
        voice: asked for what was not said lately.
    """

    def __init__(self, voice: Synthesizer) -> None:
        self.engine = voice.engine
        self._voice = voice
        self._speak = lru_cache(REMEMBERED)(self._spoken)

    def speak(
        self,
        text: str,
        *,
        emotion: str = "neutral",
        intensity: float = 1.0,
        language: str | None = None,
        pace: float = 1.0,
    ) -> Speech:
        """Speak a text; see `speech.synthesizer.Synthesizer`."""
        return self._speak(text, emotion, intensity, language, pace)

    def warm(self) -> None:
        """Load what the first sentence would wait for."""
        self._voice.warm()

    def close(self) -> None:
        """End the voice."""
        self._voice.close()

    def _spoken(self, text: str, emotion: str, intensity: float, language: str | None, pace: float) -> Speech:
        return self._voice.speak(text, emotion=emotion, intensity=intensity, language=language, pace=pace)
