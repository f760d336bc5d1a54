"""What a message says of a policy that is wrong: what is meant there, and the nearest that is known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from moderation.rule_names import rules_of
from moderation.verdict import Category

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def remedy_of(error: ErrorDetails, location: list[str]) -> str:
    """Say what is wrong at a place in a policy, and what to write instead.

    Args:
        error: the first of those that pydantic found.
        location: keys, from the outermost table inwards.
    """
    from moderation.policy import Policy

    kind, message = error["type"], error["msg"]
    if kind == "extra_forbidden":
        known = _known_keys(location[:-1])
        hint = _of_a_rule(location[-1]) or nearest(location[-1], known)
        return f"unknown key. {hint or f'Known keys: {_listed(known)}.'}"
    if kind == "enum" and len(location) == 2 and location[0] in ("actions", "thresholds"):
        own = location[1]
        hint = _of_a_rule(own) or nearest(own, list(Category))
        return f"no such category. {hint or f'There are {_listed(Category)}.'}"
    if kind == "model_type" and location[0] in ("actions", "rules"):
        known = sorted(rules_of(Policy())) if location[0] == "rules" else list(Category)
        unknown = location[0] == "rules" and location[-1] not in known
        told = f"no such rule. {nearest(location[-1], known)} " if unknown else ""
        return f'{told}It takes directions. Write {{ input = "refuse", output = "mask" }}, for example.'
    if kind == "enum":
        values = str(error["ctx"]["expected"]).replace(" or ", ", ").replace("'", "")
        return f"not one of {values}. Use one of these."
    if kind == "missing":
        return "is missing. Add it; default_policy.toml shows every key."
    if kind == "model_type" and location[:2] == ["engines", "onnx"]:
        return "stands in no table of its own. Write [engines.onnx.NAME], with a name of your choice."
    if kind == "string_pattern_mismatch" and location[0] == "rules":
        return 'not a rule\'s name. Write "category.rule", in quotes, such as "pii.email".'
    if kind == "string_pattern_mismatch" and location[0] == "personal_data":
        return 'not a country code. Write two capital letters, such as "GB".'
    if kind == "value_error":
        return message.removeprefix("Value error, ") + "."
    return f"{message}. Correct the value; default_policy.toml shows every key."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word an unknown one is likely to be; empty where none is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean {str(near[0])!r}?" if near else ""


def _of_a_rule(word: str) -> str:
    """Where a rule's name stands among categories, say where it belongs."""
    if word.partition(".")[0] not in list(Category) or "." not in word:
        return ""
    from moderation.policy import Policy

    rules = rules_of(Policy())
    near = word if word in rules else next(iter(difflib.get_close_matches(word, rules, n=1)), "")
    meant = f"Did you mean the rule {near!r}? " if near and near != word else ""
    return f'{meant}Single rules stand under [rules]: "{near or word}" = {{ input = "refuse" }}.'


def _known_keys(location: list[str]) -> list[str]:
    """Names of the keys of the table at a place in the policy."""
    from moderation.policy import Policy

    at: Any = Policy
    for part in location:
        if isinstance(at, type) and issubclass(at, BaseModel):
            field = at.model_fields.get(part)
            at = field.annotation if field is not None else None
        else:  # dict[key, table]
            at = get_args(at)[-1] if get_args(at) else None
        choices = [one for one in get_args(at) if isinstance(one, type) and issubclass(one, BaseModel)]
        if type(None) in get_args(at) and choices:
            at = choices[0]
    known = at if isinstance(at, type) and issubclass(at, BaseModel) else Policy
    return [name for name in known.model_fields if not name.startswith("_")]
