"""Many visitors at once: WebRTC clients that talk and only count what comes, in a process of their own.

Run as `python -m evals.live_load ADDRESS --sessions N --seconds S --microphone FILE.wav`; it writes one JSON
document. The clients neither decode nor show anything, so what a machine carries is the server's doing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
import wave
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvloop
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.packet import Packet
from numpy.typing import NDArray

from evals.live_received import RATE_HZ, Arrivals, Received, received
from evals.live_server import LiveServer
from server.live.encoder import AudioEncoder

PIECE = 960
"""Samples of 20 ms at 48 kHz: one packet."""
SETTLE_S = 12.0
"""Greetings are over by then, and browsers' encoders have found their bit rate."""
THINK_S = 0.7
"""Between a reply's end and the visitor's next question."""
PATIENCE_S = 20.0
"""Without a reply, the visitor asks again."""
GREETED_S = 7.0
APART_S = 0.6
"""From one visitor's first question to the next one's: people do not speak in chorus."""


def packets_of(pcm: NDArray[np.int16]) -> list[bytes]:
    """Encode sound once for all clients: Opus packets of 20 ms."""
    encoder = AudioEncoder()
    whole = np.pad(pcm, (0, -len(pcm) % (2 * PIECE)))
    pieces = whole.reshape(-1, 2 * PIECE)
    return [bytes(packet) for number, piece in enumerate(pieces) for packet in encoder.encode(piece, number)]


class Voice(MediaStreamTrack):
    """A microphone: silent, until a question is to be said.

    Args:
        questions: Opus packets of 20 ms of each.
        silence: the same of silence, said again and again.
        first: number of the first question.
    """

    kind = "audio"

    def __init__(self, questions: Sequence[list[bytes]], silence: bytes, first: int) -> None:
        super().__init__()
        self._questions, self._silence, self._number = questions, silence, first
        self._rest: deque[bytes] = deque()
        self._began_s: float | None = None
        self._samples = 0

    def ask(self) -> None:
        """Say the next question from now on."""
        self._rest.extend(self._questions[self._number % len(self._questions)])
        self._number += 1

    async def recv(self) -> Packet[Any]:
        """Give 20 ms, in real time."""
        if self.readyState != "live":
            raise MediaStreamError
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s
        await asyncio.sleep(max(0.0, self._began_s + self._samples / RATE_HZ - now_s))
        packet: Packet[Any] = Packet(self._rest.popleft() if self._rest else self._silence)
        packet.pts, packet.time_base = self._samples, Fraction(1, RATE_HZ)
        self._samples += PIECE
        return packet


class Visitor:
    """One client: a session, its WebSocket and its connection."""

    def __init__(self, address: str, questions: Sequence[list[bytes]], silence: bytes, number: int) -> None:
        self.audio, self.video = Arrivals("audio"), Arrivals("video")
        self.ended: list[float] = []
        """When replies ended."""
        self._number = number
        self._address, self._voice = address, Voice(questions, silence, 3 * number)
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._over = asyncio.Event()

    async def live(self, until_s: float, *, talk: bool = True) -> None:
        """Talk until a time.

        Raises:
            RuntimeError: the server refused.
        """
        from websockets.asyncio.client import connect

        async with httpx.AsyncClient(base_url=self._address, timeout=30.0) as http:
            answer = await http.post("/v1/sessions", json={"client": "load"})
            if answer.status_code != 201:
                raise RuntimeError(f"no session: {answer.text}")
            session = answer.json()
        address = self._address.replace("http", "ws", 1) + session["ws"]
        async with connect(address, max_size=2**22) as socket:
            await socket.send(json.dumps({"type": "hello", "token": session["token"]}))
            await socket.send(json.dumps({"type": "offer", "sdp": await self._offer()}))
            listening = asyncio.create_task(self._listen(socket))
            talking = asyncio.create_task(self._talk()) if talk else None
            await asyncio.wait({listening}, timeout=max(until_s - time.monotonic(), 0.0))
            if talking is not None:
                talking.cancel()
            early = listening.done()
            listening.cancel()
            await asyncio.gather(listening, *([talking] if talking else []), return_exceptions=True)
            with suppress(Exception):
                await socket.send('{"type":"end"}')
                async with asyncio.timeout(10.0):
                    while json.loads(await socket.recv()).get("type") != "ended":
                        pass
        await self._connection.close()
        if early:
            raise RuntimeError("the server ended the session")

    async def _offer(self) -> str:
        self._connection.addTransceiver(self._voice, direction="sendrecv")
        video = self._connection.addTransceiver("video", direction="recvonly")
        known = RTCRtpSender.getCapabilities("video").codecs
        video.setCodecPreferences([one for one in known if one.name in ("VP8", "rtx")])
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return str(self._connection.localDescription.sdp)

    async def _listen(self, socket: Any) -> None:
        from server.live.inside import receive_into

        async for data in socket:
            message = json.loads(data)
            if message["type"] == "answer":
                description = RTCSessionDescription(sdp=message["sdp"], type="answer")
                await self._connection.setRemoteDescription(description)
                for one in self._connection.getTransceivers():
                    # it is made when the connection starts, which is not before this
                    counts: Any = self.audio if one.kind == "audio" else self.video
                    receive_into(one.receiver, counts)
            elif message["type"] == "turn":
                self.ended.append(time.monotonic())
                self._over.set()
            elif message["type"] in ("error", "ended"):
                raise RuntimeError(f"the server told: {data}")

    async def _talk(self) -> None:
        await asyncio.sleep(GREETED_S + APART_S * self._number)
        while True:
            self._over.clear()
            self._voice.ask()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), PATIENCE_S)
            await asyncio.sleep(THINK_S)


