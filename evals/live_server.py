"""The server that the live figures are measured on: the product's own, in a process of its own.

Run as `python -m evals.live_server --port N`. It differs from `visavis serve` in four things: no limit on how
often sessions are asked for and how many wait, so many places as are told, the bench's page and a look
inside; and, with `--marks`, a mark in every second's picture and sound, by which the two can be held against
each other.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

if TYPE_CHECKING:
    from agent.conversation_events import ConversationEvent
    from agent.stage import LiveMoment
    from server.live.desks import Cast, OpenDesk, Sinks
    from server.live.studio import Place
    from server.live.talk import Sink

PAGE = Path(__file__).with_name("live_page.html")
MARK_EVERY = 25
"""Moments between two marks: a second."""
MARK_PX = 64
"""Side of the white square in the picture's upper left corner; 8 × 8 once the smallest picture is sent."""
MARK_HZ = 7125.0
"""Of the click: a whole number of periods in 128 samples at 48 kHz, and above most of a voice."""
MARK_SAMPLES = 960
"""Of the click, 20 ms at 48 kHz, at the very beginning of its moment."""
MARK_LEVEL = 9000
START_S = 120.0
"""A first start draws and indexes everything anew."""


class Marks:
    """A sink that marks the moments of every second and hands all on."""

    def __init__(self, sinks: Sinks) -> None:
        self._sinks = sinks
        self._frame: Any = None

    def take(self, moment: LiveMoment) -> None:
        """Hand a moment on, marked where it is its turn."""
        marked = self.marked(moment)
        for sink in self._sinks():
            sink.take(marked)

    def marked(self, moment: LiveMoment) -> LiveMoment:
        """Return the moment as it is sent."""
        if moment.frame is not None:
            self._frame = moment.frame
        if self._frame is None:
            return moment
        on = moment.index % MARK_EVERY == 0
        frame = self._frame.copy()
        frame[:MARK_PX, :MARK_PX] = 255 if on else 0
        if not on:
            return replace(moment, frame=frame if moment.frame is not None else None)
        pcm = moment.pcm.astype(np.int32)
        pcm[:MARK_SAMPLES] += _click()
        return replace(moment, frame=frame, pcm=np.clip(pcm, -32768, 32767).astype(np.int16))


def _click() -> Any:
    at = np.arange(MARK_SAMPLES)
    return np.round(MARK_LEVEL * np.sin(2 * np.pi * MARK_HZ * at / 48_000)).astype(np.int32)


def marked_cast(
    opened: OpenDesk,
    place: Place,
    language: str,
    seed: int,
    on_event: Callable[[ConversationEvent], None],
) -> Cast:
    """Make the product's conversation, with marks in what leaves."""
    from server.live.desks import cast_of

    cast = cast_of(opened, place, language, seed, on_event)

    def play(sinks: Sinks) -> Any:
        marks: Sequence[Sink] = (Marks(sinks),)
        return cast.play(lambda: marks)

    return replace(cast, play=play)


@dataclass(slots=True)
class Pauses:
    """How long Python's collector of garbage held everything up."""

    count: int = 0
    """Of pauses longer than a millisecond."""
    total_ms: float = 0.0
    worst_ms: float = 0.0
    _began_s: float = 0.0

    def watch(self) -> None:
        """Be told of every collection from now on."""
        gc.callbacks.append(self._told)

    def _told(self, phase: str, about: dict[str, int]) -> None:
        if phase == "start":
            self._began_s = time.perf_counter()
            return
        took_ms = 1e3 * (time.perf_counter() - self._began_s)
        self.count += took_ms > 1.0
        self.total_ms += took_ms
        self.worst_ms = max(self.worst_ms, took_ms)


PAUSES = Pauses()


