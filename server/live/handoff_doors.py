"""The paths of the inbox: who was passed on, taking conversations over, saying something, handing back."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, suppress
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query, Request
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from server.live.errors import LiveError
from server.live.handoff_documents import HandoffDocument, InboxDocument, SaidDocument, SayRequest
from server.live.link import (
    CLOSE_FORBIDDEN,
    CLOSE_OF_STATUS,
    CLOSE_POLICY,
    CLOSE_TRY_LATER,
    CLOSE_UNAUTHORISED,
    Link,
    pumped,
)
from server.live.operators import Operator, key_unknown
from server.live.protocol import Id
from server.live.service import Service
from server.live.switchboard import Switchboard
from server.live.watchers import Watcher

HELLO_S = 10.0
"""How long a client may take to send its key."""
Key = Annotated[str, Header(description='"Bearer " and a key of `visavis operator add`.')]


def add_handoff_doors(app: FastAPI) -> None:
    """Add the paths to the application."""

    @app.get("/v1/inbox", tags=["inbox"])
    async def inbox(
        request: Request,
        desk: Annotated[Id | None, Query(description="This desk alone.")] = None,
        authorization: Key = "",
    ) -> InboxDocument:
        """List the visitors who were passed on to people: who waits, whom somebody has, and who is through.

        What happens comes over the WebSocket `/v1/inbox/events`: send `{"type": "hello", "key": "…"}` first,
        then `ready` comes with this list, and after it `waiting`, `taken`, `line` (something was said),
        `back`, `left`, `withdrawn`, `missed`, `nobody` and, of other processes, `changed`, each with `entry`.
        """
        operator, board = await _entered(request, authorization)
        await _noted(request, operator, "list", desk=desk or "")
        return await board.cases.inbox(operator, desk or "")

    @app.get("/v1/inbox/{session}", tags=["inbox"])
    async def handoff(request: Request, session: Id, authorization: Key = "") -> HandoffDocument:
        """Show a visitor who was passed on, with everything that was said so far.

        What the visitor tells the person who has the conversation is masked for everybody else, and for
        everybody once that person has it no more.
        """
        operator, board = await _entered(request, authorization)
        found = await board.cases.document(operator, session)
        await _noted(request, operator, "read", session, found.desk)
        return found

    @app.post("/v1/inbox/{session}/take", tags=["inbox"])
    async def take(request: Request, session: Id, authorization: Key = "") -> HandoffDocument:
        """Take a conversation over: the visitor is told, and what they say comes to you from now on.

        Who comes second is told who has it (409), unless that person's key was taken back meanwhile.
        """
        operator, board = await _entered(request, authorization)
        taken = await board.take(operator, session)
        await _noted(request, operator, "take", session, taken.desk)
        return taken

    @app.post("/v1/inbox/{session}/say", tags=["inbox"])
    async def say(request: Request, session: Id, words: SayRequest, authorization: Key = "") -> SaidDocument:
        """Have the avatar say your words; the page shows that they are a person's.

        The desk's policy holds for them: what it stops is not said (422).
        """
        operator, board = await _entered(request, authorization)
        return await board.say(operator, session, words.text)

    @app.post("/v1/inbox/{session}/back", tags=["inbox"])
    async def back(request: Request, session: Id, authorization: Key = "") -> HandoffDocument:
        """Hand a conversation back to the desk, which knows what was said."""
        operator, board = await _entered(request, authorization)
        return await board.back(operator, session)

    @app.websocket("/v1/inbox/events")
    async def events(socket: WebSocket) -> None:
        try:
            await _checked(socket)
        except LiveError as error:
            await socket.close(CLOSE_FORBIDDEN, error.code)
            return
        await socket.accept()
        link = Link(socket)
        await pumped(link, _watch(socket, link))


def _service(connection: HTTPConnection) -> Service:
    service: Service = connection.app.state.service
    return service


async def _checked(connection: HTTPConnection) -> Switchboard:
    """Return the switchboard, if the page may use it and does not ask too often.

    Raises:
        LiveError: it may not.
    """
    service = _service(connection)
    headers = connection.headers
    service.origins.check(headers.get("origin", ""), headers.get("host", ""), None)
    await service.rates.check("inbox", connection.client.host if connection.client else "unknown")
    return service.switchboard


async def _noted(
    connection: HTTPConnection, operator: Operator, action: str, session: str = "", desk: str = ""
) -> None:
    await _service(connection).readings.noted(f"operator:{operator.name}", action, session, desk)


async def _entered(request: Request, authorization: str) -> tuple[Operator, Switchboard]:
    board = await _checked(request)
    return board.operators.of(authorization), board


async def _watch(socket: WebSocket, link: Link) -> None:
    service = _service(socket)
    board = service.switchboard
    try:
        operator = board.operators.with_key(await _key(link))
        await _noted(socket, operator, "list")
    except LiveError as error:
        service.metrics.errors.labels(error.code).inc()
        link.fail(error)
        link.close(CLOSE_OF_STATUS.get(error.status, CLOSE_POLICY), error.code)
        return
    watcher = board.watchers.add(operator)
    told = asyncio.create_task(_told(link, watcher), name=f"inbox of {operator.name}")
    try:
        inbox = await board.cases.inbox(operator)
        link.send("ready", name=operator.name, inbox=inbox.model_dump(mode="json"))
        async with aclosing(link.receive()) as received:
            async for _ in received:
                pass  # nothing is asked over it; a client may send something to keep the line open
    except LiveError as error:
        link.fail(error)
    finally:
        board.watchers.remove(watcher)
        told.cancel()
        with suppress(asyncio.CancelledError):
            await told


async def _told(link: Link, watcher: Watcher) -> None:
    while (event := await watcher.events.get()) is not None:
        fields: dict[str, Any] = dict(event)
        link.send(str(fields.pop("type")), **fields)
        if event["type"] == "closing":
            link.close()
    if watcher.gone:
        link.fail(key_unknown())
        link.close(CLOSE_UNAUTHORISED, "key_unknown")
    else:
        link.close(CLOSE_TRY_LATER, "too slow")


async def _key(link: Link) -> str:
    with suppress(TimeoutError):
        async with asyncio.timeout(HELLO_S), aclosing(link.receive()) as first:
            data = await anext(first, None)
            with suppress(ValueError, TypeError, AttributeError):
                message = json.loads(data) if isinstance(data, str) else {}
                if message.get("type") == "hello" and isinstance(message.get("key"), str):
                    return str(message["key"])
    raise LiveError(
        "no_hello", "the first message was no hello", 'send {"type":"hello","key":"…"} first', status=401
    )
