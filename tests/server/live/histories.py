"""Histories of made-up conversations, written into an event store: for tests, and to look at trends with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from server.live.database import Database
from server.live.surge import BUCKET_S, DAY, HOUR
from server.live.tables import events, sessions

DAY_S = 86_400.0


@dataclass(frozen=True)
class Surge:
    """So many times as many negative conversations, from an hour of the history on."""

    at_h: float
    length_h: float
    times: float


def rhythm(buckets: int) -> np.ndarray:
    """How busy each bucket is, 1 on average: visitors come by day, and fewer at weekends."""
    at = np.arange(buckets)
    busy = np.exp(-((((at / HOUR) % 24 - 13) / 4.0) ** 2)) * 2.2 + 0.05
    busy *= np.where((at // DAY) % 7 >= 5, 0.35, 1.25)
    return np.asarray(busy / busy.mean())


def counts(
    days: float, a_day: float, rng: np.random.Generator, surges: Iterable[Surge] = (), *, flat: bool = False
) -> np.ndarray:
    """Draw Poisson's counts for each bucket of some days."""
    buckets = round(days * DAY)
    rate = np.full(buckets, a_day / DAY) * (1.0 if flat else rhythm(buckets))
    for surge in surges:
        first = round(surge.at_h * HOUR)
        rate[first : first + round(surge.length_h * HOUR)] *= surge.times
    return np.asarray(rng.poisson(rate), np.int64)


def write(
    database: Database,
    desk: str,
    begin: float,
    calm: Iterable[tuple[str, np.ndarray]],
    sour: Iterable[tuple[str, np.ndarray]],
) -> None:
    """Write one-turn conversations, bucket by bucket.

    Args:
        database: of the events.
        desk: as the server names it.
        begin: time of the first bucket, seconds since 1970.
        calm: topic and how many conversations on it are calm in each bucket.
        sour: topic and how many are angry.
    """
    told = [(b, t, "neutral") for t, n in calm for b in np.repeat(np.arange(len(n)), n)]
    told += [(b, t, "anger") for t, n in sour for b in np.repeat(np.arange(len(n)), n)]
    told.sort(key=lambda one: one[0])
    there, happened = [], []
    for number, (bucket, topic, label) in enumerate(told):
        at, name = begin + float(bucket) * BUCKET_S + number % 200, f"{desk}-{begin:.0f}-{number}"
        there.append({"id": name, "desk": desk, "opened_at": at, "closed_at": at + 60})
        cited = [{"source": "en/a.md", "title": f"{topic}: how it works"}] if topic else []
        outcome = "answered" if topic else "abstained"
        for kind, data in (
            ("felt", {"label": label, "intensity": 0.8, "scores": {}}),
            ("turn", {"outcome": outcome, "citations": cited, "question": "words that nobody may see"}),
        ):
            row = {"session_id": name, "at": at, "kind": kind, "turn": 1, "data": json.dumps(data)}
            happened.append(row)

    def insert(connection: sa.Connection) -> None:
        if there:
            connection.execute(sessions.insert(), there)
            connection.execute(events.insert(), happened)

    database.write(insert)
