"""A drawing process as the event loop sees it: pictures and packets on order, started again when it ends."""

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
from typing import TYPE_CHECKING

import numpy as np

from agent.face import Face
from agent.painter import Picture
from server.live.encoder import Codec
from server.live.errors import LiveError
from server.live.pipe import Pipe
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
    shared_file,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar import Pose

log = logging.getLogger("visavis.live")

PICTURES = 24
"""Of one session that may be held at once: three in drawing, a few with the sender, 14 with a recording."""
AGAIN_S = 1.0
"""Before a process that ended is started again; twice as long each time that it ends before it draws."""
AGAIN_MOST_S = 60.0
HANGS_S = 10.0
"""A process that has not finished a job for so long is ended."""
START_S = 120.0
"""Until a process draws, at most: the first start on a machine compiles what draws."""
LOOK_S = 2.0
"""Between two looks at that."""
END_S = 0.05
"""For a process to end by itself."""


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
        self._pipe: Pipe | None = None
        self._jobs: dict[int, _Painting | _Encoding] = {}
        self._job = self._shown = 0
        self._again_s = AGAIN_S
        self._timer: asyncio.TimerHandle | None = None
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
        self._check()
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
        self._send(Forget(encoder))

    async def close(self) -> None:
        """End the process."""
        process = self._process
        self._lose()
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
        self._pipe, self._shown = Pipe(ours, on_message=self._take, on_end=self._ended), 0
        for number, face in self._faces.items():
            self._send(Show(number, face))
        self._started_s = time.monotonic()
        self._timer = self._loop.call_later(LOOK_S, self._look)

    def _check(self) -> None:
        if not self.ready.is_set():
            raise _no_picture("the process that draws has ended; it is started again")

    def _slot(self) -> int:
        self._check()
        slot = self._slots.take()
        if slot is None:
            raise _no_picture("too many pictures are held")
        return slot

    def _note(self, work: _Painting | _Encoding) -> int:
        self._job += 1
        self._jobs[self._job] = work
        return self._job

    def _drop(self, job: int) -> None:
        if job in self._jobs:
            self._send(Drop(job))

    def _send(self, order: Order) -> None:
        if self._pipe is not None and not self._pipe.send(order):
            log.error("a drawing process does not read; it is ended")
            self._kill()

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
                    work.future.set_exception(_no_picture(answer.error))
            case _Encoding(), Encoded():
                if not work.future.done():
                    work.future.set_result(answer)
            case _Encoding(), Failed():
                if not work.future.done():
                    work.future.set_exception(_no_picture(answer.error))

    def _look(self) -> None:
        """End a process that hangs."""
        if not self.ready.is_set() and time.monotonic() - self._started_s > START_S:
            log.error("a drawing process did not begin to draw within %g s; it is ended", START_S)
            self._kill()
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
        self._lose()
        code = _end(process) if process is not None else 0
        log.error("a drawing process has ended (%s); another is started in %g s", code, self._again_s)
        self.restarts += 1
        self._start_later()

    def _start_later(self) -> None:
        self._timer = self._loop.call_later(self._again_s, self._again)
        self._again_s = min(2 * self._again_s, AGAIN_MOST_S)

    def _again(self) -> None:
        try:
            self._start()
        except OSError as error:
            log.error("a drawing process cannot be started (%s); tried again in %g s", error, self._again_s)
            self._start_later()

    def _lose(self) -> None:
        """Let everything go that belongs to the process."""
        self.ready.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._pipe is not None:
            self._pipe.close()
        self._pipe = self._process = None
        jobs, self._jobs = self._jobs, {}
        for work in jobs.values():
            if not work.future.done():
                work.future.set_exception(_no_picture("the process that draws has ended"))


def _no_picture(why: str) -> LiveError:
    return LiveError("no_picture", why, "the voice goes on", status=503, retryable=True)


def _end(process: subprocess.Popen[bytes]) -> int:
    """End a process that has lost its socket; returns its exit code."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(END_S)
    process.kill()
    return process.wait()
