import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from evals.replay.virtual_time import FROZEN_S, virtual_loop


def test_waiting_costs_nothing_and_keeps_its_order() -> None:
    told = list[tuple[str, float]]()

    async def say(name: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        told.append((name, asyncio.get_running_loop().time()))

    async def both() -> None:
        await asyncio.gather(say("late", 3600.0), say("soon", 1.5))

    began_s = time.perf_counter()
    with virtual_loop() as loop:
        loop.run_until_complete(both())
    assert told == [("soon", pytest.approx(1.5)), ("late", pytest.approx(3600.0))]
    assert time.perf_counter() - began_s < 60.0


def test_time_stands_still_while_a_thread_computes() -> None:
    async def compute() -> tuple[float, str]:
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(time.sleep, 0.2)
        ended_s = loop.time()
        try:
            async with asyncio.timeout(0.1):  # of virtual time, in which the thread has no part
                await asyncio.to_thread(time.sleep, 0.2)
        except TimeoutError:
            return ended_s, "too late"
        return ended_s, "in time"

    with virtual_loop() as loop:
        assert loop.run_until_complete(compute()) == (0.0, "in time")
        assert loop.lived() >= 0.4


def test_what_hangs_in_a_thread_runs_into_its_limit() -> None:
    async def hang() -> str:
        try:
            async with asyncio.timeout(0.3):
                await asyncio.to_thread(time.sleep, FROZEN_S + 0.8)
        except TimeoutError:
            return "too late"
        return "in time"

    with virtual_loop() as loop:
        assert loop.run_until_complete(hang()) == "too late"


def test_computing_in_time_that_is_waited_anyway_is_not_counted_twice() -> None:
    async def wait_and_compute() -> None:
        computing = asyncio.ensure_future(asyncio.to_thread(time.sleep, 0.1))
        await asyncio.sleep(1.0)
        await computing

    with virtual_loop() as loop:
        loop.run_until_complete(wait_and_compute())
        assert loop.time() == pytest.approx(1.0)
        assert 1.0 <= loop.lived() < 1.1 + 0.5  # not much more than was waited


def test_work_may_be_done_at_once_in_order() -> None:
    with ThreadPoolExecutor(1) as pool, virtual_loop(lambda executor: executor is None) as loop:
        done = list[str]()

        async def work() -> None:
            first = loop.run_in_executor(pool, time.sleep, 0.05)
            first.add_done_callback(lambda _: done.append("pool"))
            await asyncio.to_thread(done.append, "at once")
            await first

        loop.run_until_complete(work())
    assert done == ["at once", "pool"]


def test_an_error_at_once_reaches_who_asked() -> None:
    def fail() -> None:
        raise ValueError("no")

    with virtual_loop(lambda executor: True) as loop, pytest.raises(ValueError, match="no"):
        loop.run_until_complete(asyncio.to_thread(fail))


def test_time_is_real_while_something_outside_is_waited_for() -> None:
    async def outside() -> float:
        loop = asyncio.get_running_loop()
        with loop.real():  # type: ignore[attr-defined]
            began_s = time.perf_counter()
            await asyncio.sleep(0.2)
            return time.perf_counter() - began_s

    with virtual_loop() as loop:
        assert loop.run_until_complete(outside()) >= 0.19
