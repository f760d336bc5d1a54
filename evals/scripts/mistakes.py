"""What is wrong with a script, told in the words of those who write scripts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypedDict

from evals.scripts.script import Path_, Script
from evals.scripts.synonyms import meant

SHOWN = 40
"""Characters of a value that a message quotes."""
MOST_TOLD = 8
"""Mistakes that one message tells; the rest is counted."""
LEAST_ALIKE = 0.7
"""Of an unknown key and the one that is asked back: "reply" is no "reply_wer"."""
_DROPPED = re.compile(r"^(?:Value error, |Input should be |Input should |Assertion failed, )")
_FORMS = {
    "id": "letters, digits, `.`, `-` and `_`, beginning with a letter or digit",
    "within_ms": "milliseconds, such as 1500",
    "language": 'the two letters of a language, such as "en" or "zh"',
}
_KINDS = {
    "string": "a text",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "date": "a date and time such as 2026-05-04T10:00",
    "datetime": "a date and time such as 2026-05-04T10:00",
    "timezone": "a date and time such as 2026-05-04T10:00+02:00",
    "tuple": "a list",
    "list": "a list",
    "dict": "keys of its own below it",
    "model": "keys of its own below it",
    "none": "nothing",
}
"""First part of the name of pydantic's error → what ought to stand there."""


class Found(TypedDict):
    """One of pydantic's errors, as far as it is looked at."""

    type: str
    loc: tuple[str | int, ...]
    msg: str
    input: Any
    ctx: dict[str, Any]


def told(found: Iterable[Found], lines: dict[Path_, int]) -> tuple[str, int]:
    """Tell what is wrong, in the order in which it stands in the script.

    Args:
        found: pydantic's errors.
        lines: where everything stands.

    Returns:
        The message, and the line of the first mistake; 0: none is known.
    """
    together = dict[tuple[Path_, str], list[Found]]()
    for one in found:
        if one["type"] == "too_short" and len(one["input"]) >= one["ctx"]["min_length"]:
            continue  # what stands in it is wrong, and told by itself
        place = _place(one["loc"], lines)
        apart = one["loc"][-1] if one["type"] in ("missing", "extra_forbidden") else ""
        together.setdefault((place, str(apart)), []).append(one)
    said = [(lines.get(place, 0), _sentence(place, those)) for (place, _), those in together.items()]
    said = sorted(dict.fromkeys(said), key=lambda one: one[0])
    first = said[0][0]
    texts = [f"line {line}: {text}" if line and line != first else text for line, text in said]
    left = len(texts) - MOST_TOLD
    return "; ".join(texts[:MOST_TOLD]) + (f"; and {left} more" if left > 0 else ""), first


def _place(loc: Path_, lines: dict[Path_, int]) -> Path_:
    """Return the nearest thing in the script: pydantic's places go through unions, lists made of one …"""
    place: Path_ = ()
    for part in loc:
        if (*place, part) in lines:
            place = (*place, part)
    return place


def _sentence(place: Path_, those: Sequence[Found]) -> str:
    """Tell one mistake; where something may be of several kinds, pydantic has an error for each."""
    one = those[0]
    if one["type"] == "extra_forbidden":
        return _unknown(one["loc"])
    if one["type"] == "missing":
        return f"`{_name((*place, one['loc'][-1]))}` is missing"
    if one["type"] == "value_error":
        text = _DROPPED.sub("", one["msg"])
        return f"`{_name(place)}`: {text}" if place else text
    if "[key]" in one["loc"]:
        return f"`{one['loc'][-2]}` is not known here: choose from {_choices(one)}"
    if one["input"] is None:
        out = "" if place == ("turns",) else ", or leave it out"
        return f"`{_name(place)}` is empty: write {_either(those)}{out}"
    if not place:
        return "a script is a mapping that begins with `id:` and has `turns:`"
    near = _near(one)
    what = _shown(one["input"])
    out = (
        ", or leave it out" if not one["input"] and place != ("turns",) and one["type"] == "too_short" else ""
    )
    return f"`{_name(place)}`: {what} does not fit here; write {_either(those)}{near}{out}"


def _either(those: Sequence[Found]) -> str:
    wanted = dict.fromkeys(_wanted(one) for one in those)
    return " or ".join(wanted)


def _wanted(one: Found) -> str:
    """Return what ought to stand there instead."""
    kind, ctx = one["type"], one.get("ctx") or {}
    if kind in ("literal_error", "enum"):
        return f"one of {_choices(one)}"
    if kind == "string_pattern_mismatch":
        return _FORMS.get(str(one["loc"][-1]), f"a text of the form {ctx.get('pattern')}")
    if kind == "dict_type" and one["loc"][-1] in _FORMS:
        return _FORMS[str(one["loc"][-1])]
    if kind == "string_too_long":
        return f"at most {ctx.get('max_length')} characters"
    if kind == "too_short":
        return f"at least {ctx.get('min_length')} of them" if ctx.get("min_length") != 1 else "at least one"
    if kind == "too_long":
        return f"at most {ctx.get('max_length')} of them"
    for name, words in (("ge", "or more"), ("gt", "and more"), ("le", "or less"), ("lt", "and less")):
        if name in ctx:
            limit = f"{ctx[name]:g}"
            return (
                f"more than {limit}"
                if name == "gt"
                else f"less than {limit}"
                if name == "lt"
                else (f"{limit} {words}")
            )
    return _KINDS.get(kind.split("_")[0]) or _DROPPED.sub("", one["msg"])


def _choices(one: Found) -> str:
    expected = str((one.get("ctx") or {}).get("expected", ""))
    return ", ".join(re.findall(r"'([^']*)'", expected)) or expected


def _near(one: Found) -> str:
    """Return the choice that was meant, as a question; empty where none is like it."""
    if one["type"] not in ("literal_error", "enum"):
        return ""
    near = difflib.get_close_matches(str(one["input"]).lower(), _choices(one).split(", "), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _name(place: Path_) -> str:
    """Return a place as people read it, numbers from 1."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in place)


def _unknown(loc: Path_) -> str:
    """Tell of a key that is not known: which is like it, or where it belongs."""
    key, schema = str(loc[-1]), _schema()
    here = _keys(schema, loc[:-1])
    if called := meant(key, here):
        return f"`{key}` is not known here: did you mean `{called}`?"
    below = [one for one in here if key in _keys(schema, (*loc[:-1], one))]
    if below:
        return f"`{key}` is not known here: put it below `{below[0]}:`"
    near = difflib.get_close_matches(key.lower().replace("-", "_"), here, n=1, cutoff=LEAST_ALIKE)
    if near:
        return f"`{key}` is not known here: did you mean `{near[0]}`?"
    others = {name for part in schema["$defs"].values() for name in part.get("properties", ())}
    if key in (others | set(schema["properties"])) - set(here):
        return f"`{key}` is known, but not here: look at its indentation"
    return f"`{key}` is not known here: choose from {', '.join(here)}"


@cache
def _schema() -> dict[str, Any]:
    return Script.model_json_schema()


def _keys(schema: dict[str, Any], loc: Path_) -> list[str]:
    """Return the keys that are known at a place; none where it cannot be followed."""
    here: Any = schema
    for part in loc:
        here = _resolved(schema, here)
        if isinstance(part, int):
            here = here.get("items", here)
        elif part in here.get("properties", {}):
            here = here["properties"][part]
    return sorted(_resolved(schema, here).get("properties", ()))


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    for option in (part, *part.get("anyOf", ())):
        if "$ref" in option:
            return dict(schema["$defs"][option["$ref"].rsplit("/", 1)[1]])
    return part
