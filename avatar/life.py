"""What a face does when it does nothing: it blinks, breathes, looks about and is never quite still."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

BLINK_GAP_S, BLINK_MEAN_S = 1.4, 2.8
"""Refractory time after a blink and mean of the exponential wait on top: about 14 blinks a minute."""
DOUBLE_BLINK = 0.12
"""Share of blinks that come twice."""
DOUBLE_GAP_S = 0.36
BLINK_CLOSE_S, BLINK_HOLD_S, BLINK_OPEN_S = 0.09, 0.05, 0.17
"""Lids fall faster than they rise; the hold is longer than a frame, so that no blink is missed."""
FIXATION_S = (0.5, 2.6)
"""Shortest and longest time between two small eye movements."""
SACCADE_S = 0.05
SACCADE_DEG = (1.3, 0.8)
"""Spread of fixations around the visitor's eyes: sideways, up and down."""
HEAD_DEG = (1.7, 1.0, 0.9)
"""Amplitudes of the head's drift in yaw, pitch and roll."""
HEAD_HZ = ((0.061, 0.137, 0.293), (0.053, 0.149, 0.337), (0.047, 0.113, 0.251))
"""Drift frequencies without a common period: no minute repeats."""
BREATH_HZ = 0.24


@dataclass(frozen=True, slots=True)
class Moment:
    """The small motions of one instant."""

    blink: float
    """0 open, 1 closed."""
    gaze: tuple[float, float]
    head: tuple[float, float, float]
    breath: float


class Life:
    """Small motions as a function of absolute time: the same seed gives the same life."""

    def __init__(self, seed: int = 0) -> None:
        self._blink_rng = np.random.default_rng([seed, 1])
        self._gaze_rng = np.random.default_rng([seed, 2])
        phases = np.random.default_rng([seed, 3]).uniform(0, 2 * math.pi, (4, 3))
        self._phases = phases
        self._blinks: list[float] = []
        self._blinks_until = float(self._blink_rng.uniform(0.8, 2.5))
        self._fixation_starts = [-1.0]
        self._fixations = [(0.0, 0.0)]

    def at(self, time_s: float) -> Moment:
        """The moment `time_s` seconds (≥ 0) into this life."""
        return Moment(self._blink(time_s), self._gaze(time_s), self._head(time_s), self._breath(time_s))

    def blink_times(self, until_s: float) -> list[float]:
        """Starts of the blinks before `until_s`, in seconds."""
        self._extend_blinks(until_s)
        return [t for t in self._blinks if t < until_s]

    def _extend_blinks(self, until_s: float) -> None:
        while self._blinks_until <= until_s:
            start = self._blinks_until
            self._blinks.append(start)
            if self._blink_rng.random() < DOUBLE_BLINK:
                start += DOUBLE_GAP_S
                self._blinks.append(start)
            self._blinks_until = start + BLINK_GAP_S + float(self._blink_rng.exponential(BLINK_MEAN_S))

    def _blink(self, t: float) -> float:
        self._extend_blinks(t)
        at = bisect_right(self._blinks, t)
        if at == 0:
            return 0.0
        since = t - self._blinks[at - 1]
        if since < BLINK_CLOSE_S:
            return _ease(since / BLINK_CLOSE_S)
        since -= BLINK_CLOSE_S + BLINK_HOLD_S
        return 1.0 if since <= 0 else 1.0 - _ease(since / BLINK_OPEN_S)

    def _gaze(self, t: float) -> tuple[float, float]:
        while self._fixation_starts[-1] <= t:
            self._fixation_starts.append(
                self._fixation_starts[-1] + float(self._gaze_rng.uniform(*FIXATION_S))
            )
            x, y = self._gaze_rng.normal(0, SACCADE_DEG)
            self._fixations.append((float(np.clip(x, -3, 3)), float(np.clip(y, -2, 2))))
        at = bisect_right(self._fixation_starts, t) - 1
        share = _ease((t - self._fixation_starts[at]) / SACCADE_S)
        (x0, y0), (x1, y1) = self._fixations[max(at - 1, 0)], self._fixations[at]
        return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share

    def _head(self, t: float) -> tuple[float, float, float]:
        angles = []
        for axis, (amplitude, frequencies) in enumerate(zip(HEAD_DEG, HEAD_HZ, strict=True)):
            waves = (
                share * math.sin(2 * math.pi * hz * t + phase)
                for share, hz, phase in zip((0.55, 0.30, 0.15), frequencies, self._phases[axis], strict=True)
            )
            angles.append(amplitude * sum(waves))
        return angles[0], angles[1], angles[2]

    def _breath(self, t: float) -> float:
        a, b, _ = self._phases[3]
        phase = 2 * math.pi * BREATH_HZ * t + 0.9 * math.sin(2 * math.pi * 0.031 * t + a) + b
        return math.pow(0.5 - 0.5 * math.cos(phase), 1.2)


def _ease(x: float) -> float:
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)
