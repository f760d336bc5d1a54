"""What was spoken and when: the one piece of `speech` that `avatar` may import."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.float32]
"""Mono sound, float32[n] in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One sound of speech on the timeline."""

    symbol: str
    """IPA, without stress marks; a pause is the empty string."""
    start_s: float
    end_s: float
    stress: int = 0
    """0 unstressed, 1 secondary, 2 primary; carried by vowels."""


@dataclass(frozen=True, slots=True)
class Word:
    """One written word (one character in Chinese) on the timeline."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Speech:
    """Synthesised sound with the timeline that drives lips, captions and memory."""

    pcm: Pcm
    sample_rate: int
    """Hz, the engine's own rate."""
    phonemes: tuple[Phoneme, ...]
    """In time order, gapless from 0 to `duration_s`: pauses are phonemes with an empty symbol."""
    words: tuple[Word, ...] = ()
    text: str = ""
    """What was asked for, as written."""
    language: str = "en"
    engine: str = ""
    emotion: str = "neutral"
    intensity: float = field(default=1.0)
    """0..1, how strongly the emotion was applied."""

    @property
    def duration_s(self) -> float:
        """Length of the sound in seconds."""
        return len(self.pcm) / self.sample_rate
