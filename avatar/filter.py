"""The One-Euro filter: smooth when still, quick when moving.

Casiez, Roussel, Vogel: "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems", CHI 2012.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

SPEED_CUTOFF_HZ = 1.0
"""Cutoff for the estimate of speed, as the paper recommends."""


class OneEuro:
    """Filters samples float[k] that arrive with their times, each channel on its own.

    Args:
        min_cutoff_hz: cutoff of a channel at rest; lower is smoother and slower.
        beta: how fast the cutoff grows with speed, in Hz for each unit a second.
    """

    def __init__(self, min_cutoff_hz: float, beta: float) -> None:
        if min_cutoff_hz <= 0 or beta < 0:
            raise ValueError("a One-Euro filter needs a positive cutoff and a beta of 0 or more")
        self._min_cutoff_hz, self._beta = min_cutoff_hz, beta
        self._value: F32 | None = None
        self._speed: F32 | None = None
        self._time_s = 0.0

    def __call__(self, sample: F32, time_s: float) -> F32:
        """The filtered sample; a time that does not grow leaves the filter as it is."""
        sample = np.asarray(sample, np.float32)
        if self._value is None or self._speed is None:
            self._value, self._speed, self._time_s = sample, np.zeros_like(sample), time_s
            return sample
        step = time_s - self._time_s
        if step <= 0:
            return self._value
        self._time_s = time_s
        speed = (sample - self._value) / step
        self._speed = self._speed + _share(SPEED_CUTOFF_HZ, step) * (speed - self._speed)
        cutoff = self._min_cutoff_hz + self._beta * np.abs(self._speed)
        share = 1 / (1 + 1 / (2 * math.pi * cutoff * step))
        self._value = np.asarray(self._value + share * (sample - self._value), np.float32)
        return self._value


def smooth(samples: F32, times_s: F32, min_cutoff_hz: float, beta: float) -> F32:
    """A whole recording float32[n, k] without lag: filtered forward and backward, and averaged."""
    forward, backward = OneEuro(min_cutoff_hz, beta), OneEuro(min_cutoff_hz, beta)
    ahead = np.array([forward(s, float(t)) for s, t in zip(samples, times_s, strict=True)], np.float32)
    back = np.array(
        [backward(s, -float(t)) for s, t in zip(samples[::-1], times_s[::-1], strict=True)], np.float32
    )
    return np.asarray((ahead + back[::-1]) / 2, np.float32).reshape(samples.shape)


def _share(cutoff_hz: float, step_s: float) -> float:
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * step_s))
