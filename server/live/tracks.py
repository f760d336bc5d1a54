"""The two outgoing tracks: short queues of encoded packets that the connection empties."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Literal

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.packet import Packet

AUDIO_DEPTH = 25
"""20 ms packets: half a second; a sender that is further behind has lost its network."""

VIDEO_DEPTH = 4
"""Pictures: each one needs the one before, so more are only ever late."""


class PacketTrack(MediaStreamTrack):
    """Hands encoded packets to aiortc as soon as they are put in.

    Bounded: a full queue loses its oldest packets and counts them, so a slow network costs pictures or
    sound, never memory. Packets put in before the connection first asks are lost on purpose: both
    tracks then begin at the same moment.

    Attributes:
        kind: "audio" or "video".
        wanted: set once the connection has asked for a packet.
        lost: packets thrown away since the connection began.
    """

    def __init__(self, kind: Literal["audio", "video"]) -> None:
        super().__init__()
        self.kind = kind
        self.wanted = False
        self.lost = 0
        self._packets: deque[Packet[Any]] = deque()
        self._depth = AUDIO_DEPTH if kind == "audio" else VIDEO_DEPTH
        self._more = asyncio.Event()

    def put(self, packet: Packet[Any]) -> bool:
        """Queue a packet; never blocks.

        Returns:
            False where an older one had to go: for video, the next picture must then be a key frame.
        """
        if not self.wanted or self.readyState != "live":
            return True
        whole = True
        if len(self._packets) >= self._depth:
            if self.kind == "video":
                self.lost += len(self._packets)
                self._packets.clear()
            else:
                self.lost += 1
                self._packets.popleft()
            whole = False
        self._packets.append(packet)
        self._more.set()
        return whole

    async def recv(self) -> Packet[Any]:
        """Give the next packet, waiting for it.

        Raises:
            MediaStreamError: the track was stopped.
        """
        self.wanted = True
        while not self._packets:
            if self.readyState != "live":
                raise MediaStreamError
            self._more.clear()
            await self._more.wait()
        return self._packets.popleft()

    def stop(self) -> None:
        """End the track; whoever waits for a packet is told."""
        super().stop()
        self._packets.clear()
        self._more.set()
