"""How many are talked to at once, by what this machine can carry: what is sent is chosen by it."""

from __future__ import annotations

import os
from weakref import WeakSet

FULL_A_CORE, MIDDLE_A_CORE = 1, 2
"""Connections for which a core draws the full picture, and three quarters of its width; beyond that, half."""

_PRESENT: WeakSet[object] = WeakSet()


def come(connection: object) -> None:
    """A connection is there."""
    _PRESENT.add(connection)


def leave(connection: object) -> None:
    """It is gone; twice does no harm."""
    _PRESENT.discard(connection)


def many() -> bool:
    """Whether fewer packets are worth more than the 20 ms that they come later."""
    return len(_PRESENT) > FULL_A_CORE * (os.cpu_count() or 1)


def best_rung() -> int:
    """Index of the best rung of `quality.STEPS` that everybody can have."""
    cores = os.cpu_count() or 1
    return (len(_PRESENT) > FULL_A_CORE * cores) + (len(_PRESENT) > MIDDLE_A_CORE * cores)