def inside(*, collect: bool = False) -> dict[str, Any]:
    """Tell what the process holds: memory, tasks, threads with their processor time, descriptors.

    Args:
        collect: collect garbage first; that stops everything for a tenth of a second or two.
    """
    if collect:
        gc.collect()
    process = psutil.Process()
    names = {one.native_id: one.name for one in threading.enumerate()}
    return {
        "rss_mb": process.memory_info().rss / 2**20,
        "tasks": len(asyncio.all_tasks()),
        "descriptors": process.num_fds(),
        "objects": len(gc.get_objects()) if collect else 0,
        "pauses": {"count": PAUSES.count, "total_ms": PAUSES.total_ms, "worst_ms": PAUSES.worst_ms},
        "threads": [
            {"name": names.get(one.id, "native"), "cpu_s": one.user_time + one.system_time}
            for one in process.threads()
        ],
        "workers": [
            {
                "name": " ".join(child.cmdline())[-80:],
                "cpu_s": sum(child.cpu_times()[:2]),
                "rss_mb": child.memory_info().rss / 2**20,
            }
            for child in process.children(recursive=True)
        ],
    }


def main(arguments: list[str] | None = None) -> None:
    """Serve the demo desk, or another, until told to end."""
    import uvicorn
    from fastapi.responses import HTMLResponse

    from agent.desk import Desk
    from server.live.app import create_app
    from server.live.desks import cast_of
    from server.live.options import ServeOptions, one_a_core

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--desk", default="")
    parser.add_argument("--sessions", type=int, default=64)
    parser.add_argument("--marks", action="store_true")
    parser.add_argument("--drawers", type=int, default=one_a_core())
    given = parser.parse_args(arguments)
    options = ServeOptions(
        port=given.port,
        max_sessions=given.sessions,
        drawers=given.drawers,
        unjoined=given.sessions,
        rates={},
        finish_s=0.0,
    )
    desk = Desk.load(given.desk) if given.desk else Desk.load()
    web = desk.settings.web.model_copy(update={"max_sessions": given.sessions})
    desk = replace(desk, settings=desk.settings.model_copy(update={"web": web}))
    app = create_app([desk], options, cast=marked_cast if given.marks else cast_of)

    @app.get("/bench", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(PAGE.read_text("utf-8"))

    @app.get("/bench/inside", include_in_schema=False)
    async def look_inside(collect: bool = False) -> dict[str, Any]:
        return inside(collect=collect)

    PAUSES.watch()
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning", access_log=False)


@dataclass(slots=True)
class LiveServer:
    """The server in a child process; used as a context.

    Args:
        marks: mark picture and sound.
        sessions: places.
        desk: its folder; empty: the demo desk.
    """

    marks: bool = False
    sessions: int = 64
    desk: str = ""
    port: int = 0
    _child: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> psutil.Process:
        """The server's process."""
        assert self._child is not None
        return psutil.Process(self._child.pid)

    def inside(self, *, collect: bool = False) -> dict[str, Any]:
        """What it holds, see `inside`."""
        return self._get("/bench/inside" + ("?collect=1" if collect else ""))

    def metrics(self) -> str:
        """Its own figures, in Prometheus' text format."""
        with urllib.request.urlopen(self.address + "/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    def __enter__(self) -> LiveServer:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "evals.live_server", "--port", str(self.port)]
        command += ["--sessions", str(self.sessions), *(["--marks"] if self.marks else [])]
        command += ["--desk", self.desk] if self.desk else []
        self._child = subprocess.Popen(command, cwd=Path(__file__).parents[1], env=dict(os.environ))
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self._child.poll() is not None:
                raise RuntimeError(f"the server ended with {self._child.returncode} as it started; see above")
            with suppress(OSError, ValueError):
                if self._get("/healthz")["status"] == "ok":
                    return self
            time.sleep(0.2)
        self.__exit__(None, None, None)
        raise RuntimeError(f"the server did not answer within {START_S:g} s")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._child is not None
        self._child.terminate()
        try:
            self._child.wait(20.0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(self.address + path, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


if __name__ == "__main__":
    main()
