"""Whether negative conversations surge: counts in windows against the same hours of the days before.

A robust z-score (median, and median absolute deviation, Poisson's at least) says how unusual a count is,
Poisson's tail whether so few could be chance; both must say so. Nothing here knows of clocks or of databases:
the last bucket of what is given is now.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
BUCKET_S = 300.0
"""Length of a bucket: the finest in which a surge is looked for."""
HOUR = 12
DAY = 24 * HOUR
"""In buckets."""
HISTORY = 28 * DAY
"""Buckets that are looked at: four of every weekday."""
MAD_TO_SIGMA = 1.4826
"""For normally distributed counts."""


@dataclass(frozen=True, slots=True)
class SurgeSettings:
    """When a count is a surge, and when it is over."""

    windows: tuple[int, ...] = (HOUR, 3 * HOUR, 8 * HOUR, DAY)
    """In buckets: an hour finds what is sudden, a day what is sparse."""
    z_on: float = 4.0
    """Deviations above the usual from which it surges."""
    z_off: float = 1.5
    """... and Poisson's deviations below which it is over: fewer, so that it does not flicker."""
    times: float = 2.0
    """Times the usual that it is at least."""
    fewest: int = 5
    """Negative conversations that a surge has at least."""
    chance: float = 1e-5
    """How likely Poisson may bring as many."""
    days: int = 14
    """Days before whose same hours are what is usual; a level that has lasted for as many is usual itself."""
    young: int = 3
    """Days of history under which nothing is told."""
    telling: float = 20.0
    """Negative conversations that are usual in a window from which its calm says that a surge is over: a
    surge of fewer looks calm by chance now and then. Where no window has them, a whole day must be calm."""
    cool: int = 6 * HOUR
    """Buckets after a surge's end before the next can begin."""


USUAL = SurgeSettings()


