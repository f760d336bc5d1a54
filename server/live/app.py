"""The FastAPI application: what a server answers on which path."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import secrets
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.cors import CORSMiddleware

from agent.conversation_events import Notice
from agent.desk import Desk
from agent.face import face_of
from agent.workers import Workers
from avatar import AvatarError
from server.live import crowd
from server.live.alerting import AlertMetrics, alerts_told
from server.live.chat import Chat
from server.live.cores import one_thread_each
from server.live.desks import CastOf, OpenDesk, cast_of, closed, named, open_desk
from server.live.documents import ErrorDocument
from server.live.doors import add_doors
from server.live.errors import LiveError
from server.live.guest import Listener
from server.live.handoff_doors import add_handoff_doors
from server.live.keeper import Keeper
from server.live.metrics import Metrics
from server.live.operators import Operators
from server.live.options import ServeOptions
from server.live.origins import Origins, SecureHeaders, TooLarge
from server.live.ports import PortWatch
from server.live.privacy_doors import add_privacy_doors
from server.live.protocol import MESSAGE_BYTES
from server.live.rates import Rates
from server.live.readings import Readings
from server.live.recommending import learn_daily
from server.live.refusals import add_refusals
from server.live.rescreening import screened_anew
from server.live.retention import forget_daily
from server.live.service import Service
from server.live.sessions import Sessions
from server.live.store import EventStore
from server.live.studio import Studio, ThreadStudio
from server.live.studio_processes import ProcessStudio
from server.live.switchboard import Switchboard
from server.live.tokens import SECRET_BYTES, Tokens
from server.live.trend_doors import add_trend_doors

log = logging.getLogger("visavis.live")

THREADS = 16
"""For what blocks: recognition, synthesis, search, tools of several sessions; most of them wait."""
CLOSERS = 4
"""Threads for the end, when all others may hang."""
SWITCH_S = 0.001
"""How long a thread that searches or answers may keep Python's lock from the event loop, which lets it go
some hundred times a second for each visitor: at Python's own 5 ms eight visitors' sound had gaps, at 1 ms
none."""
CLOSE_S = 10.0
"""How long the desks' engines may take to close."""
OpenDeskOf = Callable[[str, Desk], OpenDesk]


def create_app(
    desks: Sequence[Desk],
    options: ServeOptions | None = None,
    *,
    opener: OpenDeskOf = open_desk,
    cast: CastOf = cast_of,
    store: EventStore | None = None,
    listeners: tuple[Listener, ...] = (),
) -> FastAPI:
    """Make the application; desks are opened when it starts and closed when it stops.

    Args:
        desks: at least one; the first is the one that visitors get who name none.
        options: of the server.
        opener: opens a desk, in a thread; for tests, or for desks that are open already.
        cast: makes conversations; for tests.
        store: where events are kept, if it is open already; else the one that the options name is opened.
            It is closed when the server stops.
        listeners: told what happens in all sessions.
    """
    options = options or ServeOptions()
    by_name = named(desks)
    origins = Origins({name: desk.settings.web.origins for name, desk in by_name.items()}, options.origins)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with aclosing(
            _running(app, by_name, options, origins, opener, cast, store, listeners)
        ) as running:
            async for _ in running:
                yield

    app = FastAPI(
        title="Visavis",
        version=_version(),
        description="Talk to a desk: WebRTC or WebSocket for voices and faces, HTTP for text.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses={
            "4XX": {"model": ErrorDocument, "description": "What is wrong with the request."},
            "5XX": {"model": ErrorDocument, "description": "What went wrong here."},
        },
    )
    add_doors(app)
    add_handoff_doors(app)
    add_trend_doors(app)
    add_privacy_doors(app)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins.all,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Accept"],
        max_age=600,
    )
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MESSAGE_BYTES)
    app.add_middleware(TooLarge)
    app.add_middleware(SecureHeaders, frames=origins.all)
    add_refusals(app)
    return app


