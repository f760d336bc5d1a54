"""Where turn taking would have ended a turn: at which of its pauses too soon, and how long after its end.

Every silence is tried by itself, with all that was said before it, by a `TurnTaker` in given time: what it
does at one is not changed by what it did at another. The words come the moment they are asked for, 0.2 s into
the silence: a recogniser that takes less than 0.2 s delays no turn's end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.floor import TICK_S
from agent.turn import TurnTaker
from agent.turn_commands import Command, Commit, Recognize
from agent.turn_settings import TurnSettings
from evals.statistics import Chosen, Values, bootstrap
from evals.turns.hearing import HeardTurn

FIXED_S = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5, 2.0)
"""Silences of a rule that ends every turn after the same one: what is to be beaten."""
FACTORS = (0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)
"""Of every wait of turn taking; 1.0 are the settings themselves."""
JUST_BEFORE_S = 0.1
"""A turn that ends so shortly before its last sound has died away was not cut off."""
AREA_S = 2.0
"""Of added delay, over which a curve's area is taken."""
MOST_CUT_OFFS = 0.05
"""For which the added delay is told."""

Taker = Callable[[TurnSettings], TurnTaker]


@dataclass(frozen=True, slots=True)
class Ends:
    """What became of one turn."""

    pauses: int
    """Silences inside, by the sound's level or by the detector."""
    cut: tuple[float, ...]
    """When it was taken for ended too soon; one for each of them at most."""
    delay_s: float | None
    """From its last sound until it was taken for ended; None: never, it was lost."""


@dataclass(frozen=True, slots=True)
class Point:
    """One setting on a curve; intervals are 95 %, bootstrapped over turns."""

    name: str
    setting: float
    pauses: int
    turns: int
    cut_offs: int
    rate: float
    """Of pauses at which the turn was taken for ended."""
    rate_low: float
    rate_high: float
    turns_cut: float
    """Share of turns that were cut off at least once."""
    lost: int
    """Turns that were never answered."""
    delay_s: float
    """Median, from the last sound."""
    delay_low_s: float
    delay_high_s: float
    delay_p95_s: float
    delay_mean_s: float


def fixed(settings: TurnSettings, silence_s: float) -> TurnSettings:
    """Settings that end every turn after the same silence."""
    return replace(
        settings,
        quick_end_s=silence_s,
        slow_end_s=silence_s,
        unsure_end_s=silence_s,
        dictation_end_s=silence_s,
    )


def scaled(settings: TurnSettings, factor: float) -> TurnSettings:
    """Settings that wait so many times as long for a turn's end."""
    return replace(
        settings,
        quick_end_s=settings.quick_end_s * factor,
        slow_end_s=settings.slow_end_s * factor,
        unsure_end_s=settings.unsure_end_s * factor,
        dictation_end_s=settings.dictation_end_s * factor,
    )


def ends_of(heard: HeardTurn, settings: TurnSettings, taker: Taker = TurnTaker) -> Ends:
    """Try a turn's silences one by one."""
    turn = heard.turn
    cut, inside, delay_s = list[float](), set[int](), None
    last = len(heard.stretches) - 1
    for number, stretch in enumerate(heard.stretches):
        ended_s = _ended_s(heard, number, settings, taker)
        over = number == last or stretch.end_s >= turn.end_s
        if ended_s is not None and (not over or ended_s < turn.end_s - JUST_BEFORE_S):
            cut.append(ended_s)
        elif ended_s is not None and delay_s is None:
            delay_s = max(ended_s - turn.end_s, 0.0)
        if not over and not any(begin <= stretch.ended_s <= end + TICK_S for begin, end in turn.pauses):
            inside.add(number)  # too soft for the detector, or too short by the sound's level
    return Ends(max(len(turn.pauses) + len(inside), len(cut)), tuple(cut), delay_s)


