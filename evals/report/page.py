"""The report as one page of HTML that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from evals.checks import Check
from evals.replay.record import Judged, TurnRecord
from evals.report.baseline import Baseline
from evals.report.headline import counted, headline
from evals.report.media import Player, Shelf
from evals.report.plots import Plot, curve_plot, latency_plot
from evals.report.regression import SLOWER_MS
from evals.report.standing import standings, titled
from evals.report.summary import place
from evals.report.turn_taking import turn_taking_plot
from evals.results import Result, Results
from evals.statistics import FEWEST_DIFFERENT

if TYPE_CHECKING:
    from jinja2 import Template

WATERFALL = ("turn_end", "transcript", "first_sentence", "first_sound")
"""Moments that are drawn for every turn, in the order in which they should come."""
PASSES_ON = "allow"
"""Verdict that is not worth a word."""
MOST_ROWS = 16
"""Of a table or list that stand open; the rest opens at a press."""
MOST_SHOWN = 2000
"""Conversations, those that did not pass first: a page of more opens slowly."""
MOST_OPEN = 5
"""Failed conversations that stand open from the beginning."""
_TEMPLATES = Path(__file__).parent / "assets"
_NOT_UNICODE = re.compile("[\ud800-\udfff]")
"""Halves of characters, which JSON may hold and a file in UTF-8 may not."""
_NOT_IN_IDS = re.compile(r"[^\w.\-]")


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a waterfall; `left` and `width` are shares of the conversation's longest."""

    name: str
    ms: float
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class TurnShown:
    """A turn as the page shows it."""

    record: TurnRecord
    checks: list[Check]
    """Failed ones."""
    verdicts: list[Judged]
    sources: list[str]
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class ConversationShown:
    """A conversation as the page shows it."""

    result: Result
    state: str
    """ "passed", "failed" or "error"."""
    anchor: str
    flaky: bool
    place: str
    whole: list[Check]
    """Failed checks of the whole, and of turns that never came."""
    passed: list[str]
    skipped: list[str]
    """Checks that nobody could look at."""
    turns: list[TurnShown]
    open: bool
    media: Player | None = field(default=None)


def page_of(
    folder: Path,
    results: Results,
    summary: Mapping[str, Any],
    *,
    before: Baseline | None = None,
    comparison: Mapping[str, Any] | None = None,
) -> str:
    """Return the page.

    Args:
        folder: of the report, in which media lie.
        results: of the run.
        summary: of the same.
        before: the baseline.
        comparison: with another run; `evals.report.compare`.
    """
    from markupsafe import Markup

    style, script = ((_TEMPLATES / name).read_text("utf-8") for name in ("style.css", "script.js"))
    page = _template().render(
        summary=summary,
        headline=headline(summary),
        regression=summary["regression"],
        before=before or Baseline(version=1, by_script=[]),
        comparison=comparison,
        most_rows=MOST_ROWS,
        fewest=FEWEST_DIFFERENT,
        noticed=SLOWER_MS,
        conversations=list(_shown(results, Shelf(folder))),
        left_out=max(len(results.results) - MOST_SHOWN, 0),
        latency=_latency(results, before),
        hat=_hat(summary["pass^k"]),
        trend=_trend(summary),
        turn_taking=turn_taking_plot(summary["turn_taking"]),
        policy=_policy(script),
        style=Markup(style),
        script=Markup(script),
    )
    return _NOT_UNICODE.sub("\ufffd", page)


@cache
def _template() -> Template:
    """Return what fills the page in; everything that is put in is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, auto_reload=False
    )
    environment.filters |= {
        "percent": _percent,
        "percent_css": lambda share: f"{100 * share:.2f}%",
        "points": lambda share: f"{100 * share:+.1f}".replace("-", "−"),
        "ms": _ms,
        "signed_ms": lambda ms: f"{ms:+.0f} ms",
        "plain": lambda name: name.replace("_", " "),
        "day": lambda began: began[:16].replace("T", " ") + (" UTC" if began.endswith("+00:00") else ""),
        "place": place,
        "anchor": lambda one: quote(anchor(one["script"], one["mode"], one.get("repeat", 0))),
        "worst_first": _worst_first,
        "wins": lambda those, side, other: [one for one in those if one[side] > one[other]],
        "measured": _measured,
        "counted": counted,
        "changed": _changed,
    }
    return environment.get_template("report.html")


def anchor(script: str, mode: str, repeat: int) -> str:
    """Return a conversation's id in the page."""
    return _NOT_IN_IDS.sub("_", f"{script}-{mode}-{repeat + 1}")


