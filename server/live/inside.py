"""The places where aiortc 1.16 and aioice 0.13 have to be reached from within, and why. Nothing else does.

`tests/server/live/test_rtc_inside.py` fails when a newer aiortc has moved one of them.
"""

from __future__ import annotations

import asyncio
import errno
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Protocol

from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol, server_reflexive_candidate
from aioice.turn import UDP_SOCKET_BUFFER_SIZE
from aiortc import RTCRtpReceiver, RTCRtpSender, clock
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
_PROTOCOLS = "_protocols"
_STUN_SERVER = "stun_server"

NTP_AHEAD_S = 2_208_988_800
"""From the year 1900, where NTP counts from, to 1970."""

_ports: ContextVar[range | None] = ContextVar("udp ports", default=None)


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


def quicken_clock() -> None:
    """Let aiortc tell the time of each packet that it sends in a tenth of the time, for the whole process."""
    _expect(clock, "current_ntp_time")
    clock.current_ntp_time = _ntp_time


def _ntp_time() -> int:
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return (seconds + NTP_AHEAD_S) << 32 | (nanoseconds << 32) // 1_000_000_000


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


@contextmanager
def host_ports(ports: range | None) -> Iterator[None]:
    """Let connections that are arranged in here listen at these UDP ports only; None: at any."""
    token = _ports.set(ports)
    try:
        yield
    finally:
        _ports.reset(token)


def gather_within(transport: RTCDtlsTransport, seconds: float) -> None:
    """Answer with the addresses found so far when a STUN or TURN server does not answer.

    aioice waits 5 s for each, and so would every visitor. It also listens at any port that is free; within
    `host_ports` those are taken instead, and where none of them is free there is no address of this host
    among the candidates. Call before the answer is made.
    """
    gatherer = transport.transport.iceGatherer
    _expect(gatherer, _ICE)
    connection: Any = getattr(gatherer, _ICE)
    _expect(connection, _GATHER, _PROTOCOLS, _STUN_SERVER)
    gather = partial(connection.get_component_candidates, timeout=seconds)
    ports = _ports.get()
    if ports is not None:
        gather = partial(_gather_at, connection, gather, ports, seconds)
    connection.get_component_candidates = gather


async def _gather_at(
    connection: Any, gather: Any, ports: range, seconds: float, *, component: int, addresses: list[str]
) -> list[Candidate]:
    """Do what aioice's own does, with sockets at these ports."""
    protocols = []
    for address in addresses:
        bound = _bound(address, ports)
        if bound is None:
            continue
        _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: StunProtocol(connection), sock=bound
        )
        connection._protocols.append(protocol)  # from now on the connection closes it
        host, port = bound.getsockname()[:2]
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=host,
            port=port,
            type="host",
        )
        protocols.append(protocol)
    seen, relayed = await asyncio.gather(
        _seen_from_outside(connection, protocols, seconds),
        gather(component=component, addresses=[]),
    )
    return [*(protocol.local_candidate for protocol in protocols), *seen, *relayed]


async def _seen_from_outside(
    connection: Any, protocols: list[StunProtocol], seconds: float
) -> list[Candidate]:
    """Ask the STUN server, if there is one, how these sockets look from where it is."""
    tasks = [
        asyncio.create_task(server_reflexive_candidate(protocol, connection.stun_server))
        for protocol in protocols
        if connection.stun_server and ":" not in protocol.local_candidate.host
    ]
    if not tasks:
        return []
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds)
    finally:
        for task in tasks:
            task.cancel()
    return [task.result()[0] for task in tasks if task in done and task.exception() is None]


def _bound(address: str, ports: range) -> socket.socket | None:
    """Return a socket at one of the ports, tried from a random one on; None where none can be had."""
    bound = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    bound.setblocking(False)
    first = random.randrange(len(ports))
    for port in (*ports[first:], *ports[:first]):
        try:
            bound.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                break
        else:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_SOCKET_BUFFER_SIZE)
            return bound
    bound.close()
    return None


def _expect(thing: object, *names: str) -> None:
    for name in names:
        if not hasattr(thing, name):
            raise RuntimeError(f"aiortc's {type(thing).__name__} has no {name}; install aiortc 1.16")
