"""YAML as people expect it: `no`, `12:30` and `0123` are texts, as in YAML 1.2 and in editors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml
from yaml.composer import Composer, ComposerError
from yaml.constructor import ConstructorError

_BASE: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
MOST_DEPTH = 60
"""Levels of lists and mappings within each other; scripts have eight."""
TOO_DEEP = "nested too deeply: a script is a few levels deep"
MOST_VALUES = 50_000
"""In one text, aliases counted each time: a few lines of YAML can stand for billions."""
TOO_MANY = f"more than {MOST_VALUES} values: split it, and write aliases out"
_LONGEST_NUMBER = 300
"""Digits; what has more is no number of ours, and Python refuses to read one of 4,300."""


class Loader(Composer, _BASE):  # type: ignore[misc, valid-type]
    """Reads plain values as YAML 1.2's core schema does, but no octal numbers, and zeros in front stay.

    Values are put together in Python: what is written in C for it crashes on a text of many brackets.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def __init__(self, text: str) -> None:
        _BASE.__init__(self, text)
        Composer.__init__(self)
        self._depth = self._values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Put a value together; see PyYAML.

        Raises:
            ComposerError: it stands too deep, or there are too many.
        """
        if self._depth >= MOST_DEPTH or self._values >= MOST_VALUES:
            problem = TOO_DEEP if self._depth >= MOST_DEPTH else TOO_MANY
            raise ComposerError(None, None, problem, self.peek_event().start_mark)
        self._depth += 1
        self._values += 1
        try:
            node: yaml.Node | None = Composer.compose_node(self, parent, index)
            return node
        finally:
            self._depth -= 1


_Construct = Callable[[Loader, yaml.ScalarNode], Any]


def _checked(construct: _Construct) -> _Construct:
    """Let a value that a tag calls a number be one, or be told with its place."""

    def checked(loader: Loader, node: yaml.ScalarNode) -> Any:
        if len(node.value) > _LONGEST_NUMBER:
            return node.value
        try:
            return construct(loader, node)
        except (ValueError, KeyError):
            what = f"{node.value!r} is no {node.tag[len(_TAG) :]}"
            raise ConstructorError(None, None, what, node.start_mark) from None

    return checked


_CONSTRUCTORS = {name: _BASE.yaml_constructors[f"{_TAG}{name}"] for name in ("null", "str", "seq", "map")} | {
    name: _checked(_BASE.yaml_constructors[f"{_TAG}{name}"]) for name in ("bool", "int", "float")
}
Loader.yaml_constructors = {
    None: _BASE.yaml_constructors[None],  # tells that a tag is not known
    **{f"{_TAG}{name}": construct for name, construct in _CONSTRUCTORS.items()},
}


for _name, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+))$",
        list("-+.0123456789"),
    ),
    ("merge", r"^<<$", ["<"]),
):
    Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(_pattern), _first)
