import asyncio

from agent.tasks import Tasks


async def test_what_ends_is_told_with_what_went_wrong() -> None:
    told: list[BaseException | None] = []

    async def well() -> None:
        pass

    async def badly() -> None:
        raise RuntimeError("as it was told")

    tasks = Tasks()
    tasks.start(well(), "well", told.append)
    tasks.start(badly(), "badly", told.append)
    await tasks.wait()
    assert [type(one) for one in told] == [type(None), RuntimeError]


async def test_cancelling_ends_all_but_the_task_that_asks_and_tells_nobody() -> None:
    told: list[BaseException | None] = []
    tasks, over = Tasks(), asyncio.Event()

    async def hang() -> None:
        await asyncio.Event().wait()

    async def end() -> None:
        await tasks.cancel()
        over.set()

    tasks.start(hang(), "hang", told.append)
    tasks.start(hang(), "hang", told.append)
    tasks.start(end(), "end", told.append)
    await tasks.wait()
    assert over.is_set()
    assert told == [None]


async def test_waiting_also_waits_for_tasks_that_start_meanwhile() -> None:
    tasks, over = Tasks(), asyncio.Event()

    async def later() -> None:
        await asyncio.sleep(0)
        over.set()

    async def now() -> None:
        tasks.start(later(), "later")

    tasks.start(now(), "now")
    await tasks.wait()
    assert over.is_set()
