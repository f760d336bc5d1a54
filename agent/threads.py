"""Threads for what blocks in a conversation, some for each kind, so that no kind waits for another.

A guard that asks a slow engine holds up no sound, and a voice that hangs holds up no verdict. None of them
keeps the process from ending.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import ParamSpec, TypeVar

from agent.workers import Workers

GUARDS = 16
"""Questions to the guard at a time; where engines are asked, most of them wait for an answer."""
TOOLS = 16
"""Tools at a time; one that never ends keeps its place, and takes it from other tools alone."""
VOICES = 16
"""Sentences that are spoken at a time; most of them wait for the voice's own process."""
HEARINGS = 16
"""Utterances that are heard at a time; most of them wait for a process, or for the model."""

P = ParamSpec("P")
T = TypeVar("T")

_guards, _tools = Workers(GUARDS, "guard"), Workers(TOOLS, "tool")
_voices, _hearings = Workers(VOICES, "voice"), Workers(HEARINGS, "hear")


async def in_guard(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `asyncio.to_thread`, in threads that nothing but the guard may hold up."""
    return await _run(_guards, partial(function, *args, **kwargs))


async def in_tool(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `asyncio.to_thread`, in threads that only tools wait for."""
    return await _run(_tools, partial(function, *args, **kwargs))


async def in_voice(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `asyncio.to_thread`, in threads that only voices hold up."""
    return await _run(_voices, partial(function, *args, **kwargs))


async def in_hearing(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `asyncio.to_thread`, in threads that only hearing holds up."""
    return await _run(_hearings, partial(function, *args, **kwargs))


def runs_tools(executor: Executor | None) -> bool:
    """Tell whether these are the threads of tools, which may take as long as they like."""
    return executor is _tools


async def _run(threads: Workers, call: Callable[[], T]) -> T:
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(threads, context.run, call)
