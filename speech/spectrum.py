"""Log-mel spectra of speech at 16 kHz: what the phone model hears."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from speech.recognizer import RECOGNITION_RATE_HZ
from speech.timeline import Pcm

HOP = 160
"""Samples between frames: 10 ms, a quarter of the shortest closure worth seeing."""

HOP_S = HOP / RECOGNITION_RATE_HZ

WINDOW = 400
"""Samples of a frame: 25 ms, two periods of a low voice."""

BANDS = 40

_FFT = 512
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7600.0
_PRE_EMPHASIS = 0.97
_FLOOR = 1e-9
"""Power of silence, 90 dB below full scale: digital silence must not become minus infinity."""

_BLOCK = 3000
"""Frames transformed at a time: bounds the memory to 12 MB."""

LOUD_RANGE = 5.0
"""In ln power: frames less than this below the loudest (22 dB) count for the channel's mean spectrum."""


@lru_cache(maxsize=1)
def _mel_weights() -> NDArray[np.float32]:
    """Triangles of equal width on the mel scale, float32[_FFT // 2 + 1, BANDS]."""
    low, high = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    corners = 700.0 * (10.0 ** (np.linspace(low, high, BANDS + 2) / 2595.0) - 1.0)
    hz = np.fft.rfftfreq(_FFT, 1.0 / RECOGNITION_RATE_HZ)[:, None]
    rise = (hz - corners[:-2]) / (corners[1:-1] - corners[:-2])
    fall = (corners[2:] - hz) / (corners[2:] - corners[1:-1])
    return np.maximum(0.0, np.minimum(rise, fall)).astype(np.float32)


def log_mel(sound: Pcm) -> NDArray[np.float32]:
    """Transform a sound; frame i is centred on sample `i * HOP`.

    Args:
        sound: float32[n] at 16 kHz.

    Returns:
        float32[ceil(n / HOP), BANDS], ln of the power in each band.
    """
    count = -(-len(sound) // HOP)
    if not count:
        return np.zeros((0, BANDS), np.float32)
    padded = np.pad(sound.astype(np.float32), (WINDOW // 2 + 1, WINDOW + HOP))
    sharp = padded[1:] - _PRE_EMPHASIS * padded[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(sharp, WINDOW)[::HOP][:count]
    window = np.hanning(WINDOW + 1)[:WINDOW].astype(np.float32)
    bands = np.empty((count, BANDS), np.float32)
    for first in range(0, count, _BLOCK):
        spectrum = np.fft.rfft(frames[first : first + _BLOCK] * window, _FFT)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) / WINDOW
        bands[first : first + _BLOCK] = np.log(power @ _mel_weights() + _FLOOR)
    return bands


def without_channel(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take out loudness and the colour of the microphone: subtract the mean spectrum of the loud frames."""
    if not len(bands):
        return bands
    level = bands.max(axis=1)
    # Not the very loudest frame: a click must not hide the voice.
    loud = level > np.quantile(level, 0.98) - LOUD_RANGE
    return np.asarray(bands - bands[loud].mean(axis=0), np.float32)
