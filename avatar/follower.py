"""What eases every slow motion of the face: a value that follows its target without a kink."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

STAGES = 3
"""Equal low-passes in series: with three, velocity and acceleration stay continuous when a target jumps."""
RISE = 4.22
"""Time constants that three stages need from 10 to 90 % of a step."""
PACE_S = 0.08
"""Time constant with which the pace itself changes: a sudden change of pace would be a kink too."""


class Follower:
    """A vector that goes after its target in an S-shaped curve.

    It never overshoots, so that what follows weights in [0, 1] stays in [0, 1], and a new target in the
    middle of a movement bends the movement instead of breaking it.

    Args:
        start: float[n], where it rests at first.
    """

    def __init__(self, start: F32) -> None:
        self._rate: float | None = None
        self._stages = np.repeat(np.asarray(start, np.float32)[None], STAGES, axis=0)

    @property
    def value(self) -> F32:
        """float32[n], where it is now."""
        return np.array(self._stages[-1], np.float32)

    def step(self, target: F32, elapsed_s: float, rise_s: float) -> F32:
        """Go on for `elapsed_s` seconds.

        Args:
            target: float[n].
            elapsed_s: seconds since the last step.
            rise_s: seconds in which a step goes from 10 to 90 % of its way.

        Returns:
            float32[n], the new value.
        """
        rate = RISE / rise_s
        before = rate if self._rate is None else self._rate
        self._rate = rate + (before - rate) * math.exp(-elapsed_s / PACE_S)
        share = 1.0 - math.exp(-elapsed_s * self._rate)
        for stage in self._stages:
            stage += (target - stage) * share
            target = stage
        return self.value
