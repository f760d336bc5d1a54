"""Threads for what blocks, which nobody has to wait for."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
NICE = 5
"""Of threads that give way: with four visitors on two cores one run had 2 gaps in each one's sound in 20 s
instead of 16; at 10 the pictures suffered as well."""
WAIT_S = 3.0
"""How long work that is under way may take to end when a pool is shut down."""


class Workers(ThreadPoolExecutor):
    """A `ThreadPoolExecutor` that one hanging call cannot keep from ending, nor the process.

    Its threads are daemons, and `shutdown` waits for `wait_s` at most: a tool that waits for a network that
    never answers would else hold the server's end for ever. asyncio takes no other class as a loop's own.

    Args:
        most: threads.
        name: theirs, with a number.
        wait_s: how long `shutdown` waits, in all; None for `WAIT_S`.
        polite: they do what may be late, see `give_way`.
    """

    def __init__(self, most: int, name: str, *, wait_s: float | None = None, polite: bool = False) -> None:
        super().__init__(most, thread_name_prefix=name)
        self._most, self._name, self._wait_s = most, name, WAIT_S if wait_s is None else wait_s
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._crew: list[threading.Thread] = []
        self._door = threading.Lock()
        self._over, self._polite = False, polite

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a thread call `fn`.

        Raises:
            RuntimeError: the pool was shut down.
        """
        future: Future[T] = Future()
        with self._door:
            if self._over:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._calls.put((future, partial(fn, *args, **kwargs)))
            if len(self._crew) < self._most:
                name = f"{self._name}_{len(self._crew)}"
                self._crew.append(threading.Thread(target=self._work, name=name, daemon=True))
                self._crew[-1].start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more; wait for what is under way, within `wait_s`."""
        with self._door:
            self._over = True
            if cancel_futures:
                with suppress(Empty):
                    while True:
                        if (call := self._calls.get_nowait()) is not None:
                            call[0].cancel()
            self._calls.put(None)
        if not wait:
            return
        end_s = time.monotonic() + self._wait_s
        for thread in self._crew:
            thread.join(max(0.0, end_s - time.monotonic()))
        if hung := sum(thread.is_alive() for thread in self._crew):
            log.warning("%d threads %r are left behind: what they call does not return", hung, self._name)

    def _work(self) -> None:
        if self._polite:
            give_way()
        while (call := self._calls.get()) is not None:
            future, do = call
            if future.set_running_or_notify_cancel():
                try:
                    result = do()
                except BaseException as error:  # it belongs to who waits for the future
                    future.set_exception(error)
                else:
                    future.set_result(result)
            del call, future, do
        self._calls.put(None)  # for the next


def give_way(niceness: int = NICE) -> None:
    """Let the calling thread wait where the processors are all taken: sound and turns go before pictures."""
    with suppress(AttributeError, OSError):  # not on Linux: all threads are equal
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
