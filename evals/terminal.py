"""What a terminal shows of a suite's run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

TAGS = 30
"""Tags that are listed, those that fail first."""


def show_summary(summary: Mapping[str, Any], console: Console, most: int) -> None:
    """Show a summary: scores by tag, timings, what failed with its line, and the verdict.

    Args:
        summary: as `evals.report.summary` makes it.
        console: where.
        most: failures that are shown.
    """
    from rich.table import Table
    from rich.text import Text

    tags = sorted(summary["by_tag"].items(), key=lambda one: (one[1]["pass_rate"] or 0.0, one[0]))[:TAGS]
    if tags:
        table = Table("tag", "passed", "of", "rate", box=None, pad_edge=False)
        for name, score in tags:
            rate = score["pass_rate"]
            style = "" if rate == 1 else "red"
            judged = score["passed"] + score["failed"]
            told = "" if rate is None else f"{rate:.0%}"
            table.add_row(Text(name, style), str(score["passed"]), str(judged), Text(told, style))
        console.print(table)
    for name, times in summary["timings_ms"].items():
        console.print(f"{name} ms: p50 {times['p50']:.0f}, p95 {times['p95']:.0f} (n = {times['n']})")
    failures = summary["failures"]
    for one in failures[:most]:
        place = f"{one['file']}:{one['line']}" if one["file"] else one["script"]
        turn = "" if one["turn"] is None else f" turn {one['turn'] + 1}"
        console.print(Text.assemble(("FAILED ", "red"), f"{place}{turn} {one['check']}: {one['message']}"))
    if len(failures) > most:
        console.print(f"... and {len(failures) - most} more; --report FOLDER writes all")
    for one in summary["harness_errors"]:
        console.print(
            Text.assemble(("NOT JUDGED ", "yellow"), ": ".join(filter(None, (one["script"], one["message"]))))
        )
    for line in _compared(summary):
        console.print(line, markup=False)
    style = "green" if summary["verdict"] == "passed" else "red"
    judged = summary["passed"] + summary["failed"]
    told = f"{summary['passed']} of {judged} conversations passed, {summary['turns']} turns"
    console.print(Text.assemble((f"{summary['verdict']}: ", style), told))
    for name, path in (summary.get("report") or {}).items():
        console.print(f"{name}: {path}", markup=False)


def _compared(summary: Mapping[str, Any]) -> list[str]:
    lines = list[str]()
    if (regression := summary.get("regression")) is not None:
        lines += [f"against the baseline: {line}" for line in regression["reasons"]]
        if not regression["compared"]:
            lines.append("against the baseline: nothing to compare: it is of other scripts, or another mode")
    if (comparison := summary.get("comparison")) is not None:
        lines += comparison["said"]
    return lines
