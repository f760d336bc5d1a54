"""A WebRTC client in the same process, and a stage that shows marks and sounds clicks together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame
from numpy.typing import NDArray

from server.live.rtc import Peer

MARK_EVERY = 20
"""Moments between two marks."""


@dataclass(frozen=True)
class Shown:
    index: int
    frame: NDArray[np.uint8] | None
    pcm: NDArray[np.int16]


def moment(index: int, size: tuple[int, int] = (256, 256), *, still: bool = False) -> Shown:
    """Grey noise-free picture that moves a little; every twentieth is white and clicks."""
    width, height = size
    mark = index % MARK_EVERY == 0
    frame = np.full((height, width, 3), 60, np.uint8)
    frame[:, (index * 7) % width :][:, :20] = (160, 90, 60)
    pcm = np.zeros(1920, np.int16)
    if mark:
        frame[:] = 250
        pcm[:480] = (20000 * np.sin(np.arange(480) * 2 * np.pi * 1000 / 48000)).astype(np.int16)
    return Shown(index, None if still else frame, pcm)


class Tone(MediaStreamTrack):
    """A microphone that hums 440 Hz, in real time."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._began: float | None = None
        self._samples = 0

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        now = time.monotonic()
        if self._began is None:
            self._began = now
        await asyncio.sleep(max(0.0, self._began + self._samples / 48000 - now))
        at = self._samples + np.arange(960)
        pcm = (8000 * np.sin(2 * np.pi * 440 * at / 48000)).astype(np.int16)
        frame = AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, self._samples, Fraction(1, 48000)
        self._samples += 960
        return frame


@dataclass
class Client:
    """Receives what a browser would, with the time of each arrival."""

    audio: str | None = "sendrecv"
    video: str | None = "recvonly"
    codec: str = "VP8"
    configuration: RTCConfiguration = field(default_factory=lambda: RTCConfiguration(iceServers=[]))
    frames: list[tuple[float, NDArray[np.uint8]]] = field(default_factory=list)
    sounds: list[tuple[float, NDArray[np.int16]]] = field(default_factory=list)
    pts: dict[str, list[int]] = field(default_factory=lambda: {"audio": [], "video": []})
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = RTCPeerConnection(self.configuration)
        if self.audio:
            track = Tone() if self.audio in ("sendrecv", "sendonly") else "audio"
            self.connection.addTransceiver(track, direction=self.audio)
        if self.video:
            transceiver = self.connection.addTransceiver("video", direction=self.video)
            known = RTCRtpSender.getCapabilities("video").codecs
            transceiver.setCodecPreferences(
                [c for c in known if c.name == self.codec] + [c for c in known if c.name == "rtx"]
            )
        self.connection.on("track", lambda track: self.tasks.append(asyncio.create_task(self._take(track))))

    async def _take(self, track: MediaStreamTrack) -> None:
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                now = time.monotonic()
                self.pts[track.kind].append(frame.pts)
                if track.kind == "video":
                    self.frames.append((now, frame.to_ndarray(format="rgb24")))
                else:
                    self.sounds.append((now, frame.to_ndarray().reshape(-1, 2)[:, 0].copy()))

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def accept(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))

    async def connect(self, peer: Peer) -> None:
        await self.accept(await peer.answer(await self.offer()))

    async def close(self) -> None:
        await self.connection.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def video_receiver(self) -> object:
        return next(t.receiver for t in self.connection.getTransceivers() if t.kind == "video")


async def play(peer: Peer, moments: int, *, size: tuple[int, int] = (256, 256), first: int = 0) -> int:
    """Give a peer moments in real time; returns the next index."""
    began = time.monotonic()
    for n in range(moments):
        await asyncio.sleep(max(0.0, began + n * 0.04 - time.monotonic()))
        peer.take(moment(first + n, size))
    return first + moments


async def play_until(peer: Peer, what: Callable[[], object], *, first: int = 0, seconds: float = 15.0) -> int:
    """Give a peer moments in real time until something is so; returns the next index.

    Raises:
        AssertionError: it did not come true in time.
    """
    index, end = first, time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "did not happen in time"
        index = await play(peer, 5, first=index)
    return index


async def until(what: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it did not come true in time.
    """
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "did not happen in time"
        await asyncio.sleep(0.02)
