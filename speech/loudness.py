"""How loud a voice is, and the rest after a sentence: the same for every engine."""

from __future__ import annotations

import numpy as np

from speech.prosody import Prosody
from speech.timeline import Pcm

SPEECH_LEVEL = 0.1
"""RMS of the voiced parts, -20 dBFS: the usual level of telephone and meeting speech."""

PEAK = 0.95
"""No sample is louder; what would be is made quieter as a whole, never clipped."""

_MAX_GAIN = 4.0
"""A voice that needs more is not a voice but its noise."""

_VOICED_SHARE = 1e-3
"""A 20 ms frame counts as voiced from this share of the loudest one's power (-30 dB)."""

_CLOSING_PAUSE_S = 0.25
"""Rest after a sentence, so that sentences can be joined and the mouth has time to close."""

_CLAUSE_PAUSE_S = 0.12
"""The same after a piece that does not end a sentence."""

_FADE_S = 0.005
"""Where the engine's sound is cut, so that it does not click."""

_SENTENCE_ENDS = ".!?…。！？"
_CLOSERS = " \t\n*_`\"”’')]」』"


def at_level(pcm: Pcm, sample_rate: int, manner: Prosody) -> Pcm:
    """Bring speech to `SPEECH_LEVEL` plus the emotion's volume, below `PEAK`.

    The level is that of the voiced 20 ms frames, so that pauses do not count; voices of different
    loudness come out alike and emotions keep their difference.
    """
    hop = sample_rate // 50
    count = len(pcm) // hop
    if count == 0:
        return pcm
    power = (pcm[: count * hop].reshape(count, hop).astype(np.float64) ** 2).mean(axis=1)
    voiced = power[power > power.max() * _VOICED_SHARE]
    if not len(voiced):
        return pcm
    gain = min(SPEECH_LEVEL / float(np.sqrt(voiced.mean())), _MAX_GAIN) * manner.gain
    peak = float(np.abs(pcm).max())
    return (pcm * np.float32(min(gain, PEAK / peak))).astype(np.float32)


def with_closing_pause(pcm: Pcm, sample_rate: int, text: str) -> Pcm:
    """Add the rest that follows a sentence, or the shorter one that follows a clause."""
    ends = text.rstrip(_CLOSERS)[-1:] in tuple(_SENTENCE_ENDS)
    rest = np.zeros(int((_CLOSING_PAUSE_S if ends else _CLAUSE_PAUSE_S) * sample_rate), np.float32)
    fade = min(len(pcm), int(_FADE_S * sample_rate))
    faded = pcm.copy()
    faded[len(pcm) - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return np.concatenate([faded, rest])
