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
from evals.suites.tables import LABEL_NAMES, LANGUAGE_NAMES, TEXT_NAMES, Row, Table, read_table
from moderation import Category

KINDS: dict[Category, tuple[str, ...]] = {
    Category.HATE: ("hate", "h", "h2", "hate/threatening", "hate_speech", "identity_hate", "identity_attack",
                    "racism", "sexism", "仇恨", "歧视"),
    Category.HARASSMENT: ("harassment", "hr", "harassment/threatening", "insult", "insults", "bullying",
                          "abuse", "abusive", "threat", "侮辱", "辱骂", "骚扰"),
    Category.SEXUAL: ("sexual", "s", "sexual_explicit", "adult", "porn", "色情"),
    Category.SEXUAL_MINORS: ("sexual_minors", "s3", "sexual/minors", "csam"),
    Category.VIOLENCE: ("violence", "v", "v2", "violence/graphic", "violent", "暴力"),
    Category.SELF_HARM: ("self_harm", "sh", "self-harm", "selfharm", "suicide", "自残", "自杀"),
    Category.DANGEROUS: ("dangerous", "illicit", "illegal", "weapons", "drugs", "crime", "违法"),
    Category.PROFANITY: ("profanity", "obscene", "vulgar", "脏话"),
    Category.INJECTION: ("injection", "prompt_injection", "jailbreak", "jailbreaking", "注入", "越狱"),
    Category.PII: ("pii", "personal_data", "privacy"),
    Category.SECRETS: ("secrets", "secret"),
}  # fmt: skip
"""Category of the policy → what columns and labels of published sets call it."""
_HARMLESS = (
    "0|0.0|false|no|n|safe|benign|neutral|none|normal|non-toxic|not toxic|nontoxic|non_toxic|clean|ham|ok"
    "|neither|non-hate|nothate|non-hateful|not hateful|not_offensive|not offensive|not|legitimate"
    "|安全|正常|无"
)
HARMLESS = frozenset(["", *_HARMLESS.split("|")])
"""Labels of what is harmless, without regard to case."""
_PLAIN = (
    "1|1.0|true|yes|y|toxic|unsafe|harmful|hateful|offensive|off|spam|malicious|attack|bad|flagged"
    "|不安全|有害"
)
PLAIN = frozenset(_PLAIN.split("|"))
"""Labels of what is harmful and no more."""
OVERALL = frozenset(
    {
        "toxic",
        "toxicity",
        "severe_toxic",
        "severe_toxicity",
        "offensive",
        "harmful",
        "unsafe",
        "flagged",
        "is_toxic",
    }
)
"""Columns for harm as such, beside those for its kinds."""
INVERSE = frozenset({"is_safe", "safe", "is_benign"})
"""Columns whose "true" means harmless."""
HALF = 0.5
"""From this share of annotators on, a number means harmful."""
STEPS = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Thresholds of the curve."""
_HAN = re.compile(r"[\u3400-\u9fff]")
_KIND: dict[str, Category] = {name: category for category, names in KINDS.items() for name in names}


@dataclass(frozen=True, slots=True)
class SafetySet:
    """Labelled texts."""

    items: tuple[Item, ...]
    lines: tuple[int, ...]
    how: str
    """What the labels were taken for."""


def read_safety(
    file: Path,
    *,
    text: str = "",
    label: str = "",
    harmful: Sequence[str] = (),
    category: str = "",
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
        direction: of the policy: "input", "output", "document" or "tool".
        language: ISO 639-1 of all texts; empty: a column of it, else by their letters.

    Raises:
        SuiteDataError: it is missing, broken, or its labels cannot be told.
    """
    table = read_table(file)
    said = table.column(text, TEXT_NAMES, "the texts", "--text")
    spoken = "" if language else table.guess(LANGUAGE_NAMES)
    named = [table.column(name, (), "the labels", "--label") for name in label.split(",")] if label else []
    others = [column for column in named or table.columns if column != said]
    kinds = {column: _KIND[_plain(column)] for column in others if _plain(column) in _KIND}
    of_harm = [column for column in others if column in kinds or _plain(column) in OVERALL]
    if len(named) > 1 or not named and kinds and len(of_harm) > 1:
        columns = tuple(named or of_harm)
        how = "labels by column: " + ", ".join(f"{one} as {kinds.get(one, HARMFUL)}" for one in columns)
    else:
        guessed = "" if named else table.column("", [*LABEL_NAMES, *_KIND], "the labels", "--label")
        columns = (guessed or named[0],)
        how = f"labels from {columns[0]!r}"
        if category:
            kinds[columns[0]] = Category(category)
    items, lines, unclear = list[Item](), list[int](), dict[str, int]()
    for row in table.rows:
        words = row.values.get(said, "").strip()
        if not words:
            continue
        found = _labels(row, columns, kinds, harmful, unclear)
        told = row.values[spoken].strip() if spoken else ""
        code = told[:2].lower() if re.fullmatch(r"[A-Za-z]{2}([-_]\w+)?", told) else ""
        tongue = language or code or ("zh" if _HAN.search(words) else "en")
        items.append(Item("", words, found, direction=direction, language=tongue))
        lines.append(row.line)
    _clear(table, columns, unclear)
    if not items:
        raise SuiteDataError(f"no text stands in {said!r}; name another column with --text", file)
    return SafetySet(tuple(items), tuple(lines), how)


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
    found = Found("safety", notes=[one.how])
    found.figures |= {**_plain_figures(rows), **_curve_best(rows)}
    for language in sorted({item.language for item in items}):
        part = [row for row in rows if row.item.language == language]
        found.parts.setdefault("languages", {})[language] = _plain_figures(part)
    for category in sorted({label for item in items for label in item.labels if label != HARMFUL}):
        found.parts.setdefault("categories", {})[category] = _of_category(rows, category)
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


