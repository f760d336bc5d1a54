"""How often visitors of a run in sound were answered before they were done, and how long true ends waited.

Beside it stands what a fixed silence would have done to the same turns: whoever waits for so long cuts off
every turn in which the visitor paused for as long.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from evals.replay.hearing_probe import CUT_OFF
from evals.replay.record import ConversationRecord, TurnRecord
from evals.report.plots import Plot, curve_plot
from evals.statistics import rate_interval

SILENCES_MS = (200, 300, 400, 500, 600, 800, 1000, 1200, 1500, 2000)
"""Fixed waits that are compared."""
FEWEST = 10
"""Turns below which a share says nothing."""


def turn_taking(records: Iterable[ConversationRecord]) -> dict[str, Any] | None:
    """Count false cut-offs and measure delays.

    Args:
        records: of a run; those in words are passed over.

    Returns:
        `turns`, `cut_off` (how many), `cut_off_rate` with its 95 % interval, `delay_ms` (median and p95 of
        the wait from the visitor's last sound to the end of their turn), and `fixed_silence`: milliseconds of
        a fixed wait → the share of the turns that it would have cut off. None for too few turns.
    """
    turns = [turn for one in records if one.mode == "audio" for turn in one.turns if _spoken(turn)]
    if len(turns) < FEWEST:
        return None
    cut = sum(_cut_off(turn) for turn in turns)
    delays = [turn.timings_ms["turn_end"] for turn in turns if "turn_end" in turn.timings_ms]
    pauses_ms = [max(turn.pauses_s, default=0.0) * 1e3 for turn in turns]
    p50, p95 = np.quantile(delays, (0.5, 0.95)) if delays else (None, None)
    return {
        "turns": len(turns),
        "cut_off": cut,
        "cut_off_rate": round(cut / len(turns), 4),
        "cut_off_interval": [round(one, 4) for one in rate_interval(cut, len(turns))],
        "delay_ms": {"p50": _whole(p50), "p95": _whole(p95)},
        "fixed_silence": {
            str(wait): round(sum(pause >= wait for pause in pauses_ms) / len(turns), 4)
            for wait in SILENCES_MS
        },
    }


def turn_taking_plot(found: dict[str, Any] | None) -> Plot | None:
    """Draw what `turn_taking` found: false cut-offs against the delay."""
    if found is None or found["delay_ms"]["p50"] is None:
        return None
    waits = [int(wait) for wait in found["fixed_silence"]]
    here = [found["delay_ms"]["p50"]], [found["cut_off_rate"]]
    return curve_plot(
        {"this desk (median delay)": here, "a fixed silence": (waits, list(found["fixed_silence"].values()))},
        name="turn-taking",
        across="milliseconds from the visitor's last sound to the end of their turn",
        up="turns that were cut off",
        ringed={"this desk (median delay)": 0},
    )


def _spoken(turn: TurnRecord) -> bool:
    return turn.ended_s > turn.began_s and bool(turn.understood)


def _cut_off(turn: TurnRecord) -> bool:
    early = turn.reply_began_s is not None and turn.reply_began_s < turn.ended_s
    return early or CUT_OFF in turn.notices


def _whole(ms: float | None) -> int | None:
    return None if ms is None else round(ms)
