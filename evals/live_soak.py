"""What is left behind: a thousand sessions opened and closed, hours of talk in given time."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import psutil

from agent.clock import MediaClock
from agent.events import Spoken
from agent.frames import LEAD_S, PAUSE_S, whole_frames
from agent.line import MOMENT_S
from agent.painter import Easels, ThreadPainter
from agent.sentence import Sentence
from agent.stage import LiveMoment, ReplyOver, Stage, StageEvent
from avatar import Renderer
from evals.live_server import LiveServer

WARM = 0.1
"""Share of the simulated hours after which memory is first looked at: by then caches are full."""
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
STALL_S = 0.5
"""A stall of the simulated machine, now and then."""


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


@dataclass(frozen=True, slots=True)
class Hours:
    """What hours of talk in given time left behind."""

    hours: float
    seconds: float
    """That it took."""
    moments: int
    replies: int
    interrupted: int
    skipped: int
    """Indices that the clock left out, after stalls."""
    drift_ms: float
    """Between the clock's last index and the given time."""
    rss_mb: tuple[float, float]
    objects: tuple[int, int]

    @property
    def growth(self) -> float:
        """Of the memory, as a share."""
        return self.rss_mb[1] / self.rss_mb[0] - 1.0


class _Given:
    """A clock that jumps to wherever somebody sleeps to; it stalls now and then."""

    def __init__(self, stalls: random.Random) -> None:
        self.now_s = 0.0
        self._stalls = stalls

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds + (STALL_S if self._stalls.random() < 1e-4 else 0.0)
        await asyncio.sleep(0)


async def talked(
    renderer: Renderer,
    sentences: list[Spoken],
    hours: float,
    *,
    seed: int = 0,
    told: Callable[[str], None] = lambda _: None,
) -> Hours:
    """Let a stage talk for hours of given time: replies, pauses, interruptions, silence.

    Args:
        renderer: draws every frame.
        sentences: what is said, again and again.
        hours: of the given time.
        seed: of what happens when.
        told: called with how far it is.
    """
    chance = random.Random(seed)
    given = _Given(random.Random(seed + 1))
    replies, interrupted = count(), count()
    started_s = time.monotonic()
    process = psutil.Process()
    watch: dict[str, Any] = {"last": 0, "moments": 0, "warm": None, "next": 2.0}
    goal_s = hours * 3600.0
    over = asyncio.Event()

    def happened(event: StageEvent) -> None:
        if isinstance(event, ReplyOver):
            next(interrupted if event.interrupted else replies)

    class Visitor:
        def take(self, moment: LiveMoment) -> None:
            watch["last"] = moment.index
            watch["moments"] += 1
            if given.now_s >= watch["next"]:
                watch["next"] = given.now_s + chance.uniform(0.3, 6.0)
                _act(stage, sentences, chance)
            if watch["warm"] is None and given.now_s > WARM * goal_s:
                watch["warm"] = _held(process)
            if watch["moments"] % 15_000 == 0:
                told(f"{given.now_s / 3600:.2f} of {hours:g} hours, {time.monotonic() - started_s:.0f} s")
            if given.now_s >= goal_s:
                over.set()

    with ThreadPoolExecutor(1, thread_name_prefix="draw") as pool:
        stage = Stage(ThreadPainter(Easels(renderer), pool), seed=seed, on_event=happened)
        clock = MediaClock(now=given.now, sleep=given.sleep)
        visitor = Visitor()
        running = asyncio.create_task(clock.run(stage, lambda: (visitor,)))
        await over.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        stage.close()
    held = _held(process)
    warm = watch["warm"] or held
    return Hours(
        hours,
        time.monotonic() - started_s,
        watch["moments"],
        next(replies),
        next(interrupted),
        clock.statistics.skipped,
        1e3 * (given.now_s - watch["last"] * MOMENT_S),
        (warm[0], held[0]),
        (warm[1], held[1]),
    )


def _act(stage: Stage, sentences: list[Spoken], chance: random.Random) -> None:
    """Do one of the things that happen in a conversation."""
    what = chance.random()
    if not stage.replying:
        stage.look(chance.choice(("idle", "listening", "thinking")))
        if what < 0.8:
            for _ in range(chance.randint(1, 3)):
                stage.say(chance.choice(sentences))
            stage.finish()
    elif what < 0.15:
        stage.cancel()
    elif what < 0.3:
        stage.pause()
    else:
        stage.resume()


def _held(process: psutil.Process) -> tuple[float, int]:
    gc.collect()
    return process.memory_info().rss / 2**20, len(gc.get_objects())


def spoken_sentences(texts: list[str]) -> list[Spoken]:
    """Say texts with the built-in voice."""
    from speech.synthesizer import load_synthesizer

    voice = load_synthesizer(languages=("en",))
    try:
        return [
            Spoken(
                Sentence(text, "en"),
                whole_frames(voice.speak(text, language="en"), pause_s=PAUSE_S),
                LEAD_S,
                0.0,
            )
            for text in texts
        ]
    finally:
        voice.close()
