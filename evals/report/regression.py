"""Whether a desk became worse than it was: a run against the one before, script by script.

Only scripts that were judged in both are compared, so that a suite may grow, and what the harness broke is
held against nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evals.report.standing import Standing
from evals.statistics import difference_of_means, quantile

JUDGED_BY_MODELS = ("goal",)
"""Checks that a language model decides: they may turn without the desk having changed."""
NOTHING = "nothing to compare: no script was judged in both; it is of other scripts, or of another mode"
NAMED = 3
"""Scripts that a line names; the lists have all."""
SLOWER_SHARE = 0.2
"""By which the first sound may come later: runs of one desk on a busy machine differ by a tenth."""
SLOWER_MS = {"audio": 100.0, "text": 250.0}
"""By which it may come later at least: less is not noticed in a conversation; in words only computing takes
time, and a busy machine moves the slowest twentieth by 175 ms (measured at five processes a core)."""
FEWEST_TURNS = 20
"""From which a 95th percentile is more than the slowest turn; below, medians are compared."""


def regression_of(now: Sequence[Standing], before: Sequence[Standing]) -> dict[str, Any]:
    """Compare a run with the one before.

    Args:
        now: of this run.
        before: of the baseline.

    Returns:
        `regressed` with its `reasons` in words; `said`: these, or that there is none, and what came and went;
        `newly_failing` and `newly_flaky` scripts with their checks,
        `fixed`, `new`, `missing` and `unjudged` scripts; `pass_rate` and `first_sound` before and now.
    """
    earlier, later = {one.key: one for one in before}, {one.key: one for one in now}
    pairs = [
        (earlier[one.key], one) for one in now if one.runs and (was := earlier.get(one.key)) and was.runs
    ]
    failing, flaky, fixed, reasons = [], [], [], list[str]()
    for was, one in pairs:
        checks = [
            name for name, (passed, of) in one.checks.items() if not passed and of and _stood(name, was)
        ]
        if checks:
            failing.append({**_named(one), "checks": checks})
        elif one.flaky and was.passed == was.runs:
            flaky.append(_named(one))
        elif one.passed == one.runs and was.passed < was.runs:
            fixed.append(_named(one))
    surely = [one for one in failing if any(not by_model(check) for check in one["checks"])]
    if surely:
        reasons += _listed("{} newly failing", surely)
    rate, sound = _pass_rate(pairs), _first_sound(pairs)
    if rate and rate["decided"] and rate["change"] < 0:
        reasons.append(
            f"the pass rate fell from {rate['before']:.1%} to {rate['now']:.1%} "
            f"(95 % interval of the change {rate['low']:+.1%} to {rate['high']:+.1%})"
        )
    if sound and sound["slower"]:
        reasons.append(
            f"the first sound comes after {sound['now_ms']:.0f} ms instead of {sound['before_ms']:.0f} "
            f"({sound['of']})"
        )
    new = [_named(one) for one in now if one.key not in earlier]
    missing = [_named(one) for one in before if one.key not in later]
    return {
        "regressed": bool(reasons),
        "reasons": reasons,
        "said": [
            *(reasons or ([f"no regression over {_scripts(len(pairs))}"] if pairs else [NOTHING])),
            *_listed("{} mended", fixed),
            *_listed("{} newly unsteady", flaky),
            *_listed("{} of the baseline not replayed", missing),
            *_listed("{} not in the baseline", new),
        ],
        "compared": len(pairs),
        "newly_failing": failing,
        "newly_flaky": flaky,
        "fixed": fixed,
        "new": new,
        "missing": missing,
        "unjudged": [_named(one) for one in now if not one.runs and one.key in earlier],
        "pass_rate": rate,
        "first_sound": sound,
    }


def by_model(check: str) -> bool:
    """Tell whether a language model decides a check, by its name, with or without its turn."""
    return check.rpartition(": ")[2] in JUDGED_BY_MODELS


def _stood(check: str, was: Standing) -> bool:
    """Whether a check passed in every repeat of before; one that is new to the script breaks nothing."""
    passed, of = was.checks.get(check, (0, 0))
    return bool(of) and passed == of


def _named(one: Standing) -> dict[str, Any]:
    return {"script": one.script, "mode": one.mode}


def _scripts(number: int) -> str:
    return f"{number} script" + ("s" if number != 1 else "")


def _listed(words: str, those: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line with how many and the first names; none for none."""
    names = ", ".join(one["script"] for one in those[:NAMED]) + (" …" if len(those) > NAMED else "")
    return [f"{words.format(_scripts(len(those)))}: {names}"] if those else []


def _pass_rate(pairs: Sequence[tuple[Standing, Standing]]) -> dict[str, Any] | None:
    if not pairs:
        return None
    before, now = [was.rate for was, _ in pairs], [one.rate for _, one in pairs]
    change = difference_of_means(before, now)
    return {
        "before": round(sum(before) / len(pairs), 4),
        "now": round(sum(now) / len(pairs), 4),
        "change": round(change.value, 4),
        "low": round(change.low, 4),
        "high": round(change.high, 4),
        "decided": change.decided,
    }


def _first_sound(pairs: Sequence[tuple[Standing, Standing]]) -> dict[str, Any] | None:
    before = [ms for was, _ in pairs for ms in was.first_sound_ms]
    now = [ms for _, one in pairs for ms in one.first_sound_ms]
    if not before or not now:
        return None
    share, of = (0.95, "p95") if min(len(before), len(now)) >= FEWEST_TURNS else (0.5, "median")
    least_ms = max(SLOWER_MS[one.mode] for _, one in pairs if one.first_sound_ms)
    was_ms, is_ms = quantile(before, share), quantile(now, share)
    later_ms = is_ms - was_ms
    return {
        "of": of,
        "before_ms": round(was_ms, 1),
        "now_ms": round(is_ms, 1),
        "change_ms": round(later_ms, 1),
        "slower": later_ms > least_ms and later_ms > SLOWER_SHARE * was_ms,
    }