def steps_of(timings_ms: Mapping[str, float], longest_ms: float) -> list[Step]:
    """Return the waterfall of a turn: each moment's bar begins where the one before it ended.

    Args:
        timings_ms: of the turn; moments that took no time, as in words, are left out.
        longest_ms: that a bar can show, above 0.
    """
    steps, begun = list[Step](), 0.0
    for name in WATERFALL:
        if (ms := timings_ms.get(name, 0.0)) > 0:
            left = min(begun, ms)
            steps.append(Step(name, ms, left / longest_ms, (ms - left) / longest_ms))
            begun = max(begun, ms)
    return steps


def _shown(results: Results, shelf: Shelf) -> Iterator[ConversationShown]:
    flaky = {one.key for one in standings(results.results) if one.flaky}
    ordered = sorted(results.results, key=lambda one: (one.passed, bool(one.record.error)))
    for number, result in enumerate(ordered[:MOST_SHOWN]):
        record = result.record
        failed = () if record.error else result.failed
        numbers = {turn.number for turn in record.turns}
        waits = [
            turn.timings_ms[name] for turn in record.turns for name in WATERFALL if name in turn.timings_ms
        ]
        longest_ms = max([*waits, 1.0])
        yield ConversationShown(
            result,
            "error" if record.error else "failed" if failed else "passed",
            anchor(*result.key),
            (record.script, record.mode) in flaky,
            place(record.file),
            [one for one in failed if one.turn not in numbers],
            [titled(check) for check in result.checks if check.passed],
            [titled(check) for check in result.checks if check.skipped],
            [
                TurnShown(
                    turn,
                    [one for one in failed if one.turn == turn.number],
                    [one for one in turn.verdicts if one.action != PASSES_ON],
                    list(
                        dict.fromkeys(str(c.get("source", "")) for s in turn.sentences for c in s.citations)
                    ),
                    steps_of(turn.timings_ms, longest_ms),
                )
                for turn in record.turns
            ],
            bool(failed) and number < MOST_OPEN,
            shelf.player(record.media) if record.media is not None else None,
        )


def _latency(results: Results, before: Baseline | None) -> Plot | None:
    series: dict[str, list[float]] = {name: [] for name in WATERFALL}
    for one in results.results:
        for turn in one.record.turns if not one.record.error else ():
            for name, values in series.items():
                if name in turn.timings_ms:
                    values.append(turn.timings_ms[name])
    old = [ms for one in before.by_script for ms in one.first_sound_ms] if before else []
    return latency_plot(series, old)


def _hat(curve: Mapping[str, float]) -> Plot | None:
    if len(curve) < 2:
        return None
    points = [int(k) for k in curve], list(curve.values())
    return curve_plot({"pass^k": points}, name="hat", across="k", up="pass^k")


def _trend(summary: Mapping[str, Any]) -> Plot | None:
    """Draw the pass rates of a chain of baselines and of this run; two runs are told in words."""
    rates = [one["pass_rate"] for one in summary["history"]] + [summary["pass_rate"]]
    points = [(number - len(rates) + 1, rate) for number, rate in enumerate(rates) if rate is not None]
    if len(points) < 3:
        return None
    places, values = zip(*points, strict=True)
    return curve_plot(
        {"pass rate": (places, values)}, name="trend", across="runs before this one (0)", up="passed"
    )


def _policy(script: str) -> str:
    """Return what the page may load: its own script, its own styles, media beside it; nothing else."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "media-src 'self' file: data:; base-uri 'none'; form-action 'none'"
    )


def _worst_first(groups: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Return scores with their pass rates; those of which something failed first, then by name."""
    rated = []
    for name, one in groups.items():
        judged = one["passed"] + one["failed"]
        rated.append((name, {"errors": 0, **one, "pass_rate": one["passed"] / judged if judged else None}))
    return sorted(
        rated, key=lambda item: (1.0 if item[1]["pass_rate"] is None else item[1]["pass_rate"], item[0])
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %".replace(".0 %", " %")


def _ms(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 10_000 else f"{ms / 1000:.1f} s"


def _measured(value: float, unit: str) -> str:
    return _ms(value) if unit == "ms" else _percent(value)


def _changed(value: float, unit: str) -> str:
    return f"{value:+.0f} ms" if unit == "ms" else f"{100 * value:+.1f}"
