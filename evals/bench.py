"""`visavis bench`: measures the figures that are named on this machine, and shows them."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from evals.figure import NotHere
from evals.stage_figures import FIGURES, Bench
from server.boundary import UsageError
from server.progress import Stages

LIVE = "live"
"""Names all figures of the live conversation at once; as they take half an hour, no name leaves them out."""


def run_bench(names: list[str], *, runs: int, stages: Stages) -> dict[str, Any]:
    """Measure the named figures, or all but those of the live conversation.

    Raises:
        UsageError: there is no figure of that name.
    """
    from evals.knowledge_figures import KNOWLEDGE, KNOWLEDGE_FIGURES, QUICK
    from evals.live_figures import LIVE_FIGURES
    from evals.live_runs import LiveRuns
    from evals.moderation_figures import MODERATION, MODERATION_FIGURES
    from evals.recommend import RECOMMEND, RECOMMEND_FIGURES, RatingsRuns, take_folder
    from evals.replay_figures import EVAL, EVAL_FIGURES

    alone = KNOWLEDGE_FIGURES | MODERATION_FIGURES | EVAL_FIGURES
    known = [*FIGURES, *alone, *LIVE_FIGURES, *RECOMMEND_FIGURES]
    groups: dict[str, Iterable[str]] = {
        EVAL: EVAL_FIGURES,
        KNOWLEDGE: QUICK,
        LIVE: LIVE_FIGURES,
        MODERATION: MODERATION_FIGURES,
        RECOMMEND: RECOMMEND_FIGURES,
    }
    names, folder = take_folder(names, {*known, *groups})
    ratings = RatingsRuns(folder)
    default = [*FIGURES, *MODERATION_FIGURES]
    wanted = [one for name in names or default for one in groups.get(name, (name,))]
    for name in wanted:
        if name not in known:
            raise UsageError(f"there is no figure {name!r}; there are: {', '.join((*groups, *known))}")
    bench = Bench(runs=runs, stages=stages)
    live = LiveRuns(runs, told=stages.stage)
    figures: dict[str, Any] = {}
    skipped: dict[str, str] = {}
    try:
        for name in dict.fromkeys(wanted):
            stages.stage(name.replace("_", " "))
            try:
                if name in RECOMMEND_FIGURES:
                    figure = ratings.figures[name]
                elif name in alone:
                    figure = alone[name]()
                else:
                    figure = LIVE_FIGURES[name](live) if name in LIVE_FIGURES else FIGURES[name](bench)
            except NotHere as reason:
                skipped[name] = str(reason)
                continue
            figures[name] = {"value": figure.value, "unit": figure.unit, "n": figure.n, "note": figure.note}
    finally:
        bench.close()
    return {"figures": figures, "skipped": skipped, "machine": machine()}


def machine() -> dict[str, Any]:
    """Describe the machine that was measured."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load_1min": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def show_bench(document: dict[str, Any]) -> None:
    """Print the figures."""
    table = Table(box=None, pad_edge=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("n", justify="right")
    table.add_column("note", overflow="fold")
    for name, figure in document["figures"].items():
        table.add_row(name, f"{figure['value']:.4g}", figure["unit"], str(figure["n"]), figure["note"])
    console = Console(highlight=False, markup=False)
    console.print(table)
    for name, reason in document["skipped"].items():
        console.print(f"{name}: not measured: {reason}")
    about = document["machine"]
    console.print(f"{about['processor']}, {about['cores']} cores, load {about['load_1min']}")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
