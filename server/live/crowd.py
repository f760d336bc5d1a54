"""How many are talked to at once, by what this machine can carry: what is sent is chosen by it."""

from __future__ import annotations

import os
from weakref import WeakSet

FULL_A_CORE = 1
"""Connections for which a core draws the full picture."""
RUNGS_A_CORE = (FULL_A_CORE, 2, 3)
"""Connections up to which the rungs of `quality.STEPS` can be had; beyond the last, the one after it."""

_PRESENT: WeakSet[object] = WeakSet()
_share = 1.0


def count_on(share: float) -> None:
    """Say which share of this machine's cores this process may count on: others may serve beside it."""
    global _share
    _share = share


def _a_core() -> float:
    """Connections for each core."""
    return len(_PRESENT) / max(1.0, _share * (os.cpu_count() or 1))


def come(connection: object) -> None:
    """A connection is there."""
    _PRESENT.add(connection)


def leave(connection: object) -> None:
    """It is gone; twice does no harm."""
    _PRESENT.discard(connection)


def many() -> bool:
    """Whether fewer packets are worth more than the 20 ms that they come later."""
    return _a_core() > FULL_A_CORE


def best_rung() -> int:
    """Index of the best rung of `quality.STEPS` that everybody can have."""
    return sum(_a_core() > most for most in RUNGS_A_CORE)
