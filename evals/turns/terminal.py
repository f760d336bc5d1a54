"""What a terminal shows of the turn-taking bench."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

WIDTH = 150
"""Letters a line where it is no terminal."""


def show(document: Mapping[str, Any]) -> None:
    """Show the figures in two tables.

    Args:
        document: as the bench tells it in JSON.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    ends = Table("", "words", "turns", "pauses", "cut off", "95 %", "delay ms p50", "p95", "lost", box=None)
    ends.title = "ends of turns"
    for one in document["ends"]:
        for name, point in {"as it is set": one["default"], **one["kinds"]}.items():
            few = point["rate"] is None
            ends.add_row(
                f"{one['language']} {name}",
                one["hearing"],
                str(point["turns"]),
                str(point["pauses"]),
                _share(point["rate"]),
                "" if few else f"{_share(point['rate_low'])} to {_share(point['rate_high'])}",
                _ms(point["delay_s"]),
                _ms(point["delay_p95_s"]),
                str(point["lost"]),
            )
    console.print(ends)
    columns = (
        "n",
        "before",
        "silent in 2 s",
        "ms p50",
        "p95",
        "ignored",
        "held, went on",
        "ended",
        "silent time",
    )
    into = Table("", "words", *columns, box=None, title="into replies")
    for row in document["overlaps"]:
        times = row["silent_ms"]
        into.add_row(
            f"{row['language']} {row['what'].replace('_', '-')}, {row['group']}",
            row["hearing"],
            str(row["n"]),
            str(row["stopped_before"]),
            _share(row["yielded"]),
            f"{times['p50']:.0f}" if "p50" in times else "",
            f"{times['p95']:.0f}" if "p95" in times else "",
            _share(row["ignored"]),
            _share(row["held_and_resumed"]),
            _share(row["ended"]),
            _share(row["silent_share"]),
        )
    console.print(into)
    for language in document["made"]["unheard"]:
        remedy = "run `visavis models pull whisper-base`"
        console.print(f"{language}: words known only, this desk's recogniser does not hear it; {remedy}")


def _share(value: float | None) -> str:
    return "few" if value is None else f"{100 * value:.1f}"


def _ms(value: float | None) -> str:
    return "" if value is None else f"{1e3 * value:.0f}"
