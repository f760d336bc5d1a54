"""What carries a visit's sound and picture: its connection and, where the visitor agreed, its recording."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.conversation_events import Notice
from server.live.connection import Connection, Ways
from server.live.errors import LiveError
from server.live.masking import SessionMask
from server.live.taping import Taping
from server.live.wire_sound import sound_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from server.live.desks import Cast, OpenDesk
    from server.live.guest import Guest
    from server.live.link import Link
    from server.live.post import Post
    from server.live.rtc import PeerStats
    from server.live.studio import EncoderOf
    from server.live.talk import Sink

log = logging.getLogger("visavis.live")


class Media:
    """The media of one visit; used on the event loop.

    Args:
        guest: who visits.
        opened: the desk.
        ways: how picture and sound may go.
        recordings: folder for the recordings of visitors who agreed; None: nothing is recorded.
        sink: gets the stage's moments too.
        post: takes messages to the visitor.
        connected: called when the visitor can be spoken to.
        noticed: told that a recording runs, or has ended.
    """

    def __init__(
        self,
        guest: Guest,
        opened: OpenDesk,
        *,
        ways: Ways,
        recordings: Path | None,
        sink: Sink,
        post: Post,
        connected: Callable[[], None],
        noticed: Callable[[Notice], None],
    ) -> None:
        self.sinks: list[Sink] = [sink]
        """What takes the stage's moments."""
        self.muted = False
        """The visitor does not want to be heard."""
        self._guest, self._opened, self._ways, self._recordings = guest, opened, ways, recordings
        self._post, self._can_speak, self._noticed = post, connected, noticed
        self._cast: Cast | None = None
        self._connection: Connection | None = None
        self._taping: Taping | None = None
        self._unannounced = self._deaf = False

    @property
    def stats(self) -> PeerStats | None:
        """What the WebRTC connection carries; None without one."""
        return self._connection.stats if self._connection is not None else None

    def begin(self, cast: Cast, encoder: EncoderOf) -> None:
        """Let clients connect, and begin to record.

        Args:
            cast: the conversation.
            encoder: makes what encodes the pictures of one connection.
        """
        self._cast = cast
        size = self._opened.renderer.width, self._opened.renderer.height
        self._connection = Connection(
            size,
            self._ways,
            sinks=self.sinks,
            on_sound=self._hear,
            on_state=self._connected,
            encoder=encoder,
            thin=cast.thin,
        )
        if self._guest.record and self._recordings is not None:
            self._connection.watched()
            mask = SessionMask(self._opened.masker)
            self._taping = Taping(
                self._recordings, self._guest.session, size, sinks=self.sinks, told=self._taped, mask=mask
            )
            if cast.ears is not None:
                cast.ears.tell = self._taping.hear

    def resume(self, link: Link) -> None:
        """Go on over another link."""
        if self._connection is not None and self._connection.over_socket:
            self._connection.to_socket(link)

    def adapt(self) -> None:
        """Let no more pictures be drawn than are sent; called a few times a second."""
        if self._connection is not None:
            self._connection.adapt()

    def offer(self, sdp: str) -> None:
        """Answer a client's offer.

        Raises:
            LiveError: it cannot be answered now.
        """
        assert self._connection is not None
        self._connection.offer(sdp, self._answered)

    def audio(self, link: Link | None) -> None:
        """Send sound over a WebSocket from now on; None: over none."""
        assert self._connection is not None
        if link is not None:
            self._connection.to_socket(link)
        else:
            self._connection.off_socket()

    def take_sound(self, data: bytes) -> None:
        """Take sound that came over the WebSocket.

        Raises:
            LiveError: it is no sound.
        """
        assert self._connection is not None
        if self._connection.over_socket:
            self._hear(sound_of(data))
        elif not self._unannounced:  # dropped: pieces may be on their way when sound is switched
            self._unannounced = True
            self._post.fail(
                LiveError(
                    "sound_unexpected", "sound came unannounced", 'send {"type":"audio","on":true} first'
                )
            )

    def caption(self, text: str) -> None:
        """Take the visitor's words for the recording."""
        if self._taping is not None:
            self._taping.caption(text)

    def deafen(self) -> None:
        """Hear nothing any more: the visit ends."""
        self._deaf = True

    async def disconnect(self) -> None:
        """End the connection."""
        if self._connection is not None:
            await self._connection.close()

    async def end_recording(self) -> None:
        """Complete the recording."""
        if self._taping is not None:
            await self._taping.close()

    def _hear(self, pcm: NDArray[Any]) -> None:
        if self._cast is None or self._deaf or self.muted:
            return
        self._cast.talk.hear(pcm)
        if self._taping is not None and self._cast.ears is None:
            self._taping.hear(pcm)

    def _answered(self, answer: str | LiveError) -> None:
        if isinstance(answer, LiveError):
            self._post.fail(answer)
        else:
            self._post.send("answer", sdp=answer)

    def _connected(self, state: str) -> None:
        if state == "connected":
            self._can_speak()
        else:
            self._post.send(
                "notice",
                code="media_lost",
                message="The connection for sound and picture was lost; trying again.",
            )

    def _taped(self, what: Notice | LiveError) -> None:
        if isinstance(what, LiveError):  # its words are for the operator: they name folders
            log.warning("session %s: %s", self._guest.session, what)
            self._post.fail(
                LiveError(what.code, "the conversation cannot be recorded", "it goes on without a recording")
            )
        else:
            self._noticed(what)
