"""One run of a suite, from names on the command line to results and an exit code."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from agent.desk import DEMO, Desk
from evals.checks.judge import MODEL as JUDGE
from evals.results import Result, Results, Run
from evals.running import SuiteError, run, tasks_of, usual_workers
from evals.scripts import Script, ScriptError, find_scripts, load_scripts
from evals.scripts.reading import check_length
from evals.side import broken_off, open_sides
from evals.variant import Variant, fingerprint
from evals.worker import Job, Task
from server.boundary import UsageError
from server.progress import Stages
from speech.models import cache_dir

FINE, FAILED, HARNESS = 0, 1, 2
"""Exit codes: all is well; a check failed, or a regression; wrong use, or the harness itself failed."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run."""

    variants: tuple[Variant, ...]
    """The desk, and the one that it is compared with."""
    scripts: tuple[Path, ...] = ()
    """Files and folders; empty: the desk's own."""
    mode: str = "text"
    repeat: int = 1
    workers: int | None = None
    """Processes; None: as many as are worth it."""
    tags: tuple[str, ...] = ()
    """Only scripts with one of these tags."""
    report: Path | None = None
    """Folder of the report; results are kept there as they come."""
    video: bool = False
    told: bool = False
    """Audio mode: take the scripts' words for what was heard."""
    server: str = ""
    """Address of a running server, talked to over WebRTC."""
    ray: str = ""
    """Address of a Ray cluster that replays; empty: this machine."""
    fresh: bool = False
    """Do not take up a run that broke off."""


@dataclass(frozen=True, slots=True)
class Suite:
    """What came of a run."""

    results: Results
    other: Results | None
    """Of the second variant."""
    wrong: tuple[ScriptError, ...]
    """Scripts that could not be read."""
    taken_up: int
    """Results of a run before that broke off."""
    took_s: float

    @property
    def code(self) -> int:
        """Exit code, a baseline left aside."""
        if any(result.failed for result in self.results.results):
            return FAILED
        every = (*self.results.results, *(self.other.results if self.other else ()))
        errors = any(result.record.error for result in every)
        nothing = not self.results.results  # a gate that measured nothing is not open
        return HARNESS if errors or self.wrong or nothing else FINE


def desk_and_scripts(places: Sequence[str]) -> tuple[str, tuple[Path, ...]]:
    """Tell a command's desk from its scripts: the first name is the desk if it is one.

    Raises:
        UsageError: the first name is a folder without desk.toml and without scripts.
    """
    if not places:
        return DEMO, ()
    first = Path(places[0])
    is_desk = places[0] == DEMO or first.name == "desk.toml" or (first / "desk.toml").is_file()
    if is_desk:
        return places[0], tuple(map(Path, places[1:]))
    if not first.exists():
        raise UsageError(f"{places[0]} is neither a desk nor a script: check the name")
    return _desk_around(first), tuple(map(Path, places))


def _desk_around(script: Path) -> str:
    """Return the desk in whose folder `scripts` a script lies; the demo where it lies in none."""
    place = script.resolve()
    for folder in place.parents:
        if (folder / "desk.toml").is_file() and place.is_relative_to(folder / "scripts"):
            return DEMO if folder == Desk.load(DEMO).folder.resolve() else str(folder)
    return DEMO


def _writable(report: Path) -> None:
    """See that a report can be written before anything is replayed.

    Raises:
        UsageError: it cannot.
    """
    try:
        report.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=report):
            pass
    except OSError as error:
        why = error.strerror or error
        raise UsageError(f"--report {report}: {why}; name a folder that can be written to") from None


