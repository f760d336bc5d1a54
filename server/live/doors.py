"""The paths: sessions, the live WebSocket, chat, pages, health and figures."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from pydantic import TypeAdapter
from starlette.requests import HTTPConnection
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from server.live.bearer import bearer_of
from server.live.docs import STYLE, docs_page
from server.live.documents import (
    ChatDocument,
    ChatRequest,
    DeskDocument,
    HealthDocument,
    NewSession,
    QueueDocument,
    SessionDocument,
)
from server.live.errors import LiveError
from server.live.examining import admit
from server.live.link import CLOSE_FORBIDDEN, CLOSE_OF_STATUS, CLOSE_POLICY, Link, pumped
from server.live.metrics import CONTENT_TYPE
from server.live.protocol import ClientMessage, Hello, Id, Rating, parse_message
from server.live.service import Service
from server.live.session import Session

PAGES = Path(__file__).with_name("pages")
HELLO_S = 10.0
"""How long a client may take to say who it is."""
POSTER_S = 600
"""How long a browser may keep a poster; a desk's face changes with a restart."""
_PAGE_OF = {
    "/": "index.html",
    "/kiosk": "kiosk.html",
    "/widget.js": "widget.js",
    "/widget-demo": "widget-demo.html",
}
Bearer = Annotated[str, Header(description='"Bearer " and the session\'s token.')]


def add_doors(app: FastAPI) -> None:
    """Add every path to the application."""
    _add_sessions(app)
    _add_chat(app)
    _add_operations(app)
    _add_pages(app)


def service_of(connection: HTTPConnection) -> Service:
    """Return what the paths share."""
    service: Service = connection.app.state.service
    return service


def address_of(connection: HTTPConnection) -> str:
    """Return the client's address, as the server or a trusted proxy before it saw it."""
    return connection.client.host if connection.client else "unknown"


def origin_of(connection: HTTPConnection) -> str:
    """Return the origin of the page that asks; "" where it is no page."""
    return connection.headers.get("origin", "")


def own_host(request: Request) -> str:
    """Return the Host header where a page of this server may be asking without an origin; else "".

    Browsers add no Origin header to a GET of the page's own host, and one to all else that a page sends with
    a token; newer ones say in Sec-Fetch-Site whose page it is.
    """
    own = request.method == "GET" and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    return request.headers.get("host", "") if own else ""


def check_origin(connection: HTTPConnection, desk: str | None = None) -> str:
    """Return the origin, if it may use the desk.

    Raises:
        LiveError: it may not.
    """
    origin = origin_of(connection)
    service_of(connection).origins.check(origin, connection.headers.get("host", ""), desk)
    return origin


def _add_sessions(app: FastAPI) -> None:
    @app.post("/v1/sessions", status_code=201, tags=["sessions"])
    async def new_session(request: Request, wanted: NewSession) -> SessionDocument:
        """Get a place at a desk; with a queue, an error that holds a ticket and how many are ahead."""
        service = service_of(request)
        desk = service.desk(wanted.desk).id
        origin = check_origin(request, desk)
        await service.rates.check("sessions", address_of(request))
        return service.sessions.create(desk, wanted, origin, address_of(request))

    @app.delete("/v1/sessions/{session}", status_code=204, tags=["sessions"])
    async def end_session(request: Request, session: Id, authorization: Bearer = "") -> Response:
        """End a session."""
        await _found(request, session, authorization).close("visitor")
        return Response(status_code=204)

    @app.post("/v1/sessions/{session}/rate", status_code=204, tags=["sessions"])
    async def rate(request: Request, session: Id, rating: Rating, authorization: Bearer = "") -> Response:
        """Say whether a reply helped; operators find the questions whose answers did not."""
        await service_of(request).rates.check("live", address_of(request))
        _found(request, session, authorization).rate(rating.turn, rating.value)
        return Response(status_code=204)

    @app.get("/v1/queue/{ticket}", tags=["sessions"])
    async def queue(request: Request, ticket: Id) -> QueueDocument:
        """Look up a place in the queue; whoever does not ask for 20 s loses it."""
        service = service_of(request)
        check_origin(request)
        await service.rates.check("queue", address_of(request))
        return service.sessions.place(ticket)

    @app.websocket("/v1/sessions/{session}/live")
    async def live(socket: WebSocket, session: str) -> None:
        try:
            check_origin(socket)
            await service_of(socket).rates.check("live", address_of(socket))
        except LiveError as error:
            await socket.close(CLOSE_FORBIDDEN, error.code)
            return
        await socket.accept()
        link = Link(socket)
        await pumped(link, _converse(socket, session, link))


def _found(request: Request, session: str, authorization: str) -> Session:
    """Return the session of a bearer's token.

    Raises:
        LiveError: there is no token, it is not right, or the session is over.
    """
    token = bearer_of(authorization)
    if not token:
        raise LiveError(
            "token_missing", "no token came along", "send it as Authorization: Bearer …", status=401
        )
    return service_of(request).sessions.find(session, token, check_origin(request))