def _labels(
    row: Row,
    columns: Sequence[str],
    kinds: dict[str, Category],
    harmful: Sequence[str],
    unclear: dict[str, int],
) -> tuple[str, ...]:
    """Return a row's labels; what cannot be told is written to `unclear` with its line."""
    if len(columns) > 1:
        on = [column for column in columns if _is_on(row.values.get(column, ""))]
        return tuple(dict.fromkeys(str(kinds.get(column, HARMFUL)) for column in on))
    column, own = columns[0], kinds.get(columns[0])
    safe, bad = (PLAIN, HARMLESS - {""}) if _plain(column) in INVERSE else (HARMLESS, PLAIN)
    found = list[str]()
    for value in (part.strip() for part in row.values.get(column, "").split(",")):
        plain, number = value.casefold(), _number(value)
        if harmful:
            found += [str(own or _kind(value))] if plain in _folded(harmful) else []
        elif plain in safe or number is not None and 0 <= number < HALF and _plain(column) not in INVERSE:
            continue
        elif plain in bad or plain == column.casefold() or number is not None and HALF <= number <= 1:
            found.append(str(own or HARMFUL))
        elif _plain(value) in _KIND:
            found.append(str(_KIND[_plain(value)]))
        else:
            unclear.setdefault(value, row.line)
    return tuple(dict.fromkeys(found))


def _clear(table: Table, columns: Sequence[str], unclear: dict[str, int]) -> None:
    """Raise where it cannot be told what some labels mean."""
    if unclear:
        value, line = next(iter(unclear.items()))
        every = list(dict.fromkeys(row.values.get(columns[0], "") for row in table.rows))
        shown = ", ".join(map(repr, every[:12])) + (" …" if len(every) > 12 else "")  # noqa: PLR2004
        raise SuiteDataError(
            f"is {value!r} in {columns[0]!r} harmful? its values are {shown}; name the harmful ones with "
            "--harmful A,B, or another column with --label",
            table.file,
            line,
        )


def _is_on(value: str) -> bool:
    number = _number(value)
    return number >= HALF if number is not None else value.strip().casefold() not in HARMLESS


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _folded(values: Sequence[str]) -> set[str]:
    return {value.strip().casefold() for value in values}


def _kind(name: str) -> str:
    found = _KIND.get(_plain(name))
    return str(found) if found else HARMFUL


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")
