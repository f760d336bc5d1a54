"""One measured figure."""

from __future__ import annotations

from dataclasses import dataclass

Figures = dict[str, float]
"""Name → value, of one measured set."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure."""

    value: float
    unit: str
    n: int
    note: str


class NotHere(Exception):
    """What a figure needs is not on this machine; the message says what."""
