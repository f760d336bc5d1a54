"""An event loop whose idle time costs nothing: what would be waited for is skipped.

Two clocks run on it. `time()` decides the course of events: it stands still while something is computed, so
that a replay takes the same course on every machine. `lived()` tells what a visitor would have waited: the
same, and computing on top, as far as that was not done in time that would have been waited anyway.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

FROZEN_S = 1.0
"""What computes longer than this is slow in earnest: from then on `time()` goes on with the wall's clock."""
LOOK_S = 0.05
"""How often is looked whether what computes is done, where nothing wakes the loop."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs coroutines in virtual time.

    Args:
        inline: tells of an executor whether its work is done at once, on the loop's own thread: quicker, and
            always in the same order. None: all work is done by the executor.
    """

    def __init__(self, inline: Callable[[Executor | None], bool] | None = None) -> None:
        self._selector_ = _Selector(self)
        super().__init__(self._selector_)
        self._inline = inline
        self._virtual_s = 0.0
        self._lived_s = 0.0
        self._seen_s = time.perf_counter()
        self._spent_s = 0.0
        self.working = 0
        """Calls that executors are at work on."""
        self.held = 0
        """Waits for something outside this process, in real time."""

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_s

    def lived(self) -> float:
        """Seconds that a visitor would have lived through since the loop was made."""
        self._spend()
        return self._lived_s

    def skip(self, seconds: float) -> None:
        """Let virtual time pass in which nothing happens."""
        self._spend()
        self._virtual_s += seconds
        self._lived_s += max(seconds - self._spent_s, 0.0)
        self._spent_s = 0.0

    def pass_by(self, seconds: float) -> None:
        """Let virtual time pass that was waited in earnest."""
        self._spend()
        self._virtual_s += seconds
        self._spent_s = 0.0

    @contextmanager
    def real(self) -> Iterator[None]:
        """Wait for something outside the process, for example a language model: time is real meanwhile."""
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Have an executor call something; the loop's time stands still until it is done."""
        if self._inline is not None and self._inline(executor):
            future: asyncio.Future[T] = self.create_future()
            try:
                future.set_result(func(*args))
            except Exception as error:
                future.set_exception(error)
            return future
        self.working += 1
        begun: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        begun.add_done_callback(self._worked)
        return begun

    def _worked(self, _: asyncio.Future[Any]) -> None:
        self.working -= 1

    def _spend(self) -> None:
        now_s = time.perf_counter()
        self._lived_s += now_s - self._seen_s
        self._spent_s += now_s - self._seen_s
        self._seen_s = now_s


class _Selector(selectors.DefaultSelector):
    """Skips what the loop would wait for its next timer."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._waited_s = 0.0
        """For what computes, since something last happened."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout is not None and timeout <= 0:
            self._waited_s = 0.0 if ready else self._waited_s
            return ready
        loop = self._loop
        if not loop.working and not loop.held and timeout is not None:
            self._waited_s = 0.0
            loop.skip(timeout)
            return []
        frozen = not loop.held and self._waited_s < FROZEN_S
        longest = LOOK_S if timeout is None or frozen else min(timeout, LOOK_S)
        began_s = time.perf_counter()
        ready = super().select(longest)
        took_s = time.perf_counter() - began_s
        if not frozen:
            loop.pass_by(took_s)
        self._waited_s = 0.0 if ready else self._waited_s + took_s
        return ready


@contextmanager
def virtual_loop(inline: Callable[[Executor | None], bool] | None = None) -> Iterator[VirtualLoop]:
    """Give a virtual loop, and end all that is left on it.

    Args:
        inline: as `VirtualLoop` takes it.
    """
    loop = VirtualLoop(inline)
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        loop.close()