def questions_of(path: Path) -> list[NDArray[np.int16]]:
    """Cut a recording of several questions where there is silence of half a second.

    Raises:
        ValueError: it is no 16-bit mono wav at 48 kHz, or silent.
    """
    with wave.open(str(path), "rb") as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE_HZ, 1, 2):
            raise ValueError(f"{path.name}: give 16-bit mono wav at {RATE_HZ} Hz")
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    step = RATE_HZ // 100
    loud = np.abs(pcm[: len(pcm) // step * step].astype(np.int32)).reshape(-1, step).max(axis=1) > 650
    at = np.flatnonzero(loud)
    if not len(at):
        raise ValueError(f"{path.name} is silent")
    parts = np.split(at, np.flatnonzero(np.diff(at) > 50) + 1)
    return [pcm[part[0] * step : (part[-1] + 1) * step] for part in parts]


async def visit(address: str, sessions: int, seconds: float, microphone: Path) -> list[Received]:
    """Let so many visitors talk, and count what they get after they have settled."""
    questions = [packets_of(pcm) for pcm in questions_of(microphone)]
    silence = packets_of(np.zeros(RATE_HZ, np.int16))[-1]
    visitors = [Visitor(address, questions, silence, number) for number in range(sessions)]
    began_s = time.monotonic()
    begin_s, end_s = began_s + SETTLE_S, began_s + SETTLE_S + seconds
    await asyncio.gather(*(one.live(end_s) for one in visitors))
    return [
        received(one.audio, one.video, begin_s, end_s, sum(begin_s <= at < end_s for at in one.ended))
        for one in visitors
    ]


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did with so many visitors."""

    sessions: int
    clients: tuple[Received, ...]
    cpu: dict[str, float]
    """Where the server's processor time went: what → seconds a second, of one core."""
    clients_cpu: float
    """Of the clients' own process, which shares the machine."""
    pauses_ms: float = 0.0
    """For which the server's garbage collector stopped it, in all."""

    @property
    def holds(self) -> bool:
        """Whether everybody got 24 whole pictures a second and unbroken sound."""
        return all(one.fps >= 24.0 and not one.gaps for one in self.clients)

    @property
    def cpu_per_session(self) -> float:
        """Seconds a second of one core."""
        return sum(self.cpu.values()) / self.sessions


def measured(server: LiveServer, sessions: int, seconds: float, microphone: Path) -> Load:
    """Load a server that is otherwise idle."""
    command = [sys.executable, "-m", "evals.live_load", server.address, "--sessions", str(sessions)]
    command += ["--seconds", str(seconds), "--microphone", str(microphone)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE) as child:
        time.sleep(SETTLE_S + 1.5)
        began_s, before = time.monotonic(), server.inside()
        time.sleep(max(seconds - 3.0, 2.0))
        passed_s, after = time.monotonic() - began_s, server.inside()
        out, _ = child.communicate(timeout=seconds + 60.0)
    if child.returncode:
        raise RuntimeError(f"the clients ended with {child.returncode}; see above")
    told = json.loads(out)
    clients = tuple(Received(**{**one, "widths": tuple(one["widths"])}) for one in told["clients"])
    first, last = _spent(before), _spent(after)
    cpu = {what: (last[what] - first.get(what, 0.0)) / passed_s for what in last}
    pauses_ms = after["pauses"]["total_ms"] - before["pauses"]["total_ms"]
    return Load(sessions, clients, cpu, told["cpu_s"] / (seconds + SETTLE_S), pauses_ms)


def _spent(inside: dict[str, Any]) -> dict[str, float]:
    """Processor seconds by what a thread does."""
    spent: dict[str, float] = {}
    for one in inside["threads"]:
        what = next((what for name, what in _THREADS if one["name"].startswith(name)), "other threads")
        spent[what] = spent.get(what, 0.0) + one["cpu_s"]
    for one in inside["workers"]:
        what = "drawing and encoding" if "studio_child" in one["name"] else "voice and hearing workers"
        spent[what] = spent.get(what, 0.0) + one["cpu_s"]
    return spent


_THREADS = (
    ("MainThread", "event loop: RTP, SRTP, Opus, VAD, turns"),
    ("work", "searching, answering, waiting for workers"),
    ("native", "native threads: codecs, onnxruntime, numba"),
)


def main(arguments: list[str] | None = None) -> None:
    """Visit a server and tell what came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--microphone", type=Path, required=True)
    given = parser.parse_args(arguments)
    clients = uvloop.run(visit(given.address, given.sessions, given.seconds, given.microphone))
    told = {"clients": [asdict(one) for one in clients], "cpu_s": time.process_time()}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
