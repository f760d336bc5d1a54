"""All sessions of a server: given out, found again, watched, ended."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agent.tasks import Tasks
from server.live.admission import Admission
from server.live.connection import Ways
from server.live.desks import CastOf, OpenDesk
from server.live.documents import NewSession, QueueDocument, SessionDocument
from server.live.errors import LiveError
from server.live.guest import Guest, Listener
from server.live.metrics import MediaFigures, Metrics
from server.live.options import LOOPBACK, ServeOptions
from server.live.passes import Passes
from server.live.session import Session
from server.live.tokens import Tokens

if TYPE_CHECKING:
    from server.live.rtc import PeerStats
    from server.live.studio import Studio

log = logging.getLogger("visavis.live")

WATCH_S = 0.25
"""How often sessions are looked at, and how late the event loop runs is measured."""
REMEMBERED = 2000
"""Sessions that are over of which it is remembered which token was the last."""
LAG_KEPT = 40
"""Looks that the worst lateness is taken of: ten seconds."""


class Sessions:
    """The sessions of one server; used on the event loop.

    Args:
        desks: name → open desk.
        studio: draws and encodes.
        options: of the server.
        tokens: signs.
        metrics: where things are counted.
        cast: makes conversations.
        listeners: told what happens in all of them.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        desks: Mapping[str, OpenDesk],
        studio: Studio,
        options: ServeOptions,
        *,
        tokens: Tokens,
        metrics: Metrics,
        cast: CastOf,
        listeners: tuple[Listener, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.closing = False
        """True once the server takes nobody any more."""
        self.admission = Admission(
            options.max_sessions,
            {name: one.desk.settings.web.max_sessions for name, one in desks.items()},
            queue_length=options.queue_length,
        )
        self._desks, self._studio, self._options, self._tokens = desks, studio, options, tokens
        self._ways = Ways(options.ice, loopback=options.host in LOOPBACK)
        self._from: dict[str, str] = {}
        self._troubled: set[str] = set()
        self._metrics, self._cast, self._listeners, self._clock = metrics, cast, listeners, clock
        self._open: dict[str, Session] = {}
        self._passes: OrderedDict[str, Passes] = OrderedDict()
        """Of sessions that are over: their visitors may ask for what is kept of them."""
        self._endings = Tasks()
        self._lags = deque([0.0], maxlen=LAG_KEPT)
        metrics.registry.register(MediaFigures(self._media))

    def __len__(self) -> int:
        return len(self._open)

    @property
    def loop_lag_s(self) -> float:
        """How late the event loop ran lately, at worst."""
        return max(self._lags)

    def create(self, desk: str, wanted: NewSession, origin: str, address: str = "") -> SessionDocument:
        """Give a session out.

        Args:
            desk: at which.
            wanted: what the client says.
            origin: of the page that asks.
            address: of the client; "" for one that is not known, of which any number may wait.

        Raises:
            Busy: no place is free.
            LiveError: the server is closing, the desk does not speak the language, or sessions of the same
                address still wait for their visitors.
        """
        if self.closing:
            raise LiveError(
                "closing", "the server is about to stop", "try again in a minute", status=503, retryable=True
            )
        opened = self._desks[desk]
        settings = opened.desk.settings
        opened.check_language(wanted.language)
        self._check_unjoined(wanted, address)
        try:
            self.admission.enter(desk, self._clock(), wanted.ticket)
        finally:
            self._metrics.waiting.set(self.admission.waiting)
        name = secrets.token_urlsafe(12)
        guest = Guest(
            session=name,
            desk=desk,
            origin=origin,
            language=wanted.language,
            record=wanted.record and opened.records and bool(self._options.recordings),
            client=wanted.client,
        )
        expires_s = settings.web.longest_s + self._options.join_s
        passes = Passes(self._tokens, name, desk, origin, expires_s=expires_s)
        seed = random.randrange(2**31)
        session = Session(
            guest,
            opened,
            lambda place, told: self._cast(opened, place, wanted.language, seed, told),
            studio=self._studio,
            ways=self._ways,
            passes=passes,
            metrics=self._metrics,
            recordings=Path(self._options.recordings) if self._options.recordings else None,
            listeners=self._listeners,
            clock=self._clock,
        )
        self._open[name], self._from[name] = session, address
        self._metrics.opened.labels(desk).inc()
        self._metrics.sessions.labels(desk).inc()
        self._follow(session)
        return SessionDocument(
            session=name,
            token=passes.next(),
            expires_s=expires_s,
            ws=f"/v1/sessions/{name}/live",
            desk=opened.document(),
        )

    def find(self, name: str, token: str, origin: str) -> Session:
        """Return a session that goes on, to who may have it.

        Raises:
            LiveError: the token is not right, or the session is over.
        """
        claims = self._tokens.read(token, session=name, origin=origin)
        session = self._open.get(name)
        if session is None or session.ended:
            raise LiveError("session_over", "the session is over", "ask for a new session", status=404)
        session.passes.admit(claims)
        return session

    def place(self, ticket: str) -> QueueDocument:
        """Look up a place in the queue.

        Raises:
            LiveError: there is no such ticket, or it was not asked about for too long.
        """
        found = self.admission.place(ticket, self._clock())
        self._metrics.waiting.set(self.admission.waiting)
        if found is None:
            raise LiveError(
                "no_such_ticket", "nobody waits with this ticket", "ask for a session", status=404
            )
        ahead, ready = found
        return QueueDocument(ticket=ticket, ahead=ahead, ready=ready)

    async def watch(self) -> None:
        """End sessions whose visitors have gone or whose time is up, until cancelled."""
        while True:
            before = self._clock()
            await asyncio.sleep(WATCH_S)
            now = self._clock()
            self._lags.append(max(now - before - WATCH_S, 0.0))
            self._metrics.loop_lag.set(self.loop_lag_s)
            for session in list(self._open.values()):
                if reason := self._look_at(session, now):
                    self.end(session, reason)

    def _check_unjoined(self, wanted: NewSession, address: str) -> None:
        kiosk = wanted.client == "kiosk"
        most = self._options.unjoined_kiosks if kiosk else self._options.unjoined
        waiting = sum(
            self._from[name] == address and not one.begun and not one.ended
            for name, one in self._open.items()
        )
        if address and waiting >= most:
            raise LiveError(
                "too_many_unjoined",
                f"{waiting} sessions of this address wait for their visitors",
                f"join them, or ask again in {self._options.enter_s:g} s",
                status=429,
                retryable=True,
            )

    def _look_at(self, session: Session, now_s: float) -> str:
        """Tell why a session is to end; whatever goes wrong in one, the others are looked at."""
        if session.ended:
            return ""
        try:
            return session.check(now_s, join_s=self._options.join_s, enter_s=self._options.enter_s)
        except Exception:
            if session.guest.session not in self._troubled:
                self._troubled.add(session.guest.session)
                log.exception("session %s could not be looked at; it goes on", session.guest.session)
            return "too_long" if session.presence.left_s(now_s) < 0 else ""

    def owner(self, name: str, token: str, origin: str, host: str = "") -> str:
        """Return the desk of a session, for who holds its latest token; also for a while after its end.

        Args and errors: as of `Tokens.read`.
        """
        claims = self._tokens.read(token, session=name, origin=origin, host=host)
        session = self._open.get(name)
        passes = session.passes if session is not None else self._passes.get(name)
        if passes is not None:
            passes.admit(claims)
        return claims.desk

    def desk_of(self, name: str) -> str | None:
        """Return the desk of a session that goes on; None: there is none."""
        session = self._open.get(name)
        return session.guest.desk if session is not None else None

    async def erase(self, name: str) -> None:
        """End a session of which nothing is to be kept, and wait until it has."""
        if (session := self._open.get(name)) is not None:
            await session.close("erased")

    def end(self, session: Session, reason: str) -> None:
        """Begin to end a session."""
        self._endings.start(session.close(reason), f"close {session.guest.session}")

    async def drain(self) -> None:
        """Take nobody any more, let sentences end, and end all sessions."""
        self.closing = True
        finish_s = self._options.finish_s
        await asyncio.gather(
            *(session.close("closing", finish_s=finish_s) for session in list(self._open.values())),
            return_exceptions=True,
        )
        await self._endings.wait()

    def _media(self) -> list[PeerStats]:
        return [stats for session in self._open.values() if (stats := session.media) is not None]

    def _follow(self, session: Session) -> None:
        """Give its place back when it has ended."""

        async def until_gone() -> None:
            await session.gone.wait()
            desk = session.guest.desk
            self._passes[session.guest.session] = session.passes
            while len(self._passes) > REMEMBERED:
                self._passes.popitem(last=False)
            del self._open[session.guest.session], self._from[session.guest.session]
            self._troubled.discard(session.guest.session)
            self.admission.leave(desk, self._clock())
            self._metrics.sessions.labels(desk).dec()
            self._metrics.ended.labels(desk, session.ended).inc()
            self._metrics.waiting.set(self.admission.waiting)

        self._endings.start(until_gone(), f"place of {session.guest.session}")
