"""What is heard in a recording in place of what must not be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TONE_HZ = 500.0
TONE_LEVEL = 0.04
"""Peak, 0..1: softer than a voice."""


def silent(count: int, at: int, *, tone: bool, rate: int) -> NDArray[np.float32]:
    """Return silence, or a soft tone whose phase follows the time.

    Args:
        count: samples.
        at: number of the first.
        tone: rather than silence.
        rate: Hz.
    """
    if not tone:
        return np.zeros(count, np.float32)
    phase = np.arange(at, at + count, dtype=np.float64) * (2 * np.pi * TONE_HZ / rate)
    return np.asarray(TONE_LEVEL * np.sin(phase), np.float32)
