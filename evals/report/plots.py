"""Plots as inline SVG that take the page's colours, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, HEIGHT_IN, LOW_IN = 7.6, 3.2, 2.3
"""Of a plot, and the height of one of few points, in inches of 72 units."""
COLOURS = {
    "#010101": "var(--ink)",
    "#020202": "var(--soft)",
    "#030303": "var(--line)",
    "#040401": "var(--plot-1)",
    "#040402": "var(--plot-2)",
    "#040403": "var(--plot-3)",
    "#040404": "var(--plot-4)",
    "#040405": "var(--plot-5)",
    "#040406": "var(--plot-6)",
}
"""Colours that stand in for those of the page's style sheet, which knows light and dark."""
INK, SOFT, LINE, *SERIES = COLOURS
DASHES = ("-", "--", "-.", ":", (0, (6, 2, 1, 2)), (0, (1, 3)))
"""Lines are told apart without colours too."""
LONGEST_SHARE = 0.995
"""Of the turns that the axis shows: one that hung would press all others into a corner."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot for the page."""

    svg: str
    text: str
    """What it shows, in words."""


def latency_plot(series: Mapping[str, Sequence[float]], before: Sequence[float] = ()) -> Plot | None:
    """Draw which share of the turns had come how far after how many milliseconds.

    Args:
        series: timing → milliseconds of every turn.
        before: first sounds of the baseline.

    Returns:
        The plot, without what mostly took no time; None where that is everything.
    """
    drawn = {
        name: np.sort(values) for name, values in series.items() if len(values) and np.median(values) > 0
    }
    if not drawn:
        return None
    figure, axes = _axes("milliseconds after the visitor's last sound", "share of turns")
    told, most = list[str](), 0.0
    for number, (name, values) in enumerate(drawn.items()):
        _steps(axes, values, name.replace("_", " "), number)
        most = max(most, float(np.quantile(values, LONGEST_SHARE)))
        p50, p95 = np.quantile(values, (0.5, 0.95))
        told.append(f"{name.replace('_', ' ')}: half within {p50:.0f} ms, 95 % within {p95:.0f} ms")
    if len(before):
        axes.step(
            *_shares(np.sort(before)), where="post", color=SOFT, linestyle=":", label="first sound before"
        )
        most = max(most, float(np.quantile(before, LONGEST_SHARE)))
        p50, p95 = np.quantile(before, (0.5, 0.95))
        told.append(f"first sound of the baseline: half within {p50:.0f} ms, 95 % within {p95:.0f} ms")
    axes.set_xlim(0, max(most * 1.05, 1.0))
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.axhline(0.95, color=LINE, linewidth=0.8)
    _legend(axes)
    return Plot(_svg(figure, "latency"), "; ".join(told))


def curve_plot(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    name: str,
    across: str,
    up: str,
    shares: bool = True,
    ringed: Mapping[str, int] | None = None,
) -> Plot | None:
    """Draw curves of points, such as pass^k against k, or false cut-offs against delay.

    Args:
        curves: name of each → its places on the axis across, and its values.
        name: of the plot, unlike that of any other on the page.
        across: what the axis across says.
        up: what the axis up says.
        shares: the values are shares of 1, shown as percent.
        ringed: name of a curve → number of its point that is the one in use.

    Returns:
        The plot; None where there is nothing to draw.
    """
    from matplotlib.ticker import MaxNLocator

    curves = {title: points for title, points in curves.items() if len(points[0])}
    if not curves:
        return None
    figure, axes = _axes(across, up, LOW_IN if len(curves) == 1 else HEIGHT_IN)
    told = list[str]()
    for number, (title, (places, values)) in enumerate(curves.items()):
        axes.plot(
            places,
            values,
            marker="o",
            markersize=4,
            color=SERIES[number % len(SERIES)],
            linestyle=DASHES[number % len(DASHES)],
            label=title,
        )
        if (ring := (ringed or {}).get(title)) is not None:
            axes.plot(places[ring], values[ring], "o", markersize=12, fillstyle="none", color=INK)
        form = "{:.1%}" if shares else "{:g}"
        told.append(
            f"{title}: "
            + ", ".join(f"{form.format(y)} at {x:g}" for x, y in zip(places, values, strict=True))
        )
    if shares:
        axes.set_ylim(-0.02, 1.02)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    if all(float(place).is_integer() for places, _ in curves.values() for place in places):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    if len(curves) > 1:
        _legend(axes)
    return Plot(_svg(figure, name), "; ".join(told))


def _axes(across: str, up: str, height_in: float = HEIGHT_IN) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, height_in), layout="tight")
    axes = figure.add_subplot()
    axes.set_xlabel(across, color=SOFT)
    axes.set_ylabel(up, color=SOFT)
    axes.tick_params(colors=SOFT)
    axes.grid(color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(LINE)
    return figure, axes


def _steps(axes: Axes, values: np.ndarray[tuple[int], np.dtype[np.float64]], name: str, number: int) -> None:
    axes.step(
        *_shares(values),
        where="post",
        color=SERIES[number % len(SERIES)],
        linestyle=DASHES[number % len(DASHES)],
        label=name,
    )


MOST_IN_ROW = 3
"""Names of lines that fit above a plot side by side."""
MOST_STEPS = 400
"""Of a drawn line: more cannot be told apart, and make the page large."""


def _shares(
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Return places and shares of an empirical distribution; `values` are sorted."""
    shares = np.arange(1, len(values) + 1) / len(values)
    if len(values) > MOST_STEPS:
        kept = np.linspace(0, len(values) - 1, MOST_STEPS).round().astype(int)
        values, shares = values[kept], shares[kept]
    return np.concatenate(([0.0], values)), np.concatenate(([0.0], shares))


def _legend(axes: Axes) -> None:
    """Name the lines above the plot, where they hide nothing."""
    axes.legend(
        frameon=False,
        labelcolor=INK,
        ncols=MOST_IN_ROW,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        borderaxespad=0.2,
    )


def _svg(figure: Figure, name: str) -> str:
    """Return the figure as SVG for a page of HTML: without prolog, with ids of its own."""
    import matplotlib

    out = io.StringIO()
    # text stays text, in the page's font; ids are the same at every run
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": name, "font.size": 10, "text.parse_math": False}
    ):
        figure.savefig(
            out, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\b(id="|xlink:href="#|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for stand_in, colour in COLOURS.items():
        svg = svg.replace(stand_in, colour)
    return re.sub(r"<svg\b", '<svg aria-hidden="true" focusable="false"', svg, count=1)
