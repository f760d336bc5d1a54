"""What goes on while a visitor is there: the conversation, its media, the messages between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.conversation_events import (
    ConversationEvent,
    HandoffEnded,
    HeardWords,
    Notice,
    SentenceBegan,
    StateChanged,
    TurnEnded,
    VerdictGiven,
)
from agent.tasks import Tasks
from moderation.verdict import Action
from server.live.acting import ToolCalled
from server.live.connection import Ways
from server.live.desks import OpenDesk, SessionCast
from server.live.errors import LiveError
from server.live.examining import Examining
from server.live.guest import Guest
from server.live.link import Link
from server.live.media import Media
from server.live.patience import within
from server.live.post import Post
from server.live.protocol import (
    Audio,
    ClientMessage,
    End,
    Face,
    Hello,
    Mute,
    Offer,
    Pick,
    Replay,
    Report,
    SpeakLanguage,
    Stop,
    Suggest,
    Typed,
    Withdraw,
)
from server.live.talk import Talk
from server.live.telling import told_of

if TYPE_CHECKING:
    from agent.stage import LiveMoment
    from server.live.rtc import PeerStats
    from server.live.studio import Studio

log = logging.getLogger("visavis.live")

CLOSING_S = 5.0
"""How long the conversation and the connection may each take to close."""
TAPE_S = 25.0
"""How long the end of a recording may take to be written."""


class Visit:
    """A conversation and all that carries it; used on the event loop.

    Args:
        guest: who visits.
        opened: the desk.
        cast: makes the conversation.
        studio: draws and encodes.
        ways: how picture and sound may go.
        recordings: folder for the recordings of visitors who agreed; None: nothing is recorded.
        post: takes messages to the visitor.
        told: told what happens in the conversation, and what the browser measured.
        end: called when the session is to end, with the reason.
    """

    def __init__(
        self,
        guest: Guest,
        opened: OpenDesk,
        cast: SessionCast,
        *,
        studio: Studio,
        ways: Ways,
        recordings: Path | None,
        post: Post,
        told: Callable[[ConversationEvent | ToolCalled | Report], None],
        end: Callable[[str], None],
    ) -> None:
        self.state = "listening"
        """Of the conversation, as visitors are shown it."""
        self._guest, self._opened = guest, opened
        self._post, self._told, self._end = post, told, end
        self._media = Media(
            guest,
            opened,
            ways=ways,
            recordings=recordings,
            sink=self,
            post=post,
            connected=self._greet,
            noticed=self._happened,
        )
        self._tasks = Tasks()
        self.examining = Examining(post)
        """Tells who tests the desk more than visitors are told."""
        self._caption = ""
        self._turn = 0
        self._person = ""
        self._greeted = self._closed = False
        self._to_end = False
        """The guard has decided that the conversation ends with this turn."""
        self._place = studio.place(opened)
        self._cast = cast(self._place, self._happened)

    @property
    def talk(self) -> Talk:
        """The conversation."""
        return self._cast.talk

    @property
    def busy(self) -> bool:
        """True while the visitor is being answered."""
        return self.state in ("speaking", "thinking")

    @property
    def media(self) -> PeerStats | None:
        """What its WebRTC connection carries; None without one."""
        return self._media.stats

    def begin(self) -> None:
        """Start everything; `close` also ends what was started before something failed."""
        self._media.begin(self._cast, self._place.encoder)
        self._run(self._cast.talk.run(), "conversation")
        self._run(self._cast.play(lambda: self._media.sinks), "media clock")
        if self._guest.language:
            self._cast.talk.speak_language(self._guest.language)

    def resume(self, link: Link) -> None:
        """Go on over another link."""
        self._media.resume(link)

    def adapt(self) -> None:
        """Let no more pictures be drawn than are sent; called a few times a second."""
        self._media.adapt()

    def take(self, moment: LiveMoment) -> None:
        """Show the caption of a moment as it leaves; the visit is a sink of its own stage."""
        if moment.caption != self._caption:
            self._caption = moment.caption
            by = {"by": "person", "name": self._person} if self._person else {}
            self._post.send("caption", turn=self._turn, text=moment.caption, **by)
        self.examining.take(moment)

    def acted(self, call: ToolCalled) -> None:
        """Tell of a business action that was taken."""
        self._happened(replace(call, turn=self.examining.turn))

    async def close(self, *, finish_s: float = 0.0) -> None:
        """End everything.

        Args:
            finish_s: how long a sentence that is being said may take to end.
        """
        self._closed = True
        self._media.deafen()
        of = f"session {self._guest.session}: its"
        try:
            await within(self._fall_silent(finish_s), CLOSING_S + finish_s, f"{of} conversation")
            await self._tasks.cancel()
            await within(self._media.disconnect(), CLOSING_S, f"{of} connection")
            await within(self._media.end_recording(), TAPE_S, f"{of} recording")
            self._cast.done()
            self._place.close()
        finally:
            self._media.sinks.clear()

    def _run(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Run a part that lasts as long as the visit; should it end before, it ends the session."""

        def ended(error: BaseException | None) -> None:
            if not self._closed:
                log.error("session %s: its %s ended early", self._guest.session, what, exc_info=error)
                self._end("failed")

        self._tasks.start(work, f"{what} {self._guest.session}", ended)

    async def _fall_silent(self, finish_s: float) -> None:
        """Close the conversation, once what is being said has ended or has taken too long."""
        if finish_s > 0:
            try:
                async with asyncio.timeout(finish_s):
                    await self._cast.talk.close(finish_sentence=True)
            except TimeoutError:
                log.info("session %s: what it said was cut off after %g s", self._guest.session, finish_s)
            else:
                return
        await self._cast.talk.close()

    # What the visitor's client sends

    def take_sound(self, data: bytes) -> None:
        """Take sound that came over the WebSocket.

        Raises:
            LiveError: it is no sound.
        """
        self._media.take_sound(data)

    def take_message(self, message: ClientMessage, link: Link) -> None:
        """Do what a client asks.

        Args:
            message: what it asks.
            link: over which it came.

        Raises:
            LiveError: it cannot be done.
        """
        talk = self._cast.talk
        match message:
            case Offer():
                self._media.offer(message.sdp)
            case Typed():
                self._opened.check_question(message.text)
                talk.type(message.text)
            case Stop():
                talk.stop()
            case Mute():
                self._media.muted = message.muted
                talk.mute(message.muted)
            case SpeakLanguage():
                self._opened.check_language(message.language)
                talk.speak_language(message.language)
            case Replay():
                talk.replay()
            case Pick():
                talk.pick(message.turn, message.number)
            case Suggest():
                talk.suggest(message.on)
            case Face():
                if not self._opened.desk.settings.emotion.camera:
                    raise LiveError(
                        "not_allowed", "this desk reads no faces", "send none, or set [emotion] camera = true"
                    )
                talk.see(message.blendshapes)
            case Report():
                self._told(message)
            case Audio():
                self._media.audio(link if message.on else None)
            case Withdraw():
                self._happened(HandoffEnded(self._turn))
            case End():
                self._end("visitor")
            case Hello():
                raise LiveError("bad_message", "hello was said already", "say it once, at the beginning")

    def _greet(self) -> None:
        """Say hello, once a session, as soon as it can be heard."""
        if self._greeted:
            return
        self._greeted = True

        def ended(error: BaseException | None) -> None:
            if error is not None:
                log.error("session %s: it could not greet", self._guest.session, exc_info=error)

        self._tasks.start(self._cast.talk.greet(), f"greeting {self._guest.session}", ended)

    # What the conversation says

    def _happened(self, event: ConversationEvent | ToolCalled) -> None:
        self._told(event)
        self.examining.happened(event)
        match event:
            case ToolCalled():
                return
            case StateChanged():
                self.state = event.state
            case SentenceBegan():
                self._turn, self._person = event.turn, event.sentence.person
            case VerdictGiven() if event.verdict.action is Action.END:
                self._to_end = True
            case HeardWords() if event.final:
                self._media.caption(event.text)
            case Notice() if event.code != "recording":
                log.warning("session %s: %s: %s", self._guest.session, event.code, event.message)
            case _:
                pass
        if (told := told_of(event)) is not None:
            kind, fields = told
            self._post.send(kind, **fields)
        if isinstance(event, TurnEnded) and self._to_end and not self._closed:
            self._end("guard")
