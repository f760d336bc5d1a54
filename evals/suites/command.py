"""`python -m evals.suites NAME PATH`: figures of public suites, through the parts that visitors meet.

  intents   FILE|FOLDER  labelled texts as CSV, TSV, JSON Lines or JSON: text,label[,split], or a folder with
                         train and test files. Accuracy, F1; with texts of no label: AUROC.
  safety    FILE         labelled texts: one label, or a column for each kind of harm. Verdicts of the guard.
  star      FOLDER       dialogues of STAR, one JSON file each. Next action, suggestion, reply.
  abcd      FOLDER       conversations of ABCD with guidelines.json, kb.json, ontology.json. Intent, B-Slot,
                         Value, Action, and what a desk made of the guidelines does.
  tau2      FOLDER       tasks of a τ²-bench domain with its policy. Reward by component, pass^k.

Data is never part of the project: fetch a suite, and give its path.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evals.suites.figures import Found, SuiteDataError, Tick, rounded
from server.boundary import WRONG_USE, boundary, complain

if TYPE_CHECKING:
    from evals.scripts import Script
    from evals.suites.generated import Model

Options = argparse.Namespace
SHOWN_ROWS = 20
"""Of a table that a terminal shows; `--json` has all."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the shell."""
    parser = _parser()
    options = parser.parse_args(arguments)
    with boundary():
        try:
            found, scripts = _RUNS[options.name](options)
            if options.scripts is not None:
                _write_scripts(options.scripts, scripts)
            if options.out is not None:
                found.write_rows(options.out)
        except SuiteDataError as error:
            complain(str(error))
            raise SystemExit(WRONG_USE) from None
    if options.json:
        sys.stdout.write(json.dumps(found.document(), ensure_ascii=False) + "\n")
    else:
        _show(found)


def _intents(options: Options) -> tuple[Found, list[Script]]:
    from evals.suites.intents import left_out, measure_intents, read_intents

    none = options.none.split(",") if options.none else ()
    given = read_intents(
        options.path, text=options.text, label=options.label, none=none, outside=options.outside
    )
    if options.leave_out:
        given = left_out(given, options.leave_out)
    with _Bar("intents") as tick:
        return measure_intents(given, limit=options.limit, tick=tick), []


def _safety(options: Options) -> tuple[Found, list[Script]]:
    from evals.moderation import judge_of
    from evals.suites.safety import measure_safety, read_safety
    from moderation import Policy

    given = read_safety(
        options.path,
        text=options.text,
        label=options.label,
        harmful=options.harmful.split(",") if options.harmful else (),
        category=options.category,
        every=options.all,
        by=options.by,
        direction=options.direction,
        language=options.language,
    )
    judge = judge_of(options.engine, Policy.load(options.policy))
    with _Bar("safety") as tick:
        return measure_safety(given, judge, limit=options.limit, tick=tick), []


def _star(options: Options) -> tuple[Found, list[Script]]:
    from evals.suites.star import measure_star, read_star, scripts_of

    dialogues = read_star(options.path, options.limit)
    with _Bar("star") as tick:
        return measure_star(dialogues, tick=tick), scripts_of(dialogues)


def _abcd(options: Options) -> tuple[Found, list[Script]]:
    from evals.suites.abcd import measure_abcd, read_abcd, scripts_of
    from evals.suites.abcd_desk import measure_abcd_desk

    data = read_abcd(options.path, split=options.split, limit=options.limit)
    with _Bar("abcd") as tick:
        found = measure_abcd(data, tick=tick)
    with _Bar("abcd, replayed to a desk") as tick:
        measure_abcd_desk(data, found, model=_model(options), tick=tick)
    return found, scripts_of(data.conversations)


def _model(options: Options) -> Model | None:
    from evals.suites.generated import Model

    return Model(options.model, options.base_url) if options.model else None


def _tau2(options: Options) -> tuple[Found, list[Script]]:
    from evals.suites.tau2 import measure_tau2
    from evals.suites.tau2_tasks import read_domain

    domain = read_domain(options.path, tasks=options.tasks, split=options.split)
    with _Bar("tau2") as tick:
        return measure_tau2(
            domain, repeat=options.repeat, limit=options.limit, model=_model(options), tick=tick
        ), []


