"""Tasks that belong to something, are held as long as they run, and end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Tasks:
    """Tasks of one owner; used on the event loop, which holds tasks too weakly to keep them by itself."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(
        self,
        work: Coroutine[Any, Any, None],
        name: str,
        ended: Callable[[BaseException | None], None] | None = None,
    ) -> None:
        """Start a task.

        Args:
            work: what it does.
            name: for logs.
            ended: told when it has ended without being cancelled, with what went wrong, if anything.
        """

        def over(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            if ended is not None and not task.cancelled():
                ended(task.exception())

        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(over)

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
