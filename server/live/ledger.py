"""What a server counts of conversations as they come, and which topics' negative ones surge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from server.live.sentiment import Observation
from server.live.surge import BUCKET_S, DAY, HISTORY, USUAL, Alarm, Change, Counts, SurgeSettings, advance

TOPICS = 500
"""Topics of a desk that are followed; a desk has some hundred documents."""


def bucket_of(at: float) -> int:
    """Return the number of a time's bucket, since 1970."""
    return int(at // BUCKET_S)


@dataclass(frozen=True, slots=True)
class Turning:
    """An alarm of a topic that begins or is over."""

    desk: str
    topic: str
    change: Change
    bucket: int
    alarm: Alarm
    before: Alarm


@dataclass(slots=True)
class _Desk:
    since: int
    """Bucket of the first conversation that is known."""
    conversations: Counter[int] = field(default_factory=Counter)
    """Bucket → conversations that began in it."""
    negative: dict[str, Counter[int]] = field(default_factory=dict)
    """Topic → bucket → conversations that turned negative in it."""


class Ledger:
    """Counts observations in buckets, for as long as surges look back; used by one thread at a time.

    Args:
        settings: what counts as a surge.
    """

    def __init__(self, settings: SurgeSettings = USUAL) -> None:
        self._settings = settings
        self._desks: dict[str, _Desk] = {}
        self._judged = 0

    def take(self, one: Observation) -> None:
        """Count an observation."""
        bucket = bucket_of(one.at)
        desk = self._desks.setdefault(one.desk, _Desk(bucket))
        desk.conversations[bucket] += one.begins
        if one.sours and (one.topic in desk.negative or len(desk.negative) < TOPICS):
            desk.negative.setdefault(one.topic, Counter())[bucket] += 1

    def turnings(self, alarms: Mapping[tuple[str, str], Alarm], now: float) -> list[Turning]:
        """Return which alarms begin or are over by now.

        Args:
            alarms: desk and topic → as it stands; what is missing is off.
            now: seconds since 1970, UTC; the bucket that it lies in is not complete, and not looked at.
        """
        last = bucket_of(now) - 1
        if last <= self._judged:
            return []
        self._judged = last
        self._forget(last)
        found: list[Turning] = []
        for name, desk in self._desks.items():
            everything = self._counts(desk.conversations, desk, last)
            on = {topic for at, topic in alarms if at == name and alarms[at, topic].on}
            for topic in sorted({*desk.negative, *on}):
                counted = desk.negative.get(topic, Counter())
                alarm = alarms.get((name, topic), Alarm())
                if not alarm.on and not any(last - DAY < bucket <= last for bucket in counted):
                    continue
                negative = self._counts(counted, desk, last)
                others = np.maximum(everything - negative, 0)
                after, change = advance(alarm, negative, others, last, self._settings)
                if change is not None:
                    found.append(Turning(name, topic, change, last, after, alarm))
        return found

    def _counts(self, counted: Counter[int], desk: _Desk, last: int) -> Counts:
        first = max(desk.since, last + 1 - HISTORY)
        counts = np.zeros(max(last + 1 - first, 0), np.int64)
        for bucket, number in counted.items():
            if first <= bucket <= last:
                counts[bucket - first] = number
        return counts

    def _forget(self, last: int) -> None:
        oldest = last - HISTORY
        for desk in self._desks.values():
            for counted in (desk.conversations, *desk.negative.values()):
                for bucket in [one for one in counted if one < oldest]:
                    del counted[bucket]
            desk.negative = {topic: counted for topic, counted in desk.negative.items() if counted}
