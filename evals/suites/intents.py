"""Labelled intents: how often the knowledge, made of the training texts, finds the right label.

The label of the passage found first is the answer, as where a desk's FAQ entry of that intent would be said.
Texts whose label means "none of them" are asked only, and tell how well the knowledge knows what it does not
know: AUROC of the likelihood that it answers, against that of texts with a label.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.retrieval import auroc, knowledge_of
from evals.retrieval_speed import SEED
from evals.suites.figures import Figures, Found, SuiteDataError, Tick, macro_and_weighted_f1, share
from evals.suites.tables import (
    LABEL_NAMES,
    SPLIT_NAMES,
    SUFFIXES,
    TEXT_NAMES,
    Table,
    read_table,
    read_text,
)

NONE_LABELS = frozenset(
    {"oos", "ood", "oot", "out_of_scope", "out-of-scope", "out of scope", "none", "nota", ""}
)
"""Labels that mean "none of them", without regard to case."""
FIFTH = 5
"""Without a split, every fifth text of a label is asked and the others are known."""
FIRST_ASKED = 2
"""Of each label, so that one with two texts is known and asked."""
RECALL_AT = 5
BASELINES = {
    (
        77,
        3080,
    ): "BANKING77's test split: nearest neighbour over MiniLM 0.920, logistic regression on it 0.930, "
    "on tf-idf 0.906 (accuracy; our own measurements of plain baselines)"
}
"""(labels, questions) of a set → what plain methods reach on it."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with its label."""

    text: str
    label: str
    line: int


@dataclass(frozen=True, slots=True)
class IntentSet:
    """What is known and what is asked."""

    known: tuple[Labelled, ...]
    asked: tuple[Labelled, ...]
    outside: tuple[Labelled, ...]
    """Asked, and none of the labels."""
    how: str
    """Where the split comes from."""


def read_intents(
    place: Path, *, text: str = "", label: str = "", none: Sequence[str] = (), outside: Path | None = None
) -> IntentSet:
    """Read a set: a file with a column `split`, one without, or a folder with train and test files.

    Args:
        place: file or folder.
        text: column of the texts; empty: guessed.
        label: column of the labels, several with commas between: "scenario,intent"; empty: guessed.
        none: labels that mean "none of them", besides the usual ones.
        outside: a file of texts that have none of the labels.

    Raises:
        SuiteDataError: a file is missing, broken, or without what is needed.
    """
    nothing = NONE_LABELS | {one.casefold() for one in none}
    parts, columns = _parts(place, text, label)
    how = f"split as published; {columns}"
    if "" in parts:
        parts, how = (
            _fifths(parts[""]),
            f"no split is given: every fifth text of each label was asked, templates stand on both sides; "
            f"{columns}",
        )
    known = [one for one in parts.get("train", []) if one.label.casefold() not in nothing]
    every = parts.get("test") or parts.get("validation") or []
    asked = [one for one in every if one.label.casefold() not in nothing]
    beyond = [one for one in every if one.label.casefold() in nothing]
    if outside is not None:
        table = read_table(outside)
        column = table.column(text, TEXT_NAMES, "the texts", "--text")
        beyond += [Labelled(row.values[column].strip(), "", row.line) for row in table.rows]
    if not known or not asked:
        raise SuiteDataError(
            "nothing is left to learn or to ask; give a folder with train and test files, a column `split` "
            "with train and test, or a label at least twice",
            place,
        )
    return IntentSet(tuple(known), tuple(asked), tuple(beyond), how)


def left_out(one: IntentSet, part: float) -> IntentSet:
    """Take a share of the labels out of what is known: their questions are then beyond it."""
    labels = sorted({each.label for each in one.known})
    random.Random(SEED).shuffle(labels)
    gone = set(labels[: max(round(len(labels) * part), 1)])
    return IntentSet(
        tuple(each for each in one.known if each.label not in gone),
        tuple(each for each in one.asked if each.label not in gone),
        (*one.outside, *(each for each in one.asked if each.label in gone)),
        f"{one.how}; {len(gone)} of {len(labels)} labels were taken out of the knowledge",
    )


