"""The sending side of the sound: a moment's packets, each when it is its turn."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from server.live import crowd
from server.live.encoder import AUDIO_RATE, PACKET_SAMPLES, AudioEncoder
from server.live.tracks import PacketTrack


class SoundSender:
    """Sends one packet of a moment now and the next 20 ms later: pairs would look like a jittery network.

    Browsers lengthen their buffers by the jitter that they see. Where many are talked to at once, a moment
    becomes one packet: half as many to send is worth more then than the 20 ms that browsers wait longer.

    Args:
        track: where packets go.
    """

    def __init__(self, track: PacketTrack) -> None:
        self.track = track
        self._loop = asyncio.get_running_loop()
        self._encoder = AudioEncoder()
        self._waiting: deque[Packet[Any]] = deque()

    def take(self, index: int, pcm: NDArray[np.int16]) -> None:
        """Send a moment's sound; never blocks.

        Args:
            index: of the media clock.
            pcm: int16[1920], 48 kHz mono.
        """
        joined = self._encoder.joined
        if joined != crowd.many() and not pcm.any():  # in the middle of a word the change would be heard
            joined = not joined
        packets = self._encoder.encode(pcm, index, joined=joined)
        self._send_waiting()
        self.track.put(packets[0])
        if len(packets) > 1:
            self._waiting.extend(packets[1:])
            self._loop.call_later(PACKET_SAMPLES / AUDIO_RATE, self._send_waiting)

    def _send_waiting(self) -> None:
        while self._waiting:
            self.track.put(self._waiting.popleft())
