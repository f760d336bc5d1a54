"""A/B: two runs of the same scripts, paired script by script, and which is better on what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal, TypeVar

from evals.report.regression import SLOWER_MS
from evals.report.standing import Standing, standings, titled
from evals.report.summary import word_errors_of
from evals.results import Result, Results
from evals.statistics import (
    Difference,
    difference_of_means,
    difference_of_medians,
    difference_of_ratios,
)

T = TypeVar("T")
Key = tuple[str, str]
"""Script and mode."""

UNITS: dict[str, Literal["share", "ms", "errors"]] = {
    "pass_rate": "share",
    "check": "share",
    "timing": "ms",
    "wer": "errors",
}
"""Kind of measure → unit of its values: a share, milliseconds, errors for each word."""


MOST_NAMED = 8
"""Undecided or equal measures that a sentence names; the table has all."""
LENGTH = "reply_end"
"""A timing that says how long the reply is, more than how quick: neither longer nor shorter is better."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure on both sides."""

    kind: Literal["pass_rate", "check", "timing", "wer"]
    name: str
    """In words, for example "contains" or "first_sound"."""
    a: float
    b: float
    difference: Difference
    """b less a."""
    higher_is_better: bool | None
    """None: neither is."""
    least: float = 0.0
    """A smaller difference is noticed by nobody."""

    @property
    def better(self) -> Literal["a", "b", "same", "other", "undecided"]:
        """Which side is better; "same": no pair differs; "other": they differ, but neither is better."""
        if not self.difference.different:
            return "same"
        if not self.difference.decided:
            return "undecided"
        if self.higher_is_better is None or abs(self.difference.value) < self.least:
            return "other"
        return "b" if (self.difference.value > 0) == self.higher_is_better else "a"


def compare(a: Results, b: Results, names: tuple[str, str] | None = None) -> dict[str, Any]:
    """Compare two runs on the scripts that were judged in both.

    Args:
        a: one run.
        b: the other.
        names: what to call them; their desks by default, with "A" and "B" where these are the same.

    Returns:
        `names`, `sides` (what passed on each), `pairs`, `only_a`, `only_b`,
        `differ` (scripts whose pass rates differ, with both and the checks that `failed` on each side),
        `measures` (each with both values, the difference b less a, its 95 % bootstrap interval over scripts,
        and which is `better`), and `said`: the outcome in sentences.
    """
    names = names or _names(a, b)
    ours, theirs = _by_key(a), _by_key(b)
    keys = [key for key in ours if key in theirs]
    measures = list(_measures([ours[key] for key in keys], [theirs[key] for key in keys])) if keys else []
    return {
        "names": {"a": names[0], "b": names[1]},
        "sides": {"a": _side(a), "b": _side(b)},
        "pairs": len(keys),
        "only_a": [{"script": script, "mode": mode} for script, mode in ours if (script, mode) not in theirs],
        "only_b": [{"script": script, "mode": mode} for script, mode in theirs if (script, mode) not in ours],
        "differ": [
            {
                "script": key[0],
                "mode": key[1],
                "a": round(one.standing.rate, 4),
                "b": round(other.standing.rate, 4),
                "failed": {"a": one.failed(), "b": other.failed()},
            }
            for key, one, other in ((key, ours[key], theirs[key]) for key in keys)
            if one.standing.rate != other.standing.rate
        ],
        "measures": [_document(one) for one in measures],
        "said": _said(measures, names, len(keys)),
    }


@dataclass(slots=True)
class Side:
    """One script on one side: all its judged repeats."""

    results: list[Result]
    standing: Standing

    def failed(self) -> list[str]:
        """Return the failed checks with their turns and messages, each once."""
        every = (f"{titled(check)}: {check.message}" for one in self.results for check in one.failed)
        return list(dict.fromkeys(every))

    def share(self, check: str) -> float | None:
        """Return in which share of their occurrences checks of a name passed; None: it has none."""
        passed = [
            one.passed
            for result in self.results
            for one in result.checks
            if one.name == check and not one.skipped
        ]
        return sum(passed) / len(passed) if passed else None

    def timing(self, name: str) -> float | None:
        """Return a timing's median over all turns; None: there is none."""
        values = [
            turn.timings_ms[name]
            for one in self.results
            for turn in one.record.turns
            if name in turn.timings_ms
        ]
        return median(values) if values else None

    def errors(self, *, reply: bool) -> tuple[float, float] | None:
        """Return errors and words of what was heard, or of the replies transcribed back; None: no words."""
        counted = [
            found
            for one in self.results
            if one.record.mode == "audio"
            for turn in one.record.turns
            if (found := word_errors_of(turn, one.record.language, reply=reply)) is not None
        ]
        return (sum(one for one, _ in counted), sum(many for _, many in counted)) if counted else None


