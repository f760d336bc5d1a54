"""Sentiment and topics of a desk over time, from the event store: counts in buckets, no words."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from server.live.sentiment import KINDS, Event, Observation, Observer
from server.live.tables import events, sessions

AT_ONCE = 1000
"""Events of one query: some milliseconds."""
MOST_POINTS = 2000
"""Buckets of one report."""
BUCKETS_S = (300.0, 900.0, 3600.0, 4 * 3600.0, 86_400.0, 7 * 86_400.0)
"""Usual lengths of a bucket."""
POINTS = 60
"""As many as a plot shows well."""


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket."""

    at: float
    """Its beginning, seconds since 1970, UTC."""
    conversations: int
    """That touched the topic for the first time in it."""
    negative: int
    """That turned negative in it."""
    sentiment: float | None
    """Mean over its turns, -1 to 1; None where there was none."""


@dataclass(frozen=True, slots=True)
class Series:
    """A topic over time, or a whole desk."""

    topic: str
    turns: int
    conversations: int
    negative: int
    sentiment: float | None
    points: tuple[Point, ...]
    """Without a gap, oldest first."""


@dataclass(frozen=True, slots=True)
class Trends:
    """What a desk's conversations were about, and how they felt."""

    desk: str
    since: float
    until: float
    bucket_s: float
    whole: Series
    topics: tuple[Series, ...]
    """Those with the most negative conversations first, then the most talked about."""


@dataclass(slots=True)
class _Tally:
    turns: int = 0
    conversations: int = 0
    negative: int = 0
    felt: float = 0.0

    def add(self, one: Observation, *, opens: bool, sours: bool) -> None:
        self.conversations += opens
        self.negative += sours
        if not one.rated:
            self.turns += 1
            self.felt += one.sentiment

    @property
    def sentiment(self) -> float | None:
        return round(self.felt / self.turns, 4) if self.turns else None


@dataclass(slots=True)
class _Line:
    whole: _Tally = field(default_factory=_Tally)
    buckets: dict[int, _Tally] = field(default_factory=dict)

    def add(self, bucket: int, one: Observation, *, opens: bool, sours: bool) -> None:
        for tally in (self.whole, self.buckets.setdefault(bucket, _Tally())):
            tally.add(one, opens=opens, sours=sours)

    def series(self, topic: str, since: float, bucket_s: float, count: int) -> Series:
        none = _Tally()
        tallies = [self.buckets.get(number, none) for number in range(count)]
        points = tuple(
            Point(since + number * bucket_s, one.conversations, one.negative, one.sentiment)
            for number, one in enumerate(tallies)
        )
        whole = self.whole
        return Series(topic, whole.turns, whole.conversations, whole.negative, whole.sentiment, points)


def trends_of(
    observed: Iterable[Observation], desk: str, since: float, until: float, bucket_s: float
) -> Trends:
    """Count observations in buckets.

    Args:
        observed: of any desks, in time order.
        desk: whose are counted.
        since: seconds since 1970, UTC; the first bucket's beginning.
        until: the same; nothing later is counted.
        bucket_s: length of a bucket, seconds.
    """
    count = max(1, math.ceil((until - since) / bucket_s))
    whole, topics = _Line(), dict[str, _Line]()
    soured = set[str]()
    for one in observed:
        if one.desk != desk or not since <= one.at < until:
            continue
        bucket = int((one.at - since) / bucket_s)
        topics.setdefault(one.topic, _Line()).add(bucket, one, opens=one.opens, sours=one.sours)
        whole.add(bucket, one, opens=one.begins, sours=one.sours and one.session not in soured)
        if one.sours:
            soured.add(one.session)
    found = [line.series(topic, since, bucket_s, count) for topic, line in topics.items()]
    found.sort(key=lambda one: (-one.negative, -one.conversations, one.topic))
    return Trends(desk, since, until, bucket_s, whole.series("", since, bucket_s, count), tuple(found))


def read_trends(connection: sa.Connection, desk: str, since: float, until: float, bucket_s: float) -> Trends:
    """Read a desk's trends from the event store; see `trends_of`."""
    return trends_of(_observed(connection, since), desk, since, until, bucket_s)


def _observed(connection: sa.Connection, since: float) -> Iterator[Observation]:
    observer, after, more = Observer(), first_id(connection, since) - 1, True
    while more:
        page, more = read_page(connection, after)
        after = page[-1][0] if page else after
        for _, event in page:
            one = observer.take(event)
            if one is not None:
                yield one


def read_page(connection: sa.Connection, after_id: int) -> tuple[list[tuple[int, Event]], bool]:
    """Return some of what an `Observer` looks at, with its numbers, and whether there may be more.

    Args:
        connection: reads.
        after_id: number of the last event that is known.
    """
    columns = (events.c.id, events.c.at, events.c.session_id, events.c.kind, events.c.turn, events.c.data)
    query = (
        sa.select(*columns, sessions.c.desk, sessions.c.server)
        .join(sessions, sessions.c.id == events.c.session_id)
        .where(events.c.id > after_id, events.c.kind.in_(KINDS))
        .order_by(events.c.id)
        .limit(AT_ONCE)
    )
    page: list[tuple[int, Event]] = []
    for row in connection.execute(query):
        data = json.loads(row.data)
        found = data if isinstance(data, dict) else {}
        event = Event(row.at, row.session_id, row.desk, row.kind, row.turn, found, row.server)
        page.append((row.id, event))
    return page, len(page) == AT_ONCE


def first_id(connection: sa.Connection, since: float) -> int:
    """Return the number of the first event of a time; numbers grow with it, so that no index is needed."""
    lowest, highest = connection.execute(sa.select(sa.func.min(events.c.id), sa.func.max(events.c.id))).one()
    low, high = lowest or 1, (highest or 0) + 1
    while low < high:
        middle = (low + high) // 2
        query = (
            sa.select(events.c.id, events.c.at).where(events.c.id >= middle).order_by(events.c.id).limit(1)
        )
        found = connection.execute(query).first()
        if found is None or found.at >= since:
            high = middle
        else:
            low = found.id + 1
    return low


def usual_bucket_s(span_s: float) -> float:
    """Return a length of buckets that shows a span well."""
    return next((one for one in BUCKETS_S if span_s / one <= POINTS), BUCKETS_S[-1])
