"""A bound on how often something may happen."""

from __future__ import annotations

from collections.abc import Callable


class Allowance:
    """So much a second and no more, with some saved up for bursts.

    Args:
        per_s: how many a second.
        burst: how many at once, after a pause.
        now: seconds, any clock that only goes forward.
    """

    def __init__(self, per_s: float, burst: float, now: Callable[[], float]) -> None:
        self._per_s, self._burst, self._now = per_s, burst, now
        self._left = burst
        self._refilled_s = now()

    def take(self) -> bool:
        """Take one, if there is one left."""
        now = self._now()
        self._left = min(self._burst, self._left + (now - self._refilled_s) * self._per_s)
        self._refilled_s = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
