"""Asking the guard from a conversation: in threads of its own, and not twice about the same passage."""

from __future__ import annotations

import asyncio
import contextvars
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import lru_cache, partial
from typing import ParamSpec, TypeVar

from moderation import Guard
from moderation.verdict import Action, Direction

AT_ONCE = 16
"""Questions to the guard at a time; where engines are asked, most of them wait for an answer."""
TOOLS_AT_ONCE = 16
"""Tools at a time; one that never ends keeps its place, and takes it from other tools alone."""
PASSAGES = 4096
"""Whose verdicts are remembered, for each guard."""

P = ParamSpec("P")
T = TypeVar("T")

_guards = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="guard")
_tools = ThreadPoolExecutor(TOOLS_AT_ONCE, thread_name_prefix="tool")
_remembered: weakref.WeakKeyDictionary[Guard, Callable[[str], bool]] = weakref.WeakKeyDictionary()


async def in_guard(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `asyncio.to_thread`, in threads that nothing but the guard may hold up."""
    return await _run(_guards, partial(function, *args, **kwargs))


async def in_tool(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `asyncio.to_thread`, in threads that only tools wait for."""
    return await _run(_tools, partial(function, *args, **kwargs))


def runs_tools(executor: Executor | None) -> bool:
    """Tell whether these are the threads of tools, which may take as long as they like."""
    return executor is _tools


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


async def _run(threads: ThreadPoolExecutor, call: Callable[[], T]) -> T:
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(threads, context.run, call)