def point_of(name: str, setting: float, ends: Sequence[Ends]) -> Point:
    """Sum turns up; there is at least one pause, and one turn that came to its end."""
    cuts = np.asarray([(len(one.cut), one.pauses) for one in ends], np.float64)
    delays = np.asarray([one.delay_s for one in ends if one.delay_s is not None], np.float64)

    def rate(chosen: Chosen) -> Values:
        sums: Values = cuts[chosen].sum(axis=1)
        return sums[:, 0] / np.maximum(sums[:, 1], 1.0)

    def median(chosen: Chosen) -> Values:
        return np.asarray(np.median(delays[chosen], axis=1))

    rate_low, rate_high = bootstrap(rate, len(cuts))
    delay_low_s, delay_high_s = bootstrap(median, len(delays)) if len(delays) else (np.nan, np.nan)
    return Point(
        name,
        setting,
        pauses=int(cuts[:, 1].sum()),
        turns=len(ends),
        cut_offs=int(cuts[:, 0].sum()),
        rate=float(cuts[:, 0].sum() / max(cuts[:, 1].sum(), 1.0)),
        rate_low=rate_low,
        rate_high=rate_high,
        turns_cut=float((cuts[:, 0] > 0).mean()),
        lost=len(ends) - len(delays),
        delay_s=float(np.median(delays)) if len(delays) else np.nan,
        delay_low_s=delay_low_s,
        delay_high_s=delay_high_s,
        delay_p95_s=float(np.quantile(delays, 0.95)) if len(delays) else np.nan,
        delay_mean_s=float(delays.mean()) if len(delays) else np.nan,
    )


def area(points: Sequence[Point]) -> float:
    """Return the mean share of cut-offs over added delays of 0 to `AREA_S`: 0 is best, 1 worst.

    At each delay the best point counts whose median is no longer; where there is none, all is cut off.
    """
    total_s, rate, at_s = 0.0, 1.0, 0.0
    for point in sorted(points, key=lambda one: one.delay_s):
        if point.delay_s >= AREA_S:
            break
        total_s += rate * (point.delay_s - at_s)
        rate, at_s = min(rate, point.rate), point.delay_s
    return (total_s + rate * (AREA_S - at_s)) / AREA_S


def delay_at(points: Sequence[Point], rate: float = MOST_CUT_OFFS) -> float | None:
    """Return the shortest median delay with no more than such a share of cut-offs, read between points.

    None: no setting that was tried cuts off so few.
    """
    line = sorted(points, key=lambda one: one.delay_s)
    for number, point in enumerate(line):
        if point.rate <= rate:
            before = line[number - 1] if number else None
            if before is None or before.rate <= point.rate:
                return point.delay_s
            share = (before.rate - rate) / (before.rate - point.rate)
            return before.delay_s + share * (point.delay_s - before.delay_s)
    return None


def _ended_s(heard: HeardTurn, number: int, settings: TurnSettings, make: Taker) -> float | None:
    """When a turn is taken for ended in a silence, until it is sure that the visitor goes on; None: never."""
    taker = make(settings)
    taker.expect_dictation(heard.turn.kind == "dictated")
    for before in heard.stretches[:number]:
        taker.speech_started(before.known_s, before.start_s)
        taker.speech_ended(before.ended_s, before.end_s)  # its words come too late: the visitor goes on
    stretch = heard.stretches[number]
    taker.speech_started(stretch.known_s, stretch.start_s)
    commands = taker.speech_ended(stretch.ended_s, stretch.end_s)
    words = stretch.words
    asked = next(one.asked for one in commands if isinstance(one, Recognize))
    commands += taker.words(
        stretch.ended_s,
        words.text,
        words.confidence,
        words.language,
        asked=asked,
        ending=words.ending,
        voice=words.voice,
    )
    more = heard.stretches[number + 1 :]
    until = round(more[0].known_s / TICK_S) - 1 if more else len(heard.silence_s)
    for tick in range(round(stretch.ended_s / TICK_S), until + 1):
        if _commits(commands):
            return tick * TICK_S
        if taker.utterance is None:
            return None  # taken for a noise
        at = min(tick, len(heard.silence_s) - 1)
        commands = taker.tick((tick + 1) * TICK_S, float(heard.silence_s[at]))
    return None


def _commits(commands: Sequence[Command]) -> bool:
    return any(isinstance(command, Commit) for command in commands)
