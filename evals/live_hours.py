"""What hours of talk in given time leave behind."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any

import psutil

from agent.clock import MediaClock
from agent.events import Spoken
from agent.frames import LEAD_S, PAUSE_S, whole_frames
from agent.line import MOMENT_S
from agent.painter import Easels, ThreadPainter
from agent.sentence import Sentence
from agent.stage import LiveMoment, ReplyOver, Stage, StageEvent
from avatar import Renderer

WARM = 0.1
"""Share of the simulated hours after which memory is first looked at: by then caches are full."""
STALL_S = 0.5
"""A stall of the simulated machine, now and then."""


@dataclass(frozen=True, slots=True)
class Hours:
    """What hours of talk in given time left behind."""

    hours: float
    seconds: float
    """That it took."""
    moments: int
    replies: int
    interrupted: int
    skipped: int
    """Indices that the clock left out, after stalls."""
    drift_ms: float
    """Between the clock's last index and the given time."""
    rss_mb: tuple[float, float]
    objects: tuple[int, int]

    @property
    def growth(self) -> float:
        """Of the memory, as a share."""
        return self.rss_mb[1] / self.rss_mb[0] - 1.0


class _Given:
    """A clock that jumps to wherever somebody sleeps to; it stalls now and then."""

    def __init__(self, stalls: random.Random) -> None:
        self.now_s = 0.0
        self._stalls = stalls

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds + (STALL_S if self._stalls.random() < 1e-4 else 0.0)
        await asyncio.sleep(0)


async def talked(
    renderer: Renderer,
    sentences: list[Spoken],
    hours: float,
    *,
    seed: int = 0,
    told: Callable[[str], None] = lambda _: None,
) -> Hours:
    """Let a stage talk for hours of given time: replies, pauses, interruptions, silence.

    Args:
        renderer: draws every frame.
        sentences: what is said, again and again.
        hours: of the given time.
        seed: of what happens when.
        told: called with how far it is.
    """
    chance = random.Random(seed)
    given = _Given(random.Random(seed + 1))
    replies, interrupted = count(), count()
    started_s = time.monotonic()
    process = psutil.Process()
    watch: dict[str, Any] = {"last": 0, "moments": 0, "warm": None, "next": 2.0}
    goal_s = hours * 3600.0
    over = asyncio.Event()

    def happened(event: StageEvent) -> None:
        if isinstance(event, ReplyOver):
            next(interrupted if event.interrupted else replies)

    class Visitor:
        def take(self, moment: LiveMoment) -> None:
            watch["last"] = moment.index
            watch["moments"] += 1
            if given.now_s >= watch["next"]:
                watch["next"] = given.now_s + chance.uniform(0.3, 6.0)
                _act(stage, sentences, chance)
            if watch["warm"] is None and given.now_s > WARM * goal_s:
                watch["warm"] = _held(process)
            if watch["moments"] % 15_000 == 0:
                told(f"{given.now_s / 3600:.2f} of {hours:g} hours, {time.monotonic() - started_s:.0f} s")
            if given.now_s >= goal_s:
                over.set()

    with ThreadPoolExecutor(1, thread_name_prefix="draw") as pool:
        stage = Stage(ThreadPainter(Easels(renderer), pool), seed=seed, on_event=happened)
        clock = MediaClock(now=given.now, sleep=given.sleep)
        visitor = Visitor()
        running = asyncio.create_task(clock.run(stage, lambda: (visitor,)))
        await over.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        stage.close()
    held = _held(process)
    warm = watch["warm"] or held
    return Hours(
        hours,
        time.monotonic() - started_s,
        watch["moments"],
        next(replies),
        next(interrupted),
        clock.statistics.skipped,
        1e3 * (given.now_s - watch["last"] * MOMENT_S),
        (warm[0], held[0]),
        (warm[1], held[1]),
    )


def _act(stage: Stage, sentences: list[Spoken], chance: random.Random) -> None:
    """Do one of the things that happen in a conversation."""
    what = chance.random()
    if not stage.replying:
        stage.look(chance.choice(("idle", "listening", "thinking")))
        if what < 0.8:
            for _ in range(chance.randint(1, 3)):
                stage.say(chance.choice(sentences))
            stage.finish()
    elif what < 0.15:
        stage.cancel()
    elif what < 0.3:
        stage.pause()
    else:
        stage.resume()


def _held(process: psutil.Process) -> tuple[float, int]:
    gc.collect()
    return process.memory_info().rss / 2**20, len(gc.get_objects())


def spoken_sentences(texts: list[str]) -> list[Spoken]:
    """Say texts with the built-in voice."""
    from speech.synthesizer import load_synthesizer

    voice = load_synthesizer(languages=("en",))
    try:
        return [
            Spoken(
                Sentence(text, "en"),
                whole_frames(voice.speak(text, language="en"), pause_s=PAUSE_S),
                LEAD_S,
                0.0,
            )
            for text in texts
        ]
    finally:
        voice.close()
