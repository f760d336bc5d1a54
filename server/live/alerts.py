"""Alerts of desks: what is kept of them in the event store, and how servers agree on them.

An alert's news are events of a session that nobody has, "alerts/DESK": they are kept, shared between servers
and deleted with everything else. Whoever finds first that one begins writes it down; the others see it there.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from server.live.ledger import Turning
from server.live.surge import BUCKET_S, Alarm, Change
from server.live.tables import SESSION_CHARS, events

KIND = "alert"
PLACE = "alerts/"
"""Goes before the desk's name; no session's name holds a slash."""
MOST = 1000
"""Alerts that are told at once."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Negative conversations on a topic surge, or do so no more."""

    desk: str
    topic: str
    change: Change
    at: float
    """Seconds since 1970, UTC."""
    window_s: float
    """Length of the window in which it was seen."""
    count: int
    """Negative conversations in that window when it began."""
    usual: float
    """How many there are as a rule."""
    z: float
    """Robust deviations above it."""
    bucket: int
    """Of the ledger."""

    @classmethod
    def of(cls, turning: Turning) -> Alert:
        """Return what is told of a turning."""
        alarm = turning.alarm
        reading = alarm.reading
        return cls(
            turning.desk,
            turning.topic,
            turning.change,
            (turning.bucket + 1) * BUCKET_S,
            alarm.window * BUCKET_S,
            reading.count if reading else 0,
            round(reading.usual, 2) if reading else 0.0,
            round(reading.z, 2) if reading and math.isfinite(reading.z) else 0.0,
            turning.bucket,
        )

    def document(self) -> dict[str, Any]:
        """Return it as JSON tells it."""
        document = asdict(self)
        del document["bucket"]
        return document


def place_of(desk: str) -> str:
    """Return the session under which a desk's alerts are kept."""
    return f"{PLACE}{desk}"[:SESSION_CHARS]


def alerts_of(connection: sa.Connection, desk: str, since: float = 0.0, limit: int = MOST) -> list[Alert]:
    """Return a desk's alerts, the latest first.

    Args:
        connection: reads.
        desk: whose.
        since: seconds since 1970, UTC.
        limit: how many at most.
    """
    query = (
        sa.select(events.c.data)
        .where(events.c.session_id == place_of(desk), events.c.kind == KIND, events.c.at >= since)
        .order_by(events.c.id.desc())
        .limit(limit)
    )
    return [Alert(**json.loads(data)) for data in connection.scalars(query)]


def alarms_of(connection: sa.Connection, desk: str) -> dict[str, Alarm]:
    """Return where each topic of a desk stands, by the last that is kept of it."""
    alarms: dict[str, Alarm] = {}
    for alert in reversed(alerts_of(connection, desk)):
        window = round(alert.window_s / BUCKET_S)
        before = alarms.get(alert.topic, Alarm())
        if alert.change == "began":
            alarms[alert.topic] = Alarm(True, window, alert.bucket, before.over)
        else:
            alarms[alert.topic] = Alarm(False, window, before.since, alert.bucket)
    return alarms


def tell(connection: sa.Connection, turnings: list[Turning]) -> list[Alert]:
    """Write down what no other server has written yet; returns that.

    Args:
        connection: in a transaction that is alone.
        turnings: what this server has found.
    """
    told: list[Alert] = []
    for turning in turnings:
        stands = alarms_of(connection, turning.desk).get(turning.topic, Alarm())
        if stands.on == turning.alarm.on or stands.over != turning.before.over:
            continue
        alert = Alert.of(turning)
        row = {"session_id": place_of(alert.desk), "at": alert.at, "kind": KIND, "turn": None}
        data = json.dumps(asdict(alert), ensure_ascii=False, separators=(",", ":"))
        connection.execute(events.insert().values(**row, data=data))
        told.append(alert)
    return told
