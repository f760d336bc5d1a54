"""How many are talked to at once, by what this machine can carry: what is sent is chosen by it."""

from __future__ import annotations

import os
from weakref import WeakSet

FULL_A_CORE = 1
"""Connections for which a core draws the full picture."""
RUNGS_A_CORE = (FULL_A_CORE, 2, 3)
"""Connections up to which the rungs of `quality.STEPS` can be had; beyond the last, the one after it."""

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
    a_core = len(_PRESENT) / (os.cpu_count() or 1)
    return sum(a_core > most for most in RUNGS_A_CORE)
