"""What visitors say that is no question to the knowledge: greetings, thanks, who are you, a person please."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources


class Talk(StrEnum):
    """Kinds of small talk; the values are the names of the desk's phrases."""

    GREETING = "greeting"
    THANKS = "thanks"
    NEVER_MIND = "never_mind"
    GOODBYE = "goodbye"
    IDENTITY = "identity"
    HANDOFF = "handoff"


@dataclass(frozen=True, slots=True)
class _Sayings:
    """`smalltalk.toml`, read and compiled."""

    anywhere: tuple[tuple[Talk, re.Pattern[str]], ...]
    said: tuple[tuple[Talk, re.Pattern[str]], ...]
    courtesy: frozenset[str]
    courtesy_chinese: re.Pattern[str]


def small_talk(text: str) -> Talk | None:
    """Tell what kind of small talk a text is, or None where it asks for something."""
    sayings = _sayings()
    text = text.lower().replace("’", "'").replace("您", "你")
    text = re.sub(r"[^\w'\u3400-\u9fff]+", " ", text).strip()
    for talk, pattern in sayings.anywhere:
        if pattern.search(text):
            return talk
    found = None
    for talk, pattern in sayings.said:
        text, times = pattern.subn(" ", text)
        if times and found is None:
            found = talk
    rest = sayings.courtesy_chinese.sub(" ", text).split()
    return found if all(word in sayings.courtesy for word in rest) else None


@lru_cache(maxsize=1)
def _sayings() -> _Sayings:
    data = tomllib.loads((resources.files("agent") / "smalltalk.toml").read_text(encoding="utf-8"))
    words = {name: f"(?:{'|'.join(alternatives)})" for name, alternatives in data["words"].items()}

    def filled(pattern: str) -> str:
        for name, alternatives in words.items():
            pattern = pattern.replace(name, alternatives)
        return pattern

    return _Sayings(
        anywhere=tuple(
            (Talk(kind), re.compile("|".join(map(filled, patterns))))
            for kind, patterns in data["anywhere"].items()
        ),
        said=tuple((Talk(kind), _any_of(phrases)) for kind, phrases in data["said"].items()),
        courtesy=frozenset(data["courtesy"]["words"].split()),
        courtesy_chinese=_any_of(data["courtesy"]["chinese"]),
    )


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Match any of some phrases, the longest first; Latin ones as whole words."""
    ordered = sorted(phrases, key=len, reverse=True)
    return re.compile(
        "|".join(rf"\b{re.escape(one)}\b" if one.isascii() else re.escape(one) for one in ordered)
    )
