"""One visitor's session: the conversation, its connection, and the messages between them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.conversation_events import (
    ConversationEvent,
    HeardWords,
    Notice,
    SentenceBegan,
    StateChanged,
    TurnEnded,
    VerdictGiven,
)
from moderation.verdict import Action
from server.live.connection import Connection
from server.live.desks import Cast, OpenDesk, Sink
from server.live.errors import LiveError
from server.live.guest import Guest, Listener
from server.live.ice import IceSettings
from server.live.link import CLOSE_NORMAL, CLOSE_REPLACED, Link
from server.live.metrics import Metrics
from server.live.protocol import (
    Audio,
    End,
    Hello,
    Mute,
    Offer,
    Replay,
    Report,
    SpeakLanguage,
    Stop,
    Typed,
    parse_message,
)
from server.live.taping import Taping
from server.live.telling import told_of
from server.live.wire_sound import sound_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.stage import LiveMoment
    from server.live.rtc import PeerStats

log = logging.getLogger("visavis.live")

IDLE_WARNING_S = 30.0
"""How long before the end of an idle session the visitor is told."""
RELOAD_S = 15.0
"""How long a visitor whose page was closed may take to come back: as long as loading it again takes."""
CLOSING_S = 5.0
"""How long any one part of a session may take to close."""
TAPE_S = 25.0
"""How long the end of a recording may take to be written."""
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
        ice: how connections find their way.
        loopback: clients on this machine may be reached over its loopback.
        encoders: threads that encode pictures; None: the event loop's own.
        metrics: where things are counted.
        recordings: folder for the recordings of visitors who agreed; None: nothing is recorded.
        listeners: told what happens.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        guest: Guest,
        opened: OpenDesk,
        cast: Callable[[Callable[[ConversationEvent], None]], Cast],
        *,
        ice: IceSettings,
        loopback: bool = True,
        encoders: Executor | None = None,
        metrics: Metrics,
        recordings: Path | None = None,
        listeners: tuple[Listener, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.guest = guest
        self.opened = opened
        self.ended = ""
        """Why it ended; empty while it goes on."""
        self.gone = asyncio.Event()
        """Set when it has ended and everything is closed."""
        self.created_s = self.active_s = self.left_s = clock()
        """When it was given out; when the visitor last did something; since when nobody is connected."""
        self.sinks: list[Sink] = [self]
        self._cast_of, self._ice, self._metrics, self._listeners = cast, ice, metrics, listeners
        self._recordings, self._clock = recordings, clock
        self._loopback, self._encoders = loopback, encoders
        self._taping: Taping | None = None
        self._link: Link | None = None
        self._cast: Cast | None = None
        self._connection: Connection | None = None
        self._caption = ""
        self._state = "listening"
        self._turn = 0
        self._greeted = self._muted = self._warned = self._polite = False
        self._unannounced = self._to_end = False
        """The guard has decided that the conversation ends with this turn."""
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def media(self) -> PeerStats | None:
        """What its WebRTC connection carries; None without one."""
        return self._connection.stats if self._connection is not None else None

    @property
    def begun(self) -> bool:
        """True once its visitor has come."""
        return self._cast is not None

    @property
    def joined(self) -> bool:
        """True while a client is connected."""
        return self._link is not None

    def take(self, moment: LiveMoment) -> None:
        """Show the caption of a moment as it leaves; the session is a sink of its own stage."""
        if moment.caption != self._caption:
            self._caption = moment.caption
            self._send("caption", turn=self._turn, text=moment.caption)

    async def serve(self, link: Link) -> None:
        """Serve a client that may be served, until it goes, another takes its place, or the session ends."""
        old, self._link = self._link, link
        if old is not None:
            old.send("ended", reason="replaced")
            old.close(CLOSE_REPLACED, "replaced")
        self.active_s = self._clock()
        self._warned = False
        resumed = self._cast is not None
        mistakes = 0
        try:
            if not resumed:
                self._begin_or_fail()
            if self._connection is not None and self._connection.over_socket:
                self._connection.to_socket(link)
            left_s = self.opened.desk.settings.web.longest_s - (self._clock() - self.created_s)
            servers = self._ice.for_browser(self.guest.session, life_s=left_s + RELAY_MORE_S)
            link.send("ready", state=self._state, resumed=resumed, ice_servers=servers)
            async for data in link.receive():
                try:
                    self._take(data, link)
                except LiveError as error:
                    self._metrics.errors.labels(error.code).inc()
                    link.fail(error)
                    mistakes += 1
                    if mistakes >= MISTAKES:
                        raise
        finally:
            self._metrics.dropped.inc(link.dropped_bytes)
            if self._link is link:
                self._link = None
                self.left_s, self._polite = self._clock(), link.left_politely

    def check(self, now_s: float, *, join_s: float, enter_s: float) -> str:
        """Tell whether the session is to end, and why: "" if not. Warns a visitor who says nothing.

        Args:
            now_s: the time.
            join_s: how long a visitor whose connection broke may take to come back.
            enter_s: how long one may take to come at all.
        """
        web = self.opened.desk.settings.web
        if self._connection is not None:
            self._connection.adapt()
        may_s = join_s if self.begun else min(join_s, enter_s)
        if not self.joined and now_s - self.left_s > (min(may_s, RELOAD_S) if self._polite else may_s):
            return "gone" if self._cast else "not_joined"
        if now_s - self.created_s > web.longest_s:
            return "too_long"
        if self._state in ("speaking", "thinking"):
            self.active_s = max(self.active_s, now_s - web.idle_s / 2)
        idle_s = now_s - self.active_s
        if idle_s > web.idle_s:
            return "idle"
        if idle_s > web.idle_s - min(IDLE_WARNING_S, web.idle_s / 2) and not self._warned:
            self._warned = True
            left = round(web.idle_s - idle_s)
            self._send(
                "notice", code="idle", message=f"The conversation ends in {left} s unless you say something."
            )
        return ""

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
            if self._cast is not None:
                await self._within(
                    self._cast.talk.close(finish_sentence=finish_s > 0), CLOSING_S + finish_s, "conversation"
                )
            tasks = [task for task in self._tasks if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._connection is not None:
                await self._within(self._connection.close(), CLOSING_S, "connection")
            if self._taping is not None:
                await self._within(self._taping.close(), TAPE_S, "recording")
            if self._cast is not None:
                self._cast.done()
        finally:
            self.sinks.clear()
            if self._link is not None:
                self._link.send("ended", reason=reason)
                self._link.close(CLOSE_NORMAL, reason)
            for listener in self._listeners:
                listener.ended(self, reason)
            self.gone.set()

    def _begin_or_fail(self) -> None:
        try:
            self._begin()
        except Exception:
            log.exception("session %s could not begin", self.guest.session)
            self._end("failed")
            raise LiveError(
                "session_failed", "the conversation could not begin", "ask for a new session", status=500
            ) from None

    def _begin(self) -> None:
        self._cast = self._cast_of(self._happened)
        renderer = self.opened.renderer
        self._connection = Connection(
            (renderer.width, renderer.height),
            self._ice,
            loopback=self._loopback,
            encoders=self._encoders,
            sinks=self.sinks,
            on_sound=self._hear,
            on_state=self._connected,
            thin=self._cast.thin,
        )
        if self.guest.record and self._recordings is not None:
            self._connection.watched()
            self._taping = Taping(
                self._recordings,
                self.guest.session,
                (renderer.width, renderer.height),
                sinks=self.sinks,
                told=self._taped,
            )
        self._run(self._cast.talk.run(), "conversation")
        self._run(self._cast.play(lambda: self.sinks), "media clock")
        if self.guest.language:
            self._cast.talk.speak_language(self.guest.language)
        for listener in self._listeners:
            listener.opened(self)

    def _run(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Run a part of the session; when it fails, the session ends with a reason."""

        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if task.cancelled() or self.ended:
                return
            error = task.exception()
            log.error("session %s: its %s ended early", self.guest.session, what, exc_info=error)
            self._end("failed")

        task = asyncio.create_task(work, name=f"{what} {self.guest.session}")
        self._tasks.add(task)
        task.add_done_callback(over)

    def _end(self, reason: str) -> None:
        """Begin to close; `gone` says when it is done."""
        task = asyncio.create_task(self.close(reason), name=f"close {self.guest.session}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _within(self, work: Coroutine[Any, Any, None], limit_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await work
        except Exception as error:
            log.error("session %s: closing its %s failed: %r", self.guest.session, what, error)

    # What the client sends

    def _take(self, data: str | bytes, link: Link) -> None:
        assert self._cast is not None
        assert self._connection is not None
        talk, connection = self._cast.talk, self._connection
        if isinstance(data, bytes):
            if connection.over_socket:
                self._hear(sound_of(data))
            elif not self._unannounced:  # dropped: pieces may be on their way when sound is switched
                self._unannounced = True
                self._fail(
                    LiveError(
                        "sound_unexpected", "sound came unannounced", 'send {"type":"audio","on":true} first'
                    )
                )
            return
        message = parse_message(data)
        if not isinstance(message, Report):
            self.active_s, self._warned = self._clock(), False
        match message:
            case Offer():
                connection.offer(message.sdp, self._answered)
            case Typed():
                self._type(message.text)
            case Stop():
                talk.stop()
            case Mute():
                self._muted = message.muted
                talk.mute(message.muted)
            case SpeakLanguage():
                self._speak(message.language)
            case Replay():
                talk.replay()
            case Report():
                self._metrics.reported(message)
                self._tell(message)
            case Audio(on=True):
                connection.to_socket(link)
            case Audio():
                connection.off_socket()
            case End():
                self._end("visitor")
            case Hello():
                raise LiveError("bad_message", "hello was said already", "say it once, at the beginning")

    def _type(self, text: str) -> None:
        assert self._cast is not None
        limit = self.opened.desk.settings.limits.question_chars
        if len(text) > limit:
            raise LiveError(
                "too_long", f"the question has {len(text)} characters", f"ask in at most {limit}", status=413
            )
        self._cast.talk.type(text)

    def _speak(self, language: str) -> None:
        assert self._cast is not None
        languages = self.opened.desk.settings.languages
        if language and language not in languages:
            raise LiveError(
                "no_such_language",
                f"this desk does not speak {language}",
                f"choose of: {', '.join(languages)}",
            )
        self._cast.talk.speak_language(language)

    # Sound and picture

    def _answered(self, answer: str | LiveError) -> None:
        if isinstance(answer, LiveError):
            self._fail(answer)
        else:
            self._send("answer", sdp=answer)

    def _connected(self, state: str) -> None:
        if state == "connected":
            self._greet()
        else:
            self._send(
                "notice",
                code="media_lost",
                message="The connection for sound and picture was lost; trying again.",
            )

    def _hear(self, pcm: NDArray[Any]) -> None:
        if self._cast is not None and not self.ended and not self._muted:
            self._cast.talk.hear(pcm)
            if self._taping is not None:
                self._taping.hear(pcm)

    def _taped(self, what: Notice | LiveError) -> None:
        if isinstance(what, LiveError):  # its words are for the operator: they name folders
            log.warning("session %s: %s", self.guest.session, what)
            self._fail(
                LiveError(what.code, "the conversation cannot be recorded", "it goes on without a recording")
            )
        else:
            self._happened(what)

    def _greet(self) -> None:
        """Say hello, once a session, as soon as it can be heard."""
        if self._greeted or self._cast is None:
            return
        self._greeted = True
        task = asyncio.create_task(self._cast.talk.greet(), name=f"greeting {self.guest.session}")
        self._tasks.add(task)
        task.add_done_callback(self._greeting_done)

    def _greeting_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("session %s: it could not greet", self.guest.session, exc_info=task.exception())

    # What the conversation says

    def _happened(self, event: ConversationEvent) -> None:
        self._metrics.happened(self.guest.desk, event)
        self._tell(event)
        match event:
            case StateChanged():
                self._state = event.state
            case SentenceBegan():
                self._turn = event.turn
            case HeardWords() | TurnEnded():
                self.active_s, self._warned = self._clock(), False
            case VerdictGiven() if event.verdict.action is Action.END:
                self._to_end = True
            case Notice() if event.code != "recording":
                log.warning("session %s: %s: %s", self.guest.session, event.code, event.message)
            case _:
                pass
        if isinstance(event, HeardWords) and event.final and self._taping is not None:
            self._taping.caption(event.text)
        told = told_of(event)
        if told is not None:
            kind, fields = told
            self._send(kind, **fields)
        if isinstance(event, TurnEnded) and self._to_end and not self.ended:
            self._end("guard")

    def _tell(self, event: ConversationEvent | Report) -> None:
        for listener in self._listeners:
            listener.happened(self, event)

    def _send(self, kind: str, **fields: object) -> None:
        if self._link is not None:
            self._link.send(kind, **fields)

    def _fail(self, error: LiveError) -> None:
        self._metrics.errors.labels(error.code).inc()
        if self._link is not None:
            self._link.fail(error)