@dataclass(frozen=True, slots=True)
class Reading:
    """One window, compared with what is usual."""

    window: int
    """In buckets."""
    count: int
    """Negative conversations in it."""
    usual: float
    """How many there are as a rule at this hour, with as many visitors as now."""
    z: float
    surges: bool

    @property
    def above(self) -> float:
        """How far it is above the usual, in deviations of Poisson's alone."""
        return (self.count - self.usual) / max(math.sqrt(self.usual), 1.0)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Where a topic stands; bucket numbers count from any beginning."""

    on: bool = False
    window: int = 0
    """Which the surge was seen in."""
    since: int = 0
    """Bucket in which it began to be one."""
    over: int | None = None
    """Bucket in which the last one was over."""
    reading: Reading | None = field(default=None, compare=False)
    """What began it."""


Change = Literal["began", "over"]


def read(
    negative: Counts,
    others: Counts,
    settings: SurgeSettings = USUAL,
    *,
    longest: int = HISTORY,
    fewest: int = 0,
    skip: int = 0,
) -> list[Reading]:
    """Compare the windows that end now with what is usual.

    Args:
        negative: negative conversations on a topic in each bucket, int64[n]; the last bucket is now, and the
            first that since which the desk is known, or one of `HISTORY` buckets ago.
        others: all other conversations of the desk in the same buckets.
        settings: what counts as a surge.
        longest: windows longer than this are not looked at.
        fewest: nor those with fewer negative conversations than this.
        skip: buckets at the end that nothing is compared with, since they are no part of what is usual.

    Returns:
        One reading for each window that has enough history; none for a young desk.
    """
    found: list[Reading] = []
    windows = [one for one in settings.windows if one <= longest and negative[-one:].sum() >= fewest]
    if not windows:
        return found
    sums, crowd = _sums(negative), _sums(others)
    for window in windows:
        ends = _same_hours(len(negative), window, settings, skip)
        if ends is None:
            continue
        days, weeks = ends
        count, there = int(_in(sums, len(negative), window)), float(_in(crowd, len(negative), window))
        before = _in(sums, days, window)
        usual = _centre(before)
        around = _centre(_in(crowd, days, window))
        if len(weeks):
            # A surge's weekend may look like a usual weekday, and is not over for that.
            least = (0.0, 0.0) if skip else (usual, around)
            usual = max(least[0], _centre(_in(sums, weeks, window)))
            around = max(least[1], _centre(_in(crowd, weeks, window)))
        busy = min(max(there / around, 1.0), 5.0) if around >= 1 else 1.0
        expected = usual * busy
        mad = float(np.median(np.abs(before - np.median(before))))
        z = (count - expected) / max(MAD_TO_SIGMA * mad * busy, math.sqrt(expected), 1.0)
        at_most = expected + math.sqrt((expected + 0.5) / len(days))
        surges = (
            count >= max(settings.fewest, settings.times * expected)
            and z >= settings.z_on
            and poisson_tail(count, at_most) <= settings.chance
        )
        found.append(Reading(window, count, expected, z, surges))
    return found


def advance(
    alarm: Alarm, negative: Counts, others: Counts, now: int, settings: SurgeSettings = USUAL
) -> tuple[Alarm, Change | None]:
    """Take a topic's alarm to now: one surge is told once when it begins, and once when it is over.

    Args:
        alarm: as it stood.
        negative: see `read`.
        others: see `read`.
        now: number of the last bucket.
        settings: what counts as a surge.
    """
    if alarm.on:
        lasts = _lasts(alarm, negative, others, now, settings)
        return (alarm, None) if lasts else (replace(alarm, on=False, over=now), "over")
    # What lies before that was told of, or came too soon after it, and raises no second alarm.
    rested = HISTORY if alarm.over is None else now - alarm.over - settings.cool
    found = read(negative, others, settings, longest=rested, fewest=settings.fewest)
    surging = [one for one in found if one.surges]
    if not surging:
        return alarm, None
    first = max(surging, key=lambda one: one.z)
    return Alarm(True, first.window, now, alarm.over, first), "began"


def _lasts(alarm: Alarm, negative: Counts, others: Counts, now: int, settings: SurgeSettings) -> bool:
    """Tell whether a surge goes on: until all is as before it, or its level has become what is usual."""
    if now - alarm.since >= settings.days * DAY:
        return False
    windows = tuple(
        sorted(one for one in {alarm.window, *settings.windows} if one >= max(alarm.window, 3 * HOUR))
    )
    before = now - alarm.since + alarm.window
    seen = read(negative, others, replace(settings, windows=windows), skip=before)
    # The calm of an hour of the night tells nothing: then the day must be calm.
    telling = [one for one in seen if one.usual >= settings.telling] or seen[-1:]
    return bool(telling) and telling[0].above >= settings.z_off


def poisson_tail(count: int, mean: float) -> float:
    """Return how likely a Poisson variable of this mean is `count` or more."""
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    term = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
    total, number = 0.0, count
    while term > total * 1e-12 and number < count + 10_000:
        total += term
        number += 1
        term *= mean / number
    return min(total, 1.0)


def _sums(counts: Counts) -> Counts:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])


def _in(sums: Counts, ends: int | Counts, window: int) -> Counts:
    """Return the sums of windows by the bucket after their last."""
    return np.asarray(sums[ends] - sums[np.asarray(ends) - window])


def _same_hours(length: int, window: int, settings: SurgeSettings, skip: int) -> tuple[Counts, Counts] | None:
    """Return the ends of the same window on the days before, and on the same weekday; None: too few."""
    near = (-HOUR, 0, HOUR) if window <= 3 * HOUR else (0,)
    days = np.array([length - day * DAY + by for day in range(1, HISTORY // DAY + 1) for by in near])
    weeks = np.array([length - week * 7 * DAY + by for week in range(1, 5) for by in near])
    days = days[(days >= window) & (days <= length - skip)][: settings.days * len(near)]
    weeks = weeks[(weeks >= window) & (weeks <= length - skip)]
    if len(days) < (1 if skip else settings.young) * len(near):
        return None
    return days, weeks if len(weeks) >= 2 * len(near) else weeks[:0]


def _centre(counts: Counts) -> float:
    """Return what is usual: the median, or the mean without the highest fifth where counts are small."""
    kept = np.sort(counts)[: max(1, math.ceil(len(counts) * 0.8))]
    return float(max(np.median(counts), kept.mean()))
