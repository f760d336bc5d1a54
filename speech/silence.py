"""A text that has nothing to say."""

from __future__ import annotations

import numpy as np

from speech.articulation import PAUSE
from speech.timeline import Phoneme, Speech

SILENCE_S = 0.2
"""What a text is spoken as that has nothing to say: emoji, dashes."""
_READ_S = {"zh": 0.2}
"""How long a character takes to be read: as fast as subtitles go."""
_READ_LATIN_S = 0.065
_SHORTEST_S = 1.5
"""No subtitle is shown more briefly."""

_SILENCE_RATE_HZ = 22_050


def unspoken(text: str, language: str) -> Speech:
    """Return silence in which a text can be read that no voice says."""
    read_s = max(_SHORTEST_S, len(text) * _READ_S.get(language, _READ_LATIN_S))
    return silence(text, language, "none", "neutral", 0.0, read_s)


def silence(
    text: str, language: str, engine: str, emotion: str, intensity: float, lasting_s: float = SILENCE_S
) -> Speech:
    """Speak a text that has nothing to say."""
    pcm = np.zeros(int(lasting_s * _SILENCE_RATE_HZ), np.float32)
    pause = Phoneme(PAUSE, 0.0, len(pcm) / _SILENCE_RATE_HZ)
    return Speech(pcm, _SILENCE_RATE_HZ, (pause,), (), text, language, engine, emotion, intensity)
