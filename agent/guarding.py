"""Asking the guard from a conversation, and not twice about the same passage."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import lru_cache

from moderation import Guard
from moderation.verdict import Action, Direction

PASSAGES = 4096
"""Whose verdicts are remembered, for each guard."""

_remembered: weakref.WeakKeyDictionary[Guard, Callable[[str], bool]] = weakref.WeakKeyDictionary()


def harmless(guard: Guard, text: str) -> bool:
    """Tell whether the rules let a document through; engines read it when it was learned."""
    known = _remembered.get(guard)
    if known is None:
        known = _remembered.setdefault(guard, _memory(weakref.ref(guard)))
    return known(text)


def _memory(guard: weakref.ref[Guard]) -> Callable[[str], bool]:
    @lru_cache(PASSAGES)
    def passes(text: str) -> bool:
        asked = guard()
        return asked is not None and asked.quick(text, Direction.DOCUMENT).action is Action.ALLOW

    return passes
