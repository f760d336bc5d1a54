"""Sound and pictures of a visit as they arrive, by the stamps of their packets; and the visitor's sound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc import RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtp import RtpPacket
from av.packet import Packet

from agent.line import RATE_HZ, SAMPLES, Sound
from evals.replay.tape import Heard
from server.live.encoder import AUDIO_RATE, PACKET_SAMPLES, AudioEncoder


class Microphone(MediaStreamTrack):
    """The visitor's sound, as a track of packets; see `evals.replay.opus_line.Line`."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._encoder = AudioEncoder()
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=500)
        self._sent = 0

    def packets(self, pcm: Sound, index: int) -> list[bytes]:
        """Return the Opus packets of 40 ms, int16[1920] at 48 kHz."""
        return [bytes(packet) for packet in self._encoder.encode(pcm, index)]

    def arrive(self, packet: bytes) -> None:
        """Take a packet when it is its turn; what a connection does not take is lost, as on any line."""
        with suppress(asyncio.QueueFull):
            self._queue.put_nowait(packet)

    async def recv(self) -> Packet[Any]:
        """Give the next packet."""
        if self.readyState != "live":
            raise MediaStreamError
        packet: Packet[Any] = Packet(await self._queue.get())
        packet.pts, packet.time_base = self._sent, Fraction(1, AUDIO_RATE)
        self._sent += PACKET_SAMPLES
        return packet


class Loudspeaker(Heard):
    """The desk's sound as it arrives, in place of aiortc's jitter buffer: by the packets' stamps.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._due = Due(clock, RATE_HZ)
        self._decoder: av.AudioCodecContext = av.CodecContext.create("libopus", "r")
        self._decoder.sample_rate, self._decoder.layout = AUDIO_RATE, "mono"
        self._first: int | None = None
        self.began = asyncio.Event()
        self.latest_s = 0.0
        """When the latest packet came."""
        self._clock = clock

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """Take a packet; see `server.live.inside.Inbox`."""
        if not packet.payload:
            return False, None
        self.latest_s = self._clock()
        if self._first is None:
            self._first = packet.timestamp
            self.began.set()
        sample = (packet.timestamp - self._first) & 0xFFFFFFFF
        if sample >= 0x80000000:
            return False, None  # from before the first one
        self._due.arrived(packet.timestamp)
        self.began_s = self._due.first_s
        with suppress(av.FFmpegError):
            for frame in self._decoder.decode(Packet(bytes(packet.payload))):
                pcm = np.asarray(frame.to_ndarray(), np.int16).reshape(-1)
                self._place(sample, pcm)
                sample += len(pcm)
        return False, None

    def _place(self, sample: int, pcm: Sound) -> None:
        while len(pcm):
            index, at = divmod(sample, SAMPLES)
            piece = self._sound.setdefault(index, np.zeros(SAMPLES, np.int16))
            count = min(len(pcm), SAMPLES - at)
            piece[at : at + count] = pcm[:count]
            sample, pcm = sample + count, pcm[count:]


class Due:
    """When the first packet of a stream was due: the one that came quickest tells best.

    Args:
        clock: seconds.
        rate_hz: of the packets' stamps.
    """

    def __init__(self, clock: Callable[[], float], rate_hz: int) -> None:
        self._clock, self._rate_hz = clock, rate_hz
        self._stamp: int | None = None
        self.first_s: float | None = None

    def arrived(self, stamp: int) -> None:
        """A packet with this stamp has come."""
        if self._stamp is None:
            self._stamp = stamp
        ahead = (stamp - self._stamp) & 0xFFFFFFFF
        due_s = self._clock() - (ahead - (1 << 32 if ahead >= 1 << 31 else 0)) / self._rate_hz
        self.first_s = due_s if self.first_s is None else min(self.first_s, due_s)


def tell_arrivals(receiver: RTCRtpReceiver, told: Callable[[RtpPacket], None]) -> None:
    """Tell of each packet when it comes; aiortc's pictures come when they are decoded, and do not say.

    Raises:
        RuntimeError: this aiortc has another inside.
    """
    inside: Any = receiver
    if not hasattr(inside, "_handle_rtp_packet"):
        raise RuntimeError("aiortc's RTCRtpReceiver has no _handle_rtp_packet; install aiortc 1.16")
    handle = inside._handle_rtp_packet

    async def handled(packet: RtpPacket, arrival_time_ms: int) -> None:
        told(packet)
        await handle(packet, arrival_time_ms)

    inside._handle_rtp_packet = handled
