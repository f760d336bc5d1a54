"""The six places where aiortc 1.16 has to be reached from within, and why. Nothing else touches its inside.

`tests/server/live/test_rtc_inside.py` fails when a newer aiortc has moved one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from aiortc import RTCRtpReceiver, RTCRtpSender
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtp import RtpPacket

from server.live.encoder import Codec

_ENCODER = "_RTCRtpSender__encoder"
_KEY_FRAME = "_send_keyframe"
_REPEAT = "_retransmit"
_JITTER_BUFFER = "_RTCRtpReceiver__jitter_buffer"
_RECV = "_recv"
_ICE = "_connection"
_GATHER = "get_component_candidates"


class Inbox(Protocol):
    """Takes the packets of a receiver in place of aiortc's jitter buffer."""

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet; (ask for a key frame, frame to decode)."""


class _Told:
    """Passes the receiver's bandwidth estimates on, which aiortc would keep in its unused encoder."""

    told: Callable[[int], None]

    @property
    def target_bitrate(self) -> int:
        return 0

    @target_bitrate.setter
    def target_bitrate(self, bps: int) -> None:
        self.told(bps)


class _Vp8Packer(_Told, Vp8Encoder):
    pass


class _H264Packer(_Told, H264Encoder):
    pass


def forward_feedback(
    sender: RTCRtpSender,
    codec: Codec,
    *,
    on_key_frame: Callable[[], None],
    on_estimate: Callable[[int], None],
) -> None:
    """Send what the receiver asks for to us.

    With packets that are already encoded, aiortc keeps requests for key frames (PLI, FIR) and bandwidth
    estimates (REMB) to itself. Call before the connection is up.
    """
    _expect(sender, _ENCODER, _KEY_FRAME)
    packer = _Vp8Packer() if codec == "VP8" else _H264Packer()
    packer.told = on_estimate
    setattr(sender, _ENCODER, packer)
    setattr(sender, _KEY_FRAME, on_key_frame)


def limit_repeats(sender: RTCRtpSender, affordable: Callable[[], bool]) -> None:
    """Repeat a lost packet only while `affordable` says so.

    aiortc repeats whatever is asked for, as often as it is asked for: on a narrow network that fills it up
    for good, and it lets a client have a hundred times what it sends.
    """
    _expect(sender, _REPEAT)
    repeat = getattr(sender, _REPEAT)

    async def repeat_within(sequence_number: int) -> None:
        if affordable():
            await repeat(sequence_number)

    setattr(sender, _REPEAT, repeat_within)


def receive_into(receiver: RTCRtpReceiver, inbox: Inbox) -> None:
    """Give every packet to `inbox` as it arrives.

    aiortc's own buffer holds sound back for 80 ms, stays 300 ms behind for good after a single lost
    packet, and fills unbounded queues behind it. The inbox decodes by itself and never returns a frame,
    so those queues stay empty.
    """
    _expect(receiver, _JITTER_BUFFER)
    setattr(receiver, _JITTER_BUFFER, inbox)


def skip_empty_datagrams(transport: RTCDtlsTransport) -> None:
    """Keep an empty datagram, which anybody can send to the port, from ending the connection.

    aiortc looks at the first byte of each without looking whether there is one.
    """
    ice: Any = transport.transport
    _expect(ice, _RECV)
    recv = ice._recv

    async def next_datagram() -> bytes:
        while not (data := await recv()):
            pass
        return bytes(data)

    ice._recv = next_datagram


def gather_within(transport: RTCDtlsTransport, seconds: float) -> None:
    """Answer with the addresses found so far when a STUN or TURN server does not answer.

    aioice waits 5 s for each, and so would every visitor. Call before the answer is made.
    """
    gatherer = transport.transport.iceGatherer
    _expect(gatherer, _ICE)
    connection: Any = getattr(gatherer, _ICE)
    _expect(connection, _GATHER)
    connection.get_component_candidates = partial(connection.get_component_candidates, timeout=seconds)


def _expect(thing: object, *names: str) -> None:
    for name in names:
        if not hasattr(thing, name):
            raise RuntimeError(f"aiortc's {type(thing).__name__} has no {name}; install aiortc 1.16")