def measure_intents(one: IntentSet, *, limit: int | None = None, tick: Tick = lambda *_: None) -> Found:
    """Ask everything.

    Args:
        one: the set.
        limit: at most so many questions, evenly spread; and as many beyond the labels.
        tick: told how far it is.
    """
    asked, beyond = _spread(one.asked, limit), _spread(one.outside, limit)
    texts = [(f"{each.label}#{number}", each.text) for number, each in enumerate(one.known)]
    wanted, given, inside, fifth = list[str](), list[str](), list[float](), list[bool]()
    found = Found("intents")
    with knowledge_of(texts) as base:
        for number, each in enumerate(asked):
            passages = base.search(each.text, k=RECALL_AT)
            labels = [passage.id.rpartition("#")[0] for passage in passages]
            wanted.append(each.label)
            given.append(labels[0] if labels else "")
            inside.append(passages[0].score if passages else 0.0)
            fifth.append(each.label in labels)
            found.rows.append(
                {"line": each.line, "text": each.text, "label": each.label, "given": given[-1],
                 "right": int(given[-1] == each.label), "score": round(inside[-1], 4)}
            )  # fmt: skip
            tick(number + 1, len(asked) + len(beyond))
        outside = list[float]()
        for number, each in enumerate(beyond):
            outside.append(base.answerable(each.text))
            found.rows.append(
                {
                    "line": each.line,
                    "text": each.text,
                    "label": "",
                    "given": "",
                    "score": round(outside[-1], 4),
                }
            )
            tick(len(asked) + number + 1, len(asked) + len(beyond))
    right = [a == b for a, b in zip(wanted, given, strict=True)]
    macro, weighted = macro_and_weighted_f1(wanted, given)
    labels = sorted({each.label for each in one.known})
    found.figures |= {
        "known": len(one.known), "labels": len(labels), "questions": len(asked), "accuracy": share(right),
        "macro_f1": macro, "weighted_f1": weighted, f"recall@{RECALL_AT}": share(fifth),
    }  # fmt: skip
    if outside:
        found.figures |= {"out_of_scope": len(outside), "out_of_scope_auroc": auroc(inside, outside)}
    else:
        found.not_measured["out_of_scope_auroc"] = (
            "no text has a label that means none; name it with --none, or give --outside or --leave-out"
        )
    for label in sorted(set(wanted), key=lambda name: (_of(wanted, right, name), name)):
        part: Figures = {"questions": wanted.count(label), "accuracy": _of(wanted, right, label)}
        found.parts.setdefault("labels, worst first", {})[label] = part
    found.notes.append(one.how)
    unknown = sorted(set(wanted) - set(labels))
    if unknown:
        found.notes.append(f"{len(unknown)} labels are asked but never known: {', '.join(unknown[:5])}")
    if (len(labels), len(asked)) in BASELINES:
        found.notes.append(BASELINES[len(labels), len(asked)])
    return found


def _of(wanted: Sequence[str], right: Sequence[bool], label: str) -> float:
    return share([good for name, good in zip(wanted, right, strict=True) if name == label])


