"""A desk's actions under test: what they do is written down, and every script finds them as new."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.desk import Desk
from agent.mcp import McpTool, McpTools
from agent.tools import Tool
from evals.replay.record import Called
from server.live.acting import arguments_of

_BEFORE = frozenset(sys.modules)
"""Modules that no desk brought."""
_OURS = {"agent", "avatar", "evals", "knowledge", "moderation", "server", "speech"}
"""Packages that may lie in a desk's folder where that is a checkout, and are none of its own."""
_INSTALLED = {"site-packages", "dist-packages"}
"""Folders of modules that others wrote: they are as good as part of Python."""


LOADING = "tools.py"
"""Seed of what `tools.py` leaves to chance while it is loaded: whichever script it is loaded for."""


class Actions:
    """What a desk can do.

    Args:
        desk: whose `tools.py` is loaded anew.
    """

    def __init__(self, desk: Desk) -> None:
        self.calls: list[Called] = []
        """What was done since `renew`."""
        self._desk = desk
        self._latest: dict[str, Tool] = {}
        """Of `tools.py` as it was loaded last, by name."""
        self._called = self._served = False
        """Whether something of `tools.py`, of a server's program, was called since."""
        self._clock: datetime | None = None
        random.seed(LOADING)  # the desk is about to be opened

    def watched(self, tool: Tool) -> Tool:
        """Return a tool that writes down how it is called; as `Engines.open` takes it."""

        def call(**values: Any) -> str:
            calls = self.calls  # one that ends when another script is on belongs to its own
            if isinstance(tool, McpTool):
                self._served, run = True, tool.call
            else:
                self._called, run = True, self._latest.get(tool.name, tool).call
            told = arguments_of(tool, values)
            try:
                line = run(**values)
            except Exception as error:
                calls.append(Called(tool.name, told, f"{type(error).__name__}: {error}", failed=True))
                raise
            calls.append(Called(tool.name, told, str(line)))
            return line

        return replace(tool, call=call)

    def renew(self, clock: datetime | None, servers: McpTools | None) -> None:
        """Begin a script: what tools remember in memory is forgotten.

        What nobody used is as it was, so `tools.py` is loaded anew, and MCP servers that are programs of
        this machine are begun anew, where something of them was called. Servers at an address are not ours:
        what they remember stays.

        Args:
            clock: that the script's date stands at; `tools.py` may look at it while it is loaded.
            servers: the desk's.

        Raises:
            ToolError: `tools.py` cannot be loaded again, or a server does not come back.
        """
        self.calls = []
        if self._called or clock != self._clock:
            for name in _own_modules(self._desk.folder):
                del sys.modules[name]
            random.seed(LOADING)
            self._latest = {tool.name: tool for tool in self._desk.tools()}
            self._called, self._clock = False, clock
        if self._served and servers is not None:
            servers.renew()
        self._served = False


def _own_modules(folder: Path) -> list[str]:
    """Return the modules that `tools.py` brought along from its own folder: they remember, too."""
    inside = (f"{folder}/", f"{folder.resolve()}/")
    return [
        name
        for name in sys.modules.keys() - _BEFORE
        if (file := getattr(sys.modules[name], "__file__", None))
        and str(file).startswith(inside)
        and not _INSTALLED & set(Path(file).parts)
        and name.partition(".")[0] not in _OURS
    ]
