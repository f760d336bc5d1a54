"""Sounds that tests make themselves."""

from __future__ import annotations

import numpy as np

from speech.timeline import Pcm

RATE_HZ = 16_000

VOWELS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
"""First three formants of vowels (a, i, u, e, o) of a man's voice."""


def spoken_vowels(length_s: float = 1.6, pitch_hz: float = 120.0) -> Pcm:
    """Vowels one after the other: enough of a voice for a voice activity detector."""
    rng = np.random.default_rng(3)
    count = int(length_s * RATE_HZ)
    time_s = np.arange(count) / RATE_HZ
    vibrato = pitch_hz * (1 + 0.06 * np.sin(2 * np.pi * 3.1 * time_s))
    phase = np.cumsum(vibrato) / RATE_HZ
    voice = np.zeros(count)
    which = (time_s / 0.2).astype(int) % len(VOWELS_HZ)
    formants = np.array(VOWELS_HZ)[which]
    for harmonic in range(1, 30):
        frequency = harmonic * vibrato
        gain = sum(
            1.0 / (1.0 + ((frequency - formants[:, i]) / (60.0 + 30 * i)) ** 2) / (i + 1) for i in range(3)
        )
        voice += gain * np.sin(2 * np.pi * harmonic * phase) / np.sqrt(harmonic)
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * time_s - 0.8) * 2.5 + 1.2, 0.0, 1.0)
    sound = voice * syllables
    sound = 0.4 * sound / np.abs(sound).max() + rng.normal(0, 0.001, count)
    quiet = rng.normal(0, 0.001, RATE_HZ // 2)
    return np.concatenate([quiet, sound, quiet]).astype(np.float32)
