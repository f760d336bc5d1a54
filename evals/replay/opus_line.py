"""What a line does to sound: Opus packets of 20 ms there and back, as WebRTC carries them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import av
import numpy as np
from aiortc.rtp import RtpPacket
from numpy.typing import NDArray

from agent.line import SAMPLES, Sound
from server.live.encoder import AUDIO_RATE, PACKET_SAMPLES, AudioEncoder
from server.live.inbox import AudioInbox
from speech.timeline import Pcm

PIECES = SAMPLES // PACKET_SAMPLES
"""Packets of one moment."""


class LineOut:
    """Carries the desk's sound to the visitor."""

    def __init__(self) -> None:
        self._encoder = AudioEncoder()
        self._decoder: av.AudioCodecContext = av.CodecContext.create("libopus", "r")
        self._decoder.sample_rate, self._decoder.layout = AUDIO_RATE, "mono"

    def carry(self, pcm: Sound, index: int) -> Sound:
        """Return what arrives of a moment, int16[1920] at 48 kHz."""
        out = np.zeros(SAMPLES, np.int16)
        place = 0
        for packet in self._encoder.encode(pcm, index):
            for frame in self._decoder.decode(packet):
                piece = np.asarray(frame.to_ndarray(), np.int16).reshape(-1)[: SAMPLES - place]
                out[place : place + len(piece)] = piece
                place += len(piece)
        return out


class Line(Protocol):
    """Carries what a microphone picks up."""

    def packets(self, pcm: Sound, index: int) -> list[bytes]:
        """Return the Opus packets of 40 ms, int16[1920] at 48 kHz."""

    def arrive(self, packet: bytes) -> None:
        """Take a packet when it is its turn."""


class LineIn:
    """Carries the visitor's sound to the desk, whose own inbox takes it.

    Args:
        hear: gets float32[320] at 16 kHz.
        now: seconds of the replay.
    """

    def __init__(self, hear: Callable[[Pcm], None], now: Callable[[], float]) -> None:
        self._encoder = AudioEncoder()
        self._inbox = AudioInbox(hear, now)
        self._packets = 0

    def packets(self, pcm: Sound, index: int) -> list[bytes]:
        """Return the packets of 40 ms, int16[1920] at 48 kHz."""
        return [bytes(packet) for packet in self._encoder.encode(pcm, index)]

    def arrive(self, packet: bytes) -> None:
        """Have a packet arrive; what it holds is heard before this returns."""
        number = self._packets
        self._packets += 1
        self._inbox.add(
            RtpPacket(
                sequence_number=number & 0xFFFF,
                timestamp=number * PACKET_SAMPLES & 0xFFFFFFFF,
                payload=packet,
            )
        )


def floats(pcm: NDArray[np.int16]) -> Pcm:
    """Return whole numbers as float32 in [-1, 1]."""
    return pcm.astype(np.float32) / 32768.0


def whole(pcm: Pcm) -> Sound:
    """Return float32 in [-1, 1] as whole numbers; louder ones are clipped, as a microphone does."""
    return np.asarray(np.rint(np.clip(pcm, -1.0, 1.0) * 32767.0), np.int16)