async def _converse(socket: WebSocket, session: str, link: Link) -> None:
    service = service_of(socket)
    try:
        hello = await _hello(link)
        origin = origin_of(socket)
        found = service.sessions.find(session, hello.token, origin)
        if hello.key:
            await admit(link, hello, found.guest, service.switchboard.operators, service.readings)
            found = service.sessions.find(session, hello.token, origin)  # it may have ended meanwhile
        await found.serve(link)
    except LiveError as error:
        service.metrics.errors.labels(error.code).inc()
        link.fail(error)
        link.close(CLOSE_OF_STATUS.get(error.status, CLOSE_POLICY), error.code)


async def _hello(link: Link) -> Hello:
    try:
        async with asyncio.timeout(HELLO_S), aclosing(link.receive()) as first:
            data = await anext(first, None)
    except TimeoutError:
        data = None
    if isinstance(data, str):
        message = parse_message(data)
        if isinstance(message, Hello):
            return message
    raise LiveError(
        "no_hello", "the first message was no hello", 'send {"type":"hello","token":"…"} first', status=401
    )


def _add_chat(app: FastAPI) -> None:
    @app.post(
        "/v1/chat",
        tags=["chat"],
        response_model=ChatDocument,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def chat(request: Request, asked: ChatRequest, accept: Annotated[str, Header()] = "") -> Any:
        """Ask in words; with `Accept: text/event-stream` the answer comes sentence by sentence."""
        service = service_of(request)
        opened = service.desk(asked.desk)
        origin = check_origin(request, opened.id)
        await service.rates.check("chat", address_of(request))
        service.chat.check(opened, asked)
        if "text/event-stream" in accept:
            events = service.chat.stream(opened, asked, origin)
            return StreamingResponse(events, media_type="text/event-stream")
        return await service.chat.answer(opened, asked, origin)


def _add_operations(app: FastAPI) -> None:
    @app.get("/desks", tags=["desks"])
    async def desks(request: Request) -> list[DeskDocument]:
        """List the desks."""
        return [one.document() for one in service_of(request).desks.values()]

    @app.get(
        "/desks/{desk}/poster.jpg",
        tags=["desks"],
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}, "description": "Its face at rest."}},
    )
    async def poster(request: Request, desk: Id) -> Response:
        """Show a desk's face."""
        picture = service_of(request).desk(desk).poster
        if not picture:
            raise LiveError("not_found", "this desk has no poster", "begin a conversation", status=404)
        return Response(
            picture, media_type="image/jpeg", headers={"Cache-Control": f"public, max-age={POSTER_S}"}
        )

    @app.get(
        "/healthz", tags=["operation"], responses={503: {"model": HealthDocument, "description": "Closing."}}
    )
    async def health(request: Request) -> JSONResponse:
        """Say what is alive; 503 once the server is about to stop."""
        service = service_of(request)
        sessions = service.sessions
        document = HealthDocument(
            status="closing" if sessions.closing else "ok",
            version=app.version,
            uptime_s=round(time.monotonic() - service.started_s, 1),
            sessions=len(sessions),
            max_sessions=service.options.max_sessions,
            waiting=sessions.admission.waiting,
            loop_lag_ms=round(sessions.loop_lag_s * 1e3, 1),
            store="none" if service.store is None else service.store.status().trouble or "ok",
            desks={
                name: {**one.engines.names(), "face": one.renderer.engine}
                for name, one in service.desks.items()
            },
        )
        return JSONResponse(document.model_dump(), 503 if sessions.closing else 200)

    @app.get(
        "/metrics",
        tags=["operation"],
        response_class=Response,
        responses={200: {"content": {CONTENT_TYPE: {}}, "description": "Prometheus' text format."}},
    )
    async def metrics(request: Request) -> Response:
        """Give the figures, in Prometheus' text format."""
        return Response(service_of(request).metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def _add_pages(app: FastAPI) -> None:
    messages = TypeAdapter(ClientMessage).json_schema()["$defs"]

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(docs_page(app.openapi(), messages))

    @app.get("/docs.css", include_in_schema=False)
    async def docs_style() -> Response:
        return Response(STYLE, media_type="text/css")

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        return Response(status_code=204)  # pages name their own; browsers ask for this one elsewhere

    def add(path: str, name: str) -> None:
        @app.get(path, include_in_schema=False)
        async def page() -> FileResponse:
            file = PAGES / name
            if not file.is_file():
                raise LiveError(
                    "not_found", "this page is not installed", "reinstall the package", status=404
                )
            return FileResponse(file, headers={"Cache-Control": "no-cache"})

    for path, name in _PAGE_OF.items():
        add(path, name)
    app.mount("/pages", _Pages(directory=PAGES, check_dir=False), name="pages")


class _Pages(StaticFiles):
    """The pages' files; browsers ask each time whether they have changed."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
