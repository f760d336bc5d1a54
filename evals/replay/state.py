"""What a desk's databases hold when a conversation is over."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from evals.scripts import Script
from evals.scripts.expectations import Database

MOST_ROWS = 100
"""That are looked at, unless the script wants more."""
READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
"""What a query may do: ATTACH and VACUUM INTO make files anywhere, even where the database is only read."""
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
        str(number): _rows(state, wanted.file, wanted.query, _most(wanted))
        for number, wanted in enumerate(script.expect.state)
    }


def _most(wanted: Database) -> int:
    """How many rows tell whether there are as many as are wanted: one more."""
    return max(MOST_ROWS, (wanted.count or 0) + 1, len(wanted.rows or ()) + 1)


def _rows(state: Path, name: str, query: str, most: int = MOST_ROWS) -> list[list[Any]] | str:
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
            base.set_authorizer(_only_reads)
            return [[_plain(one) for one in row] for row in base.execute(query).fetchmany(most)]
    except sqlite3.Error as error:
        if steps[0] * 1000 > LONGEST_STEPS:
            return f"{name}: the query does not end, or takes {LONGEST_STEPS:,} steps and more: ask for less"
        told = " (only SELECT may stand here)" if "authoriz" in str(error) else ""
        return f"{name}: {error}{told}"


def _only_reads(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_OK if action in READS else sqlite3.SQLITE_DENY


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: bytes as SQL writes them, X'00FF'."""
    return f"X'{value.hex().upper()}'" if isinstance(value, bytes) else value
