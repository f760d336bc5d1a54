"""The figures of the turn-taking bench: curves of turn ends, and rates of what sounded into replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from agent.turn import TurnTaker
from agent.turn_settings import TurnSettings
from evals.statistics import rate_interval, spread
from evals.turns.ends import (
    FACTORS,
    FIXED_S,
    Ends,
    Point,
    Taker,
    area,
    delay_at,
    ends_of,
    fixed,
    point_of,
    scaled,
)
from evals.turns.hearing import HeardTurn
from evals.turns.overlap import YIELD_S, Fate
from evals.turns.sounds import BEHIND, LENGTHS, LEVELS_DB, MADE, RECORDED, Overlap

FEWEST = 10
"""Events from which a rate is told; with fewer it would mean nothing."""
QUICK_YIELD_S = 1.0
"""tau-voice's window in which a reply must not yield to what does not want the floor."""
OURS, FIXED = "turn taking", "fixed silence"


@dataclass(frozen=True, slots=True)
class EndFigures:
    """Turn ends in one language, with one kind of words."""

    language: str
    hearing: str
    """The recogniser's name, or "script": words without mistakes."""
    ours: tuple[Point, ...]
    fixed: tuple[Point, ...]
    kinds: Mapping[str, Point]
    """By kind of turn, at the settings themselves."""

    @property
    def default(self) -> Point:
        """The settings themselves."""
        return next(point for point in self.ours if point.setting == 1.0)

    def document(self) -> dict[str, Any]:
        """As JSON tells it: seconds, shares of 1."""
        return {
            "language": self.language,
            "hearing": self.hearing,
            "turns": self.default.turns,
            "pauses": self.default.pauses,
            "default": _point(self.default),
            "delay_s_at_5_cut_offs": {
                OURS: _rounded(delay_at(self.ours)),
                FIXED: _rounded(delay_at(self.fixed)),
            },
            "area": {OURS: _rounded(area(self.ours)), FIXED: _rounded(area(self.fixed))},
            "kinds": {kind: _point(point) for kind, point in self.kinds.items()},
            "curves": {
                OURS: [_point(point) for point in self.ours],
                FIXED: [_point(point) for point in self.fixed],
            },
        }


def end_figures(
    language: str,
    hearing: str,
    heard: Sequence[HeardTurn],
    settings: TurnSettings,
    *,
    taker: Taker = TurnTaker,
    told: Callable[[], None] = lambda: None,
) -> EndFigures:
    """Draw both curves of turns that were heard.

    Args:
        language: of the turns.
        hearing: whose words they have.
        heard: at least one turn.
        settings: to be measured.
        taker: makes the turn taking of settings.
        told: called after each point.
    """

    def tried(name: str, setting: float, chosen: TurnSettings) -> tuple[Point, list[Ends]]:
        ends = [ends_of(one, chosen, taker) for one in heard]
        told()
        return point_of(name, setting, ends), ends

    rules = tuple(tried(FIXED, silence_s, fixed(settings, silence_s))[0] for silence_s in FIXED_S)
    ours, kinds = list[Point](), dict[str, Point]()
    for factor in FACTORS:
        point, ends = tried(OURS, factor, scaled(settings, factor))
        ours.append(point)
        if factor == 1.0:
            for kind in dict.fromkeys(one.turn.kind for one in heard):
                mine = [end for one, end in zip(heard, ends, strict=True) if one.turn.kind == kind]
                kinds[kind] = point_of(kind, factor, mine)
    return EndFigures(language, hearing, tuple(ours), rules, kinds)


def overlap_rows(language: str, hearing: str, fates: Sequence[Fate]) -> list[dict[str, Any]]:
    """Return a row for each group of what sounded into replies that has anything in it."""
    found = dict[tuple[str, str], list[Fate]]()
    for fate in fates:
        for group in _groups(fate.overlap):
            found.setdefault((fate.overlap.kind, group), []).append(fate)
    return [
        {"language": language, "hearing": hearing, "what": kind, "group": group} | _row(found[kind, group])
        for kind, group in sorted(found, key=lambda one: (KINDS.index(one[0]), GROUPS.index(one[1])))
    ]


def _groups(overlap: Overlap) -> tuple[str, ...]:
    match overlap.kind:
        case "barge_in":
            quiet = (f"{overlap.group} words",) if overlap.behind == BEHIND[0] else ()
            return str(overlap.behind), *quiet
        case "backchannel":
            return (str(overlap.behind),)
        case "noise":
            return "all", _level(overlap.level_db), overlap.group
        case "nothing":
            return (str(overlap.behind),)


def _level(level_db: float | None) -> str:
    return f"{level_db or 0.0:+g} dB to a voice"


KINDS = ("barge_in", "backchannel", "noise", "nothing")
GROUPS = (
    "all",
    *map(str, BEHIND),
    *(f"{length} words" for length in LENGTHS),
    *map(_level, LEVELS_DB),
    *MADE,
    RECORDED,
)
"""In the order in which they are told."""


def _row(fates: Sequence[Fate]) -> dict[str, Any]:
    """Count fates; a share of fewer than `FEWEST` is None."""
    mine = [one for one in fates if one.sounding]
    many = len(mine)
    watched_s = sum(one.watched_s for one in mine)
    silent = [one.silent_ms for one in mine if one.silent_ms is not None]
    held = [one.held_ms for one in mine if one.held_ms is not None]

    def share(count: float, of: float = many) -> float | None:
        return round(count / of, 4) if many >= FEWEST and of else None

    yielded = sum(one.yielded for one in mine)
    return {
        "n": many,
        "stopped_before": len(fates) - many,
        "yielded": share(yielded),
        "yielded_interval": [round(end, 4) for end in rate_interval(yielded, many)],
        "yielded_1s": share(sum((one.silent_ms or np.inf) <= QUICK_YIELD_S * 1e3 for one in mine)),
        "silent_ms": spread(silent),
        "ignored": share(sum(one.silent_ms is None for one in mine)),
        "held_and_resumed": share(sum(one.held_ms is not None and not one.ended for one in mine)),
        "held_ms": spread(held),
        "ended": share(sum(one.ended for one in mine)),
        "answered_2s": share(sum(_answered(one) for one in mine)),
        "silent_share": share(sum(one.silent_s for one in mine), watched_s),
    }


def _answered(fate: Fate) -> bool:
    """Whether an answer was begun within tau-voice's response window after the last sound."""
    if fate.answered_ms is None:
        return False
    return fate.answered_ms - fate.length_s * 1e3 <= YIELD_S * 1e3


def _point(point: Point) -> dict[str, Any]:
    """As JSON tells it; a rate of fewer than `FEWEST` pauses, a delay of fewer turns, is None."""
    told = {name: _rounded(value) for name, value in asdict(point).items()}
    if point.pauses < FEWEST:
        told |= dict.fromkeys(("rate", "rate_low", "rate_high"))
    if point.turns - point.lost < FEWEST:
        told |= dict.fromkeys(name for name in told if name.startswith("delay"))
    return told


def _rounded(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return None if np.isnan(value) else round(value, 4)
