"""A text that has nothing to say."""

from __future__ import annotations

import numpy as np

from speech.articulation import PAUSE
from speech.timeline import Phoneme, Speech

SILENCE_S = 0.2
"""What a text is spoken as that has nothing to say: emoji, dashes."""

_SILENCE_RATE_HZ = 22_050


def silence(text: str, language: str, engine: str, emotion: str, intensity: float) -> Speech:
    """Speak a text that has nothing to say."""
    pcm = np.zeros(int(SILENCE_S * _SILENCE_RATE_HZ), np.float32)
    pause = Phoneme(PAUSE, 0.0, len(pcm) / _SILENCE_RATE_HZ)
    return Speech(pcm, _SILENCE_RATE_HZ, (pause,), (), text, language, engine, emotion, intensity)
