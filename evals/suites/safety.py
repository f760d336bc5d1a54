"""Labelled safety sets: the guard's verdicts at its policy, against the labels of a table.

A set has one column that tells harmful from harmless, or one for each kind of harm. Kinds are taken for the
policy's categories by their usual names; "flagged" is every action but allow. Figures by category ask whether
that category's own rules fired, so that a text flagged for something else does not count for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evals.moderation import Judge, judged
from evals.moderation_counts import HARM, Judged, average_precision, figures
from evals.moderation_sets import HARMFUL, Item
from evals.suites.figures import Figures, Found, SuiteDataError, Tick
from evals.suites.labels import OF_PROMPTS, Every, labels_of
from evals.suites.tables import ATTACK_NAMES, LANGUAGE_NAMES, RESPONSE_NAMES, TEXT_NAMES, read_table

STEPS = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Thresholds of the curve."""
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class SafetySet:
    """Labelled texts."""

    items: tuple[Item, ...]
    lines: tuple[int, ...]
    how: tuple[str, ...]
    """What the texts and labels were taken for, and what was left out."""
    by: str = ""
    """What the items' `case` is: a column's name."""


def read_safety(
    file: Path,
    *,
    text: str = "",
    label: str = "",
    harmful: Sequence[str] = (),
    category: str = "",
    every: Every = "",
    by: str = "",
    direction: str = "input",
    language: str = "",
) -> SafetySet:
    """Read a set.

    Args:
        file: CSV, TSV, JSON Lines or JSON.
        text: column of the texts; empty: guessed.
        label: column of the labels, several with commas between; empty: guessed.
        harmful: values of the label that mean harmful; empty: guessed.
        category: of the policy, for which the label's harmful values stand; empty: any.
        every: "harmful" or "harmless" where all texts are; the label then tells of which kind they are.
        by: a column for whose values figures are given apart; empty: none.
        direction: of the policy: "input", "output", "document" or "tool".
        language: ISO 639-1 of all texts; empty: a column of it, else by their letters.

    Raises:
        SuiteDataError: it is missing, broken, or its labels cannot be told.
    """
    table = read_table(file)
    answers = direction == "output"
    names = (*RESPONSE_NAMES, *TEXT_NAMES) if answers else (*TEXT_NAMES, *ATTACK_NAMES, *RESPONSE_NAMES)
    said = table.column(text, names, "the texts", "--text")
    spoken = "" if language else table.guess(LANGUAGE_NAMES)
    group = table.column(by, (), "the groups", "--by") if by else ""
    labels = labels_of(
        table, said, label=label, harmful=harmful, category=category, every=every, of_responses=answers
    )
    items, lines, unlabelled, empty = list[Item](), list[int](), 0, 0
    for row in table.rows:
        words = row.values.get(said, "").strip()
        found = labels.of(row) if words else ()
        if not words or found is None:
            empty, unlabelled = empty + (not words), unlabelled + (found is None)
            continue
        told = row.values.get(spoken, "").strip() if spoken else ""
        code = told[:2].lower() if re.fullmatch(r"[A-Za-z]{2}([-_]\w+)?", told) else ""
        tongue = language or code or ("zh" if _HAN.search(words) else "en")
        case = row.values.get(group, "").strip() if group else ""
        items.append(Item("", words, found, case, direction=direction, language=tongue))
        lines.append(row.line)
    labels.check(table)
    if not items:
        what = "has a label" if unlabelled else f"stands in {said!r}"
        raise SuiteDataError(f"no text {what}; name another column with --text or --label", file)
    how = [f"texts from {said!r}; {labels.how}"]
    answer = "" if answers or every else table.guess(RESPONSE_NAMES)
    if answer and answer != said and not set(labels.columns) & {*OF_PROMPTS}:
        how.append(
            f"if {labels.columns[0]!r} judges {answer!r} rather than {said!r}, "
            "measure that: --direction output"
        )
    if unlabelled:
        how.append(f"{unlabelled} texts without a label are left out")
    if empty:
        how.append(f"{empty} rows without a text are left out")
    return SafetySet(tuple(items), tuple(lines), tuple(how), group)


