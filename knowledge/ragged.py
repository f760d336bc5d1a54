"""Ragged arrays: rows of unequal length, as one array of items and one of where each row begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Ragged = tuple[npt.NDArray[Any], Integers]
"""Items of all rows, and int64[n + 1], where each row begins and the last one ends."""


def ragged(rows: Sequence[Sequence[int]]) -> Ragged:
    """Return rows of numbers as int32 items."""
    flat = [item for row in rows for item in row]
    return np.asarray(flat, dtype=np.int32), ends([len(row) for row in rows])


def ends(lengths: Sequence[int] | Integers) -> Integers:
    """Return where rows of these lengths begin, and where the last one ends."""
    pointers = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=pointers[1:])
    return pointers


def joined(first: Ragged, second: Ragged) -> Ragged:
    """Return the rows of both, one behind the other."""
    if not len(first[1][1:]):
        return second
    pointers = np.concatenate([first[1].astype(np.int64), second[1][1:] + first[1][-1]])
    return np.concatenate([first[0], second[0]]), pointers


def taken(rows: Ragged, order: Integers) -> Ragged:
    """Return the rows with these numbers, in this order."""
    items, pointers = rows
    return items[places_of(pointers, order)], ends(np.diff(pointers)[order])


def places_of(pointers: Integers, order: Integers) -> Integers:
    """Return where the items of the rows with these numbers lie."""
    lengths = np.diff(pointers)[order]
    begins = ends(lengths)
    return np.repeat(pointers[:-1][order] - begins[:-1], lengths) + np.arange(begins[-1])


def find(known: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64]) -> Integers:
    """Return for each wanted number where it stands among the known ones, -1 where it does not."""
    if not len(known):
        return np.full(len(wanted), -1, dtype=np.int64)
    order = np.argsort(known)
    at = np.minimum(np.searchsorted(known, wanted, sorter=order), len(known) - 1)
    return np.where(known[order[at]] == wanted, order[at], -1)
