"""What a suite found: figures, groups, one row for each thing that was measured, and what was not."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Figures = dict[str, float | int]
"""Name → value."""
Tick = Callable[[int, int], None]
"""Told how much is done, of how much."""


class SuiteDataError(Exception):
    """Data cannot be used; says file, row and remedy in one line.

    Args:
        message: what is wrong and what to do.
        file: in which.
        row: line from 1; 0 where it concerns the whole file.
    """

    def __init__(self, message: str, file: Path | str = "", row: int = 0) -> None:
        place = f"{file}:{row}: " if file and row else f"{file}: " if file else ""
        super().__init__(f"{place}{message}")


@dataclass(slots=True)
class Found:
    """Everything that one suite found."""

    suite: str
    figures: Figures = field(default_factory=dict)
    """Shares are in 0..1."""
    parts: dict[str, dict[str, Figures]] = field(default_factory=dict)
    """Name of a table, such as "languages" or "thresholds" → its rows' names → their figures."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    """One for each question, turn or task."""
    not_measured: dict[str, str] = field(default_factory=dict)
    """Published figure → why it cannot be had here; never counted as passed."""
    notes: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it, without its rows."""
        return {
            "suite": self.suite,
            "figures": rounded(self.figures),
            "parts": {
                table: {name: rounded(part) for name, part in rows.items()}
                for table, rows in self.parts.items()
            },
            "not_measured": self.not_measured,
            "notes": self.notes,
        }

    def write_rows(self, file: Path) -> None:
        """Write its rows as CSV.

        Raises:
            SuiteDataError: it cannot be written.
        """
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        try:
            with file.open("w", encoding="utf-8", newline="") as out:
                table = csv.DictWriter(out, columns)
                table.writeheader()
                table.writerows(self.rows)
        except OSError as error:
            raise SuiteDataError(f"cannot be written ({error.strerror}); name another --out", file) from error


def rounded(figures: Figures) -> Figures:
    """Return figures with four digits behind the point."""
    return {name: one if isinstance(one, int) else round(one, 4) for name, one in figures.items()}


def share(flags: Sequence[bool]) -> float:
    """Return the share that is true; 0 where there are none."""
    return float(np.mean(flags)) if len(flags) else 0.0


def macro_and_weighted_f1(wanted: Sequence[str], given: Sequence[str]) -> tuple[float, float]:
    """Return F1 as the mean over the wanted labels, and the same weighted by how often each is wanted."""
    labels, counts = np.unique(np.asarray(wanted, dtype=object).astype(str), return_counts=True)
    if not len(labels):
        return 0.0, 0.0
    a, b = np.asarray(wanted, dtype=object).astype(str), np.asarray(given, dtype=object).astype(str)
    right = np.array([np.count_nonzero((a == label) & (b == label)) for label in labels], float)
    guessed = np.array([np.count_nonzero(b == label) for label in labels], float)
    scores = 2 * right / (counts + guessed)
    return float(scores.mean()), float((scores * counts).sum() / counts.sum())
