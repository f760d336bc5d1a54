"""A plot of trends as SVG: sentiment above, negative conversations below, alerts as bands."""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.live.alerts import Alert
    from server.live.trends import Trends

WIDTH, HEIGHT, LEFT, TOP = 900, 430, 60, 40
HALF = 150
"""Height of each of the two plots, in pixels."""
TOPICS = 5
"""Topics that are drawn by themselves; more cannot be told apart."""
COLOURS = ("#0b5cad", "#c2410c", "#15803d", "#7e22ce", "#a16207")


def write_plot(file: Path, found: Trends, alerts: Sequence[Alert]) -> None:
    """Write the plot.

    Args:
        file: where.
        found: what is drawn.
        alerts: the latest first.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(plot_of(found, alerts), encoding="utf-8")


def plot_of(found: Trends, alerts: Sequence[Alert]) -> str:
    """Draw the plot; see `write_plot`."""
    span = max(found.until - found.since, 1.0)
    right, lower = WIDTH - 20, TOP + HALF + 40

    def x(at: float) -> float:
        return LEFT + (min(max(at, found.since), found.until) - found.since) / span * (right - LEFT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12"><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-size="15">{escape(found.desk)}: sentiment, '
        "and negative conversations</text>",
    ]
    for begin, end in _bands(alerts, found.until):
        parts.append(
            f'<rect x="{x(begin):.1f}" y="{TOP}" width="{max(x(end) - x(begin), 2):.1f}" '
            f'height="{lower + HALF - TOP}" fill="#fee2e2"/>'
        )
    most = max([one.negative for topic in found.topics[:TOPICS] for one in topic.points] or [1]) or 1
    for top, names in ((TOP, ("+1", "0", "-1")), (lower, (str(most), "", "0"))):
        for number, name in enumerate(names):
            y = top + HALF * number / 2
            parts.append(f'<line x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}" stroke="#d5dbe3"/>')
            parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{name}</text>')
    half = found.bucket_s / 2
    felt = [
        (x(one.at + half), TOP + HALF / 2 * (1 - one.sentiment))
        for one in found.whole.points
        if one.sentiment is not None
    ]
    parts.append(_line(felt, "#1a2230"))
    for number, (topic, colour) in enumerate(zip(found.topics[:TOPICS], COLOURS, strict=False)):
        points = [(x(one.at + half), lower + HALF * (1 - one.negative / most)) for one in topic.points]
        parts.append(_line(points, colour))
        place = LEFT + number * (right - LEFT) / TOPICS
        parts.append(
            f'<text x="{place:.0f}" y="{HEIGHT - 8}" fill="{colour}">{escape(topic.topic[:26])}</text>'
        )
    for at, anchor in ((found.since, "start"), (found.until, "end")):
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
        parts.append(f'<text x="{x(at):.0f}" y="{lower + HALF + 18}" text-anchor="{anchor}">{day}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _line(points: Sequence[tuple[float, float]], colour: str) -> str:
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.5" fill="{colour}"/>' for x, y in points)
    return f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="1.5"/>{dots}'


def _bands(alerts: Sequence[Alert], until: float) -> list[tuple[float, float]]:
    """Return from when to when a topic was on alert."""
    begun: dict[str, float] = {}
    bands: list[tuple[float, float]] = []
    for alert in reversed(alerts):
        if alert.change == "began":
            begun[alert.topic] = alert.at - alert.window_s
        elif (begin := begun.pop(alert.topic, None)) is not None:
            bands.append((begin, alert.at))
    return bands + [(begin, until) for begin in begun.values()]