def _by_key(results: Results) -> dict[Key, Side]:
    sides = dict[Key, Side]()
    judged = [one for one in results.results if not one.record.error]
    for standing in standings(judged):
        sides[standing.key] = Side([], standing)
    for one in judged:
        sides[one.record.script, one.record.mode].results.append(one)
    return sides


def _measures(a: Sequence[Side], b: Sequence[Side]) -> Iterator[Measured]:
    rates = [one.standing.rate for one in a], [one.standing.rate for one in b]
    yield Measured("pass_rate", "conversations passed", *_of_means(*rates), True)
    checks = {check.name: None for side in a for one in side.results for check in one.checks}
    for name in checks:
        pairs = _both([one.share(name) for one in a], [one.share(name) for one in b])
        if pairs[0]:
            yield Measured("check", name, *_of_means(*pairs), True)
    timings = {
        name: None for side in a for one in side.results for t in one.record.turns for name in t.timings_ms
    }
    least_ms = max(SLOWER_MS[one.standing.mode] for one in a)
    for name in timings:
        pairs = _both([one.timing(name) for one in a], [one.timing(name) for one in b])
        if pairs[0]:
            yield Measured(
                "timing",
                name.replace("_", " "),
                median(pairs[0]),
                median(pairs[1]),
                difference_of_medians(*pairs),
                None if name == LENGTH else False,
                least_ms,
            )
    for name, reply in (("errors in what was heard", False), ("errors in the replies' sound", True)):
        counts = _both([one.errors(reply=reply) for one in a], [one.errors(reply=reply) for one in b])
        if counts[0]:
            yield Measured(
                "wer", name, _ratio(counts[0]), _ratio(counts[1]), difference_of_ratios(*counts), False
            )


def _both(a: Sequence[T | None], b: Sequence[T | None]) -> tuple[list[T], list[T]]:
    """Return the pairs that have both sides."""
    pairs = [(one, other) for one, other in zip(a, b, strict=True) if one is not None and other is not None]
    return [one for one, _ in pairs], [other for _, other in pairs]


def _of_means(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, Difference]:
    return sum(a) / len(a), sum(b) / len(b), difference_of_means(a, b)


def _side(results: Results) -> dict[str, Any]:
    judged = [one for one in results.results if not one.record.error]
    passed = sum(one.passed for one in judged)
    return {
        "passed": passed,
        "failed": len(judged) - passed,
        "errors": len(results.results) - len(judged),
        "pass_rate": round(passed / len(judged), 4) if judged else None,
    }


def _ratio(counts: Sequence[tuple[float, float]]) -> float:
    return sum(one for one, _ in counts) / sum(many for _, many in counts)


def _names(a: Results, b: Results) -> tuple[str, str]:
    if a.run.desk != b.run.desk:
        return a.run.desk, b.run.desk
    return f"{a.run.desk} A", f"{b.run.desk} B"


def _document(one: Measured) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "name": one.name,
        "unit": UNITS[one.kind],
        "a": round(one.a, 4),
        "b": round(one.b, 4),
        **{name: round(value, 4) for name, value in asdict(one.difference).items()},
        "better": one.better,
    }


def _said(measures: Sequence[Measured], names: tuple[str, str], pairs: int) -> list[str]:
    """Say in sentences which side is better on what."""
    if not pairs:
        return ["No script was judged on both sides: nothing can be compared."]
    grouped = defaultdict[str, list[Measured]](list)
    for one in measures:
        grouped[one.better].append(one)
    said = [
        f"{name} is better on {'; '.join(_told(one) for one in grouped[side])}."
        for side, name in (("a", names[0]), ("b", names[1]))
        if grouped[side]
    ]
    if not said:
        said.append(f"Neither is shown to be better over {pairs} script{'s' if pairs != 1 else ''}.")
    for verdict, begin in (
        ("other", "Different, neither better"),
        ("undecided", "Undecided"),
        ("same", "No difference at all"),
    ):
        if grouped[verdict]:
            those = [one.name for one in grouped[verdict]]
            more = f" and {len(those) - MOST_NAMED} more" if len(those) > MOST_NAMED else ""
            said.append(f"{begin}: {', '.join(those[:MOST_NAMED])}{more}.")
    return said


def _told(one: Measured) -> str:
    change = one.difference
    if one.kind == "timing":
        return f"{one.name} ({one.a:.0f} → {one.b:.0f} ms, change {change.low:+.0f} to {change.high:+.0f})"
    return f"{one.name} ({one.a:.1%} → {one.b:.1%}, change {change.low:+.1%} to {change.high:+.1%})"
