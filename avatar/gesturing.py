"""Gestures on their way: begun, laid over one another, and faded out where a newer one takes over."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError
from avatar.gesture import GESTURES, OVERLAY, Gesture, flipped, gesture_names

F32 = NDArray[np.float32]

FADE_S = 0.3
"""Time in which a gesture gives way to the next."""
PACE, SIZE = (0.92, 1.10), (0.9, 1.08)
"""No gesture is done twice alike: slowest and fastest, smallest and largest."""
LARGEST = 1.5
"""Most that a caller may ask for, in units of the gesture as designed."""


@dataclass(slots=True)
class _Running:
    """A gesture on its way."""

    gesture: Gesture
    start_s: float
    strength: float
    pace: float
    flip: bool
    leaves_s: float = math.inf
    """When it begins to give way to another."""

    def at(self, time_s: float) -> F32:
        overlay = self.gesture.at((time_s - self.start_s) * self.pace)
        gone = min(max((time_s - self.leaves_s) / FADE_S, 0.0), 1.0)
        overlay = overlay * (self.strength * (1.0 - gone**3 * (10.0 - 15.0 * gone + 6.0 * gone**2)))
        return flipped(overlay) if self.flip else overlay

    def over(self, time_s: float) -> bool:
        return time_s > min(self.start_s + self.gesture.end_s / self.pace, self.leaves_s + FADE_S)


class Gesturing:
    """The gestures of one face.

    Args:
        seed: chooses how each one varies.
    """

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng([seed, 9])
        self._running: list[_Running] = []

    def begin(self, name: str, start_s: float, strength: float = 1.0) -> None:
        """Let a gesture begin at a time; those that are under way by then give way to it.

        Raises:
            AvatarError: there is no such gesture.
        """
        gesture = known_gesture(name)
        for running in self._running:
            if running.start_s <= start_s:
                running.leaves_s = min(running.leaves_s, start_s)
        size = min(max(strength, 0.0), LARGEST) * float(self._rng.uniform(*SIZE))
        pace, flip = float(self._rng.uniform(*PACE)), bool(self._rng.random() < 0.5)
        self._running.append(_Running(gesture, start_s, size, pace, flip))

    def busy(self, time_s: float) -> bool:
        """Whether a gesture is under way or to come."""
        return any(not running.over(time_s) for running in self._running)

    def at(self, time_s: float) -> F32:
        """The sum of what is under way: an overlay float32[57], see `avatar.gesture`."""
        self._running = [running for running in self._running if not running.over(time_s)]
        overlay = np.zeros(OVERLAY, np.float32)
        for running in self._running:
            overlay += running.at(time_s)
        return overlay


def known_gesture(name: str) -> Gesture:
    """The gesture of that name.

    Raises:
        AvatarError: there is none.
    """
    if name not in GESTURES:
        raise AvatarError(f"there is no gesture {name!r}: choose one of {', '.join(gesture_names())}")
    return GESTURES[name]
