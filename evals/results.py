"""Results of a suite: `results.jsonl`, one line a conversation, written as soon as it is over.

The first line says what was run ("run"), the following ones what came of it ("conversation"), the last one
that nothing is missing ("end"). A file without its end is of a run that broke off, and can be taken up again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from evals.checks import Check
from evals.replay.record import ConversationRecord, from_json, to_json

Key = tuple[str, str, int]
"""Which replay it is: script, mode, repeat."""
RESULTS = "results.jsonl"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Result:
    """One replay with its checks."""

    record: ConversationRecord
    checks: tuple[Check, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all checks passed; one whose replay itself failed has not passed, and not failed either."""
        return not self.record.error and not self.failed

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed and not check.skipped)

    @property
    def key(self) -> Key:
        """Which replay it is."""
        return self.record.script, self.record.mode, self.record.repeat


@dataclass(frozen=True, slots=True)
class Run:
    """What was run."""

    desk: str
    """Its folder's name."""
    mode: str
    repeat: int
    fingerprint: str
    """Of desk, scripts and settings: a run of another fingerprint is another run."""
    began: str = ""
    """ISO 8601"""
    engines: dict[str, str] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()
    """Scripts that could not be read, with their reason."""
    left_out: tuple[str, ...] = ()
    """Scripts that cannot be replayed this way, with their reason; no fault of anybody."""
    not_judged: int = 0
    """Scripts whose goal nobody decides, as no judge is named."""


@dataclass(frozen=True, slots=True)
class Results:
    """Everything in a file of results."""

    run: Run
    results: tuple[Result, ...]
    complete: bool


class ResultsFile:
    """Appends results to a file, each at once.

    Args:
        file: `results.jsonl`; its folder is made.
        run: written first, where the file is new.
        go_on: keep what stands in it.
    """

    def __init__(self, file: Path, run: Run, *, go_on: bool = False) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        if go_on:
            kept, newline, _ = file.read_bytes().rpartition(b"\n")  # a line that was cut off is lost
            file.write_bytes(kept + newline)
        else:
            self._write({"kind": "run", "version": VERSION, **asdict(run)}, new=True)

    def add(self, result: Result) -> None:
        """Append a result."""
        self._write(line_of(result))

    def end(self) -> None:
        """Nothing is missing."""
        self._write({"kind": "end"})

    def _write(self, document: dict[str, Any], *, new: bool = False) -> None:
        with self._file.open("w" if new else "a", encoding="utf-8") as file:
            file.write(json.dumps(document, ensure_ascii=False) + "\n")


def line_of(result: Result) -> dict[str, Any]:
    """Return a result as a line has it."""
    return {
        "kind": "conversation",
        "script": result.record.script,
        "mode": result.record.mode,
        "repeat": result.record.repeat,
        "passed": result.passed,
        "checks": [asdict(check) for check in result.checks],
        "record": to_json(result.record),
    }


def read_results(file: Path) -> Results:
    """Read a file of results; a last line that was cut off is left out.

    Raises:
        ValueError: it is none; the message names file and line.
        OSError: it cannot be read.
    """
    lines = list(_lines(file))
    if not lines or lines[0].get("kind") != "run":
        raise ValueError(f'{file}:1: not a file of results: it begins with a line of kind "run"')
    if lines[0].get("version") != VERSION:
        raise ValueError(f"{file}:1: written by another version: run the suite again to make a new one")
    head = {name: lines[0][name] for name in Run.__slots__ if name in lines[0]}
    head |= {name: tuple(head.get(name, ())) for name in ("wrong", "left_out")}
    results = [
        Result(from_json(line["record"]), tuple(Check(**check) for check in line["checks"]))
        for line in lines
        if line.get("kind") == "conversation"
    ]
    latest = {result.key: result for result in results}  # what failed was replayed again
    return Results(Run(**head), tuple(latest.values()), any(line.get("kind") == "end" for line in lines))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    lines = file.read_text(encoding="utf-8").split("\n")  # what is said may hold other ends of lines
    for number, line in enumerate(lines, 1):
        try:
            document = json.loads(line)
        except json.JSONDecodeError:
            if number == len(lines):
                return
            raise ValueError(f"{file}:{number}: not JSON: was the file edited by hand?") from None
        if isinstance(document, dict):
            yield document
