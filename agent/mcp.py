"""Tools of MCP servers, called as the desk's own: by a language model, within its bounds."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from agent.errors import ToolError
from agent.grounding import speaks_to_a_model
from agent.settings import McpServer
from agent.tools import Tool

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool
    from langchain_mcp_adapters.client import MultiServerMCPClient
    from langchain_mcp_adapters.sessions import Connection

log = logging.getLogger(__name__)

OPEN_S = 20.0
"""How long a server may take to start and to list its tools."""
CLOSE_S = 5.0
LONGEST_DESCRIPTION = 600
"""Characters of a tool's description that a model reads."""

_NEVER = re.compile(r"(?!)")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class McpTool(Tool):
    """A tool of an MCP server."""

    schema: Mapping[str, Any] = field(default_factory=dict)
    """JSON schema of its arguments."""


class McpTools:
    """Connections to a desk's MCP servers, kept by a thread of their own.

    A server that cannot be reached is left out and named in `problems`; one that goes away is opened again by
    the next call.

    Args:
        servers: which.
        folder: the desk's, in which programs run.

    Raises:
        ToolError: the package for MCP is not installed.
    """

    def __init__(self, servers: Sequence[McpServer], folder: Path) -> None:
        self._servers = {server.name: server for server in servers}
        self._folder = folder
        self._links: dict[str, _Link] = {}
        self.problems: list[str] = []
        """What could not be opened, with a remedy each."""
        self.tools: tuple[McpTool, ...] = ()
        """What may be called."""
        if not self._servers:
            return
        self._client = self._open_client()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mcp", daemon=True)
        self._thread.start()
        self.tools = self._await(self._find_tools(), OPEN_S * 2)

    def close(self) -> None:
        """End the connections and the programs that were started."""
        if not self._servers or self._loop.is_closed():
            return
        with contextlib.suppress(Exception):
            self._await(self._close_links(), CLOSE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_S)
        if not self._thread.is_alive():
            self._loop.close()

    def renew(self) -> None:
        """Begin the programs among the servers anew, so that they remember nothing.

        Raises:
            ToolError: one does not come back.
        """
        self._await(self._renew(), CLOSE_S + OPEN_S)

    def _open_client(self) -> MultiServerMCPClient:
        try:
            from langchain_mcp_adapters.client import MultiServerMCPClient
        except ImportError:
            raise ToolError(
                "[[tools.mcp]] needs langchain-mcp-adapters; install it with `pip install 'visavis[mcp]'`"
            ) from None
        return MultiServerMCPClient({name: self._connection(one) for name, one in self._servers.items()})

    def _connection(self, server: McpServer) -> Connection:
        from langchain_mcp_adapters.sessions import StdioConnection, StreamableHttpConnection

        if server.command:
            return StdioConnection(
                transport="stdio",
                command=server.command,
                args=list(server.args),
                env={name: _filled(value) for name, value in server.env.items()} or None,
                cwd=self._folder,
            )
        return StreamableHttpConnection(
            transport="streamable_http",
            url=str(server.url),
            headers={name: _filled(value) for name, value in server.headers.items()},
        )

    def _await(self, work: Coroutine[Any, Any, _Result], seconds: float) -> _Result:
        waiting = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return waiting.result(seconds)
        except TimeoutError:
            waiting.cancel()
            raise

    async def _find_tools(self) -> tuple[McpTool, ...]:
        found: list[McpTool] = []
        opened = await asyncio.gather(*map(self._link, self._servers), return_exceptions=True)
        for server, link in zip(self._servers.values(), opened, strict=True):
            if isinstance(link, BaseException):
                what = f"command {server.command!r}" if server.command else "url"
                self.problems.append(
                    f"the MCP server {server.name} cannot be opened ({_kind(link)}); "
                    f"check its {what} in desk.toml"
                )
                continue
            for name, tool in link.tools.items():
                if server.only and name not in server.only:
                    continue
                if speaks_to_a_model(tool.description):
                    self.problems.append(
                        f"the tool {name} of the MCP server {server.name} gives orders in its description; "
                        "it is left out"
                    )
                    continue
                found.append(self._declared(server, name, tool))
        for problem in self.problems:
            log.warning("%s", problem)
        return tuple(found)

    def _declared(self, server: McpServer, name: str, tool: BaseTool) -> McpTool:
        schema = cast("dict[str, Any]", tool.args_schema)
        reads = name in server.read_only or bool((tool.metadata or {}).get("readOnlyHint"))
        whole_name = re.sub(r"[^\w-]", "_", f"{server.name}_{name}", flags=re.ASCII)[:64]
        return McpTool(
            name=whole_name,
            description=tool.description[:LONGEST_DESCRIPTION],
            call=self._caller(server, name, schema, again=reads),
            slots={},
            about=_NEVER,  # only a language model calls it
            changes=not reads,
            schema=schema,
        )

    def _caller(
        self, server: McpServer, name: str, schema: Mapping[str, Any], *, again: bool
    ) -> Callable[..., str]:
        def call(*, language: str, state_dir: Path, **values: Any) -> str:
            return self._await(self._call(server, name, _typed(schema, values), again), server.timeout_s)

        return call

    async def _call(self, server: McpServer, name: str, args: Mapping[str, Any], again: bool) -> str:
        link = await self._link(server.name)
        try:
            return await link.call(name, args)
        except ToolError:
            raise
        except Exception:
            # The server went away. What changes nothing is asked once more of a fresh one.
            self._links.pop(server.name, None)
            await link.close()
            if not again:
                raise
        return await (await self._link(server.name)).call(name, args)

    async def _link(self, name: str) -> _Link:
        link = self._links.get(name)
        if link is None or link.over:
            link = self._links[name] = _Link(self._client, name)
        try:
            await link.ready()
        except BaseException:
            self._links.pop(name, None)
            await link.close()  # a program that hangs as it starts must not stay
            raise
        return link

    async def _renew(self) -> None:
        for name, server in self._servers.items():
            if not server.command or (link := self._links.pop(name, None)) is None:
                continue
            await link.close()
            try:
                await self._link(name)
            except Exception as error:
                raise ToolError(f"the MCP server {name} does not begin again ({_kind(error)})") from error

    async def _close_links(self) -> None:
        for link in self._links.values():
            await link.close()
        self._links.clear()