async def _running(
    app: FastAPI,
    by_name: Mapping[str, Desk],
    options: ServeOptions,
    origins: Origins,
    opener: OpenDeskOf,
    cast: CastOf,
    store: EventStore | None,
    listeners: tuple[Listener, ...],
) -> AsyncGenerator[None, None]:
    """Open everything, yield while the server runs, close everything."""
    opened: dict[str, OpenDesk] = {}
    loop = asyncio.get_running_loop()
    work, studio = Workers(THREADS, "work"), _studio(by_name, options)
    loop.set_default_executor(work)
    crowd.count_on(options.share)
    try:
        # loading it takes a second, for which the first visitor's offer would hold up everybody
        await asyncio.to_thread(importlib.import_module, "server.live.rtc")
        if store is None and options.store:
            store = await asyncio.to_thread(open_store, options.store)
        keeper = Keeper(store, options.secret) if store is not None else None
        if keeper is not None:
            listeners = (*listeners, keeper)
        operators = Operators(Path(options.operators) if options.operators else None)
        board = Switchboard(opened, operators, store)
        for name, desk in by_name.items():
            opened[name] = await asyncio.to_thread(opener, name, desk)
            opened[name].kept_days = options.kept_days if store is not None else None
        if isinstance(studio, ProcessStudio):
            studio = await _ready(studio)
        await asyncio.to_thread(one_thread_each)
        gc.collect()
        gc.freeze()  # what is open now stays open: looking through it again holds up everybody's sound
        metrics = Metrics()
        tokens = Tokens(options.secret or secrets.token_bytes(SECRET_BYTES))
        chat = Chat(metrics, keeper, tokens)
        sessions = Sessions(
            opened,
            studio,
            options,
            tokens=tokens,
            metrics=metrics,
            cast=cast,
            listeners=(*listeners, board),
        )
        app.state.service = Service(
            options=options,
            desks=opened,
            origins=origins,
            rates=Rates(options.rates),
            metrics=metrics,
            sessions=sessions,
            chat=chat,
            store=store,
            switchboard=board,
            readings=Readings(store),
            started_s=time.monotonic(),
        )
        privacies = {name: one.settings.privacy for name, one in by_name.items()}
        tasks = [
            asyncio.create_task(sessions.watch(), name="watch"),
            asyncio.create_task(chat.watch(), name="chats"),
            asyncio.create_task(board.run(), name="inbox"),
            asyncio.create_task(
                alerts_told(store, opened, AlertMetrics(metrics.registry), board.watchers.tell), name="alerts"
            ),
            asyncio.create_task(learn_daily(store, opened), name="learn"),
            asyncio.create_task(screened_anew(opened), name="screen"),
            asyncio.create_task(
                forget_daily(store, options.recordings, options.kept_days, privacies), name="forget"
            ),
        ]
        if ports := options.ice.udp_ports:
            tasks.append(asyncio.create_task(PortWatch(ports, metrics.no_ports).watch(), name="ports"))
        try:
            yield
        finally:
            await sessions.drain()
            await board.close()
            chat.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        work.shutdown(wait=False, cancel_futures=True)
        loop.set_default_executor(Workers(CLOSERS, "close"))
        if store is not None and (lost := await store.close()):
            log.error("%d events of sessions could not be kept in the store", lost)
        await closed(list(opened.values()), CLOSE_S)
        await studio.close()


def _studio(desks: Mapping[str, Desk], options: ServeOptions) -> Studio:
    """Begin to open where faces are drawn."""
    if options.drawers:
        try:
            faces = {name: face_of(desk) for name, desk in desks.items()}
        except AvatarError:
            return ThreadStudio()  # opening that desk tells what is wrong
        try:
            return ProcessStudio(faces, options.drawers, options.max_sessions)
        except OSError as error:
            log.warning("no drawing process can be started (%s): threads draw instead", error)
    return ThreadStudio()


async def _ready(studio: ProcessStudio) -> Studio:
    """Wait until it draws; return threads instead where it does not."""
    try:
        await studio.ready()
    except LiveError as error:
        log.warning("%s: threads of the server draw instead", error)
        await studio.close()
        return ThreadStudio()
    # What draws in threads of this process would lose more by it than the event loop gains.
    sys.setswitchinterval(SWITCH_S)
    return studio


def open_store(url: str) -> EventStore:
    """Open where events are kept.

    Raises:
        LiveError: it cannot be.
    """
    return EventStore.open(url, on_notice=_log_notice)


def _log_notice(notice: Notice) -> None:
    log.warning("%s: %s", notice.code, notice.message)


def _version() -> str:
    try:
        return version("visavis")
    except PackageNotFoundError:
        return "0"
