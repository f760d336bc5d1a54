"""Trends and alerts of desks, from an event store of made-up conversations."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from agent.conversation_events import TurnEnded, VisitorFelt
from agent.sentence import Emotion, Outcome
from server.live.alerting import Alerting, AlertMetrics
from server.live.alerts import Alert, alerts_of
from server.live.database import Database
from server.live.errors import LiveError
from server.live.records import SessionOpened
from server.live.sentiment import Event, Observer, topic_of
from server.live.store import EventStore
from server.live.surge import BUCKET_S, DAY, HOUR
from server.live.timespan import span_s
from server.live.trends import first_id, read_trends
from server.live.writer import WriterSettings
from server.trend_plot import plot_of
from server.trends_command import sparkline
from tests.server.live.histories import write

BEGIN = 1_800_000_000.0 - 1_800_000_000.0 % 86_400
DAYS = 5
NOW = BEGIN + DAYS * 86_400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with five days of one calm conversation an hour, and ten angry ones in the last hour."""
    file = tmp_path / "events.sqlite"
    database = Database.open(str(file), busy_s=1.0)
    calm = np.zeros(DAYS * DAY, np.int64)
    calm[::HOUR] = 1
    sour = np.zeros(DAYS * DAY, np.int64)
    sour[-10:] = 1
    write(database, "front", BEGIN, [("Returns", calm), ("", calm)], [("Delivery", sour)])
    write(database, "back", BEGIN, [("Delivery", calm)], [])
    database.close()
    return file


@pytest.fixture
async def store(path: Path) -> AsyncIterator[EventStore]:
    store = EventStore.open(str(path), settings=WriterSettings(batch_s=0.01), clock=lambda: NOW)
    yield store
    await store.close()


def test_a_desks_topics_are_counted_without_words(path: Path) -> None:
    database = Database.open(str(path), busy_s=1.0)
    found = database.read(lambda each: read_trends(each, "front", NOW - 2 * 86_400, NOW, 86_400.0))
    first = database.read(lambda each: first_id(each, NOW + 1))
    database.close()
    assert [(one.topic, one.conversations, one.negative) for one in found.topics] == [
        ("Delivery", 10, 10),
        ("Returns", 48, 0),
        ("unanswered", 48, 0),
    ]
    assert [point.negative for point in found.topics[0].points] == [0, 10]
    assert found.topics[0].sentiment == pytest.approx(-0.8)
    assert found.whole.conversations == 106
    assert "nobody may see" not in repr(found)
    assert first > 0


async def test_an_alert_is_told_once_by_whichever_server_finds_it(store: EventStore) -> None:
    told: list[Alert] = []
    registry = CollectorRegistry()
    servers = [
        Alerting(store, ["front", "back"], metrics, told.append, lambda: NOW + BUCKET_S)
        for metrics in (AlertMetrics(registry), AlertMetrics(CollectorRegistry()))
    ]
    for server in servers:
        await server.look()
        await server.look()
    (alert,) = told
    assert (alert.desk, alert.topic, alert.change, alert.count) == ("front", "Delivery", "began", 10)
    assert await store.ask(lambda each: alerts_of(each, "front")) == [alert]
    text = generate_latest(registry).decode()
    assert 'visavis_alerts_total{desk="front"} 1.0' in text
    assert 'visavis_alerts_on{desk="front"} 1.0' in text


async def test_servers_that_share_a_store_count_each_conversation_once(path: Path) -> None:
    now = NOW

    def clock() -> float:
        return now

    stores = [EventStore.open(str(path), settings=WriterSettings(batch_s=0.01), clock=clock) for _ in "ab"]
    registries = [CollectorRegistry(), CollectorRegistry()]
    followers = [
        Alerting(store, ["front"], AlertMetrics(registry), lambda _: None, clock)
        for store, registry in zip(stores, registries, strict=True)
    ]
    for number, held in enumerate((stores[0], stores[0], stores[1])):
        held.put(f"new-{number}", SessionOpened("front"))
        held.put(f"new-{number}", VisitorFelt(1, Emotion("anger", 1.0), Emotion("anger", 1.0), None, 1.0))
        held.put(f"new-{number}", TurnEnded(1, "", "", Outcome.ABSTAINED, False))
    for store in stores:
        await store.flush()
    now += BUCKET_S
    for follower in followers:
        await follower.look()
    names = ("visavis_negative_conversations_total", "visavis_sentiment_turns", "visavis_alerts_on")
    told = [
        [registry.get_sample_value(name, {"desk": "front", **more}) for registry in registries]
        for name, more in zip(names, ({"topic": "unanswered"}, {}, {}), strict=True)
    ]
    for store in stores:
        await store.close()
    assert told[:2] == [[2.0, 1.0], [2.0, 1.0]]
    assert set(told[2]) == {0.0, 1.0}  # the topic "Delivery", told by one of them


def test_a_rating_sours_the_conversation_on_its_topic_once() -> None:
    observer = Observer()
    turn = {"outcome": "answered", "citations": [{"source": "a.md", "title": "Returns"}]}
    first = observer.take(Event(1.0, "s", "front", "turn", 1, turn))
    assert first is not None
    assert (first.topic, first.begins, first.sours) == ("Returns", True, False)
    for sours in (True, False):
        rated = observer.take(Event(2.0, "s", "front", "rating", 1, {"value": -1}))
        assert rated is not None
        assert (rated.rated, rated.sours, rated.topic) == (True, sours, "Returns")
    assert observer.take(Event(2.0, "s", "front", "rating", 7, {"value": -1})) is None


@pytest.mark.parametrize(
    ("turn", "topic"),
    [
        ({"citations": [{"source": "a.md", "title": "Returns: how long?"}]}, "Returns"),
        ({"citations": [{"source": "a.md", "title": "退货：期限"}]}, "退货"),
        ({"citations": [{"source": "tool:x", "title": "Order"}, {"source": "a", "title": "B"}]}, "B"),
        ({"citations": [{"source": "tool:x", "title": "Order"}], "outcome": "answered"}, "Order"),
        ({"outcome": "abstained"}, "unanswered"),
        ({"outcome": "handoff", "citations": None}, "a person"),
        ({}, "other"),
    ],
)
def test_a_turn_is_about_what_its_answer_rests_on(turn: dict[str, object], topic: str) -> None:
    assert topic_of(turn) == topic


@pytest.mark.parametrize("text", ["", "7", "d7", "0d", "-1d", "999999w", "7 days"])
def test_a_span_that_is_none_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(LiveError, match="no span of time"):
        span_s(text)
    assert span_s("90m") == 5400.0


def test_a_plot_is_drawn_and_holds_no_markup_of_others(path: Path) -> None:
    database = Database.open(str(path), busy_s=1.0)
    write(database, "x", BEGIN, [], [("<script>", np.ones(2, np.int64))])
    found = database.read(lambda each: read_trends(each, "x", BEGIN, BEGIN + 3600, 300.0))
    database.close()
    alert = Alert("x", "<script>", "began", BEGIN + 600, 600.0, 2, 0.0, 2.0, 2)
    drawn = plot_of(found, [alert])
    assert drawn.startswith("<svg")
    assert "<script>" not in drawn
    assert "fee2e2" in drawn
    assert json.dumps(alert.document())


def test_a_sparkline_shows_gaps_and_heights() -> None:
    assert sparkline([0.0, None, 1.0], 0.0, 1.0) == "▁ █"
