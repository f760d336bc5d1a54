"""One door for several server processes: each session stays with the process that it began in.

Python runs one thread at a time in a process, so a machine of many cores needs several. This hands requests
and WebSockets on to them over Unix sockets; sound and picture go straight between browser and process.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

log = logging.getLogger("visavis.live")

OWNERS = 20_000
"""Sessions and places in queues of which it is remembered whose they are."""
ARRIVING_S = 10.0
"""A session that was made counts for so long, until its visitor comes."""
WAIT_S = 30.0
"""For an answer of a process; typed questions to a slow language model take longest."""
BODY_BYTES = 1_000_000
"""More than any process takes."""
CLOSE_AWAY = 1012
"""What a WebSocket is closed with whose process ended: come again."""
_SESSION = re.compile(r"^/v1/(?:sessions|queue|inbox)/([^/]+)")
_METRIC = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (.+)$")
_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "upgrade",
    "transfer-encoding", "content-length", "content-encoding", "forwarded", "x-forwarded-for",
    "x-forwarded-proto",
})  # fmt: skip
"""Headers that concern one connection, and those that are written anew."""


@dataclass(slots=True, eq=False)
class Worker:
    """One server process."""

    number: int
    socket: str
    """Path of its Unix socket."""
    http: httpx.AsyncClient
    live: int = 0
    """WebSockets that go to it."""
    made_s: list[float] = field(default_factory=list)
    """When sessions were made in it of late."""

    def load(self, now_s: float) -> int:
        """How many visitors it has, those included who are just coming."""
        self.made_s = [at for at in self.made_s if now_s - at < ARRIVING_S]
        return self.live + len(self.made_s)


class Front:
    """Hands on what comes.

    Args:
        sockets: paths of the processes' Unix sockets.
    """

    def __init__(self, sockets: list[str]) -> None:
        self.workers = [
            Worker(
                number, path, httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=path), timeout=WAIT_S)
            )
            for number, path in enumerate(sockets)
        ]
        self._owners: OrderedDict[str, Worker] = OrderedDict()

    @property
    def live(self) -> int:
        """How many visitors are connected."""
        return sum(worker.live for worker in self.workers)

    def application(self) -> Starlette:
        """Return it as an ASGI application."""

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
            yield
            await asyncio.gather(*(worker.http.aclose() for worker in self.workers))

        anything = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        routes = [
            Route("/healthz", self.health),
            Route("/metrics", self.metrics),
            Route("/v1/sessions", self.new_session, methods=["POST"]),
            WebSocketRoute("/{path:path}", self.talk),
            Route("/{path:path}", self.anything, methods=anything),
        ]
        return Starlette(routes=routes, lifespan=lifespan)

    async def health(self, request: Request) -> Response:
        """Tell how the worst of the processes is."""
        answers = await asyncio.gather(*(self._ask(worker, request, b"") for worker in self.workers))
        documents = [_document(answer) for answer in answers]
        worst = max(answers, key=lambda answer: answer.status_code)
        return JSONResponse({**_document(worst), "processes": documents}, worst.status_code)

    async def metrics(self, request: Request) -> Response:
        """Return every process's figures, each with its number as a label."""
        answers = await asyncio.gather(*(self._ask(worker, request, b"") for worker in self.workers))
        families: dict[str, list[str]] = {}
        for worker, answer in zip(self.workers, answers, strict=True):
            family = ""
            for line in bytes(answer.body).decode("utf-8", "replace").splitlines():
                if line.startswith("#"):
                    family = line.split(" ", 3)[2] if line.count(" ") >= 2 else family
                    if line not in families.setdefault(family, []):
                        families[family].append(line)
                elif found := _METRIC.match(line):
                    name, labels, value = found.groups()
                    labels = ",".join(filter(None, [f'process="{worker.number}"', labels]))
                    families.setdefault(family or name, []).append(f"{name}{{{labels}}} {value}")
        text = "\n".join(line for lines in families.values() for line in lines)
        return PlainTextResponse(f"{text}\n", media_type="text/plain; version=0.0.4")

    async def new_session(self, request: Request) -> Response:
        """Make a session where there are the fewest, or where the visitor's place in the queue is."""
        body = await _body(request)
        with suppress(ValueError, AttributeError):
            if waiting := self._owners.get(str(json.loads(body).get("ticket"))):
                return await self._made(waiting, request, body)
        now_s = time.monotonic()
        answer: Response | None = None
        for worker in sorted(self.workers, key=lambda one: one.load(now_s)):
            other = await self._made(worker, request, body)
            answer = answer or other
            if other.status_code < 400:
                return other
            if other.status_code != 503:
                break
        assert answer is not None
        return answer

    async def anything(self, request: Request) -> Response:
        """Hand a request on to the session's process; what belongs to none, to the first that answers."""
        body = await _body(request)
        if worker := self._owner(request):
            return await self._ask(worker, request, body)
        answer: Response = _away()
        for worker in self.workers:
            answer = await self._ask(worker, request, body)
            if answer.status_code != 502:
                break
        return answer

    async def talk(self, socket: WebSocket) -> None:
        """Join a visitor's WebSocket to their process's."""
        worker = self._owner(socket) or self.workers[0]
        address = f"ws://{socket.headers.get('host', 'localhost')}{_path(socket)}"
        try:
            connection = await unix_connect(
                worker.socket,
                address,
                additional_headers=[pair for pair in _headers(socket) if not pair[0].startswith("sec-")],
                user_agent_header=None,
                compression=None,
                max_size=None,
                open_timeout=WAIT_S,
            )
        except InvalidStatus:
            await socket.close()  # before it was accepted: 403, as there
            return
        except (OSError, TimeoutError, ConnectionClosed):
            await socket.accept()
            await socket.close(CLOSE_AWAY)
            return
        worker.live += 1
        if worker.made_s:
            worker.made_s.pop(0)
        try:
            await socket.accept()
            await _joined(socket, connection)
        finally:
            worker.live -= 1
            await connection.close()

    def _owner(self, connection: HTTPConnection) -> Worker | None:
        found = _SESSION.match(connection.url.path)
        return self._owners.get(found.group(1)) if found else None

    async def _made(self, worker: Worker, request: Request, body: bytes) -> Response:
        answer = await self._ask(worker, request, body)
        document = _document(answer)
        for name in ("session", "ticket"):
            if isinstance(document.get(name), str):
                self._owners[document[name]] = worker
        while len(self._owners) > OWNERS:
            self._owners.popitem(last=False)
        if "session" in document:
            worker.made_s.append(time.monotonic())
        return answer

    async def _ask(self, worker: Worker, request: Request, body: bytes) -> Response:
        try:
            told = await worker.http.request(
                request.method, f"http://front{_path(request)}", headers=_headers(request), content=body
            )
        except httpx.HTTPError as error:
            log.warning("process %d does not answer: %s", worker.number, error)
            return _away()
        answer = Response(told.content, told.status_code)
        answer.raw_headers[:] = [
            (name.lower(), value) for name, value in told.headers.raw if name.lower().decode() not in _HOP
        ] + [(b"content-length", str(len(told.content)).encode())]
        return answer


