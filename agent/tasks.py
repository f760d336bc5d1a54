"""Tasks that belong to something, are held as long as they run, and end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Tasks:
    """Tasks of one owner; used on the event loop, which holds tasks too weakly to keep them by itself.

    Args:
        ended: told when one has ended that nobody else is told of, as `start` tells it.
    """

    def __init__(self, ended: Callable[[BaseException | None], None] | None = None) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._ended = ended

    def start(
        self,
        work: Coroutine[Any, Any, T],
        name: str | None = None,
        ended: Callable[[BaseException | None], None] | None = None,
    ) -> asyncio.Task[T]:
        """Start a task.

        Args:
            work: what it does.
            name: for logs.
            ended: told when it has ended without being cancelled, with what went wrong, if anything.
        """
        told = ended or self._ended

        def over(task: asyncio.Task[T]) -> None:
            self._running.discard(task)
            if told is not None and not task.cancelled():
                told(task.exception())

        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(over)
        return task

    async def cancel(self) -> None:
        """Cancel all but the task that asks, and wait until they have ended."""
        others = self._running - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def wait(self) -> None:
        """Wait until all have ended, also those that start meanwhile."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)
