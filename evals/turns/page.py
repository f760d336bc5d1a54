"""The page of the turn-taking bench, its plots, and the plots as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evals.report.plots import Plot, curve_plot
from evals.turns.ends import FACTORS, Point
from evals.turns.figures import FEWEST, FIXED, OURS, EndFigures
from evals.turns.overlap import Fate
from evals.turns.sounds import BEHIND

TEMPLATE = Path(__file__).parent / "page.html"
STYLE = Path(__file__).parents[1] / "report" / "assets" / "style.css"
LIGHT = (
    "--ink:#1b242d;--soft:#55606b;--line:#dcd8cf;--plot-1:#155e63;--plot-2:#b3541e;--plot-3:#6b4ea0;"
    "--plot-4:#2f6fb5;--plot-5:#76712a;--plot-6:#a0355c;background:#fff;font-family:sans-serif"
)
"""Colours of the plots that stand alone, where no page gives them."""
SHARES = np.linspace(0.0, 1.0, 21)
"""At which a line of times is drawn."""
NAMES = {"en": "English", "zh": "Chinese"}


def write_page(
    folder: Path,
    document: Mapping[str, Any],
    ends: Sequence[EndFigures],
    fates: Mapping[tuple[str, str], Sequence[Fate]],
) -> list[Path]:
    """Write `page.html` and its plots as .svg files; returns what was written.

    Args:
        folder: is there.
        document: as the bench tells it in JSON.
        ends: of each language and kind of words.
        fates: (language, whose words) → what became of replies.
    """
    import jinja2

    ends_plots = [one for language in NAMES for one in _ends_plots(language, ends)]
    overlap_plots = [_yield_plot(language, hearing, those) for (language, hearing), those in fates.items()]
    shown = [one for one in overlap_plots if one is not None]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["combined"] = lambda one, other: {**one, **other}
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        style=STYLE.read_text(encoding="utf-8"),
        told=document["made"],
        ends=document["ends"],
        overlaps=document["overlaps"],
        ends_plots=ends_plots,
        overlap_plots=shown,
        ours=OURS,
        fixed=FIXED,
        factors=FACTORS,
    )
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    written = [file]
    for one in (*ends_plots, *shown):
        alone = folder / f"{one['name']}.svg"
        alone.write_text(one["drawn"].svg.replace("<svg", f'<svg style="{LIGHT}"', 1), encoding="utf-8")
        written.append(alone)
    return written


def _ends_plots(language: str, ends: Sequence[EndFigures]) -> list[dict[str, Any]]:
    mine = [one for one in ends if one.language == language]
    plots = list[dict[str, Any]]()
    for name, told, field in (("median", "median", "delay_s"), ("p95", "95th percentile", "delay_p95_s")):
        curves = dict[str, tuple[Sequence[float], Sequence[float]]]()
        ringed = dict[str, int]()
        for one in mine:
            title = f"{OURS}, {_words(one.hearing)}" if len(mine) > 1 else OURS
            curves[title], ringed[title] = _line(one.ours, field)
        if mine:
            curves[FIXED], _ = _line(mine[0].fixed, field)
        drawn = curve_plot(
            curves,
            name=f"ends-{language}-{name}",
            across=f"added delay of true ends, ms ({told})",
            up="pauses cut off",
            ringed=ringed,
        )
        if drawn is not None:
            title = f"{NAMES[language]}: false cut-offs against the added delay, {told}"
            plots.append({"name": f"ends-{language}-{name}", "title": title, "drawn": drawn})
    return plots


def _line(points: Sequence[Point], field: str) -> tuple[tuple[Sequence[float], Sequence[float]], int]:
    """Return places and values of points, and the number of the one that is set."""
    known = sorted((getattr(one, field), one.rate, one.setting) for one in points)
    known = [one for one in known if not np.isnan(one[0])]
    settings = [setting for _, _, setting in known]
    places = [round(1e3 * delay_s) for delay_s, _, _ in known]
    return (places, [rate for _, rate, _ in known]), settings.index(1.0) if 1.0 in settings else 0


def _yield_plot(language: str, hearing: str, fates: Sequence[Fate]) -> dict[str, Any] | None:
    """Draw which share of interruptions had silenced the reply after how long, in each noise."""
    curves = dict[str, tuple[Sequence[float], Sequence[float]]]()
    for behind in BEHIND:
        mine = [one for one in fates if one.overlap.kind == "barge_in" and one.overlap.behind == behind]
        mine = [one for one in mine if one.sounding]
        times = [one.silent_ms for one in mine if one.silent_ms is not None]
        if times and len(mine) >= FEWEST:
            name = str(behind)
            places = [round(float(ms)) for ms in np.quantile(times, SHARES)]
            curves[name] = places, [float(one) * len(times) / len(mine) for one in SHARES]
    name = f"yield-{language}-{'script' if hearing == 'script' else 'recogniser'}"
    drawn: Plot | None = curve_plot(
        curves, name=name, across="ms from the visitor's first sound", up="replies silent"
    )
    if drawn is None:
        return None
    title = f"{NAMES[language]}: replies that had yielded to an interruption, {_words(hearing)}"
    return {"name": name, "title": title, "drawn": drawn}


def _words(hearing: str) -> str:
    return "words known" if hearing == "script" else "words recognised"
