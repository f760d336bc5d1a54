"""Looking something up in a suite's database, whatever its tables are: by key, or by what a row holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NOTHING = "Nothing was found."
MOST_FOUND = 5
"""Keys that are told where several rows fit."""
Row = dict[str, Any]


def look_up(database: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    """Return in words what an action's arguments find.

    A single argument that is the key of a row, at any depth, finds that row; else every row at the top of a
    table that holds all arguments is found by its key: "find_user_id_by_email".

    Args:
        database: tables of rows, by key or as lists.
        arguments: name → value.
    """
    values = [_plain(value) for value in arguments.values() if str(value).strip()]
    if not values:
        return NOTHING
    if len(values) == 1:
        row = next(_keyed(database, values[0]), None)
        if row is not None:
            return in_words(row)
    keys = [key for key, row in _rows(database) if all(value in set(_leaves(row)) for value in values)]
    return ", ".join(keys[:MOST_FOUND]) or NOTHING


def in_words(told: Any) -> str:
    """Write rows as a person would read them out: "customer id: C1001; full name: John Smith"."""
    if isinstance(told, list):
        return " | ".join(map(in_words, told)) or NOTHING
    if not isinstance(told, dict):
        return str(told)
    return "; ".join(f"{str(key).replace('_', ' ')}: {_value(value)}" for key, value in told.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"({in_words(value)})"
    if isinstance(value, list):
        return ", ".join(map(_value, value)) or "none"
    return "none" if value is None else str(value)


def _keyed(node: Any, key: str) -> Iterator[Row]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        if isinstance(child, dict) and _plain(name) == key:
            yield child
        yield from _keyed(child, key)


def _rows(database: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    for table in database.values():
        if isinstance(table, dict):
            yield from ((str(key), row) for key, row in table.items() if isinstance(row, dict))
        elif isinstance(table, list):
            yield from ((str(next(iter(row.values()), "")), row) for row in table if isinstance(row, dict))


def _leaves(node: Any) -> Iterator[str]:
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _leaves(child)
    else:
        yield _plain(node)


def _plain(value: Any) -> str:
    return str(value).strip().lstrip("#").casefold()
