"""A bound on how often something may happen."""

from __future__ import annotations

from collections.abc import Callable


class Allowance:
    """So much a second and no more, with some saved up for bursts: a token bucket.

    Args:
        per_s: how much a second, in any unit.
        burst: how much at once, at the start and after a pause.
        now: seconds, any clock that only goes forward.
    """

    def __init__(self, per_s: float, burst: float, now: Callable[[], float]) -> None:
        self._per_s, self._burst, self._now = per_s, burst, now
        self._left = burst
        self._refilled_s = now()

    def take(self, amount: float = 1.0) -> bool:
        """Take so much, if it is there; else nothing."""
        now = self._now()
        self._left = min(self._burst, self._left + (now - self._refilled_s) * self._per_s)
        self._refilled_s = now
        if amount > self._left:
            return False
        self._left -= amount
        return True
