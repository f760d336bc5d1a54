"""What a desk's databases hold when a conversation is over."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from evals.scripts import Script

MOST_ROWS = 100
"""That are looked at."""
LONGEST_STEPS = 2_000_000
"""Of SQLite's machine that one query may take: one that never ends must not stop the suite."""


def rows_of(script: Script, state: Path) -> dict[str, Any]:
    """Ask a script's questions to the databases.

    Args:
        script: whose `expect.state` names them.
        state: the folder that they lie in.

    Returns:
        Number of the expectation → its rows, as lists; or what went wrong, as a text.
    """
    return {
        str(number): _rows(state, wanted.file, wanted.query)
        for number, wanted in enumerate(script.expect.state)
    }


def _rows(state: Path, name: str, query: str) -> list[list[Any]] | str:
    file = (state / name).resolve()
    if not file.is_relative_to(state.resolve()):
        return f"{name} lies outside of the desk's state folder"
    if not file.is_file():
        return f"{name} does not exist: nothing was written to it"
    steps = [0]

    def too_long() -> int:
        steps[0] += 1
        return int(steps[0] * 1000 > LONGEST_STEPS)

    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as base:
            base.set_progress_handler(too_long, 1000)
            return [list(row) for row in base.execute(query).fetchmany(MOST_ROWS)]
    except sqlite3.Error as error:
        return f"{name}: {error}"
