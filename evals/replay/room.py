"""What lies between a mouth and the line: the room's reverberation, and the telephone's narrow band."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from agent.line import RATE_HZ
from speech.timeline import Pcm

DIRECT_TO_REVERBERANT_DB = 3.0
"""Half a metre from a microphone, as at a desk."""
FIRST_ECHO_S = 0.004
"""Until the first wall answers: it is 70 cm away."""

TELEPHONE_HZ = (300.0, 3400.0)
TELEPHONE_RATE_HZ = 8000
TAPS = 601
"""Of the telephone's filter at 48 kHz: 80 Hz wide edges."""
MU = 255.0
"""G.711 as North America and Japan have it; 8 bits a sample."""


def reverberant(pcm: Pcm, rt60_s: float, seed: str) -> Pcm:
    """Return a sound as a room makes it: exponentially decaying noise as impulse response.

    Args:
        pcm: float32[n] at 48 kHz.
        rt60_s: in which the reverberation falls by 60 dB; 0: none.
        seed: the same room for the same seed.

    Returns:
        float32, longer by the reverberation; what comes directly is neither delayed nor weakened.
    """
    if rt60_s <= 0 or not len(pcm):
        return pcm
    length = max(int(rt60_s * RATE_HZ), 1)
    times = np.arange(length) / RATE_HZ
    noise = np.random.default_rng(random.Random(f"room {seed}").getrandbits(63)).standard_normal(length)
    tail = noise * np.exp(-6.908 * times / rt60_s) * (times >= FIRST_ECHO_S)
    tail *= 10 ** (-DIRECT_TO_REVERBERANT_DB / 20) / max(float(np.sqrt((tail**2).sum())), 1e-9)
    tail[0] = 1.0
    size = 1 << (len(pcm) + length - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(pcm, size) * np.fft.rfft(tail, size), size)
    return np.asarray(wet[: len(pcm) + length - 1], np.float32)


class Telephone:
    """A narrow band and eight bits: 300 to 3400 Hz at 8 kHz, piece by piece."""

    def __init__(self) -> None:
        self._taps = _band_pass()
        self._before = np.zeros(TAPS - 1, np.float32)
        self._after = np.zeros(TAPS - 1, np.float32)

    def carry(self, pcm: Pcm) -> Pcm:
        """Return the next samples, float32[n] at 48 kHz, n a multiple of 6; they come 12 ms late."""
        step = RATE_HZ // TELEPHONE_RATE_HZ
        before = np.concatenate([self._before, pcm])
        self._before = before[-(TAPS - 1) :]
        narrow = np.convolve(before, self._taps, "valid")[::step]
        spread = np.zeros(len(pcm), np.float32)
        spread[::step] = _companded(narrow) * step
        after = np.concatenate([self._after, spread])
        self._after = after[-(TAPS - 1) :]
        return np.asarray(np.convolve(after, self._taps, "valid"), np.float32)


def _companded(pcm: NDArray[np.floating]) -> NDArray[np.floating]:
    loud = np.clip(pcm, -1.0, 1.0)
    small = np.sign(loud) * np.log1p(MU * np.abs(loud)) / np.log1p(MU)
    steps = np.round(small * 127) / 127
    return np.asarray(np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(MU)) / MU)


def _band_pass() -> Pcm:
    place = np.arange(TAPS) - (TAPS - 1) / 2

    def low_pass(hertz: float) -> NDArray[np.float64]:
        return np.asarray(2 * hertz / RATE_HZ * np.sinc(2 * hertz / RATE_HZ * place))

    low, high = TELEPHONE_HZ
    return np.asarray((low_pass(high) - low_pass(low)) * np.hamming(TAPS), np.float32)
