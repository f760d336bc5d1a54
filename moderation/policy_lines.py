"""Where in a policy file a setting stands, for messages: a table's heading, or a key in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

_HEADING = re.compile(r"\s*\[{1,2}([^\[\]]+)\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)


def line_of(file: Path | str, keys: Sequence[str]) -> int:
    """Return the line, from 1, where a setting stands, or the nearest table above it; 0 where none does.

    Args:
        file: TOML; one that cannot be read has no lines.
        keys: from the outermost table inwards, such as ("engines", "openai", "base_url").
    """
    try:
        lines = Path(file).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        return 0
    table: list[str] = []
    best, found = 0, 0
    for number, line in enumerate(lines, 1):
        if heading := _HEADING.match(line):
            table = place = _parts(heading[1])
        elif key := _KEY.match(line):
            place = [*table, *_parts(key[1])]
        else:
            continue
        if len(place) > best and list(keys[: len(place)]) == place:
            best, found = len(place), number
    return found


def at(source: str, keys: Sequence[str]) -> str:
    """Return "policy.toml, line 12: engines.openai.base_url", as messages begin."""
    line = line_of(source, keys)
    return f"{source}{f', line {line}' if line else ''}: {'.'.join(keys)}"


def _parts(dotted: str) -> list[str]:
    try:
        table = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return [dotted]
    parts = []
    while isinstance(table, dict):
        [(key, table)] = table.items()
        parts.append(key)
    return parts
