"""What a thousand sessions leave behind that are opened and closed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from evals.live_server import LiveServer

LOOKS = 10
"""How often a soak looks at the server."""
FULL = 0.5
"""Share of a soak after which memory is to stay: encoders that come and go leave holes in it which the next
ones fill, and it takes some two hundred connections until there are enough."""
WEBRTC_EVERY = 2
"""One session of so many gets a WebRTC connection."""
ASK_EVERY = 3
"""One of so many asks something and leaves in the middle of the answer."""
QUIET_S = 2.0
"""Before the server is looked at: what ends by itself has ended."""
LOOSE = 3
"""Descriptors that may be open or not: connections of the workers' and of this client's."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a server holds at one time."""

    sessions: int
    """That were opened and closed before."""
    rss_mb: float
    """Resident, workers included."""
    tasks: int
    descriptors: int
    threads: int
    objects: int
    """That Python's collector knows."""

    @classmethod
    def at(cls, server: LiveServer, sessions: int) -> Look:
        """Look at it."""
        seen = server.inside(collect=True)
        rss_mb = seen["rss_mb"] + sum(worker["rss_mb"] for worker in seen["workers"])
        return cls(
            sessions, rss_mb, seen["tasks"], seen["descriptors"], len(seen["threads"]), seen["objects"]
        )


@dataclass(frozen=True, slots=True)
class Soak:
    """What a server held, each time when nobody was there."""

    seconds: float
    looks: tuple[Look, ...]
    failed: tuple[str, ...]
    """Sessions that did not go as they should."""

    @property
    def growth(self) -> float:
        """Of the memory from the middle to the end, as a share."""
        full = next(one for one in self.looks if one.sessions >= FULL * self.looks[-1].sessions)
        return self.looks[-1].rss_mb / full.rss_mb - 1.0

    @property
    def clean(self) -> bool:
        """Whether no task and no descriptor is left over."""
        first, last = self.looks[0], self.looks[-1]
        return last.tasks <= first.tasks and last.descriptors <= first.descriptors + LOOSE


async def opened_and_closed(
    server: LiveServer, sessions: int, *, at_once: int = 4, told: Callable[[str], None] = lambda _: None
) -> Soak:
    """Open and close sessions: over the WebSocket, over WebRTC, in the middle of answers, by simply going."""
    failed = list[str]()
    began_s = time.monotonic()

    async def visit_on(http: httpx.AsyncClient, numbers: Iterator[int]) -> None:
        for number in numbers:
            try:
                async with asyncio.timeout(60.0):
                    await _visit(http, server.address, number)
            except Exception as error:
                failed.append(f"session {number}: {type(error).__name__}: {error}"[:200])

    looks = [await asyncio.to_thread(Look.at, server, 0)]
    async with httpx.AsyncClient(base_url=server.address, timeout=30.0) as http:
        for part in range(LOOKS):
            numbers = iter(range(sessions * part // LOOKS, sessions * (part + 1) // LOOKS))
            await asyncio.gather(*(visit_on(http, numbers) for _ in range(at_once)))
            await asyncio.sleep(QUIET_S)
            looks.append(await asyncio.to_thread(Look.at, server, sessions * (part + 1) // LOOKS))
            told(f"{looks[-1].sessions} of {sessions} sessions, {looks[-1].rss_mb:.0f} MB")
    return Soak(time.monotonic() - began_s, tuple(looks), tuple(failed))


async def _visit(http: httpx.AsyncClient, address: str, number: int) -> None:
    from websockets.asyncio.client import connect

    answer = await http.post("/v1/sessions", json={"client": "soak"})
    answer.raise_for_status()
    session = answer.json()
    async with connect(address.replace("http", "ws", 1) + session["ws"], max_size=2**22) as socket:
        await socket.send(json.dumps({"type": "hello", "token": session["token"]}))
        await _until(socket, "ready")
        if number % WEBRTC_EVERY == 0:
            await _connect(socket)
        else:
            await socket.send('{"type":"audio","on":true}')
            await socket.send(bytes(640))
        if number % ASK_EVERY == 0:
            await socket.send('{"type":"text","text":"How long do I have to return something?"}')
            await _until(socket, "sentence")
        await socket.send('{"type":"end"}')
        with suppress(Exception):
            await _until(socket, "ended")


async def _connect(socket: Any) -> None:
    from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        connected = asyncio.Event()

        def changed() -> None:
            if connection.connectionState == "connected":
                connected.set()

        connection.on("connectionstatechange", changed)
        connection.addTransceiver("audio", direction="recvonly")
        connection.addTransceiver("video", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        await socket.send(json.dumps({"type": "offer", "sdp": connection.localDescription.sdp}))
        answer = await _until(socket, "answer")
        await connection.setRemoteDescription(RTCSessionDescription(sdp=answer["sdp"], type="answer"))
        async with asyncio.timeout(10.0):
            await connected.wait()
        await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def _until(socket: Any, kind: str) -> dict[str, Any]:
    async for data in socket:
        if isinstance(data, bytes):
            continue
        message: dict[str, Any] = json.loads(data)
        if message["type"] == kind:
            return message
        if message["type"] in ("error", "ended"):
            raise RuntimeError(f"instead of {kind} came {data[:200]}")
    raise RuntimeError(f"it was closed before {kind}")
