"""One visitor's session: given out, joined and left over one link after another, and ended."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.conversation_events import ConversationEvent, HeardWords, TurnEnded
from agent.tasks import Tasks
from server.live.acting import ToolCalled, tell_actions
from server.live.connection import Ways
from server.live.desks import OpenDesk, SessionCast
from server.live.errors import LiveError
from server.live.guest import Guest, Listener
from server.live.link import CLOSE_NORMAL, CLOSE_REPLACED, Link
from server.live.metrics import Metrics
from server.live.passes import Passes
from server.live.post import Post
from server.live.presence import Presence
from server.live.protocol import Face, Kept, Rate, Report, parse_message
from server.live.records import TurnRated
from server.live.talk import Talk
from server.live.visit import Visit

if TYPE_CHECKING:
    from server.live.rtc import PeerStats
    from server.live.studio import Studio

log = logging.getLogger("visavis.live")

RELAY_MORE_S = 300
"""How much longer than the session the passwords of its relays last."""
MISTAKES = 20
"""Messages that cannot be read after which a client is let go."""


class Session:
    """One visitor's session; used on the event loop.

    Args:
        guest: whom it was given to.
        opened: the desk.
        cast: makes the conversation, when the visitor joins.
        studio: draws and encodes.
        ways: how picture and sound may go.
        passes: its tokens.
        metrics: where things are counted.
        recordings: folder for the recordings of visitors who agreed; None: nothing is recorded.
        listeners: told what happens.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        guest: Guest,
        opened: OpenDesk,
        cast: SessionCast,
        *,
        studio: Studio,
        ways: Ways,
        passes: Passes,
        metrics: Metrics,
        recordings: Path | None = None,
        listeners: tuple[Listener, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.guest = guest
        self.opened = opened
        self.passes = passes
        self.ended = ""
        """Why it ended; empty while it goes on."""
        self.gone = asyncio.Event()
        """Set when it has ended and everything is closed."""
        web = opened.desk.settings.web
        self.presence = Presence(clock(), idle_s=web.idle_s, longest_s=web.longest_s)
        self._cast, self._studio, self._ways, self._recordings = cast, studio, ways, recordings
        self._metrics, self._listeners, self._clock = metrics, listeners, clock
        self._post = Post(metrics)
        self._visit: Visit | None = None
        self._person: dict[str, object] = {}
        self._endings = Tasks()

    @property
    def media(self) -> PeerStats | None:
        """What its WebRTC connection carries; None without one."""
        return self._visit.media if self._visit is not None else None

    @property
    def talk(self) -> Talk | None:
        """Its conversation; None before its visitor has come."""
        return self._visit.talk if self._visit is not None else None

    @property
    def rehearsed(self) -> bool:
        """True where it is a test for which nobody of the company is to be called."""
        return self._visit is not None and bool(self._visit.examining.people)

    @property
    def begun(self) -> bool:
        """True once its visitor has come."""
        return self._visit is not None

    @property
    def joined(self) -> bool:
        """True while a client is connected."""
        return self._post.link is not None

    def tell_person(self, state: str, *, name: str = "", ahead: int = 0) -> None:
        """Tell the visitor whether they wait for a person, or talk with one; also when they come back.

        Args:
            state: "waiting", "talking" or "none".
            name: of the person.
            ahead: how many wait before them.
        """
        self._person = {"state": state, "name": name, "ahead": ahead}
        self._post.send("person", **self._person)

    def wait_for_person(self) -> None:
        """Who waits for a person, or for their answer, may say nothing."""
        self.presence.listen(self._clock())

    async def serve(self, link: Link) -> None:
        """Serve a client that may be served, until it goes, another takes its place, or the session ends."""
        old, self._post.link = self._post.link, link
        if old is not None:
            old.send("ended", reason="replaced")
            old.close(CLOSE_REPLACED, "replaced")
        self.presence.come(self._clock())
        resumed = self._visit is not None
        mistakes = 0
        tell_actions(self._acted)
        try:
            visit = self._visit or self._begin_or_fail()
            visit.resume(link)
            if link.people:
                visit.examining.pretend(link.people, visit.talk)
            life_s = self.presence.left_s(self._clock()) + RELAY_MORE_S
            servers = self._ways.ice.for_browser(self.guest.session, life_s=life_s)
            token = self.passes.next()
            more = {"examined": True} if link.examines else {}
            link.send("ready", state=visit.state, resumed=resumed, token=token, ice_servers=servers, **more)
            if self._person:
                link.send("person", **self._person)
            async for data in link.receive():
                try:
                    self._take(data, visit, link)
                except LiveError as error:
                    self._metrics.errors.labels(error.code).inc()
                    link.fail(error)
                    mistakes += 1
                    if mistakes >= MISTAKES:
                        raise
        finally:
            self._metrics.dropped.inc(link.dropped_bytes)
            if self._post.link is link:
                self._post.link = None
                self.presence.leave(self._clock(), politely=link.left_politely)

    def check(self, now_s: float, *, join_s: float, enter_s: float) -> str:
        """Tell whether the session is to end, and why: "" if not. Warns a visitor who says nothing.

        Args:
            now_s: the time.
            join_s: how long a visitor whose connection broke may take to come back.
            enter_s: how long one may take to come at all.
        """
        if self._visit is not None:
            self._visit.adapt()
            if self._visit.busy:
                self.presence.listen(now_s)
        reason = self.presence.over(now_s, join_s=join_s, enter_s=enter_s)
        if not reason and (left_s := self.presence.warning_s(now_s)) is not None:
            self._post.send(
                "notice",
                code="idle",
                message=f"The conversation ends in {round(left_s)} s unless you say something.",
            )
        return reason

    def rate(self, turn: int, value: int) -> None:
        """Tell what the visitor thinks of a reply: 1 good, -1 bad, 0 neither after all."""
        for listener in self._listeners:
            listener.happened(self, TurnRated(turn, value))

    async def close(self, reason: str, *, finish_s: float = 0.0) -> None:
        """End the session and everything that belongs to it; the second call waits for the first.

        Args:
            reason: told to the client, for example "visitor", "idle", "closing".
            finish_s: how long a sentence that is being said may take to end.
        """
        if self.ended:
            await self.gone.wait()
            return
        self.ended = reason
        try:
            if self._visit is not None:
                await self._visit.close(finish_s=finish_s)
        finally:
            self._post.send("ended", reason=reason)
            if self._post.link is not None:
                self._post.link.close(CLOSE_NORMAL, reason)
            for listener in self._listeners:
                listener.ended(self, reason)
            self.gone.set()

    def _begin_or_fail(self) -> Visit:
        try:
            self._visit = Visit(
                self.guest,
                self.opened,
                self._cast,
                studio=self._studio,
                ways=self._ways,
                recordings=self._recordings,
                post=self._post,
                told=self._told,
                end=self._end,
            )
            self._visit.begin()
            for listener in self._listeners:
                listener.opened(self)
        except Exception:
            log.exception("session %s could not begin", self.guest.session)
            self._end("failed")
            raise LiveError(
                "session_failed", "the conversation could not begin", "ask for a new session", status=500
            ) from None
        return self._visit

    def _end(self, reason: str) -> None:
        """Begin to close; `gone` says when it is done."""
        self._endings.start(self.close(reason), f"close {self.guest.session}")

    def _take(self, data: str | bytes, visit: Visit, link: Link) -> None:
        if isinstance(data, bytes):
            if link is self._post.link:
                visit.take_sound(data)
            return
        message = parse_message(data)
        if link is not self._post.link:
            return  # another client has taken its place while this was on its way
        if isinstance(message, Kept):
            self.passes.kept()
            return
        if not isinstance(message, Report | Face):  # they come by themselves
            self.presence.act(self._clock())
        if isinstance(message, Rate):
            self.rate(message.turn, message.value)
            return
        visit.take_message(message, link)

    def _acted(self, call: ToolCalled) -> None:
        if self._visit is not None:
            self._visit.acted(call)

    def _told(self, event: ConversationEvent | ToolCalled | Report) -> None:
        if isinstance(event, Report):
            self._metrics.reported(event)
        elif not isinstance(event, ToolCalled):
            self._metrics.happened(self.guest.desk, event)
        for listener in self._listeners:
            listener.happened(self, event)
        if isinstance(event, HeardWords | TurnEnded):
            self.presence.act(self._clock())
