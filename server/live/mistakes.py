"""What is wrong with a client's document, in plain words: the field is named, what it held never is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Mistake = Mapping[str, Any]
"""As pydantic and FastAPI tell it: "type", "loc", "ctx"."""
WHERE_CHARS = 80
"""A field's name is cut off there: it may be the client's own invention."""

_SAID: dict[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is no field that is known here",
    "string_type": "has to be text",
    "string_unicode": "has to be text that can be written as UTF-8",
    "string_pattern_mismatch": 'takes up to 64 letters, digits, "_" and "-"',
    "bool_type": "has to be true or false",
    "bool_parsing": "has to be true or false",
    "int_type": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "int_parsing_size": "has to be a smaller number",
    "int_from_float": "has to be a whole number",
    "float_type": "has to be a number",
    "float_parsing": "has to be a number",
    "finite_number": "has to be a number that ends",
    "list_type": "has to be a list",
    "none_required": "has to be null",
}
"""Kind of mistake → what is said of the field."""
_WHOLE: dict[str, str] = {
    "missing": "the request has no body; send a JSON object",
    "json_invalid": "the body is not valid JSON",
    "json_type": "the body is not valid JSON",
    "model_type": "a JSON object is wanted here, over HTTP as application/json",
    "model_attributes_type": "a JSON object is wanted here, over HTTP as application/json",
    "dict_type": "a JSON object is wanted here",
    "union_tag_not_found": 'the message has no "type"',
    "union_tag_invalid": 'the message is of a "type" that is not known here',
}
"""Kind of mistake → what is said where it is the whole document's."""
_LIMITED: dict[str, tuple[str, str]] = {
    "string_too_long": ("max_length", "may have at most {} characters"),
    "too_long": ("max_length", "may have at most {} entries"),
    "greater_than_equal": ("ge", "has to be {} or more"),
    "less_than_equal": ("le", "has to be {} or less"),
    "greater_than": ("gt", "has to be more than {}"),
    "less_than": ("lt", "has to be less than {}"),
}
"""Kind of mistake → which limit was passed, and what is said of it."""


def in_words(mistakes: Sequence[Mistake]) -> str:
    """Say the first of the mistakes in a document.

    Args:
        mistakes: at least one.
    """
    first = mistakes[0]
    kind, ctx = str(first["type"]), first.get("ctx") or {}
    where = _where(first["loc"])
    if kind in _WHOLE and (not where or kind not in _SAID):
        return _WHOLE[kind]
    return f'"{where}" {_what(kind, ctx, mistakes)}' if where else "the document cannot be read"


def _what(kind: str, ctx: Mapping[str, Any], mistakes: Sequence[Mistake]) -> str:
    if kind == "string_too_short":
        least = ctx.get("min_length", 1)
        return "is empty" if least == 1 else f"has to have at least {least} characters"
    if kind in _LIMITED and _LIMITED[kind][0] in ctx:
        name, said = _LIMITED[kind]
        limit = ctx[name]
        return said.format(f"{limit:g}" if isinstance(limit, float) else limit)
    if kind == "literal_error":
        return f"has to be {_choice(mistakes)}"
    return _SAID.get(kind, "is not as it should be")


def _choice(mistakes: Sequence[Mistake]) -> str:
    """Name what a field may hold: one mistake for each part of a union."""
    here = _where(mistakes[0]["loc"])
    allowed = [
        str((one.get("ctx") or {}).get("expected", ""))
        for one in mistakes
        if one["type"] == "literal_error" and _where(one["loc"]) == here
    ]
    words = ", ".join(dict.fromkeys(word for word in allowed if word)).replace("'", '"')
    return words.replace('""', "left out").replace(", left out", ", or left out") or "another word"


def _where(loc: Sequence[Any]) -> str:
    """Name the field; pydantic adds which part of a union it tried."""
    parts = [str(part) for part in loc if part not in ("body", "query", "path", "header")]
    return ".".join(part for part in parts if not part.startswith("literal["))[:WHERE_CHARS]
