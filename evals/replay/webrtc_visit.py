"""A visit to a running server over WebRTC: sound both ways, pictures, and what is told over the WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from agent.line import MOMENT_S
from agent.painter import Picture
from evals.replay.running_server import RunningServer, ServerGone
from evals.replay.wire_media import Due, Loudspeaker, Microphone, tell_arrivals
from server.live.encoder import VIDEO_CLOCK_HZ
from server.live.inside import receive_into

CONNECT_S = 20.0
"""A server has so long to answer, and to send its first sound."""
FAREWELL_S = 3.0
"""For the server to say that the session has ended."""
CLOSE_S = 1.0
"""For a WebSocket to be closed by the other side, too."""
HANGS_S = 10.0
"""A server sends sound all the time, silence too; one that sends none for so long hangs."""
LOOK_S = 1.0
"""How often that is looked at."""
BY_DESK = "guard"
"""Why a session ends that the desk itself ends: its policy says so."""


class Visit:
    """One session with a server.

    Args:
        server: which.
        clock: seconds.
        microphone: says what the visitor says.
        loudspeaker: takes what the desk says.
        see: told of pictures, by their moment on the loudspeaker's timeline.
        tell: told of the server's messages.
        people: who is to be taken to be there, as scripts have it; only who has a key may say so.
    """

    def __init__(
        self,
        server: RunningServer,
        clock: Callable[[], float],
        microphone: Microphone,
        loudspeaker: Loudspeaker,
        see: Callable[[int, Picture], None] | None,
        tell: Callable[[dict[str, Any]], None],
        people: str = "none",
    ) -> None:
        self.examined = False
        """The server tells what visitors are not told."""
        self._people = people
        self._server, self._clock, self._see, self._tell = server, clock, see, tell
        self._microphone, self._loudspeaker = microphone, loudspeaker
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._watching: asyncio.Task[None] | None = None
        self._session: dict[str, Any] = {}
        self._socket: Any = None
        self._ready = asyncio.Event()
        self._complaint = ""

    @property
    def address(self) -> str:
        """Of the server."""
        return self._server.address

    @property
    def has_key(self) -> bool:
        """Whether it came with an operator's key."""
        return bool(self._server.key)

    @asynccontextmanager
    async def with_server(self, desk: str, language: str) -> AsyncIterator[asyncio.Task[None]]:
        """Visit the server.

        Args:
            desk: which; empty: the server's first.
            language: of the visitor.

        Returns:
            The task that ends when the conversation does: with `ServerGone`, unless the desk itself ended it.

        Raises:
            ServerGone: it does not answer, or lets nobody in.
        """
        listening: asyncio.Task[None] | None = None
        looking: asyncio.Task[None] | None = None
        try:
            self._session = await self._server.session(desk, language)
            listening = await self._entered()
            looking = asyncio.create_task(self._look_after(listening))
            await self.send("offer", sdp=await self._offer())
            await self._first_sound(looking)
            yield looking
            with suppress(Exception):  # whatever it says to that, we are leaving
                await self.send("end")
                await asyncio.wait({listening}, timeout=FAREWELL_S)
        finally:
            for task in (looking, listening, self._watching):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError, Exception):
                        await task
            if self._socket is not None:
                await self._socket.close()
            await self._connection.close()

    async def send(self, kind: str, **fields: object) -> None:
        """Send a message; one that a server does not take any more is lost: its end is told elsewhere."""
        from websockets.exceptions import ConnectionClosed

        with suppress(ConnectionClosed):
            await self._socket.send(json.dumps({"type": kind, **fields}))

    async def kept(self) -> dict[str, Any] | None:
        """Return what the server keeps of this session, once it is over; None where it keeps nothing."""
        return await self._server.kept(self._session["session"], self._session["token"])

    async def _entered(self) -> asyncio.Task[None]:
        """Say who we are; a server that takes no key is told none."""
        for key in dict.fromkeys((self._server.key, "")):
            await self._connect()
            more = {"key": key, "people": self._people} if key else {}
            await self.send("hello", token=self._session["token"], **more)
            listening = asyncio.create_task(self._listen())
            ready = asyncio.create_task(self._ready.wait())
            await asyncio.wait({ready, listening}, timeout=CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            if self._ready.is_set():
                return listening
            if not listening.done():
                listening.cancel()
                raise ServerGone(f"{self._server.address} says nothing within {CONNECT_S:g} s: it hangs")
            if not self._complaint:
                await listening
            await asyncio.gather(listening, return_exceptions=True)
            if '"key"' not in self._complaint:  # a server that knows no such field says so
                break
        raise ServerGone(f"{self._server.address} refuses: {self._complaint}")

    async def _connect(self) -> None:
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        address = self._server.address
        try:
            path = address.replace("http", "ws", 1) + self._session["ws"]
            self._socket = await connect(path, max_size=2**22, close_timeout=CLOSE_S)
        except (OSError, WebSocketException, KeyError) as error:
            raise ServerGone(f"{address} opens no WebSocket ({error}): look at its log") from None

    async def _look_after(self, listening: asyncio.Task[None]) -> None:
        """Wait for the end, or until no more sound comes."""
        while not (await asyncio.wait({listening}, timeout=LOOK_S))[0]:
            heard = self._loudspeaker
            if heard.began.is_set() and self._clock() - heard.latest_s > HANGS_S:
                raise ServerGone(
                    f"{self._server.address} has sent nothing for {HANGS_S:g} s in the middle of the "
                    "conversation: it hangs, or the network is broken"
                )
        await listening

    async def _first_sound(self, looking: asyncio.Task[None]) -> None:
        sounding = asyncio.create_task(self._loudspeaker.began.wait())
        await asyncio.wait({sounding, looking}, timeout=CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
        sounding.cancel()
        if looking.done():
            await looking
        if not self._loudspeaker.began.is_set():
            raise ServerGone(
                f"no sound came from {self._server.address} within {CONNECT_S:g} s: are its UDP ports open "
                f"from here?{self._told_last()}"
            )

    async def _offer(self) -> str:
        self._connection.addTransceiver(self._microphone, direction="sendrecv")
        if self._see is not None:  # nobody draws what nobody looks at
            self._connection.addTransceiver("video", direction="recvonly")
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return str(self._connection.localDescription.sdp)

    async def _listen(self) -> None:
        from websockets.exceptions import ConnectionClosed

        address = self._server.address
        try:
            async for data in self._socket:
                if not isinstance(data, bytes) and await self._ends(data):
                    return
        except ConnectionClosed as error:
            why = self._told_last() or f" ({error})"
            raise ServerGone(f"{address} went away in the middle of the conversation{why}") from None
        raise ServerGone(f"{address} closed the conversation{self._told_last()}")

    async def _ends(self, data: str) -> bool:
        """Do what a message asks for; whether the desk has ended the conversation with it."""
        address = self._server.address
        try:
            told = json.loads(data)
            match told["type"]:
                case "ready":
                    self.examined = bool(told.get("examined"))
                    self._ready.set()
                case "answer":
                    await self._answered(told["sdp"])
                case "error":
                    self._complaint = f"{told.get('message', '')}; {told.get('remedy', '')}".strip("; ")
                    if self._ready.is_set() and self._connection.remoteDescription is None:
                        raise ServerGone(f"{address} refuses: {self._complaint}")
                case "ended" if told.get("reason") == BY_DESK:
                    return True
                case "ended":
                    reason = told.get("reason", "no reason told")
                    raise ServerGone(f"{address} ended the session ({reason}){self._told_last()}")
                case _:
                    self._tell(told)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            kind = data[:40].partition('"type"')[2].strip(' :"').partition('"')[0]
            raise ServerGone(
                f"{address} is another version of Visavis than this one: its message {kind or data[:20]!r} "
                f"cannot be read ({type(error).__name__}: {error}); run the same version on both sides"
            ) from None
        return False

    def _told_last(self) -> str:
        return f" (it said: {self._complaint})" if self._complaint else ""

    async def _answered(self, sdp: str) -> None:
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
        for one in self._connection.getTransceivers():
            # a receiver is made when the connection starts, which is not before this
            if one.kind == "audio":
                receive_into(one.receiver, self._loudspeaker)
            elif self._watching is None and self._see is not None:
                self._watching = asyncio.create_task(self._watch(one.receiver, self._see))

    async def _watch(self, receiver: RTCRtpReceiver, see: Callable[[int, Picture], None]) -> None:
        """Look at pictures as they are decoded, at the time that their packets tell."""
        due = Due(self._clock, VIDEO_CLOCK_HZ)
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
