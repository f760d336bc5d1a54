import asyncio
import random
from dataclasses import dataclass, field

import numpy as np
import pytest

from agent.clock import MediaClock, Sink
from agent.stage import LiveMoment


@dataclass
class World:
    """Time that passes only where somebody waits, or is held up."""

    now_s: float = 5_000.0
    stops_s: float = 5_060.0
    oversleep: random.Random | None = None

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now_s += seconds
        if self.oversleep is not None:
            self.now_s += self.oversleep.choice([0, 0, 0, 0.0004, 0.003])
        if self.now_s >= self.stops_s:
            raise asyncio.CancelledError
        await asyncio.sleep(0)


@dataclass
class Player:
    """Something for every moment, which sometimes takes long."""

    world: World
    stalls: list[float] = field(default_factory=list)
    begun: list[tuple[int, float]] = field(default_factory=list)

    async def next(self, index: int, late_s: float) -> LiveMoment:
        self.begun.append((index, self.world.now_s))
        self.world.now_s += self.stalls.pop() if self.stalls else 0.0
        # what is played counts up by one, whatever the index does
        pcm = np.full(1920, len(self.begun) % 30_000, np.int16)
        return LiveMoment(index, None, pcm, "", True)


@dataclass
class Recorder:
    moments: list[LiveMoment] = field(default_factory=list)

    def take(self, moment: LiveMoment) -> None:
        self.moments.append(moment)


async def play(world: World, player: Player, *sinks: Sink) -> MediaClock:
    clock = MediaClock(now=lambda: world.now_s, sleep=world.sleep)
    with pytest.raises(asyncio.CancelledError):
        await clock.run(player, lambda: sinks)
    return clock


async def test_a_moment_leaves_every_forty_milliseconds() -> None:
    world, recorder = World(), Recorder()
    clock = await play(world, Player(world), recorder)
    assert [moment.index for moment in recorder.moments] == list(range(1500))
    assert (clock.statistics.moments, clock.statistics.late, clock.statistics.skipped) == (1500, 0, 0)


async def test_ten_minutes_with_stalls_end_without_drift() -> None:
    random_ = random.Random(7)
    world = World(stops_s=5_600.0, oversleep=random_)
    stalls = [random_.choice([0.0] * 40 + [0.03, 0.05, 0.09, 0.2, 1.3]) for _ in range(15_000)]
    player, recorder = Player(world, stalls), Recorder()
    clock = await play(world, player, recorder)
    seen = clock.statistics
    assert seen.skipped > 100
    assert seen.late > 100
    indices = [moment.index for moment in recorder.moments]
    assert all(a < b for a, b in zip(indices, indices[1:], strict=False))
    for index, now_s in player.begun:
        lag_s = now_s - 5_000 - index / 25
        # never early, never further behind than what is caught up
        assert -1e-6 <= lag_s <= 0.08 + 1e-6
    # every index was either played or left out: nothing went missing, nothing came twice
    assert indices[-1] + 1 == seen.moments + seen.skipped
    assert 600 - (indices[-1] + 1) / 25 <= 1.4
    assert [int(moment.pcm[0]) for moment in recorder.moments[:20_000]] == list(range(1, len(indices) + 1))


async def test_a_short_stall_is_caught_up() -> None:
    world = World(stops_s=5_002.0)
    player = Player(world, [0.0] * 5 + [0.07] + [0.0] * 5)
    clock = await play(world, player, recorder := Recorder())
    assert [moment.index for moment in recorder.moments] == list(range(50))
    assert clock.statistics.skipped == 0


async def test_a_long_stall_leaves_indices_out_at_once() -> None:
    world = World(stops_s=5_002.0)
    player = Player(world, [0.0] * 5 + [0.5] + [0.0] * 5)
    clock = await play(world, player, recorder := Recorder())
    indices = [moment.index for moment in recorder.moments]
    assert clock.statistics.skipped == 11
    assert [b - a for a, b in zip(indices, indices[1:], strict=False) if b - a > 1] == [12]


async def test_a_sink_that_fails_leaves_the_others_alone(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def take(self, moment: LiveMoment) -> None:
            raise OSError("the disk is full")

    world, recorder = World(stops_s=5_001.0), Recorder()
    clock = await play(world, Player(world), Broken(), recorder)
    assert len(recorder.moments) == 25
    assert clock.statistics.refused == 25
    assert len(caplog.records) == 1


async def test_sinks_come_and_go() -> None:
    world = World(stops_s=5_001.0)
    early, late = Recorder(), Recorder()
    clock = MediaClock(now=lambda: world.now_s, sleep=world.sleep)
    with pytest.raises(asyncio.CancelledError):
        await clock.run(Player(world), lambda: [early] if world.now_s < 5_000.39 else [late])
    assert [moment.index for moment in early.moments] == list(range(10))
    assert [moment.index for moment in late.moments] == list(range(10, 25))


async def test_a_clock_leaves_the_event_loop_its_turn() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    world = World(stops_s=5_002.0)
    task = asyncio.create_task(other())
    await play(world, Player(world, [0.06] * 40))
    task.cancel()
    assert turns >= 20


async def test_real_time_is_kept() -> None:
    class Still:
        async def next(self, index: int, late_s: float) -> LiveMoment:
            return LiveMoment(index, None, np.zeros(1920, np.int16), "", False)

    recorder = Recorder()
    clock = MediaClock()
    task = asyncio.create_task(clock.run(Still(), lambda: [recorder]))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorder.moments
    assert recorder.moments[-1].index + 1 == clock.statistics.moments + clock.statistics.skipped
