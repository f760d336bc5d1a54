"""What comes of one variant of a run: results written as they come, and taken up where a run broke off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evals.results import RESULTS, Result, Results, ResultsFile, Run, read_results

OTHER = "results-b.jsonl"
"""Results of the variant that the first one is compared with."""
FILES = (RESULTS, OTHER)


class Side:
    """One variant's results.

    Args:
        head: what is run.
        file: where they are kept; None: nowhere.
        before: of the same run, as far as it came; None: begin anew.
    """

    def __init__(self, head: Run, file: Path | None, before: Results | None = None) -> None:
        self._head = head
        self.results: list[Result] = list(before.results) if before else []
        self.taken_up = len(self.results)
        """How many of them are of a run before."""
        self._file = None
        if file is not None:
            self._file = ResultsFile(file, before.run if before else head, go_on=before is not None)

    def add(self, result: Result) -> None:
        """Take a result."""
        self.results.append(result)
        if self._file is not None:
            self._file.add(result)

    def end(self, order_of: dict[str, int]) -> Results:
        """Return everything, repeat by repeat; nothing is missing.

        Args:
            order_of: place of each script, by its id.
        """
        if self._file is not None:
            self._file.end()
        ordered = sorted(self.results, key=lambda one: (one.record.repeat, order_of[one.record.script]))
        engines = next((one.record.engines for one in ordered if one.record.engines), {})
        return Results(replace(self._head, engines=engines), tuple(ordered), complete=True)


def broken_off(report: Path, sides: int) -> list[Results | None]:
    """Return what a run left of each side when it broke off, but replays that failed themselves.

    Args:
        report: its folder.
        sides: how many variants it had.

    Returns:
        One for each side; None where nothing of it is there to take up.
    """
    found = [_left(report / name) for name in FILES[:sides]]
    return found if any(one is not None and not one.complete for one in found) else [None] * sides


def _left(file: Path) -> Results | None:
    try:
        found = read_results(file)
    except (ValueError, OSError):
        return None
    return replace(found, results=tuple(one for one in found.results if not one.record.error))


def open_sides(heads: Sequence[Run], report: Path | None, *, fresh: bool) -> list[Side]:
    """Begin, or take up, the results of a run's variants.

    Args:
        heads: what is run, one for each variant.
        report: folder in which they are kept; None: nowhere.
        fresh: begin anew, though a run like this broke off.
    """
    if report is None:
        return [Side(head, None) for head in heads]
    if len(heads) == 1:
        (report / OTHER).unlink(missing_ok=True)  # of another run, which it would be taken for a part of
    before = [None] * len(heads) if fresh else broken_off(report, len(heads))
    same = [one if one and one.run.fingerprint == heads[0].fingerprint else None for one in before]
    return [Side(*each) for each in zip(heads, (report / name for name in FILES), same, strict=False)]
