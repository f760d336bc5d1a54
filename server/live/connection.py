"""Where a session's picture and sound go: over WebRTC, over the WebSocket, or nowhere."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from server.live.allowance import Allowance
from server.live.errors import LiveError
from server.live.ice import IceSettings
from server.live.link import Link
from server.live.quality import STEPS
from server.live.talk import Sink
from server.live.wire_sound import WireSound

if TYPE_CHECKING:
    from server.live.rtc import Peer, PeerStats
    from server.live.studio import EncoderOf

log = logging.getLogger("visavis.live")

STILL_EVERY = 25
"""Moments between two drawings for a client that is sent stills: one a second."""
OFFERS_PER_S, OFFERS_AT_ONCE = 0.5, 4.0
"""Each may open sockets and probe addresses; a page that mends its connection makes two in five seconds."""
_DRAWN = {"": (0, 1.0)} | {step.name: (step.every or STILL_EVERY, step.scale) for step in STEPS}
"""What is sent → one of how many moments is drawn, and at which size; a client may want no picture at all."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How picture and sound may go; the same for all sessions of a server."""

    ice: IceSettings
    """How ways are found."""
    loopback: bool = True
    """Clients on this machine may be reached over its loopback."""


class Connection:
    """The media of one session; used on the event loop.

    Args:
        size: of the picture, width and height.
        ways: how it may go.
        sinks: gets and loses what takes the stage's moments.
        on_sound: gets the visitor's sound, float32[n] at 16 kHz.
        on_state: told of "connected", once sound can go to the visitor, and of "lost".
        encoder: makes what encodes the pictures of one connection.
        thin: told one of how many moments needs a picture, 0: none does, and at which share of the full size.
    """

    def __init__(
        self,
        size: tuple[int, int],
        ways: Ways,
        *,
        sinks: list[Sink],
        on_sound: Callable[[NDArray[Any]], None],
        on_state: Callable[[str], None],
        encoder: EncoderOf,
        thin: Callable[[int, float], None],
    ) -> None:
        self._size, self._ways, self._encoder = size, ways, encoder
        self._offers = Allowance(OFFERS_PER_S, OFFERS_AT_ONCE, asyncio.get_running_loop().time)
        self._sinks, self._on_sound, self._on_state, self._thin = sinks, on_sound, on_state, thin
        self._peer: Peer | None = None
        self._wire: WireSound | None = None
        self._offer: asyncio.Task[None] | None = None
        self._seen = self._closed = self._watched = False
        self._drawn = (1, 1.0)
        self.adapt()

    @property
    def over_socket(self) -> bool:
        """True while sound goes over the WebSocket."""
        return self._wire is not None

    @property
    def stats(self) -> PeerStats | None:
        """What WebRTC carries; None without it."""
        return self._peer.stats() if self._peer is not None else None

    def offer(self, sdp: str, told: Callable[[str | LiveError], None]) -> None:
        """Answer an offer.

        Args:
            sdp: the offer.
            told: gets the answer, or why there is none; a connection that stood before then stays.

        Raises:
            LiveError: "offer_pending": the one before is still being answered; "offer_too_often".
        """
        if self._offer is not None and not self._offer.done():
            raise LiveError(
                "offer_pending",
                "the offer before is still being answered",
                "wait for its answer",
                retryable=True,
            )
        if not self._offers.take():
            raise LiveError(
                "offer_too_often", "offers come too often", "wait two seconds", status=429, retryable=True
            )
        self._offer = asyncio.create_task(self._answer(sdp, told), name="offer")

    def to_socket(self, link: Link) -> None:
        """Send sound over a WebSocket from now on; WebRTC may still come."""
        if self._wire is not None:
            self._sinks.remove(self._wire)
        self._wire = WireSound(link)
        self._sinks.append(self._wire)
        self._on_state("connected")

    def off_socket(self) -> None:
        """Send no more sound over the WebSocket."""
        if self._wire is not None:
            self._sinks.remove(self._wire)
            self._wire = None

    def watched(self) -> None:
        """Have every picture drawn from now on, also where no client sees it: for a recording."""
        self._watched = True
        self.adapt()

    def adapt(self) -> None:
        """Let no more pictures be drawn than are sent; called a few times a second."""
        drawn = (int(self._watched), 1.0)
        if self._peer is not None and self._seen and not self._watched:
            drawn = _DRAWN.get(self._peer.stats().step, (1, 1.0))
        if drawn != self._drawn:
            self._drawn = drawn
            self._thin(*drawn)

    async def close(self) -> None:
        """End everything."""
        self._closed = True
        if self._offer is not None:
            self._offer.cancel()
            await asyncio.gather(self._offer, return_exceptions=True)
        if self._peer is not None:
            await self._peer.close()

    async def _answer(self, sdp: str, told: Callable[[str | LiveError], None]) -> None:
        from server.live.rtc import Peer

        try:
            if self._peer is None:
                self._peer = Peer(
                    size=self._size,
                    ice=self._ways.ice,
                    loopback=self._ways.loopback,
                    on_audio=self._on_sound,
                    on_state=self._follow,
                    encoder=self._encoder,
                )
                self._sinks.append(self._peer)
            answer = await self._peer.answer(sdp)
        except LiveError as error:
            told(error)
        except Exception as error:
            log.error("an offer could not be answered", exc_info=error)
            told(
                LiveError(
                    "offer_failed",
                    "the offer could not be answered",
                    'make a new connection, or send {"type":"audio","on":true} to talk over the WebSocket',
                )
            )
        else:
            told(answer)

    def _follow(self, state: str) -> None:
        if self._closed:
            return
        if state == "connected":
            self._seen = True
            self.adapt()
            self._on_state("connected")
        elif state in ("disconnected", "failed", "flooded"):
            lost, self._seen = self._seen, state == "disconnected" and self._seen
            self.adapt()
            if lost:
                self._on_state("lost")
