"""Letting one stage of the chain run ahead of the next, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


_END = object()


async def ahead(source: AsyncIterator[T], *, depth: int) -> AsyncGenerator[T, None]:
    """Iterate `source` in a task of its own, at most `depth` items before the consumer.

    Closing this iterator cancels the task and closes `source`.
    """
    queue: asyncio.Queue[object] = asyncio.Queue(maxsize=depth)

    async def pump() -> None:
        try:
            async for item in source:
                await queue.put(item)
        except Exception as error:
            await queue.put(_Failed(error))
        else:
            await queue.put(_END)

    task = asyncio.create_task(pump())
    try:
        while (item := await queue.get()) is not _END:
            if isinstance(item, _Failed):
                raise item.error
            yield item  # type: ignore[misc]
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        if isinstance(source, AsyncGenerator):
            await source.aclose()
