"""What "it" is: a wish that points to what was just looked up, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.slots import Errand
from agent.tools import Tool

MOST_WORDS = 5
LONGEST = 40
"""Characters of a wish that leaves out what it is about: "please cancel", "帮我取消吧"."""

_IT = re.compile(
    r"\b(?:it|(?:(?:this|that)(?: same)?|the same)(?: one| order| parcel| package| booking| delivery)?"
    r"|the (?:one|order|parcel|package|booking|delivery))\b"
    r"|它|(?:刚才的?)?(?:这|那)(?:一?[个单件份张笔](?:订单)?|订单)|刚才的订单",
    re.IGNORECASE,
)
_ANOTHER = re.compile(r"\b(?:an?other|others?|different|else|second)\b|另|别的|其[他它]", re.IGNORECASE)


def meant(text: str, before: Errand | None, tool: Tool) -> dict[str, str]:
    """Return what was just looked up and fits a tool's slots; nothing where another one is spoken of.

    Args:
        text: the visitor's words.
        before: what was just done; None: nothing was.
        tool: the one that is wished for.
    """
    if before is None or before.tool == tool.name or _ANOTHER.search(text):
        return {}
    known = before.values
    return {n: known[n] for n, slot in tool.slots.items() if n in known and slot.find(known[n]) == known[n]}


def pointed(text: str, known: Mapping[str, str]) -> list[str]:
    """Return a wish with what it points to, if it does: "cancel it" is "cancel 10345" where that is known."""
    value = next(iter(known.values()), "")
    if not value:
        return []
    named, times = _IT.subn(f" {value} ", text, count=1)
    if times:
        return [named]
    short = len(text.split()) <= MOST_WORDS and len(text) <= LONGEST
    return [f"{text.rstrip(' .!?。！？吧')} {value}"] if short else []
