"""The media clock of a session: forty milliseconds of picture and sound at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.frames import FPS
from agent.line import MOMENT_S
from agent.stage import LiveMoment

LATE_TICKS = 2
"""A clock that is late by more moments leaves out what it missed; by less, it catches up. What is left out
is time, never content: both tracks jump together, and the sentence goes on where it was."""

_log = logging.getLogger(__name__)


class Source(Protocol):
    """What has something for every moment: an `agent.stage.Stage`."""

    async def next(self, index: int, late_s: float) -> LiveMoment:
        """What leaves at a tick; the later its turn came, the less it may wait for anything."""


class Sink(Protocol):
    """What takes the moments: a peer, a recording."""

    def take(self, moment: LiveMoment) -> None:
        """Take a moment; must not block, and must not change its arrays."""


@dataclass(slots=True)
class ClockStatistics:
    """How well the clock kept time."""

    moments: int = 0
    """That were handed out."""
    late: int = 0
    """Of these, those that came a moment late or more."""
    skipped: int = 0
    """Indices left out."""
    worst_s: float = 0.0
    """Most that a moment was late when its turn came."""
    refused: int = 0
    """Moments that a sink raised an error at."""


class MediaClock:
    """Ticks every 40 ms of a monotonic clock; the n-th moment is due n × 40 ms after the start.

    Args:
        now: seconds of a clock that never goes back.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.statistics = ClockStatistics()
        self._now = now
        self._sleep = sleep

    async def run(self, stage: Source, sinks: Callable[[], Sequence[Sink]]) -> None:
        """Hand every moment to every sink, until cancelled.

        Args:
            stage: asked for one moment at a time.
            sinks: who takes the next moment; asked each time, so that they may come and go.
        """
        seen = self.statistics
        start_s, index = self._now(), 0
        while True:
            early_s = start_s + index / FPS - self._now()
            # even a clock that is late lets the others on the event loop have their turn
            await self._sleep(max(early_s, 0.0))
            late_s = self._now() - (start_s + index / FPS)
            seen.worst_s = max(seen.worst_s, late_s)
            if late_s > LATE_TICKS * MOMENT_S:
                missed = int(late_s * FPS)
                seen.skipped += missed
                index += missed
                late_s -= missed * MOMENT_S
            seen.late += late_s >= MOMENT_S
            moment = await stage.next(index, late_s)
            seen.moments += 1
            for sink in tuple(sinks()):
                self._hand(moment, sink)
            index += 1

    def _hand(self, moment: LiveMoment, sink: Sink) -> None:
        try:
            sink.take(moment)
        except Exception:  # one sink that fails must not take the others' sound away
            if not self.statistics.refused:
                _log.exception("a sink of the media clock failed; it is asked again at every moment")
            self.statistics.refused += 1