class _Link:
    """One session, held open by a task: what opens it must also close it."""

    def __init__(self, client: MultiServerMCPClient, name: str) -> None:
        self._client = client
        self._name = name
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self._hold())
        self.tools: dict[str, BaseTool] = {}

    @property
    def over(self) -> bool:
        return self._task.done()

    async def ready(self) -> None:
        async with asyncio.timeout(OPEN_S):
            await asyncio.shield(self._ready)

    async def call(self, name: str, args: Mapping[str, Any]) -> str:
        tool = self.tools.get(name)
        if tool is None:
            raise ToolError(f"the MCP server {self._name} has no tool {name} any more; restart the desk")
        message = await tool.ainvoke({"type": "tool_call", "id": "1", "name": name, "args": dict(args)})
        if message.status == "error":
            raise ToolError(f"the MCP server {self._name} reports an error of {name}")
        return str(message.text)

    async def close(self) -> None:
        self._stop.set()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await asyncio.wait_for(self._task, CLOSE_S)

    async def _hold(self) -> None:
        from langchain_mcp_adapters.tools import load_mcp_tools

        try:
            async with self._client.session(self._name) as session:
                self.tools = {tool.name: tool for tool in await load_mcp_tools(session)}
                self._ready.set_result(None)
                await self._stop.wait()
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error if isinstance(error, Exception) else ToolError("closed"))
            elif not isinstance(error, Exception):
                raise


def _typed(schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments as the schema wants them: those that the visitor confirmed are texts."""
    typed = {}
    for name, value in values.items():
        kind = schema.get("properties", {}).get(name, {}).get("type", "string")
        if isinstance(value, str) and kind != "string":
            with contextlib.suppress(ValueError):
                value = json.loads(value)
        typed[name] = value
    return typed


def _filled(text: str) -> str:
    """Put variables of this process in for "${NAME}"."""
    return re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found.group(1), ""), text)


def _kind(error: BaseException) -> str:
    """Name the error inside a group of them."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return f"{type(error).__name__}: {str(error)[:120]}" if str(error) else type(error).__name__
