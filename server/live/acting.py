"""Business actions as they are taken: told to the session in whose conversation it happens.

A tool runs in a thread of its own, far from the session: answerers call it, and language models in turns of
their own. So every tool is wrapped when its desk opens, and finds whom to tell in the context that its
thread inherits from the session's link.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from agent.tools import Tool

SURROUNDINGS = ("language", "state_dir")
"""What every tool is called with besides its arguments."""
LONGEST = 2_000
"""Characters of an argument or a result that are told: masking and sending more would hold up sound."""


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A business action was taken, or failed."""

    turn: int
    """In which; 0 before the first."""
    tool: str
    arguments: Mapping[str, str]
    result: str
    """What it said; or the name of its error."""
    failed: bool = False


Told = Callable[[ToolCalled], None]
_told: ContextVar[Told | None] = ContextVar("told of actions", default=None)


def tell_actions(told: Told) -> None:
    """Tell of every action that is taken in this task, and in all that it begins.

    Args:
        told: called on the running event loop, with `turn` 0.
    """
    loop = asyncio.get_running_loop()

    def tell(call: ToolCalled) -> None:
        with suppress(RuntimeError):  # a tool that hung may come back after the server's end
            loop.call_soon_threadsafe(told, call)

    _told.set(tell)


def watched(tool: Tool) -> Tool:
    """Return a tool that tells how it is called."""

    def call(**values: Any) -> str:
        told = _told.get()
        if told is None:
            return tool.call(**values)
        given = {name: _told_of(value) for name, value in arguments_of(tool, values).items()}
        try:
            line = tool.call(**values)
        except Exception as error:
            told(ToolCalled(0, tool.name, given, type(error).__name__, failed=True))
            raise
        told(ToolCalled(0, tool.name, given, _told_of(str(line))))
        return line

    return replace(tool, call=call)


def _told_of(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def arguments_of(tool: Tool, values: Mapping[str, Any]) -> dict[str, str]:
    """Return the arguments of a call, as texts; tools of MCP servers have no slots that name them."""
    return {
        name: str(value) for name, value in values.items() if name in tool.slots or name not in SURROUNDINGS
    }
