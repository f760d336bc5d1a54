"""What a terminal shows of a suite's run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from evals.report.headline import VERDICTS, counted, failures_once, unjudged_once
from evals.report.regression import NAMED

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
    failures = failures_once(summary)
    for one in failures[:most]:
        place = f"{one['file']}:{one['line']}" if one["file"] else one["script"]
        turn = "" if one["turn"] is None else f" turn {one['turn'] + 1}"
        times = f" ({one['times']} of {one['of']})" if summary["repeat"] > 1 else ""
        console.print(
            Text.assemble(("FAILED ", "red"), f"{place}{turn}{times} {one['check']}: {one['message']}")
        )
    if len(failures) > most:
        console.print(f"... and {len(failures) - most} more; --report FOLDER writes all")
    for one in unjudged_once(summary):
        times = f" ({one['times']} times)" if one["times"] > 1 else ""
        told = ": ".join(filter(None, (one["script"] + times, one["message"])))
        console.print(Text.assemble(("NOT JUDGED ", "yellow"), told))
    notes = summary["notes"]
    for one in notes[:NAMED]:
        console.print(Text.assemble(("NOTE ", "yellow"), f"{one['script']}: {one['message']}"))
    if len(notes) > NAMED:
        console.print(f"... and {len(notes) - NAMED} more notes; --report FOLDER writes all")
    for one in summary.get("left_out", ())[:most]:
        console.print(Text.assemble(("LEFT OUT ", "yellow"), one))
    for one in summary.get("not_checked", ()):
        names = ", ".join(f"{name} ({times})" for name, times in one["checks"].items())
        console.print(Text.assemble(("NOT CHECKED ", "yellow"), f"{names}: {one['why']}"))
    if summary["repeat"] > 1 and summary["pass^k"]:
        rates = ", ".join(f"{k} {rate:.0%}" for k, rate in summary["pass^k"].items())
        console.print(f"pass^k, how likely k repeats of a script all pass: {rates}", markup=False)
    if goals := summary.get("not_judged"):
        console.print(f"{goals} goal{'s were' if goals > 1 else ' was'} not judged: set VISAVIS_JUDGE_MODEL")
    for line in _compared(summary, most):
        console.print(line, markup=False)
    console.print(f"desk: {summary['desk']}", markup=False)
    style = "green" if summary["verdict"] == "passed" else "red"
    verdict = VERDICTS.get(summary["verdict"], summary["verdict"])
    console.print(Text.assemble((f"{verdict}: ", style), f"{counted(summary)}, {summary['turns']} turns"))
    for name, path in (summary.get("report") or {}).items():
        console.print(f"{name}: {path}", markup=False)


def _compared(summary: Mapping[str, Any], most: int) -> Iterator[str]:
    if (regression := summary.get("regression")) is not None:
        yield from (
            f"against {summary.get('baseline') or 'the baseline'}: {one}" for one in regression["said"]
        )
    if (comparison := summary.get("comparison")) is None:
        return
    names, differ = comparison["names"], comparison["differ"]
    for one in differ[:most]:
        yield f"DIFFERS {one['script']}: {names['a']} {one['a']:.0%}, {names['b']} {one['b']:.0%} passed"
        yield from (f"  {names['b']} fails {failed}" for failed in one["failed"]["b"])
    if len(differ) > most:
        yield f"... and {len(differ) - most} more; --report FOLDER writes all"
    for side in ("a", "b"):
        yield f"{names[side]}: {counted(comparison['sides'][side])}"
    for side, lone in (("a", comparison["only_a"]), ("b", comparison["only_b"])):
        if lone:
            yield f"judged at {names[side]} only: {', '.join(one['script'] for one in lone[:NAMED])}" + (
                f" and {len(lone) - NAMED} more" if len(lone) > NAMED else ""
            )
    yield from comparison["said"]
