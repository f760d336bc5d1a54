"""What a face does when it does nothing: it blinks, breathes, shifts its weight and is never quite still."""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass

import numpy as np

BLINK_GAP_S, BLINK_MEAN_S = 1.4, 2.8
"""Refractory time after a blink and mean of the exponential wait on top: about 14 blinks a minute."""
DOUBLE_BLINK = 0.12
"""Share of blinks that come twice."""
DOUBLE_GAP_S = 0.36
BLINK_CLOSE_S, BLINK_HOLD_S, BLINK_OPEN_S = 0.09, 0.05, 0.17
"""Lids fall faster than they rise; the hold is longer than a frame, so that no blink is missed."""
BLINK_PACE = (0.92, 1.15)
"""No two blinks last the same: fastest and slowest, times the length above."""
TREMOR_S, TREMOR_DEG = (0.35, 1.3), 0.22
"""Time between two micro-saccades, and their spread."""
SACCADE_S = 0.04
"""Length of a micro-saccade."""
SETTLE_S, SETTLE_DEG = (1.4, 4.6), (1.05, 0.6, 0.62)
"""Time in which the head shifts from one rest to the next, and the spread of these in yaw, pitch, roll."""
STIR_S, STIR_DEG = (0.5, 1.5), (0.22, 0.16, 0.14)
"""The same for the small stirring on top."""
BREATH_S, BREATH_SPREAD_S = 4.1, 0.45
"""Mean and spread of a breath's length."""
BREATH_DEPTH = (0.72, 1.0)
INHALE = 0.42
"""Share of a breath that is drawn in."""
KEPT = 512
"""Past events that are remembered: a face may live for days."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The small motions of one instant."""

    blink: float
    """0 open, 1 closed."""
    gaze: tuple[float, float]
    """Degrees by which the eyes miss what they look at."""
    head: tuple[float, float, float]
    breath: float
    vigour: float
    """-1..1, slow: how strongly a held expression is just now worn."""


class Drift:
    """Smooth noise: from one random place of rest to the next, in random times, so that nothing comes back.

    Args:
        seed: of its random numbers.
        spread: standard deviation of the places.
        pause_s: shortest and longest time between two of them.
        move_s: length of the move, None for the whole time between them.
    """

    def __init__(
        self, seed: list[int], spread: float, pause_s: tuple[float, float], move_s: float | None = None
    ) -> None:
        self._rng = np.random.default_rng(seed)
        self._spread, self._pause_s, self._move_s = spread, pause_s, move_s
        self._times = [-float(self._rng.uniform(*pause_s))]
        self._places = [self._place(), self._place()]

    def at(self, time_s: float) -> float:
        """The value at a time, in units of the spread's."""
        while len(self._times) < 2 or self._times[-1] <= time_s:
            self._times.append(self._times[-1] + float(self._rng.uniform(*self._pause_s)))
            self._places.append(self._place())
            if len(self._times) > 2 * KEPT:
                del self._times[:KEPT], self._places[:KEPT]
        at = max(bisect_right(self._times, time_s) - 1, 0)
        length = self._move_s or self._times[at + 1] - self._times[at]
        share = _ease((time_s - self._times[at]) / length)
        return self._places[at] + (self._places[at + 1] - self._places[at]) * share

    def _place(self) -> float:
        return float(np.clip(self._rng.normal(0, self._spread), -2 * self._spread, 2 * self._spread))


