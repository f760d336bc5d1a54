"""Writing scripts: tidy YAML, keys in the order of the documentation, nothing that goes without saying."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from evals.scripts.script import Script

SCHEMA_FILE = "script.schema.json"
"""The schema's file, beside the scripts that name it."""
HEADER = f"# yaml-language-server: $schema={SCHEMA_FILE}"
"""First line of a script that we make: editors complete and check by it."""
WIDTH = 100
"""Characters of a line up to which short lists and mappings stay on it."""
_SAID = frozenset({"user", "contains", "contains_any", "must_not", "regex", "query", "goal", "customer"})
"""Keys whose texts stand in quotes: they are somebody's words, or values that may look like numbers."""
_SEVERAL = frozenset(
    {
        "contains",
        "contains_any",
        "must_not",
        "regex",
        "cites",
        "cites_any",
        "outcome",
        "emotion",
        "visitor_emotion",
    }
)
"""Keys whose list of one is written as that one, as the reader takes it."""
_SHORT = frozenset(
    {"arguments", "within_ms", "barge_in", "noise", "echo", "heard_reply", "understood", "cards"}
)
"""Keys whose mappings stand on one line."""
_HEAD = ("id", "title", "language", "tags")
_FIRST = ("outcome", "cites", "cites_any")
_NAME = re.compile(r"[A-Za-z][\w./#-]*")
"""What needs no quotes, unless YAML takes it for something else."""
_NO_NAMES = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


class _Words(str):
    """A text in quotes."""

    __slots__ = ()


class _Line(list[Any]):
    """A list on one line."""


class _Row(dict[str, Any]):
    """A mapping on one line."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


_Dumper.add_representer(
    _Words, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')
)
_Dumper.add_representer(
    _Line, lambda dumper, those: dumper.represent_sequence("tag:yaml.org,2002:seq", those, flow_style=True)
)
_Dumper.add_representer(
    _Row, lambda dumper, row: dumper.represent_mapping("tag:yaml.org,2002:map", row, flow_style=True)
)


def written(
    script: Script, *, about: Sequence[str] = (), remarks: Mapping[int, Sequence[str]] | None = None
) -> str:
    """Write a script as YAML.

    Args:
        script: which.
        about: comments at its beginning, one a line.
        remarks: number of a turn, from 0 → comments before it.
    """
    document = script.model_dump(mode="json", exclude_defaults=True)
    document["language"] = script.language
    turns = document.pop("turns")
    expect = document.pop("expect", None)
    pieces = [HEADER, *(_comment(line) for line in about), _dumped(document), "turns:"]
    for number, turn in enumerate(turns):
        pieces += [_comment(line, 2) for line in (remarks or {}).get(number, ())]
        pieces.append(_indented(_dumped([turn])))
    if expect:
        pieces.append(_dumped({"expect": expect}))
    return "\n".join(pieces) + "\n"


def _dumped(value: Any) -> str:
    text = yaml.dump(
        _tidy(value, ""), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1_000_000, indent=2
    )
    return str(text).rstrip("\n")


def _tidy(value: Any, key: str, said: bool = False) -> Any:
    """Return a value in its shortest form, with the marks by which it is laid out."""
    said = said or key in _SAID
    if isinstance(value, dict):
        return _mapping(value, key, said)
    if isinstance(value, list):
        return _list(value, key, said)
    if isinstance(value, str):
        plain = _NAME.fullmatch(value) and value.lower() not in _NO_NAMES
        return value if key == "title" or (plain and not said) else _Words(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _mapping(value: dict[str, Any], key: str, said: bool) -> Any:
    if key == "barge_in":
        return _tidy(value["after_s"], "") if value else True
    if key == "within_ms" and set(value) == {"first_sound"}:
        return _tidy(value["first_sound"], "")
    first = _HEAD if "id" in value else _FIRST
    ordered = sorted(value, key=lambda name: first.index(name) if name in first else len(first))
    tidy = {name: _tidy(value[name], name, said or key == "arguments") for name in ordered}
    if key in _SHORT or not value:
        row = _Row(tidy)
        return row if len(str(row)) < WIDTH else tidy
    return tidy


def _list(value: list[Any], key: str, said: bool) -> Any:
    tidy = [_tidy(one, key, said) for one in value]
    if any(isinstance(one, dict | list) for one in value):
        return tidy
    if len(value) == 1 and key in _SEVERAL:
        return tidy[0]
    return _Line(tidy) if len(str(tidy)) < WIDTH else tidy


def _comment(text: str, indent: int = 0) -> str:
    return "\n".join(f"{' ' * indent}# {line}".rstrip() for line in text.splitlines() or [""])


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else line for line in text.split("\n"))