def _spread(rows: Sequence[Labelled], limit: int | None) -> list[Labelled]:
    if limit is None or len(rows) <= limit:
        return list(rows)
    return [rows[at * len(rows) // limit] for at in range(limit)]


def _parts(place: Path, text: str, label: str) -> tuple[dict[str, list[Labelled]], str]:
    """Return split → rows, the split "" where there is none; and what was read."""
    if place.is_dir():
        return _folder(place, text, label)
    table = read_table(place)
    rows, columns = _labelled(table, text, label)
    split = table.guess(SPLIT_NAMES)
    names = [row.values.get(split, "") if split else row.split for row in table.rows]
    parts: dict[str, list[Labelled]] = {}
    for name, row in zip(names, rows, strict=True):
        parts.setdefault(_split(name), []).append(row)
    whole = {"train", "test"} <= parts.keys() or {"train", "validation"} <= parts.keys()
    return (parts if whole else {"": rows}), columns


def _folder(folder: Path, text: str, label: str) -> tuple[dict[str, list[Labelled]], str]:
    """Read a folder's files by their names: of "train.csv" and "train_10.csv" the plainer one."""
    inner = {_split(one.name): one for one in sorted(folder.iterdir()) if (one / "seq.in").is_file()}
    if "train" in inner and len(inner) > 1:
        return {split: _lines(one) for split, one in inner.items()}, "seq.in and label"
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    tables = [file for file in files if file.suffix.lower() not in (".json", ".txt")] or files
    chosen: dict[str, Path] = {}
    for file in sorted(tables, key=lambda one: (len(one.stem), one.name)):
        chosen.setdefault(_split(file.stem), file)
    chosen.pop("", None)
    if "train" in chosen and len(chosen) > 1:
        read = {split: _labelled(read_table(file), text, label) for split, file in chosen.items()}
        names = ", ".join(file.name for file in chosen.values())
        return {split: rows for split, (rows, _) in read.items()}, f"{names}: {read['train'][1]}"
    if len(tables) == 1:
        return _parts(tables[0], text, label)
    there = ", ".join(file.name for file in files[:8]) or "nothing of the kind"
    raise SuiteDataError(f"no train and test files are there ({there}); give one file", folder)


def _lines(folder: Path) -> list[Labelled]:
    """Read texts and labels that stand in two files, line by line."""
    texts, labels = (read_text(folder / name).splitlines() for name in ("seq.in", "label"))
    if len(texts) != len(labels):
        raise SuiteDataError(
            f"has {len(texts)} lines, and label {len(labels)}; fetch both again", folder / "seq.in"
        )
    pairs = enumerate(zip(texts, labels, strict=True), 1)
    return [Labelled(one.strip(), label.strip(), line) for line, (one, label) in pairs if one.strip()]


def _split(name: str) -> str:
    """Return "train", "test" or "validation" of what a split or a file is called; empty: neither."""
    name = name.casefold()
    for split, words in (("train", ("train",)), ("test", ("test",)), ("validation", ("valid", "dev", "val"))):
        if any(word in name for word in words):
            return split
    return ""


def _labelled(table: Table, text: str, label: str) -> tuple[list[Labelled], str]:
    """Return the rows, and what the columns were taken for."""
    said = table.column(text, TEXT_NAMES, "the texts", "--text")
    answer = "" if text or table.varies(said) else table.guess(("answer",))
    said = answer or said  # the question is then what those who wrote the texts were asked for
    wanted = [name for name in _finest(table) if name != said.casefold()]
    columns = [table.column(one, wanted, "the labels", "--label") for one in label.split(",")]
    scenario = table.guess(("scenario",))
    if not label and scenario and _ambiguous(table, scenario, columns[0]):
        columns = [scenario, *columns]
    rows = []
    for row in table.rows:
        words = row.values.get(said, "").strip()
        if not words:
            raise SuiteDataError(
                f"no text stands in {said!r}; fill it in or remove the row", table.file, row.line
            )
        names = [row.values.get(column, "").strip() for column in columns]
        rows.append(Labelled(words, "_".join(filter(None, names)), row.line))
    return rows, f"texts from {said!r}, labels from {' and '.join(map(repr, columns))}"


def _ambiguous(table: Table, scenario: str, intent: str) -> bool:
    """Tell whether one intent stands in several scenarios: "query" of the alarm, and of the calendar."""
    pairs = {(row.values.get(intent, ""), row.values.get(scenario, "")) for row in table.rows}
    return len(pairs) > len({name for name, _ in pairs})


def _finest(table: Table) -> tuple[str, ...]:
    """The names of labels, an intent before its category."""
    return ("intent", *(name for name in LABEL_NAMES if name != "intent"))


def _fifths(rows: Sequence[Labelled]) -> dict[str, list[Labelled]]:
    seen: dict[str, int] = {}
    parts: dict[str, list[Labelled]] = {"train": [], "test": []}
    for row in rows:
        number = seen[row.label] = seen.get(row.label, 0) + 1
        parts["test" if number % FIFTH == FIRST_ASKED else "train"].append(row)
    return parts