async def _joined(socket: WebSocket, connection: ClientConnection) -> None:
    """Carry messages both ways until either side ends."""

    async def inward() -> None:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                await connection.close(_code(message.get("code")))
                return
            await connection.send(message["text"] if message.get("text") is not None else message["bytes"])

    async def outward() -> None:
        with suppress(ConnectionClosed):
            while True:
                data = await connection.recv()
                if isinstance(data, str):
                    await socket.send_text(data)
                else:
                    await socket.send_bytes(data)
        code = connection.close_code
        await socket.close(CLOSE_AWAY if code in (None, 1006) else code, connection.close_reason or "")

    tasks = [asyncio.create_task(inward()), asyncio.create_task(outward())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, BaseException) and not isinstance(
            ended, (asyncio.CancelledError, ConnectionClosed, WebSocketDisconnect, RuntimeError)
        ):
            log.error("a WebSocket could not be handed on", exc_info=ended)


def _code(code: int | None) -> int:
    """Return a code that may be sent: some only say that none came."""
    return code if code is not None and (code in (1000, 1001) or 3000 <= code < 5000) else 1001


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES:
            break  # what is cut off is no JSON any more: the process says what it thinks of that
        parts.append(part)
    return b"".join(parts)


def _path(connection: HTTPConnection) -> str:
    raw = connection.scope.get("raw_path") or connection.url.path.encode()
    query = connection.scope.get("query_string", b"")
    return raw.split(b"?")[0].decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")


def _headers(connection: HTTPConnection) -> list[tuple[str, str]]:
    """Return the headers to hand on, with the visitor's address, whatever they say of it themselves."""
    headers = [(name, value) for name, value in connection.headers.items() if name not in _HOP]
    scheme = {"ws": "http", "wss": "https"}.get(connection.url.scheme, connection.url.scheme)
    headers.append(("x-forwarded-proto", scheme))
    if connection.client is not None:
        headers.append(("x-forwarded-for", connection.client.host))
    return headers


def _document(answer: Response) -> dict[str, Any]:
    with suppress(ValueError):
        document = json.loads(bytes(answer.body))
        if isinstance(document, dict):
            return document
    return {}


def _away() -> Response:
    error = {
        "code": "process_away",
        "message": "a part of the server is starting again",
        "remedy": "ask again in a few seconds",
        "retryable": True,
    }
    return JSONResponse({"error": error}, 502, headers={"retry-after": "5"})
