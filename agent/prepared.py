"""A reply that is begun before it is certain that the visitor has finished, and thrown away if not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from agent.events import Event

AHEAD = 12
"""Events that may wait: about three sentences with their sound."""


class Prepared:
    """A reply under way in a task of its own, its events kept until they are asked for.

    Args:
        text: the question that it answers.
        source: the reply; it must change nothing but time.
    """

    def __init__(self, text: str, source: AsyncGenerator[Event, None]) -> None:
        self.text = text
        self._source = source
        self._queue: asyncio.Queue[Event | BaseException | None] = asyncio.Queue(AHEAD)
        self._task = asyncio.create_task(self._pump())

    async def events(self) -> AsyncGenerator[Event, None]:
        """Its events, those that waited first; closing it ends the reply.

        Raises:
            whatever the reply raises.
        """
        try:
            while (item := await self._queue.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            await self.close()

    async def close(self) -> None:
        """Throw the reply away."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _pump(self) -> None:
        try:
            async for event in self._source:
                await self._queue.put(event)
        except Exception as error:
            await self._queue.put(error)
        else:
            await self._queue.put(None)
        finally:
            await self._source.aclose()
