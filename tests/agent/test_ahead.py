import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from agent.ahead import ahead


async def count(limit: int, seen: list[int], ended: list[bool]) -> AsyncGenerator[int, None]:
    try:
        for number in range(limit):
            seen.append(number)
            yield number
    finally:
        ended.append(True)


async def test_runs_ahead_but_never_further_than_its_depth() -> None:
    seen: list[int] = []
    async with aclosing(ahead(count(100, seen, []), depth=3)) as items:
        assert await anext(items) == 0
        await asyncio.sleep(0.01)
        # one handed out, three queued, one waiting to be queued
        assert len(seen) == 5


async def test_hands_everything_on_in_order() -> None:
    assert [item async for item in ahead(count(7, [], []), depth=2)] == list(range(7))


async def test_closing_closes_the_source() -> None:
    ended: list[bool] = []
    async with aclosing(ahead(count(100, [], ended), depth=2)) as items:
        await anext(items)
    assert ended == [True]


async def test_an_error_comes_after_the_items_before_it() -> None:
    async def breaks() -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("broken")

    items = ahead(breaks(), depth=4)
    assert await anext(items) == 1
    with pytest.raises(ValueError, match="broken"):
        await anext(items)