def run_suite(order: Order, stages: Stages) -> Suite:
    """Replay a desk's scripts.

    Args:
        order: what.
        stages: told how far it is.

    Raises:
        ScriptError: a place does not exist, or holds no script.
        SuiteError: the desk cannot be opened.
        UsageError: nothing is left to be replayed, or the report cannot be written.
    """
    began_s = time.monotonic()
    if order.report is not None:
        _writable(order.report)
    scripts, wrong = _scripts(order, stages)
    notes, left_out = _looked_at(order), list[str]()
    if order.server:
        from evals.remote import fitting

        scripts, left_out = fitting(scripts)
    job = Job(
        order.variants,
        "audio" if order.mode == "audio" else "text",
        video=order.video,
        told=order.told,
        media=order.report / "media" if order.report and order.mode == "audio" else None,
        cache=cache_dir() / "judgements",
        server=order.server,
    )
    # What a server tells, and is, decides what can be checked: a run with a key takes up none without.
    options = (job.mode, order.repeat, order.video, order.told, order.server, *notes)
    head = Run(
        order.variants[0].name,
        job.mode,
        order.repeat,
        fingerprint(order.variants, scripts, *options, beside=order.report),
        datetime.now(UTC).isoformat(timespec="seconds"),
        wrong=tuple(str(one) for one in wrong),
        left_out=tuple(left_out),
        not_judged=0 if os.environ.get(JUDGE) else sum(bool(one.expect.goal) for one in scripts),
    )
    heads = [replace(head, desk=variant.name) for variant in order.variants]
    sides = open_sides(heads, order.report, fresh=order.fresh)
    kept = sum(side.taken_up for side in sides)
    tasks = tasks_of(scripts, job, order.repeat, [[one.key for one in side.results] for side in sides])
    way = "sound" if job.mode == "audio" else "words"
    stages.stage(
        f"replaying {len({task.script.id for task in tasks})} scripts in {way} to the desk {head.desk}"
    )
    if kept:
        every = kept + len(tasks)
        stages.note(f"taken up: {kept} of {every} results of a run that broke off; --fresh begins anew")
    for line in notes:
        stages.note(line)
    for number, (task, result) in enumerate(_replayed(order, tasks, job), 1):
        sides[task.variant].add(result)
        stages.advance(number, len(tasks))
    order_of = {script.id: number for number, script in enumerate(scripts)}
    mine, *others = [side.end(order_of) for side in sides]
    return Suite(
        mine,
        others[0] if others else None,
        tuple(wrong),
        kept,
        time.monotonic() - began_s,
    )


def kept_results(order: Order) -> int:
    """Return how many results of a run that was stopped are taken up by the same order."""
    if order.report is None:
        return 0
    return sum(len(one.results) for one in broken_off(order.report, len(order.variants)) if one)


def _looked_at(order: Order) -> list[str]:
    """Look at the server, if there is one; returns what is to be told of it.

    Raises:
        SuiteError: it does not answer, or does not know the key.
    """
    if not order.server:
        return []
    from evals.remote import told_before
    from evals.replay.running_server import RunningServer, ServerGone

    server = RunningServer(order.server)
    try:
        return list(told_before(server.health(), order.variants[0].load(), server))
    except ServerGone as error:
        raise SuiteError(str(error)) from None


def _replayed(order: Order, tasks: Sequence[Task], job: Job) -> Iterator[tuple[Task, Result]]:
    if not tasks:
        return iter(())
    if order.ray:
        from evals.scaling import run_on_ray

        return run_on_ray(tasks, job, order.workers, order.ray)
    return run(tasks, job, usual_workers(len(tasks)) if order.workers is None else order.workers)


def _scripts(order: Order, stages: Stages) -> tuple[list[Script], list[ScriptError]]:
    desk = Desk.load(order.variants[0].desk)
    files = find_scripts(order.scripts) if order.scripts else list(desk.scripts)
    if not files:
        raise UsageError(f"{desk.folder} has no scripts: write some into its folder scripts, or name them")
    scripts, wrong = load_scripts(files)
    chosen = [
        one
        for one in scripts
        if one.runs_in(order.mode) and (not order.tags or set(order.tags) & set(one.tags))
    ]
    if others := sum(not one.runs_in(order.mode) for one in scripts):
        stages.note(f"{others} of {len(scripts)} scripts are not for mode {order.mode}: left out")
    fitting = list[Script]()
    for script in chosen:
        try:
            _check_fits(script, order)
            fitting.append(script)
        except ScriptError as error:
            wrong.append(error)
    if not fitting and not wrong:
        tagged = f" and a tag of {', '.join(order.tags)}" if order.tags else ""
        raise UsageError(f"none of the {len(scripts)} scripts is for mode {order.mode}{tagged}")
    return fitting, wrong


def _check_fits(script: Script, order: Order) -> None:
    """See that a script is for this desk, and not too long to be heard.

    Raises:
        ScriptError: it is not.
    """
    if order.mode == "audio":
        check_length(script)
    names = {name for one in order.variants for name in (one.desk, Path(one.desk).resolve().name)}
    wanted = {script.desk, Path(script.desk).name}
    if script.desk and not order.server and not names & wanted:
        here = order.variants[0].desk
        raise ScriptError(
            f"written for the desk {script.desk}, not {here}: run `visavis eval DESK` with its folder, "
            "or leave `desk` out",
            script.file,
            script.line("desk"),
        )