_RUNS: dict[str, Callable[[Options], tuple[Found, list[Script]]]] = {
    "intents": _intents,
    "safety": _safety,
    "star": _star,
    "abcd": _abcd,
    "tau2": _tau2,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evals.suites",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("name", choices=tuple(_RUNS), metavar="NAME", help=f"one of {', '.join(_RUNS)}")
    add("path", type=Path, metavar="PATH", help="file or folder of the suite")
    add("--json", action="store_true", help="one JSON document on standard output")
    add("--out", type=Path, metavar="FILE.csv", help="a row for each question, turn or task")
    add("--limit", type=_positive, metavar="N", help="at most N texts, dialogues or tasks")
    add("--scripts", type=Path, metavar="FOLDER", help="star, abcd: write the conversations as scripts")
    labels = parser.add_argument_group("labelled texts (intents, safety)")
    labels.add_argument("--text", default="", metavar="COLUMN", help="of the texts; guessed if left out")
    labels.add_argument(
        "--label", default="", metavar="COLUMN", help="of the labels; safety: several, with commas"
    )
    intents = parser.add_argument_group("intents")
    intents.add_argument("--none", default="", metavar="LABELS", help="labels that mean none, as oos does")
    intents.add_argument("--outside", type=Path, metavar="FILE", help="texts that have none of the labels")
    intents.add_argument(
        "--leave-out", type=_fraction, metavar="SHARE", help="take so many labels out, for example 0.25"
    )
    safety = parser.add_argument_group("safety")
    safety.add_argument(
        "--harmful",
        default="",
        metavar="VALUES",
        help="of the label, for example 0,1 or 'contrast_*' or '>=3'",
    )
    safety.add_argument(
        "--all",
        default="",
        choices=("harmful", "harmless"),
        metavar="KIND",
        help="harmful or harmless: what all texts are, in a set that has no labels",
    )
    safety.add_argument("--by", default="", metavar="COLUMN", help="figures for each of its values")
    safety.add_argument(
        "--category",
        default="",
        choices=tuple(_categories()),
        metavar="NAME",
        help="what harmful means, such as injection",
    )
    safety.add_argument("--direction", choices=("input", "output", "document", "tool"), default="input")
    safety.add_argument("--language", default="", metavar="CODE", help="of all texts, ISO 639-1")
    safety.add_argument("--engine", choices=("guard", "rules", "embedded"), default="guard")
    safety.add_argument("--policy", type=Path, help="a policy.toml instead of the default policy")
    desks = parser.add_argument_group(
        "desks of a suite (abcd, tau2)",
        "VISAVIS_USER_MODEL (and _URL) has a language model play users, VISAVIS_JUDGE_MODEL judge words",
    )
    desks.add_argument("--split", default="", metavar="NAME", help="of the suite, such as test")
    desks.add_argument("--model", default="", help="language model that answers; none if left out")
    desks.add_argument("--base-url", default="", help="of an OpenAI-compatible server that has the model")
    desks.add_argument(
        "--tasks", default="", metavar="FILE", help="tau2: in the folder; tasks.json if left out"
    )
    desks.add_argument("--repeat", type=_positive, default=1, metavar="K", help="tau2: how often each task")
    return parser


def _categories() -> list[str]:
    from moderation.verdict import Category

    return [one.value for one in Category]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def _fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share between 0 and 1")
    return value


class _Bar:
    """A progress bar on standard error."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._progress = Progress(console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task(name, total=None)

    def __enter__(self) -> Tick:
        self._progress.start()
        return self._tick

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _tick(self, done: int, of: int) -> None:
        self._progress.update(self._task, completed=done, total=of)


def _show(found: Found) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    for name, value in rounded(found.figures).items():
        console.print(f"{name:28} {value}")
    for title, rows in found.parts.items():
        columns = list(dict.fromkeys(key for part in rows.values() for key in part))
        heads = [column.replace("_", " ") for column in columns]
        table = Table(title, *heads, box=None, title_justify="left")
        for name, part in list(rows.items())[:SHOWN_ROWS]:
            table.add_row(name, *(str(rounded(part).get(column, "")) for column in columns))
        console.print(table)
        if len(rows) > SHOWN_ROWS:
            console.print(f"… and {len(rows) - SHOWN_ROWS} more; --json has all")
    for name, why in found.not_measured.items():
        console.print(f"not measured: {name}: {why}", markup=False)
    for note in found.notes:
        console.print(f"note: {note}", markup=False)


def _write_scripts(folder: Path, scripts: Sequence[Script]) -> None:
    from evals.suites.exporting import write_scripts

    if not scripts:
        raise SuiteDataError("this suite has no conversations that could be written; leave --scripts out")
    write_scripts(folder, scripts)
