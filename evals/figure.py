"""One measured figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure."""

    value: float
    unit: str
    n: int
    note: str


class NotHere(Exception):
    """What a figure needs is not on this machine; the message says what."""
