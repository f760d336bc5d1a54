"""How people deny, agree and are polite in both languages: `grounding.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Ways:
    """`grounding.toml`, read and compiled; what each is for stands there."""

    no_negation: re.Pattern[str]
    negation: re.Pattern[str]
    doubled: re.Pattern[str]
    either_way: re.Pattern[str]
    absolute: re.Pattern[str]
    opposites: tuple[frozenset[str], ...]
    mere: re.Pattern[str]
    mere_first: re.Pattern[str]
    courtesy: re.Pattern[str]
    civil: frozenset[str]
    address: frozenset[str]
    promising: re.Pattern[str]
    requests: re.Pattern[str]
    secrets: re.Pattern[str]
    ignorant: re.Pattern[str]
    orders: re.Pattern[str]
    of_users: re.Pattern[str]
    kinds: frozenset[str]
    places: frozenset[str]


@lru_cache(maxsize=1)
def ways() -> Ways:
    """Return how people deny, agree and are polite; read once."""
    data = tomllib.loads((resources.files("agent") / "grounding.toml").read_text(encoding="utf-8"))

    def any_of(patterns: Iterable[str], around: str = "{}") -> re.Pattern[str]:
        return re.compile(around.replace("{}", f"(?:{'|'.join(patterns)})"), re.IGNORECASE)

    denying, courtesy, mere = data["denying"], data["courtesy"], data["agreeing"]["mere"]
    return Ways(
        no_negation=any_of(denying["none"]),
        negation=any_of(denying["words"]),
        doubled=any_of(denying["doubled"]),
        either_way=any_of(denying["either_way"]),
        absolute=any_of(denying["absolute"]),
        opposites=tuple(frozenset(pair.split("/")) for pair in denying["opposites"]),
        # Possessive: "可以" may be one word of agreement or part of another, and is never tried both ways.
        mere=any_of(mere, r"(?:\s*+(?>{})[\s,.!，。！]*+)++"),
        mere_first=any_of(mere, r"^(?:\s*+(?>{})[\s,，]*+)++[.!。！]\s*"),
        courtesy=any_of(courtesy["opening"]),
        civil=frozenset(courtesy["words"].split()),
        address=frozenset(courtesy["address"].split()),
        promising=any_of(courtesy["promising"]),
        requests=any_of(courtesy["requests"]),
        secrets=any_of(courtesy["secrets"]),
        ignorant=any_of(data["ignorance"]["said"]),
        orders=any_of(data["orders"]["said"]),
        of_users=any_of(data["orders"]["of_users"]),
        kinds=frozenset(data["kinds"]["of_a_kind"]),
        places=frozenset(data["kinds"]["places"]),
    )
