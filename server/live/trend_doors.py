"""The paths of trends and alerts, for people with a key: how a desk's conversations go, without words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Annotated, Literal

from fastapi import FastAPI, Header, Query, Request
from pydantic import BaseModel, ConfigDict

from server.live.alerts import alerts_of
from server.live.errors import LiveError
from server.live.protocol import Id
from server.live.sentiment import Observation, Observer
from server.live.service import Service
from server.live.store import EventStore
from server.live.timespan import SPAN, span_s
from server.live.trends import MOST_POINTS, Trends, first_id, read_page, trends_of, usual_bucket_s

REST_S = 0.01
"""Between two queries: other readers of the store take their turn."""
Key = Annotated[str, Header(description='"Bearer " and a key of `visavis operator add`.')]
Span = Annotated[str, Query(pattern=f"^{SPAN}$", description="How far back: 90m, 24h, 7d, 4w.")]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class PointDocument(_Document):
    """One bucket of time."""

    at: float
    """Its beginning, seconds since 1970, UTC."""
    conversations: int
    """That touched the topic for the first time in it."""
    negative: int
    """That turned negative in it."""
    sentiment: float | None
    """Mean over its turns, -1 to 1; null where there was none."""


class SeriesDocument(_Document):
    """A topic over time, or the whole desk."""

    topic: str
    """A document that answers rest on, a tool, or "unanswered", "a person", "other"; empty: everything."""
    turns: int
    conversations: int
    negative: int
    sentiment: float | None
    points: list[PointDocument]
    """Without a gap, oldest first."""


class TrendsDocument(_Document):
    """What a desk's conversations were about, and how they felt."""

    desk: str
    since: float
    until: float
    bucket_s: float
    whole: SeriesDocument
    topics: list[SeriesDocument]
    """Those with the most negative conversations first."""


class AlertDocument(_Document):
    """Negative conversations on a topic began to surge, or are back to usual."""

    desk: str
    topic: str
    change: Literal["began", "over"]
    at: float
    """Seconds since 1970, UTC."""
    window_s: float
    """Length of the window in which it was seen."""
    count: int
    """Negative conversations in that window; 0 where it is over."""
    usual: float
    """How many there are as a rule at this hour."""
    z: float
    """Robust deviations above the usual."""


class AlertsDocument(_Document):
    """A desk's alerts."""

    desk: str
    on: list[str]
    """Topics that are on alert now."""
    alerts: list[AlertDocument]
    """The latest first."""


def add_trend_doors(app: FastAPI, clock: Callable[[], float] = time.time) -> None:
    """Add the paths to the application."""

    @app.get("/v1/desks/{desk}/trends", tags=["trends"])
    async def trends(
        request: Request,
        desk: Id,
        since: Span = "7d",
        bucket: Annotated[
            str | None,
            Query(pattern=f"^{SPAN}$", description="Length of a bucket; fits the span if left out."),
        ] = None,
        authorization: Key = "",
    ) -> TrendsDocument:
        """Show sentiment and topics of a desk over time: counts, without anybody's words."""
        store = await _entered(request, desk, authorization)
        until, span = clock(), span_s(since)
        bucket_s = span_s(bucket) if bucket else usual_bucket_s(span)
        if span / bucket_s > MOST_POINTS:
            raise LiveError(
                "too_fine", f"that would be {span / bucket_s:.0f} buckets", f"ask for at most {MOST_POINTS}"
            )
        found = await _trends(store, desk, until - span, until, bucket_s)
        return TrendsDocument.model_validate(asdict(found))

    @app.get("/v1/desks/{desk}/alerts", tags=["trends"])
    async def alerts(
        request: Request, desk: Id, since: Span = "30d", authorization: Key = ""
    ) -> AlertsDocument:
        """List when negative conversations on a topic surged.

        They come over the WebSocket `/v1/inbox/events` too, as `alert`.
        """
        store = await _entered(request, desk, authorization)
        found = await store.ask(partial(alerts_of, desk=desk))
        stands = {one.topic: one.change for one in reversed(found)}
        earliest = clock() - span_s(since)
        return AlertsDocument(
            desk=desk,
            on=sorted(topic for topic, change in stands.items() if change == "began"),
            alerts=[AlertDocument(**one.document()) for one in found if one.at >= earliest],
        )


async def _entered(request: Request, desk: str, authorization: str) -> EventStore:
    """Return the store, if whoever asks has a key and looks after the desk.

    Raises:
        LiveError: they may not look, there is no such desk, or nothing is kept.
    """
    service: Service = request.app.state.service
    headers = request.headers
    service.origins.check(headers.get("origin", ""), headers.get("host", ""), None)
    await service.rates.check("inbox", request.client.host if request.client else "unknown")
    operator = service.switchboard.operators.of(authorization)
    service.desk(desk)
    if not operator.serves(desk):
        raise LiveError(
            "not_yours", "this key does not look after this desk", "ask for a key that does", status=403
        )
    if service.store is None:
        raise LiveError(
            "no_store", "this server keeps no events", "run visavis serve with a --store", status=404
        )
    return service.store


async def _trends(store: EventStore, desk: str, since: float, until: float, bucket_s: float) -> Trends:
    """Read page by page, so that nobody waits for the whole."""
    observer, seen = Observer(), list[Observation]()
    after, more = await store.ask(partial(first_id, since=since)) - 1, True
    while more:
        page, more = await store.ask(partial(read_page, after_id=after))
        after = page[-1][0] if page else after
        for _, event in page:
            one = observer.take(event)
            if one is not None and one.desk == desk:
                seen.append(one)
        await asyncio.sleep(REST_S)
    return await asyncio.to_thread(trends_of, seen, desk, since, until, bucket_s)
