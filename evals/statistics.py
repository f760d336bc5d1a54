"""Statistics of results: quantiles, pass^k, and intervals of differences between paired runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Chosen = NDArray[np.intp]
"""[resamples, pairs]: which pairs stand in each resample."""

RESAMPLES = 2_000
"""Of a bootstrap: the ends of its interval are then steady to a few percent of its width."""
CONFIDENCE = 0.95
SEED = 20_000
"""The same results have the same interval."""
MOST_AT_ONCE = 2_000_000
"""Numbers that are drawn at once, so that thousands of scripts need no gigabytes."""
FEWEST_DIFFERENT = 6
"""Pairs that must differ before a difference is called one: with fewer, even if all point the same way,
the sign test gives chance more than 5 % (2 / 2^5), while a bootstrap would already exclude 0."""
NORMAL_QUANTILE = 1.96
"""Standard deviations within which 95 % of a normal distribution lie, either way."""


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much one side of a paired comparison is above the other."""

    value: float
    low: float
    """Of the 95 % interval."""
    high: float
    pairs: int
    different: int
    """Pairs whose sides are not equal."""

    @property
    def decided(self) -> bool:
        """Whether it is more than chance: the interval excludes 0, and enough pairs differ."""
        return self.different >= FEWEST_DIFFERENT and (self.low > 0 or self.high < 0)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return n, p50, p95, p99 and the largest of some values, interpolated; only n where there are none."""
    if not len(values):
        return {"n": 0}
    p50, p95, p99 = (round(float(one), 1) for one in np.quantile(values, (0.5, 0.95, 0.99)))
    return {"n": len(values), "p50": p50, "p95": p95, "p99": p99, "max": round(float(max(values)), 1)}


def quantile(values: Sequence[float], share: float) -> float:
    """Return the interpolated quantile of at least one value."""
    return float(np.quantile(values, share))


def pass_hat(passed: int, of: int, k: int) -> float:
    """Return pass^k of one script: how likely k of its repeats, drawn without putting back, all passed.

    Args:
        passed: repeats that passed.
        of: all repeats, at least k.
        k: from 1.

    Raises:
        ValueError: k is above the number of repeats.
    """
    if not 1 <= k <= of:
        raise ValueError(f"pass^{k} needs at least {k} repeats; there are {of}: repeat more often")
    return math.comb(passed, k) / math.comb(of, k)


def rate_interval(passed: int, of: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share; (0, 1) where nothing was counted."""
    if not of:
        return 0.0, 1.0
    z2, share = NORMAL_QUANTILE**2, passed / of
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = NORMAL_QUANTILE * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def bootstrap(statistic: Callable[[Chosen], Values], pairs: int) -> tuple[float, float]:
    """Return the 95 % interval of a statistic over resampled pairs, by percentiles.

    Args:
        statistic: takes resamples of indices, [resamples, pairs], returns its value for each.
        pairs: how many there are, at least 1.
    """
    random, found = np.random.default_rng(SEED), list[Values]()
    left, block = RESAMPLES, max(MOST_AT_ONCE // pairs, 1)
    while left > 0:
        rows = min(block, left)
        found.append(statistic(random.integers(0, pairs, (rows, pairs))))
        left -= rows
    edge = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(found), (edge, 1 - edge))
    return float(low), float(high)


def difference_of_means(before: Sequence[float], after: Sequence[float]) -> Difference:
    """Compare paired values by their means: after less before."""
    each = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    low, high = bootstrap(lambda chosen: each[chosen].mean(axis=1), len(each))
    return Difference(float(each.mean()), low, high, len(each), int(np.count_nonzero(each)))


def difference_of_medians(before: Sequence[float], after: Sequence[float]) -> Difference:
    """Compare paired values by their medians: after less before."""
    a, b = np.asarray(before, np.float64), np.asarray(after, np.float64)
    low, high = bootstrap(lambda chosen: np.median(b[chosen], axis=1) - np.median(a[chosen], axis=1), len(a))
    return Difference(float(np.median(b) - np.median(a)), low, high, len(a), int(np.count_nonzero(b - a)))


def difference_of_ratios(
    before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]]
) -> Difference:
    """Compare paired counts by the ratio of their sums, such as errors over words: after less before.

    Args:
        before: each with the counted and what it is counted over, at least 1.
        after: the same pairs on the other side.
    """
    a, b = np.asarray(before, np.float64), np.asarray(after, np.float64)

    def ratio(counts: Values, chosen: Chosen) -> Values:
        sums: Values = counts[chosen].sum(axis=1)
        return sums[:, 0] / sums[:, 1]

    low, high = bootstrap(lambda chosen: ratio(b, chosen) - ratio(a, chosen), len(a))
    value = float(b[:, 0].sum() / b[:, 1].sum() - a[:, 0].sum() / a[:, 1].sum())
    return Difference(value, low, high, len(a), int(np.count_nonzero((a != b).any(axis=1))))
