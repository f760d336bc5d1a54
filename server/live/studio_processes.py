"""A studio of processes: what draws and encodes shares no lock of Python's with what sends sound."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from av.packet import Packet

from agent.face import Face
from agent.painter import Picture
from server.live.encoder import MOMENT_TICKS, VIDEO_TIME_BASE, Codec
from server.live.errors import LiveError
from server.live.studio_wire import (
    Answer,
    Draw,
    Drawn,
    Drop,
    Encode,
    Encoded,
    Failed,
    Forget,
    Order,
    Show,
    Shown,
    SlotPicture,
    Slots,
    Unpacker,
    packed,
    shared_file,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar import Pose
    from server.live.desks import OpenDesk

log = logging.getLogger("visavis.live")

PICTURES = 24
"""Of one session that may be held at once: three in drawing, a few with the sender, 14 with a recording."""
PORTRAIT = 16 / 9
"""Height of the tallest picture by its width."""
READY_S = 60.0
"""Until a new process draws: the first start on a machine compiles what draws."""
AGAIN_S = 1.0
"""Before a process that ended is started again; twice as long each time that it ends before it draws."""
AGAIN_MOST_S = 60.0
HANGS_S = 10.0
"""A process that has not finished a job for so long is ended."""
LOOK_S = 2.0
END_S = 0.05
"""For a process to end by itself."""
WAITING_BYTES = 1 << 22
"""That a process may leave unread: thousands of orders."""
PIECE = 1 << 18
GONE = "the process that draws has ended; it is started again"


@dataclass(slots=True)
class _Painting:
    future: Future[tuple[Picture, float]]
    slot: int
    since_s: float


@dataclass(slots=True)
class _Encoding:
    future: asyncio.Future[Encoded]
    picture: SlotPicture
    """Held, so that its slot is not given away."""
    since_s: float


class Drawer:
    """One drawing process, started again whenever it ends; used on the event loop.

    Args:
        faces: what it draws.
        sessions: for how many it has room.
        room: bytes of the largest picture.
    """

    def __init__(self, faces: Mapping[int, Face], sessions: int, room: int) -> None:
        self.sessions = 0
        """That have a place here."""
        self.ready = asyncio.Event()
        """Set while it draws."""
        self.failure = ""
        """Why it could not open a face."""
        self.restarts = 0
        self._faces, self._count, self._room = faces, PICTURES * sessions, room
        self._loop = asyncio.get_running_loop()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._unsent = bytearray()
        self._jobs: dict[int, _Painting | _Encoding] = {}
        self._job = self._shown = 0
        self._again_s = AGAIN_S
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._start()

    @property
    def pid(self) -> int:
        """Of the process; 0 while there is none."""
        return self._process.pid if self._process is not None else 0

    def paint(self, face: int, pose: Pose, scale: float) -> Future[tuple[Picture, float]]:
        """Begin a picture.

        Raises:
            LiveError: it cannot be begun now.
        """
        slot = self._slot()
        future: Future[tuple[Picture, float]] = Future()
        job = self._note(_Painting(future, slot, time.monotonic()))
        future.add_done_callback(lambda done: self._drop(job) if done.cancelled() else None)
        parts = dict(pose.blendshapes), pose.head, pose.gaze, pose.breath
        self._send(Draw(job, face, slot, scale, parts))
        return future

    async def encode(
        self,
        encoder: int,
        codec: Codec,
        rgb: NDArray[np.uint8],
        index: int,
        *,
        size: tuple[int, int],
        bps: float,
        key: bool,
    ) -> Encoded:
        """Encode a picture, of this process or any other.

        Raises:
            LiveError: it cannot be.
        """
        picture = rgb if isinstance(rgb, SlotPicture) else None
        if picture is None or getattr(picture, "slots", None) is not self._slots:
            slot = self._slot()
            picture = self._slots.view(slot, (rgb.shape[0], rgb.shape[1]))
            picture[:] = rgb
            picture = self._slots.lend(slot, (rgb.shape[0], rgb.shape[1]))
        future: asyncio.Future[Encoded] = self._loop.create_future()
        job = self._note(_Encoding(future, picture, time.monotonic()))
        shape = picture.shape[0], picture.shape[1]
        self._send(Encode(job, encoder, codec, picture.slot, shape, index, size, bps, key))
        return await future

    def forget(self, encoder: int) -> None:
        """Close an encoder."""
        with suppress(LiveError):
            self._send(Forget(encoder))

    async def close(self) -> None:
        """End the process."""
        self._closed = True
        process = self._process
        self._lose("closed")
        if process is not None:
            await asyncio.to_thread(_end, process)

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        memory = shared_file(self._count * self._room)
        try:
            command = [sys.executable, "-m", "server.live.studio_child"]
            command += [str(one) for one in (theirs.fileno(), memory, self._count, self._room)]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), memory),
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
                # Ctrl-C is the server's to hear. In a session of its own Linux would give each process as
                # much as the whole server ("autogroup"), whatever its niceness.
                process_group=0,
            )
            self._slots = Slots(memory, self._count, self._room)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(memory)
        ours.setblocking(False)
        self._socket, self._unpacker, self._shown = ours, Unpacker(), 0
        self._loop.add_reader(ours, self._readable)
        for number, face in self._faces.items():
            self._send(Show(number, face))
        self._timer = self._loop.call_later(LOOK_S, self._look)

    def _slot(self) -> int:
        slot = self._slots.take() if self._socket is not None else None
        if slot is None:
            message = "too many pictures are held" if self._socket is not None else GONE
            raise LiveError("no_picture", message, "the voice goes on", status=503, retryable=True)
        return slot

    def _note(self, work: _Painting | _Encoding) -> int:
        self._job += 1
        self._jobs[self._job] = work
        return self._job

    def _drop(self, job: int) -> None:
        if job in self._jobs:
            with suppress(LiveError):
                self._send(Drop(job))

    def _send(self, order: Order) -> None:
        if self._socket is None:
            raise LiveError("no_picture", GONE, "the voice goes on", status=503, retryable=True)
        data = packed(order)
        if not self._unsent:
            try:
                data = data[self._socket.send(data) :]
            except BlockingIOError:
                pass
            except OSError:
                return  # it has ended; the reader finds that out
            if not data:
                return
            self._loop.add_writer(self._socket, self._writable)
        self._unsent += data
        if len(self._unsent) > WAITING_BYTES:
            log.error("a drawing process does not read; it is ended")
            self._kill()

    def _writable(self) -> None:
        assert self._socket is not None
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self._unsent)
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._ended()
            return
        for answer in self._unpacker.feed(data):
            self._take(answer)

    def _take(self, answer: Answer) -> None:
        if isinstance(answer, Shown):
            self._shown += 1
            self.failure = answer.error or self.failure
            if self._shown == len(self._faces):
                self.ready.set()
                self._again_s = AGAIN_S
            return
        work = self._jobs.pop(answer.job, None)
        match work, answer:
            case _Painting(), Drawn():
                if work.future.cancelled():
                    self._slots.give(work.slot)
                else:
                    work.future.set_result((self._slots.lend(work.slot, answer.shape), answer.done_s))
            case _Painting(), Failed():
                self._slots.give(work.slot)
                if not work.future.cancelled():
                    work.future.set_exception(RuntimeError(answer.error))
            case _Encoding(), Encoded():
                if not work.future.done():
                    work.future.set_result(answer)
            case _Encoding(), Failed():
                if not work.future.done():
                    work.future.set_exception(RuntimeError(answer.error))

    def _look(self) -> None:
        """End a process that hangs."""
        oldest = next(iter(self._jobs.values()), None)
        if self.ready.is_set() and oldest and time.monotonic() - oldest.since_s > HANGS_S:
            log.error("a drawing process has not finished a picture for %g s; it is ended", HANGS_S)
            self._kill()
        self._timer = self._loop.call_later(LOOK_S, self._look)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()  # the reader then finds that it has ended

    def _ended(self) -> None:
        process = self._process
        self._lose(GONE)
        code = _end(process) if process is not None else 0
        log.error("a drawing process has ended (%s); another is started in %g s", code, self._again_s)
        self.restarts += 1
        self._timer = self._loop.call_later(self._again_s, self._again)
        self._again_s = min(2 * self._again_s, AGAIN_MOST_S)

    def _again(self) -> None:
        try:
            self._start()
        except OSError as error:
            log.error("a drawing process cannot be started (%s); tried again in %g s", error, self._again_s)
            self._timer = self._loop.call_later(self._again_s, self._again)
            self._again_s = min(2 * self._again_s, AGAIN_MOST_S)

    def _lose(self, why: str) -> None:
        """Let everything go that belongs to the process."""
        self.ready.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()
        self._socket = self._process = None
        self._unsent.clear()
        jobs, self._jobs = self._jobs, {}
        for work in jobs.values():
            if not work.future.done():
                work.future.set_exception(RuntimeError(why))


class ProcessPlace:
    """A session's share of a drawing process.

    Args:
        drawer: the process.
        face: number of the desk's.
        size: of the full picture, (width, height).
    """

    def __init__(self, drawer: Drawer, face: int, size: tuple[int, int]) -> None:
        self.size = size
        self._drawer, self._face = drawer, face
        self._closed = False
        drawer.sessions += 1

    def paint(self, pose: Pose, scale: float) -> Future[tuple[Picture, float]]:
        """Begin a picture."""
        return self._drawer.paint(self._face, pose, scale)

    def encoder(self, codec: Codec) -> ProcessEncoder:
        """Make an encoder for a new connection of the session."""
        return ProcessEncoder(self._drawer, codec)

    def close(self) -> None:
        """Give the place up; twice does no harm."""
        self._drawer.sessions -= not self._closed
        self._closed = True


class ProcessEncoder:
    """Encodes in a drawing process.

    Args:
        drawer: the process.
        codec: "VP8" or "H264".
    """

    _made = 0

    def __init__(self, drawer: Drawer, codec: Codec) -> None:
        ProcessEncoder._made += 1
        self._number = ProcessEncoder._made
        self._drawer, self._codec = drawer, codec

    async def encode(
        self, rgb: NDArray[np.uint8], index: int, *, size: tuple[int, int], bps: float, key: bool
    ) -> tuple[Packet[Any] | None, float]:
        """Have the process encode a picture.

        Raises:
            LiveError, RuntimeError: it cannot.
        """
        made = await self._drawer.encode(self._number, self._codec, rgb, index, size=size, bps=bps, key=key)
        if not made.data:
            return None, made.took_s
        packet: Packet[Any] = Packet(made.data)
        packet.is_keyframe = made.key
        packet.pts = packet.dts = index * MOMENT_TICKS
        packet.time_base = VIDEO_TIME_BASE
        return packet, made.took_s

    def close(self) -> None:
        """Forget what was encoded; twice does no harm."""
        self._drawer.forget(self._number)


class ProcessStudio:
    """Draws and encodes in processes of their own.

    Args:
        faces: desk → its face.
        count: how many processes.
        sessions: of the whole server.
    """

    def __init__(self, faces: Mapping[str, Face], count: int, sessions: int) -> None:
        self._numbers = {name: number for number, name in enumerate(faces)}
        widest = max(face.size for face in faces.values())
        room = -(-int(3 * widest * (widest * PORTRAIT + 2)) // 4096) * 4096
        numbered = dict(enumerate(faces.values()))
        self.drawers = [Drawer(numbered, -(-sessions // count) + 1, room) for _ in range(count)]

    async def ready(self, within_s: float = READY_S) -> None:
        """Wait until all processes draw.

        Raises:
            LiveError: one of them cannot, or takes too long.
        """
        try:
            async with asyncio.timeout(within_s):
                for drawer in self.drawers:
                    await drawer.ready.wait()
        except TimeoutError:
            failure = f"did not start within {within_s:g} s"
        else:
            failure = next((drawer.failure for drawer in self.drawers if drawer.failure), "")
        if failure:
            raise LiveError("studio_failed", f"a drawing process failed: {failure}", "see the server's log")

    def place(self, opened: OpenDesk) -> ProcessPlace:
        """Make room for a session at a desk, where there is most."""
        drawer = min(self.drawers, key=lambda one: (not one.ready.is_set(), one.sessions))
        size = opened.renderer.width, opened.renderer.height
        return ProcessPlace(drawer, self._numbers[opened.id], size)

    async def close(self) -> None:
        """End the processes."""
        await asyncio.gather(*(drawer.close() for drawer in self.drawers))


def _end(process: subprocess.Popen[bytes]) -> int:
    """End a process that has lost its socket; returns its exit code."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(END_S)
    process.kill()
    return process.wait()
