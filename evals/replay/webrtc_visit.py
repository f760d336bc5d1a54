"""A visit to a running server over WebRTC: sound both ways, pictures, and what is told over the WebSocket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from fractions import Fraction
from typing import Any

import av
import httpx
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtp import RtpPacket
from av.packet import Packet

from agent.line import MOMENT_S, RATE_HZ, SAMPLES, Sound
from agent.painter import Picture
from evals.replay.tape import Heard
from server.live.encoder import AUDIO_RATE, PACKET_SAMPLES, VIDEO_CLOCK_HZ, AudioEncoder
from server.live.inside import receive_into

CONNECT_S = 20.0
"""A server has so long to answer, and to send its first sound."""
FAREWELL_S = 3.0
"""For the server to say that the session has ended."""


class ServerGone(Exception):
    """The server does not answer, refuses, or went away; never the desk's fault."""


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
        self._due = _Due(clock, RATE_HZ)
        self._decoder: av.AudioCodecContext = av.CodecContext.create("libopus", "r")
        self._decoder.sample_rate, self._decoder.layout = AUDIO_RATE, "mono"
        self._first: int | None = None
        self.began = asyncio.Event()

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """Take a packet; see `server.live.inside.Inbox`."""
        if not packet.payload:
            return False, None
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


class _Due:
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


class Visit:
    """One session with a server.

    Args:
        clock: seconds.
        microphone: says what the visitor says.
        loudspeaker: takes what the desk says.
        see: told of pictures, by their moment on the loudspeaker's timeline.
        tell: told of the server's messages.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        microphone: Microphone,
        loudspeaker: Loudspeaker,
        see: Callable[[int, Picture], None] | None,
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        self._clock, self._see, self._tell = clock, see, tell
        self._microphone, self._loudspeaker = microphone, loudspeaker
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._watching: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def with_server(self, address: str, desk: str, language: str) -> AsyncIterator[asyncio.Task[None]]:
        """Visit a server; gives the task that ends, with `ServerGone`, when the server does.

        Args:
            address: http or https.
            desk: which; empty: the server's first.
            language: of the visitor.

        Raises:
            ServerGone: it does not answer, or lets nobody in.
        """
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        session = await _session(address, desk, language)
        try:
            socket = await connect(address.replace("http", "ws", 1) + session["ws"], max_size=2**22)
        except (OSError, WebSocketException) as error:
            raise ServerGone(f"{address} opens no WebSocket ({error}): look at its log") from None
        listening = asyncio.create_task(self._listen(socket, address))
        try:
            await socket.send(json.dumps({"type": "hello", "token": session["token"]}))
            await socket.send(json.dumps({"type": "offer", "sdp": await self._offer()}))
            await self._first_sound(listening, address)
            yield listening
            with suppress(Exception):  # whatever it says to that, we are leaving
                await socket.send('{"type":"end"}')
                await asyncio.wait({listening}, timeout=FAREWELL_S)
        finally:
            for task in (listening, self._watching):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError, Exception):
                        await task
            await socket.close()
            await self._connection.close()

    async def _first_sound(self, listening: asyncio.Task[None], address: str) -> None:
        sounding = asyncio.create_task(self._loudspeaker.began.wait())
        await asyncio.wait({sounding, listening}, timeout=CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
        sounding.cancel()
        if listening.done():
            await listening
        if not self._loudspeaker.began.is_set():
            raise ServerGone(
                f"no sound came from {address} within {CONNECT_S:g} s: are its UDP ports open from here?"
            )

    async def _offer(self) -> str:
        self._connection.addTransceiver(self._microphone, direction="sendrecv")
        self._connection.addTransceiver("video", direction="recvonly")
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return str(self._connection.localDescription.sdp)

    async def _listen(self, socket: Any, address: str) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            async for data in socket:
                if isinstance(data, bytes):
                    continue
                told = json.loads(data)
                if told["type"] == "answer":
                    await self._answered(told["sdp"])
                elif told["type"] == "error" and not told.get("retryable"):
                    raise ServerGone(f"{address} refuses: {told.get('message', data)}")
                elif told["type"] == "ended":
                    raise ServerGone(f"{address} ended the session ({told.get('reason', 'no reason told')})")
                else:
                    self._tell(told)
        except ConnectionClosed as error:
            raise ServerGone(f"{address} went away in the middle of the conversation ({error})") from None
        raise ServerGone(f"{address} closed the conversation")

    async def _answered(self, sdp: str) -> None:
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
        for one in self._connection.getTransceivers():
            # a receiver is made when the connection starts, which is not before this
            if one.kind == "audio":
                receive_into(one.receiver, self._loudspeaker)
            elif self._see is not None and self._watching is None:
                self._watching = asyncio.create_task(self._watch(one.receiver, self._see))

    async def _watch(self, receiver: RTCRtpReceiver, see: Callable[[int, Picture], None]) -> None:
        """Look at pictures as they are decoded, at the time that their packets tell."""
        due = _Due(self._clock, VIDEO_CLOCK_HZ)
        tell_arrivals(receiver, lambda packet: due.arrived(packet.timestamp))
        while True:
            try:
                frame: Any = await receiver.track.recv()
            except MediaStreamError:
                return
            if self._loudspeaker.began_s is None or due.first_s is None:
                continue
            shown_s = due.first_s + float(frame.pts * frame.time_base)
            see(round((shown_s - self._loudspeaker.began_s) / MOMENT_S), frame.to_ndarray(format="rgb24"))


async def _session(address: str, desk: str, language: str) -> dict[str, Any]:
    asked = {"client": "replay", **({"desk": desk} if desk else {}), "language": language}
    try:
        async with httpx.AsyncClient(base_url=address, timeout=CONNECT_S) as http:
            answer = await http.post("/v1/sessions", json=asked)
            document = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise ServerGone(
            f"{address} does not answer ({type(error).__name__}): start it with "
            "`visavis serve`, and check the address"
        ) from None
    if answer.status_code != 201:
        why = document.get("error", {}).get("message", answer.text[:200])
        raise ServerGone(f"{address} lets nobody in ({answer.status_code}): {why}")
    return dict(document)


def clock() -> Callable[[], float]:
    """Return a clock that begins at 0 now."""
    began_s = time.monotonic()
    return lambda: time.monotonic() - began_s
