"""A visitor's WebRTC end: offers in, answers out; moments out, sound in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from server.live import inside
from server.live.errors import LiveError
from server.live.figures import LineStats
from server.live.ice import IceSettings
from server.live.line import OVER, Line, Moment
from server.live.offer import Offer, read_offer
from server.live.quality import DEFAULTS, QualitySettings
from server.live.studio import EncoderOf, ThreadEncoder

PeerStats = LineStats


class Peer:
    """One visitor's connection, whatever becomes of the network: a sink of the media clock.

    A first offer opens a connection. A later one of the same client over the same way changes it; one with
    new ICE names (an ICE restart, or a page that was loaded again) gets a connection of its own that takes
    the old one's place, so the conversation behind it goes on.

    Args:
        size: of the full picture, (width, height).
        ice: STUN and TURN.
        loopback: addresses of the client on loopbacks and local links are tried too; for servers that
            listen on a loopback themselves.
        on_audio: gets the visitor's sound, 16 kHz mono float32[320] pieces of 20 ms, in the event loop; must
            not block. At most 2 s of sound a second ever come.
        on_state: told, in the event loop, of "connecting", "connected", "disconnected" (nothing came for
            4 s; may come back), "failed" (a new offer is needed), "flooded" (cut off for sending too much)
            and "closed".
        encoder: makes what encodes the pictures of one connection.
        quality: numbers of the quality ladder.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int],
        ice: IceSettings,
        on_audio: Callable[[NDArray[np.float32]], None],
        on_state: Callable[[str], None],
        loopback: bool = True,
        encoder: EncoderOf = ThreadEncoder,
        quality: QualitySettings = DEFAULTS,
    ) -> None:
        self._size = size
        self._loopback = loopback
        self._ice = ice
        self._on_audio = on_audio
        self._on_state = on_state
        self._encoder = encoder
        self._quality = quality
        self._line: Line | None = None
        self._closed = False
        self._negotiating = asyncio.Lock()
        self._endings: set[asyncio.Task[None]] = set()

    async def answer(self, sdp: str) -> str:
        """Answer an offer; offers that come while one is being answered wait for it.

        Args:
            sdp: the offer, with the client's addresses in it (gathered, not trickled).

        Returns:
            The answer's SDP.

        Raises:
            LiveError: the offer can not be used, or the peer is closed. A connection that stood before
                stays as it was.
        """
        offer = read_offer(sdp, loopback=self._loopback)
        async with self._negotiating:
            if self._closed:
                raise LiveError("closed", "the conversation is over", "begin a new one", status=410)
            line = self._line
            if line is not None and line.offer.identity == offer.identity and line.stats.state not in OVER:
                return await line.answer(offer)
            fresh = self._new_line(offer)
            try:
                with inside.host_ports(self._ice.host_ports):
                    answer = await fresh.answer(offer)
                if "a=candidate:" not in answer:
                    raise _no_address(self._ice)
            except BaseException:
                await fresh.close()
                raise
            self._line = fresh
            if line is not None:
                self._end(line)
            self._on_state("connecting")
            return answer

    def take(self, moment: Moment) -> None:
        """Send a moment to the visitor, if one is there; never blocks."""
        if self._line is not None:
            self._line.take(moment)

    def stats(self) -> PeerStats:
        """Return what the connection carries; zeros before the first offer."""
        return PeerStats() if self._line is None else self._line.stats

    async def close(self) -> None:
        """End the connection, its tasks, thread and sockets; twice does no harm."""
        first, self._closed = not self._closed, True
        async with self._negotiating:
            line, self._line = self._line, None
        if line is not None:
            self._end(line)
        while self._endings:
            await asyncio.gather(*self._endings, return_exceptions=True)
        if first:
            self._on_state("closed")

    def _new_line(self, offer: Offer) -> Line:
        def told(state: str) -> None:
            if self._closed or self._line is not line or state == "closed":
                return
            self._on_state(state)
            if state in OVER:
                self._end(line)

        line = Line(
            offer,
            configuration=self._ice.for_server(),
            size=self._size,
            on_audio=self._on_audio,
            on_state=told,
            encoder=self._encoder,
            quality=self._quality,
        )
        return line

    def _end(self, line: Line) -> None:
        task = asyncio.create_task(line.close())
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)


def _no_address(ice: IceSettings) -> LiveError:
    taken = (
        "all UDP ports of this server are taken" if ice.udp_ports else "this server has no network address"
    )
    return LiveError(
        "offer_ports",
        taken,
        'send {"type":"audio","on":true} to talk over the WebSocket, or offer again in a minute',
        status=503,
        retryable=True,
    )
