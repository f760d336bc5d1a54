"""Several server processes behind one address: for machines with more cores than one Python process uses."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from server.boundary import UsageError
from server.progress import Silent, Stages
from server.serve import open_desks, serve_opened
from server.web_server import bound, run_server, say_finishing, where

if TYPE_CHECKING:
    from server.live.front import Front
    from server.live.options import ServeOptions

log = logging.getLogger("visavis.live")

START_S = 240.0
"""Until a process serves: it may fetch a model first."""
LOOK_S = 1.0
"""Between two looks whether all processes live."""
AGAIN_S = 5.0
"""Before a process that ended is started again: one that ends at once must not keep the machine busy."""
END_S = 15.0
"""Beyond what sentences may take to end, until a process is killed."""


class Processes:
    """Server processes on Unix sockets of a folder that only this user can enter.

    Args:
        desks: folders of desks.
        options: of the whole server; its places are shared out.
        count: how many processes.
        folder: for the sockets.
    """

    def __init__(self, desks: Sequence[str], options: ServeOptions, count: int, folder: Path) -> None:
        places = -(-options.max_sessions // count)
        self._options = replace(
            options,
            max_sessions=places,
            drawers=-(-options.drawers // count),
            share=1.0 / count,
            certificate="",
            key="",
        )
        self._desks = list(desks)
        self.sockets = [str(folder / f"{number}.sock") for number in range(count)]
        self._running: list[tuple[BaseProcess, Connection]] = []

    def start(self, stages: Stages) -> dict[str, Any]:
        """Start all and wait until they serve; returns the first one's document.

        Raises:
            UsageError: one of them cannot; the message is its own.
        """
        self._running = [self._spawn(path) for path in self.sockets]
        documents = []
        for number, (process, pipe) in enumerate(self._running):
            stages.stage(f"opening the desks in process {number + 1} of {len(self._running)}")
            until_s = time.monotonic() + START_S
            while not pipe.poll(0.2):
                if not process.is_alive() or time.monotonic() > until_s:
                    raise UsageError(f"process {number + 1} did not start; try without --processes")
            told = pipe.recv()
            if "failed" in told:
                raise UsageError(str(told["failed"]))
            documents.append(told)
        return dict(documents[0])

    async def watch(self) -> None:
        """Start a process again that has ended, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            for number, (process, pipe) in enumerate(self._running):
                if not process.is_alive():
                    log.error("process %d ended with %s; it is started again", number, process.exitcode)
                    pipe.close()
                    await asyncio.sleep(AGAIN_S)
                    self._running[number] = await asyncio.to_thread(self._spawn, self.sockets[number])

    def stop(self) -> None:
        """Let sentences end, then end all."""
        for process, _ in self._running:
            if process.is_alive() and process.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGTERM)
        until_s = time.monotonic() + self._options.finish_s + END_S
        for process, pipe in self._running:
            process.join(max(0.1, until_s - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
            pipe.close()
        self._running = []

    def _spawn(self, path: str) -> tuple[BaseProcess, Connection]:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(self._desks, self._options, path, theirs), name=Path(path).stem
        )
        process.start()
        theirs.close()
        return process, ours


def serve_processes(
    desks: Sequence[str],
    options: ServeOptions,
    count: int,
    stages: AbstractContextManager[Stages],
    *,
    ready: Callable[[dict[str, Any]], None],
) -> None:
    """Serve with several processes until this one is told to stop.

    Args:
        desks: folders of desks.
        options: of the whole server.
        count: how many processes.
        stages: told what is being done until all serve.
        ready: called with a document that says where, once they do.

    Raises:
        UsageError: the address is taken, or a process cannot serve.
    """
    from server.live.front import Front

    listener = bound(options.host, options.port)
    with tempfile.TemporaryDirectory(prefix="visavis-") as folder, listener:
        processes = Processes(desks, options, count, Path(folder))
        try:
            with stages as shown:
                document = processes.start(shown)
            document |= where(listener, options)
            document |= {"max_sessions": options.max_sessions, "pid": os.getpid(), "processes": count}
            asyncio.run(
                _front(Front(processes.sockets), processes, listener, options, lambda: ready(document))
            )
        except KeyboardInterrupt:
            pass  # told to stop: that is how a server ends
        finally:
            processes.stop()


async def _front(
    front: Front,
    processes: Processes,
    listener: socket.socket,
    options: ServeOptions,
    ready: Callable[[], None],
) -> None:
    watching = asyncio.create_task(processes.watch())

    async def drain() -> None:
        watching.cancel()
        say_finishing(front.live)
        await asyncio.to_thread(processes.stop)

    try:
        await run_server(front.application(), listener, options, ready, drain)
    finally:
        watching.cancel()


def _work(desks: list[str], options: ServeOptions, path: str, pipe: Connection) -> None:
    """Be one of the processes; ends with the one that started it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        with suppress(FileNotFoundError):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        try:
            opened = open_desks(desks, options, Silent(), listener=listener)
        except Exception as error:  # whatever it is, the one that waits tells it
            with suppress(OSError):
                pipe.send({"failed": str(error) or type(error).__name__})
            raise SystemExit(1) from None
        serve_opened(opened, ready=lambda document: _serving(document, pipe), behind_front=True)


def _serving(document: dict[str, Any], pipe: Connection) -> None:
    """Tell who waits for it, and end when they are gone."""

    def orphaned() -> None:
        with suppress(EOFError, OSError):
            pipe.recv()
        os.kill(os.getpid(), signal.SIGTERM)

    with suppress(OSError):
        pipe.send(document)
    threading.Thread(target=orphaned, daemon=True).start()
