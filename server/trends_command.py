"""`visavis trends`: sentiment and topics of a desk over time, and its alerts."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.arguments import DeskArgument, JsonOption
from server.boundary import UsageError, boundary, print_json

if TYPE_CHECKING:
    from server.live.alerts import Alert
    from server.live.trends import Series, Trends

SHOWN = 20
"""Topics in the table; --json holds all."""
LINE = 40
"""Most characters of a sparkline."""
_BARS = "▁▂▃▄▅▆▇█"


def trends(
    desk: DeskArgument = "demo",
    since: Annotated[str, typer.Option(help="How far to look back: 90m, 24h, 7d, 4w.")] = "7d",
    bucket: Annotated[
        str, typer.Option(help="Length of a bucket, such as 1h; fits the span if left out.")
    ] = "",
    store: Annotated[
        str, typer.Option(help="SQLite file or URL; by default the one that `visavis serve` uses.")
    ] = "",
    plot: Annotated[Path | None, typer.Option(help="Write a plot to this SVG file.")] = None,
    json: JsonOption = False,
) -> None:
    """Show how a desk's conversations feel over time, what they are about, and where negative ones surge.

    Examples:

      visavis trends

      visavis trends mydesk --since 4w --plot trends.svg
    """
    from agent.desk import Desk
    from server.trend_plot import write_plot

    with boundary():
        if plot is not None and plot.suffix.lower() != ".svg":
            raise UsageError(f"--plot writes svg; name the file {plot.with_suffix('.svg')}")
        found, alerts = read(Desk.load(desk), since, bucket, store)
        if plot is not None:
            write_plot(plot, found, alerts)
    if json:
        document = asdict(found)
        document["alerts"] = [one.document() for one in alerts]
        document["on"] = sorted(_on(alerts))
        print_json(document | ({"plot": str(plot)} if plot else {}))
    else:
        _show(found, alerts, plot)


def read(desk: Any, since: str, bucket: str, store: str) -> tuple[Trends, list[Alert]]:
    """Read a desk's trends and alerts.

    Args:
        desk: whose.
        since: span of time.
        bucket: length of a bucket; empty: one that fits.
        store: SQLite file or URL; empty: the usual one.

    Raises:
        UsageError: a span cannot be read, or there is no such store.
    """
    from server.live.alerts import alerts_of
    from server.live.desks import named
    from server.live.errors import LiveError
    from server.live.timespan import span_s
    from server.live.trends import MOST_POINTS, read_trends, trends_of, usual_bucket_s
    from server.open_questions import events_in

    name = next(iter(named([desk])))
    until = time.time()
    try:
        span = span_s(since)
        bucket_s = span_s(bucket) if bucket else usual_bucket_s(span)
    except LiveError as error:
        raise UsageError(str(error)) from None
    if span / bucket_s > MOST_POINTS:
        raise UsageError(f"{since} in buckets of {bucket} are {span / bucket_s:.0f}; at most {MOST_POINTS}")
    begin = until - span
    database = events_in(store)
    if database is None:
        return trends_of((), name, begin, until, bucket_s), []
    try:
        found = database.read(lambda connection: read_trends(connection, name, begin, until, bucket_s))
        alerts = database.read(lambda connection: alerts_of(connection, name))
    except LiveError as error:
        raise UsageError(str(error)) from None
    finally:
        database.close()
    return found, [one for one in alerts if one.at >= begin]


def sparkline(values: list[float | None], low: float, high: float) -> str:
    """Draw values as a line of bars; a gap where there is none."""
    step = max(1, -(-len(values) // LINE))
    drawn = ""
    for first in range(0, len(values), step):
        there = [value for value in values[first : first + step] if value is not None]
        if not there:
            drawn += " "
            continue
        share = (sum(there) / len(there) - low) / (high - low) if high > low else 0.0
        drawn += _BARS[min(int(max(share, 0.0) * len(_BARS)), len(_BARS) - 1)]
    return drawn


def _show(found: Trends, alerts: list[Alert], plot: Path | None) -> None:
    from rich.table import Table

    from server.terminal import Terminal

    console, whole = Terminal(), found.whole
    if not whole.turns:
        console.print("No conversation in this time; visavis serve keeps them, --since looks farther back.")
        return
    console.print(
        f"{whole.conversations} conversations, {whole.negative} turned negative, mean sentiment "
        f"{whole.sentiment or 0.0:+.2f}; each bar is {_length(found, whole)}"
    )
    console.print(f"sentiment  {sparkline([one.sentiment for one in whole.points], -1.0, 1.0)}")
    console.print(f"negative   {_negatives(whole)}\n")
    on = _on(alerts)
    table = Table(box=None, pad_edge=False)
    for name in ("topic", "conversations", "negative", "sentiment", "negative over time"):
        table.add_column(
            name, justify="right" if name in ("conversations", "negative", "sentiment") else "left"
        )
    for one in found.topics[:SHOWN]:
        marked = f"{one.topic} (alert)" if one.topic in on else one.topic
        feels = "" if one.sentiment is None else f"{one.sentiment:+.2f}"
        table.add_row(marked, str(one.conversations), str(one.negative), feels, _negatives(one))
    console.print(table)
    for alert in reversed(alerts):
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(alert.at))
        if alert.change == "began":
            hours = f"{alert.window_s / 3600:g} h"
            said = (
                f"{alert.count} negative conversations on {alert.topic} in {hours}, usually {alert.usual:g}"
            )
        else:
            said = f"{alert.topic} is back to usual"
        console.print(f"{when}  {said}")
    if plot is not None:
        console.print(f"plot       {plot}")


def _negatives(one: Series) -> str:
    most = max((point.negative for point in one.points), default=0)
    return sparkline([float(point.negative) for point in one.points], 0.0, float(most or 1))


def _length(found: Trends, whole: Series) -> str:
    hours = found.bucket_s * max(1, -(-len(whole.points) // LINE)) / 3600
    return f"{hours / 24:g} d" if hours >= 24 else f"{hours:g} h"


def _on(alerts: list[Alert]) -> set[str]:
    stands = {one.topic: one.change for one in reversed(alerts)}
    return {topic for topic, change in stands.items() if change == "began"}
