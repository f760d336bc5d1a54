"""Looks for surges while a server runs: follows the event store, tells operators, counts for /metrics.

Servers that share a store all follow it, for any of them may be the last. On /metrics each counts the
sessions that it held itself, and one alone says how many alerts are on, so that sums over servers are right.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from functools import partial

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Gauge

from server.live.alerts import Alert, alarms_of, tell
from server.live.errors import LiveError
from server.live.heartbeat import first_server
from server.live.ledger import Ledger
from server.live.sentiment import Event, Observation, Observer
from server.live.store import EventStore
from server.live.surge import BUCKET_S, HISTORY, Alarm
from server.live.trends import first_id, read_page

log = logging.getLogger("visavis.live")

EVERY_S = 30.0
"""Between two looks."""
SETTLED_S = 10.0
"""Age from which an event is looked at: servers that share a database may write theirs out of order."""
REST_S = 0.02
"""Between two queries: visitors go first."""
NAMED_TOPICS = 20
"""Topics of a desk that have a series of their own on /metrics; the rest is "other"."""
RECENT_S = 3600.0
"""Time over which the gauge of sentiment is a mean."""


class AlertMetrics:
    """The figures of /metrics: of the sessions of this server.

    Args:
        registry: of the server.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._named: dict[str, set[str]] = {}
        self._recent: dict[str, list[tuple[float, float]]] = {}
        self._sentiment = Gauge(
            "visavis_sentiment", "Visitors' sentiment in the last hour, -1 to 1", ["desk"], registry=registry
        )
        self._turns = Gauge(
            "visavis_sentiment_turns",
            "Turns of the last hour that visavis_sentiment is the mean of",
            ["desk"],
            registry=registry,
        )
        self._negative = Counter(
            "visavis_negative_conversations",
            "Conversations that turned negative, by topic",
            ["desk", "topic"],
            registry=registry,
        )
        self._alerts = Counter("visavis_alerts", "Alerts that began", ["desk"], registry=registry)
        self._on = Gauge(
            "visavis_alerts_on",
            "Topics that are on alert now; told by one of the servers that share a store",
            ["desk"],
            registry=registry,
        )

    def observed(self, one: Observation) -> None:
        """Count a turn."""
        self._recent.setdefault(one.desk, []).append((one.at, one.sentiment))
        if one.sours:
            named = self._named.setdefault(one.desk, set())
            if len(named) < NAMED_TOPICS:
                named.add(one.topic)
            self._negative.labels(one.desk, one.topic if one.topic in named else "other").inc()

    def began(self, alert: Alert) -> None:
        """Count an alert."""
        self._alerts.labels(alert.desk).inc()

    def stand(self, desk: str, on: int, now: float) -> None:
        """Set what is so now."""
        recent = [pair for pair in self._recent.get(desk, []) if pair[0] > now - RECENT_S]
        self._recent[desk] = recent
        self._on.labels(desk).set(on)
        self._turns.labels(desk).set(len(recent))
        self._sentiment.labels(desk).set(sum(felt for _, felt in recent) / len(recent) if recent else 0.0)


async def alerts_told(
    store: EventStore | None,
    desks: Collection[str],
    metrics: AlertMetrics,
    tell_operators: Callable[[str, dict[str, object]], None],
) -> None:
    """Look for surges until cancelled, and tell who looks after the desk; nothing where nothing is kept.

    Args:
        store: where conversations are kept.
        desks: names of those that this server has.
        metrics: what it counts.
        tell_operators: given a desk and a message.
    """
    if store is not None:
        await Alerting(
            store,
            desks,
            metrics,
            lambda alert: tell_operators(alert.desk, {"type": "alert", "alert": alert.document()}),
        ).run()


class Alerting:
    """Follows the store.

    Args:
        store: where conversations are kept.
        desks: names of those that this server has.
        metrics: what it counts.
        on_alert: told of each alert that this server is the first to find; called on the event loop.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        store: EventStore,
        desks: Collection[str],
        metrics: AlertMetrics,
        on_alert: Callable[[Alert], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._desks, self._metrics = store, desks, metrics
        self._on_alert, self._clock = on_alert, clock
        self._observer, self._ledger = Observer(), Ledger()
        self._read_to: int | None = None
        self._began_at = clock()

    async def run(self) -> None:
        """Look every so often, until cancelled; whatever goes wrong is told, and tried again."""
        while True:
            try:
                await self.look()
            except LiveError as error:
                log.warning("surges cannot be looked for: %s", error)
            except Exception:
                log.exception("surges cannot be looked for")
            await asyncio.sleep(EVERY_S)

    async def look(self) -> list[Alert]:
        """Take what was written since the last look; returns the alerts that were found."""
        now = self._clock()
        await self._follow(now)
        alarms = await self._store.ask(self._stand)
        found = await asyncio.to_thread(self._ledger.turnings, alarms, now)
        wanted = [one for one in found if one.desk in self._desks]
        told = await self._store.change(lambda connection: tell(connection, wanted)) if wanted else []
        for alert in told:
            self._announce(alert)
        standing = await self._store.ask(self._stand) if told else alarms
        speaks = await self._store.ask(first_server) == self._store.server
        for desk in self._desks:
            on = sum(alarm.on for (name, _), alarm in standing.items() if name == desk) if speaks else 0
            self._metrics.stand(desk, on, now)
        return told

    async def _follow(self, now: float) -> None:
        if self._read_to is None:
            oldest = now - HISTORY * BUCKET_S
            self._read_to = await self._store.ask(lambda connection: first_id(connection, oldest) - 1)
        while True:
            page, more = await self._store.ask(partial(read_page, after_id=self._read_to))
            for number, event in page:
                if event.at > now - SETTLED_S:
                    return
                self._take(event)
                self._read_to = number
            if not more:
                return
            await asyncio.sleep(REST_S)

    def _take(self, event: Event) -> None:
        one = self._observer.take(event)
        if one is not None:
            self._ledger.take(one)
            own = event.server == self._store.server
            if own and one.at >= self._began_at and one.desk in self._desks:
                self._metrics.observed(one)

    def _stand(self, connection: sa.Connection) -> dict[tuple[str, str], Alarm]:
        return {
            (desk, topic): alarm
            for desk in self._desks
            for topic, alarm in alarms_of(connection, desk).items()
        }

    def _announce(self, alert: Alert) -> None:
        if alert.change == "began":
            self._metrics.began(alert)
            log.warning(
                "%s: negative conversations on %r surge: %d in %g h, usually %g",
                alert.desk, alert.topic, alert.count, alert.window_s / 3600, alert.usual,
            )  # fmt: skip
        else:
            log.info("%s: negative conversations on %r are back to usual", alert.desk, alert.topic)
        self._on_alert(alert)
