"""The reward of τ²-bench: the product of the components that a task names, each measured or said not to be.

* DB: the world's state afterwards is that to which the reference actions lead. Without the company's database
  the calls that change something are compared instead: the same calls with the same arguments lead to the
  same state, others are taken to lead to another.
* ENV_ASSERTION: all assertions hold in the world; not measured where there is no world.
* ACTION: the mean over the reference actions of whether each was taken, with the compared arguments.
* COMMUNICATE: every text stands in something that was said, commas left out.
* NL_ASSERTION: 1 where a task has none; else a judge decides each, and without one it is not measured.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from evals.suites.recorders import values_of
from evals.suites.tau2_tasks import Call, Task
from evals.suites.telecom import Telecom, WorldError

TRANSFER = "transfer_to_human_agents"
"""The benchmark's action for what is a hand-over here."""
Judge = Callable[[str], bool]
"""Tells whether an assertion in words is true of the conversation."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task."""

    calls: tuple[Call, ...]
    """By the desk and by the user, in order; without those that failed."""
    said: tuple[str, ...]
    """By the desk, turn by turn."""
    world: Telecom | None = None
    ended: bool = True
    """The conversation came to its end; one that did not is worth nothing."""


@dataclass(frozen=True, slots=True)
class Reward:
    """A task's reward."""

    components: dict[str, float | None] = field(default_factory=dict)
    """Of the task's basis; None: not measured."""

    @property
    def value(self) -> float | None:
        """The product; None where what is not measured could change it."""
        measured = [one for one in self.components.values() if one is not None]
        if 0.0 in measured:
            return 0.0
        return prod(measured) if len(measured) == len(self.components) else None

    @property
    def missing(self) -> tuple[str, ...]:
        """Components that were not measured."""
        return tuple(name for name, one in self.components.items() if one is None)


def reward_of(
    task: Task,
    outcome: Outcome,
    *,
    database: Mapping[str, Any] | None = None,
    changing: Callable[[str], bool],
    judge: Judge | None = None,
) -> Reward:
    """Return the reward of a task.

    Args:
        task: which.
        outcome: what came of it.
        database: of the company, where the task has a world.
        changing: tells of an action's name whether it changes the database.
        judge: for assertions in words.
    """
    found: dict[str, float | None] = {}
    for name in task.basis:
        match name:
            case "DB":
                found[name] = _database(task, outcome, database, changing)
            case "ENV_ASSERTION":
                found[name] = _assertions(task, outcome)
            case "ACTION":
                found[name] = _actions(task, outcome)
            case "COMMUNICATE":
                found[name] = float(all(_was_said(text, outcome.said) for text in task.communicated))
            case "NL_ASSERTION" if not task.said:
                found[name] = 1.0
            case "NL_ASSERTION" if judge is not None:
                found[name] = float(all(judge(text) for text in task.said))
            case _:
                found[name] = None
    if not outcome.ended:
        found = dict.fromkeys(found, 0.0)
    return Reward(found)


def same(wanted: Call, taken: Call) -> bool:
    """Tell whether a call is the wanted one, by name and compared arguments."""
    if wanted.name != taken.name:
        return False
    names = wanted.arguments if wanted.compared is None else wanted.compared
    return all(
        _plain(wanted.arguments.get(name)) == _plain(taken.arguments.get(name)) for name in names
    ) and (wanted.compared is not None or set(taken.arguments) <= set(wanted.arguments))


def _database(
    task: Task, outcome: Outcome, database: Mapping[str, Any] | None, changing: Callable[[str], bool]
) -> float | None:
    if outcome.world is not None and database is not None:
        right = Telecom.begin(database, task)
        for call in task.actions:
            try:
                right.do(call)
            except WorldError:
                return None if changing(call.name) else _equal(right, outcome.world)
        return _equal(right, outcome.world)
    wanted = Counter(_key(call) for call in task.actions if changing(call.name))
    taken = Counter(_key(call) for call in outcome.calls if changing(call.name))
    return float(wanted == taken)


def _equal(right: Telecom, world: Telecom) -> float:
    return float(right.state == world.state)


def _assertions(task: Task, outcome: Outcome) -> float | None:
    if outcome.world is None:
        return 1.0 if not task.assertions else None
    holding = [outcome.world.holds(one) for one in task.assertions]
    if False in holding:
        return 0.0
    return None if None in holding else 1.0


def _actions(task: Task, outcome: Outcome) -> float:
    if not task.actions:
        return 1.0
    return sum(any(same(wanted, one) for one in outcome.calls) for wanted in task.actions) / len(task.actions)


def _was_said(text: str, said: Sequence[str]) -> bool:
    return any(text.lower() in one.lower().replace(",", "") for one in said)


def _key(call: Call) -> tuple[str, str]:
    arguments = {name: _plain(value) for name, value in call.arguments.items()}
    return call.name, json.dumps(arguments, sort_keys=True)


def _plain(value: Any) -> Any:
    """Return a value for comparing: numbers as such, texts without case and "#", lists without order."""
    value = values_of(value)
    if isinstance(value, list):
        return sorted(str(_plain(one)) for one in value)
    if isinstance(value, bool) or value is None:
        return str(value).casefold()
    text = re.sub(r"\s+", " ", str(value)).strip().lstrip("#").casefold()
    try:
        return float(text)
    except ValueError:
        return text
