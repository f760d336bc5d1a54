"""The tools of a generated desk: what is done is recorded, and done in the suite's world if there is one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from agent.tools import Slot, Tool
from evals.suites.lookup import look_up
from evals.suites.tau2_tasks import Call
from evals.suites.telecom import Telecom, WorldError

WORLD = "world.json"
"""In the desk's state folder: the world as it stands."""
DATABASE = "database.json"
"""In the desk's folder: the company's tables, where look-ups find rows; what would change is not done."""
TAKEN = "This was noted: {name}."
"""Said where a suite's data do not hold what the action would find or change."""


def tools_from(file: Path) -> list[Tool]:
    """Return the tools that a generated desk's `actions.json` lists."""
    database = file.parent / DATABASE
    return [_tool(one, database) for one in json.loads(file.read_text(encoding="utf-8"))]


def values_of(text: Any) -> Any:
    """Return an argument as suites write it: a list where commas part it or JSON says so, a number as one."""
    if not isinstance(text, str):
        return text
    plain = text.strip()
    if plain.startswith("["):
        try:
            return json.loads(plain.replace("'", '"'))
        except json.JSONDecodeError:
            plain = plain.strip("[]")
    return [part.strip() for part in plain.split(",")] if "," in plain else plain


def _tool(one: dict[str, Any], database: Path) -> Tool:
    slots = {
        name: Slot(argument["pattern"], ask={"en": argument["ask"]})
        for name, argument in one["arguments"].items()
    }
    return Tool(
        one["name"],
        one["description"],
        _call(
            one["name"],
            one["says"] or TAKEN.format(name=one["description"].rstrip(".").lower()),
            None if one["changes"] else database,
        ),
        slots,
        re.compile(one["about"], re.IGNORECASE),
        changes=one["changes"],
        confirm={"en": _question(one)} if one["changes"] else {},
    )


@lru_cache(maxsize=2)
def _tables(file: Path) -> dict[str, Any]:
    tables: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return tables


def _question(one: dict[str, Any]) -> str:
    told = ", ".join(f"{name.replace('_', ' ')} {{{name}}}" for name in one["arguments"])
    return f"Shall I do this: {one['description'].rstrip('.').lower()}{': ' + told if told else ''}?"


def _call(name: str, line: str, database: Path | None) -> Callable[..., str]:
    def call(*, language: str, state_dir: Path, **values: str) -> str:
        file = state_dir / WORLD
        if not file.is_file():
            there = database is not None and database.is_file()
            return look_up(_tables(database), values) if database and there else line
        world = Telecom.load(file)
        if not world.can(name):
            return line
        try:
            told = world.do(Call(name, dict(values)))
        except WorldError as error:
            return f"That is not possible: {error}."
        world.save(file)
        return told

    return call
