"""Tasks of τ²-bench: what a user wants, how the world begins, and what a solution is.

Format of sierra-research/tau2-bench (MIT): tasks*.json, split_tasks.json, policy.md or main_policy.md, other
documents, and the company's database where it is there.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from evals.suites.figures import SuiteDataError
from evals.suites.tables import read_json, read_text

By = Literal["assistant", "user"]
POLICIES = ("policy.md", "main_policy.md")
TASKS = ("tasks.json", "tasks_small.json")
"""Read where no file is named; the first that is there."""


@dataclass(frozen=True, slots=True)
class Call:
    """An action with its arguments."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    by: By = "assistant"
    compared: tuple[str, ...] | None = None
    """Arguments that are looked at; None: all."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What must be so in the world afterwards."""

    name: str
    arguments: dict[str, Any]
    value: bool = True


@dataclass(frozen=True, slots=True)
class Task:
    """One task."""

    id: str
    reason: str
    """Why the user calls, told to them: "You want to …"."""
    known: str
    unknown: str
    instructions: str
    begins: tuple[Call, ...]
    """Done to the world first."""
    data: dict[str, Any]
    """Put over the database first."""
    actions: tuple[Call, ...]
    """One solution: the world that it leads to is the right one."""
    assertions: tuple[Assertion, ...]
    communicated: tuple[str, ...]
    said: tuple[str, ...]
    """Assertions in words, which only a judge decides."""
    basis: tuple[str, ...]
    """Components whose product is the reward."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A folder of the benchmark."""

    name: str
    policy: str
    documents: dict[str, str]
    """File name → text, besides the policy."""
    tasks: tuple[Task, ...]
    database: dict[str, Any] | None
    """The company's; None where it is not there."""


def read_domain(folder: Path, *, tasks: str = "", split: str = "") -> Domain:
    """Read a domain.

    Args:
        folder: of the domain.
        tasks: file of tasks in it; empty: the usual one.
        split: a name in `split_tasks.json`; empty: all tasks.

    Raises:
        SuiteDataError: something is missing or broken; names the file and, in it, the task.
    """
    if not folder.is_dir():
        raise SuiteDataError("no folder; give one with tasks.json and policy.md", folder)
    policy = next((folder / name for name in POLICIES if (folder / name).is_file()), None)
    if policy is None:
        raise SuiteDataError(f"holds neither {' nor '.join(POLICIES)}; give the domain's folder", folder)
    file = _tasks_file(folder, tasks)
    document = read_json(file)
    items = document.get("tasks") if isinstance(document, dict) else document
    if not isinstance(items, list) or not items:
        raise SuiteDataError("holds no list of tasks; is it a file of τ²-bench?", file)
    read = [_task(file, number, item) for number, item in enumerate(items, 1)]
    if split:
        read = _of_split(folder, file, split, read)
    return Domain(
        _name(items[0], folder), read_text(policy), _documents(folder, policy), tuple(read), _database(folder)
    )


def _tasks_file(folder: Path, name: str) -> Path:
    if name:
        return folder / name
    there = sorted(folder.glob("tasks*.json"))
    for usual in TASKS:
        if folder / usual in there:
            return folder / usual
    if not there:
        raise SuiteDataError(
            "holds no tasks.json; give the domain's folder, or name a file with --tasks", folder
        )
    return there[0]


def _of_split(folder: Path, file: Path, split: str, tasks: Sequence[Task]) -> list[Task]:
    splits_file = folder / f"split_{file.stem}.json"
    splits = read_json(splits_file)
    if not isinstance(splits, dict) or split not in splits:
        names = ", ".join(splits) if isinstance(splits, dict) else "none"
        raise SuiteDataError(f"has no split {split!r}; there are: {names}", splits_file)
    wanted = set(map(str, splits[split]))
    return [task for task in tasks if task.id in wanted]


def _documents(folder: Path, policy: Path) -> dict[str, str]:
    """The manuals beside the policy; not those of the mode without a user, nor one text in two forms."""
    files = [
        file for file in sorted(folder.glob("*.md")) if not file.stem.endswith("_solo") and file != policy
    ]
    files = [file for file in files if file.name not in ("SOURCE.md", "README.md", *POLICIES)]
    if any(file.stem.endswith("_manual") for file in files):
        files = [file for file in files if not file.stem.endswith("_workflow")]
    return {file.name: read_text(file) for file in files}


def _database(folder: Path) -> dict[str, Any] | None:
    if (folder / "db.toml").is_file():
        try:
            read = tomllib.loads(read_text(folder / "db.toml"))
        except tomllib.TOMLDecodeError as error:
            raise SuiteDataError(f"not TOML ({error}); fetch it again", folder / "db.toml") from error
        plain: dict[str, Any] = json.loads(json.dumps(read, default=str))
        return plain
    if (folder / "db.json").is_file():
        document = read_json(folder / "db.json")
        return document if isinstance(document, dict) else None
    return None


def _name(item: Any, folder: Path) -> str:
    try:
        return str(item["user_scenario"]["instructions"]["domain"])
    except (KeyError, TypeError):
        return folder.name


def _task(file: Path, number: int, item: Any) -> Task:
    try:
        told = item["user_scenario"]["instructions"]
        told = told if isinstance(told, dict) else {"reason_for_call": told}
        start = item.get("initial_state") or {}
        data = start.get("initialization_data") or {}
        wanted = item.get("evaluation_criteria") or {}
        return Task(
            str(item["id"]),
            told["reason_for_call"] or "",
            told.get("known_info") or "",
            told.get("unknown_info") or "",
            told.get("task_instructions") or "",
            tuple(
                Call(one["func_name"], one.get("arguments") or {}, one["env_type"])
                for one in start.get("initialization_actions") or ()
            ),
            data.get("agent_data") or {},
            tuple(
                Call(one["name"], one.get("arguments") or {}, one.get("requestor") or "assistant",
                     None if one.get("compare_args") is None else tuple(one["compare_args"]))
                for one in wanted.get("actions") or ()
            ),
            tuple(
                Assertion(one["func_name"], one.get("arguments") or {}, one.get("assert_value", True))
                for one in wanted.get("env_assertions") or ()
            ),
            tuple(map(str, wanted.get("communicate_info") or ())),
            tuple(map(str, wanted.get("nl_assertions") or ())),
            tuple(wanted.get("reward_basis") or ("DB", "COMMUNICATE")),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        name = item.get("id", number) if isinstance(item, dict) else number
        raise SuiteDataError(
            f"task {name!r} is not as τ²-bench has it ({type(error).__name__}: {error}); fetch it again",
            file,
        ) from error