class Life:
    """Small motions as a function of time: the same seed and the same cues give the same life."""

    def __init__(self, seed: int = 0) -> None:
        self._blink_rng = np.random.default_rng([seed, 1])
        self._breath_rng = np.random.default_rng([seed, 2])
        self._blinks: list[tuple[float, float]] = []
        self._next_blink = float(self._blink_rng.uniform(0.8, 2.5))
        self._breaths = [(-float(self._breath_rng.uniform(0, 3)), 0.8)]
        self._head = [
            (Drift([seed, 3, axis], settle, SETTLE_S), Drift([seed, 4, axis], stir, STIR_S))
            for axis, (settle, stir) in enumerate(zip(SETTLE_DEG, STIR_DEG, strict=True))
        ]
        self._gaze = [Drift([seed, 5, axis], TREMOR_DEG, TREMOR_S, SACCADE_S) for axis in range(2)]
        self._vigour = Drift([seed, 6], 0.5, (1.5, 4.0))

    def at(self, time_s: float) -> Moment:
        """The moment `time_s` seconds (≥ 0) into this life."""
        yaw, pitch, roll = (settle.at(time_s) + stir.at(time_s) for settle, stir in self._head)
        left, up = (tremor.at(time_s) for tremor in self._gaze)
        return Moment(
            self._blink(time_s), (left, up), (yaw, pitch, roll), self._breath(time_s), self._vigour.at(time_s)
        )

    def blink_times(self, until_s: float) -> list[float]:
        """Starts of the remembered blinks before `until_s`, in seconds."""
        self._extend_blinks(until_s)
        return [start for start, _ in self._blinks if start < until_s]

    def cue_blink(self, time_s: float, chance: float) -> None:
        """A moment at which people like to blink: a pause, a shift of gaze, the end of a sentence.

        With `chance` (0..1) the next blink comes now, unless the last one has only just been.
        """
        self._extend_blinks(time_s)
        lucky = self._blink_rng.random() < chance
        last = self._blinks[-1][0] if self._blinks else -BLINK_GAP_S
        if lucky and time_s - last >= BLINK_GAP_S:
            self._next_blink = time_s
            self._extend_blinks(time_s)

    def _extend_blinks(self, until_s: float) -> None:
        while self._next_blink <= until_s:
            start, pace = self._next_blink, float(self._blink_rng.uniform(*BLINK_PACE))
            insort(self._blinks, (start, pace))
            if self._blink_rng.random() < DOUBLE_BLINK:
                start += DOUBLE_GAP_S
                insort(self._blinks, (start, pace))
            self._next_blink = start + BLINK_GAP_S + float(self._blink_rng.exponential(BLINK_MEAN_S))
            if len(self._blinks) > 2 * KEPT:
                del self._blinks[:KEPT]

    def _blink(self, t: float) -> float:
        self._extend_blinks(t)
        at = bisect_right(self._blinks, (t, np.inf))
        if at == 0:
            return 0.0
        start, pace = self._blinks[at - 1]
        since = (t - start) / pace
        if since < BLINK_CLOSE_S:
            return _ease(since / BLINK_CLOSE_S)
        since -= BLINK_CLOSE_S + BLINK_HOLD_S
        return 1.0 if since <= 0 else 1.0 - _ease(since / BLINK_OPEN_S)

    def _breath(self, t: float) -> float:
        while len(self._breaths) < 2 or self._breaths[-1][0] <= t:
            length = float(np.clip(self._breath_rng.normal(BREATH_S, BREATH_SPREAD_S), 3.2, 5.2))
            depth = float(self._breath_rng.uniform(*BREATH_DEPTH))
            self._breaths.append((self._breaths[-1][0] + length, depth))
            if len(self._breaths) > 2 * KEPT:
                del self._breaths[:KEPT]
        at = max(bisect_right(self._breaths, (t, np.inf)) - 1, 0)
        (start, depth), (end, _) = self._breaths[at], self._breaths[at + 1]
        phase = (t - start) / (end - start)
        lift = _ease(phase / INHALE) if phase < INHALE else 1.0 - _ease((phase - INHALE) / (1.0 - INHALE))
        return depth * lift


def _ease(x: float) -> float:
    """Ramp from 0 to 1 with the least jerk."""
    x = min(max(x, 0.0), 1.0)
    return x * x * x * (10.0 - 15.0 * x + 6.0 * x * x)
