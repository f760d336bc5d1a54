"""A run in a few words, and its failures told once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

VERDICTS = {"error": "not judged", "incomplete": "broke off", "empty": "nothing was replayed"}
"""Verdict → what people read; the others are words already."""


def headline(summary: Mapping[str, Any]) -> str:
    """Say in a few words what came of a run, and how much of it says nothing.

    Args:
        summary: as `evals.report.summary_of` makes it.
    """
    failed, unjudged = summary["failed"], summary["errors"]
    judged = summary["passed"] + failed
    said = {
        "regressed": "worse than the baseline",
        "failed": f"{failed} of {judged} conversations failed",
        "error": f"{unjudged} could not be judged",
    }.get(summary["verdict"]) or VERDICTS.get(summary["verdict"], summary["verdict"])
    if unjudged and summary["verdict"] == "error" and judged:
        return f"{said}, {judged} passed"
    return f"{said}, {unjudged} not judged" if unjudged and summary["verdict"] != "error" else said


def counted(score: Mapping[str, Any]) -> str:
    """Say how many conversations passed, of those that were judged: "5 of 6 passed, 18 not judged"."""
    told = f"{score['passed']} of {score['passed'] + score['failed']} conversations passed"
    return told + (f", {score['errors']} not judged" if score["errors"] else "")


def failures_once(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each failed check once, whichever repeats it failed in.

    Returns:
        The failures as the summary has them, of the first repeat each, with `times` and `of`: in how many
        repeats, of how many that were judged.
    """
    of = {(one["script"], one["mode"]): one["runs"] for one in summary["by_script"]}
    found = _once(summary["failures"], "script", "mode", "line", "turn", "check")
    return [one | {"of": of.get((one["script"], one["mode"]), 1)} for one in found]


def unjudged_once(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what could not be judged, each script and reason once, with `times`."""
    return _once(summary["harness_errors"], "script", "mode", "message")


def _once(those: Iterable[Mapping[str, Any]], *names: str) -> list[dict[str, Any]]:
    found = dict[tuple[Any, ...], dict[str, Any]]()
    repeats = dict[tuple[Any, ...], set[int]]()
    for one in those:
        key = tuple(one[name] for name in names)
        found.setdefault(key, dict(one))
        repeats.setdefault(key, set()).add(one["repeat"])
    return [one | {"times": len(repeats[key])} for key, one in found.items()]