def measure_safety(
    one: SafetySet, judge: Judge, *, limit: int | None = None, tick: Tick = lambda *_: None
) -> Found:
    """Judge everything.

    Args:
        one: the set.
        judge: of `evals.moderation.judge_of`.
        limit: at most so many texts, evenly spread.
        tick: told how far it is.
    """
    places = range(len(one.items))
    if limit is not None and limit < len(places):
        places = range(0, len(one.items), -(-len(one.items) // limit))
    items = [one.items[place] for place in places]
    rows = list[Judged]()
    step = 32
    for start in range(0, len(items), step):
        rows += judged(items[start : start + step], judge)
        tick(len(rows), len(items))
    found = Found("safety", notes=list(one.how))
    found.figures |= {**_plain_figures(rows), **_curve_best(rows)}
    for language in sorted({item.language for item in items}):
        part = [row for row in rows if row.item.language == language]
        found.parts.setdefault("languages", {})[language] = _plain_figures(part)
    for category in sorted({label for item in items for label in item.labels if label != HARMFUL}):
        found.parts.setdefault("categories", {})[category] = _of_category(rows, category)
    if one.by:
        for case in dict.fromkeys(item.case for item in items):
            part = [row for row in rows if row.item.case == case]
            found.parts.setdefault(f"by {one.by}", {})[case or "(empty)"] = _plain_figures(part)
    found.parts["thresholds on the greatest score"] = {
        f"{step:.2f}": part for step, part in _curve(rows).items()
    }
    ranking = _ranking(rows)
    for place, row in zip(places, rows, strict=True):
        found.rows.append(
            {"line": one.lines[place], "text": row.item.text, "labels": " ".join(row.item.labels),
             "action": row.verdict.action.value, "rule": row.verdict.rule,
             "harm": round(row.harm(ranking), 4), "right": int(row.flagged == row.item.harmful)}
        )  # fmt: skip
    if not any(item.harmful for item in items):
        found.not_measured["precision, recall, average_precision"] = (
            "all texts are harmless: false alarms only"
        )
    if all(item.harmful for item in items):
        found.not_measured["false_alarms, precision"] = "all texts are harmful: recall only"
    return found


def _plain_figures(rows: Sequence[Judged]) -> Figures:
    found: Figures = dict(figures(rows))
    right = sum(row.flagged and row.item.harmful for row in rows)
    flagged = sum(row.flagged for row in rows)
    if flagged and 0 < found["harmful"] < len(rows):
        found["precision"] = right / flagged
    return found


def _of_category(rows: Sequence[Judged], category: str) -> Figures:
    """Whether the category's own rules fired."""
    wanted = np.array([category in row.item.labels for row in rows])
    given = np.array([category in {rule.partition(".")[0] for rule in row.verdict.rules} for row in rows])
    right = int((wanted & given).sum())
    any_flag = np.array([row.flagged for row in rows])
    return {
        "texts": int(wanted.sum()),
        "precision": right / max(int(given.sum()), 1),
        "recall": right / int(wanted.sum()),
        "f1": 2 * right / max(int(given.sum() + wanted.sum()), 1),
        "average_precision": average_precision([row.harm([category]) for row in rows], list(wanted)),
        "recall_any_rule": float(any_flag[wanted].mean()),
    }


def _ranking(rows: Sequence[Judged]) -> set[str]:
    return {*HARM, *(label for row in rows for label in row.item.labels)}


def _curve(rows: Sequence[Judged]) -> dict[float, Figures]:
    """Threshold on the greatest harm score → precision, recall, false alarms."""
    ranking = _ranking(rows)
    scores = np.array([row.harm(ranking) for row in rows])
    bad = np.array([row.item.harmful for row in rows])
    found = {}
    for step in STEPS:
        over = scores >= step
        right = int((over & bad).sum())
        found[step] = {
            "recall": right / max(int(bad.sum()), 1),
            "precision": right / max(int(over.sum()), 1),
            "false_alarms": float(over[~bad].mean()) if (~bad).any() else 0.0,
            "f1": 2 * right / max(int(over.sum() + bad.sum()), 1),
        }
    return found


def _curve_best(rows: Sequence[Judged]) -> dict[str, float]:
    curve = _curve(rows)
    best = max(curve, key=lambda step: curve[step]["f1"])
    if not any(row.item.harmful for row in rows):
        return {}
    return {"best_f1_on_curve": curve[best]["f1"], "best_threshold": best}
