"""Surges are found in made-up series, and quiet ones are left alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from server.live.surge import DAY, HISTORY, HOUR, Alarm, advance, poisson_tail, read
from tests.server.live.histories import Surge, counts, rhythm

OPENS = 21 * DAY + 9 * HOUR
"""A Monday morning, after three weeks."""


def followed(
    negative: np.ndarray, others: np.ndarray, since: int, every: int = HOUR
) -> list[tuple[str, int, Alarm]]:
    """Go through a series and return what an alarm told."""
    alarm, told = Alarm(), list[tuple[str, int, Alarm]]()
    for now in range(since, len(negative), every):
        first = max(0, now + 1 - HISTORY)
        alarm, change = advance(alarm, negative[first : now + 1], others[first : now + 1], now)
        if change is not None:
            told.append((change, now, alarm))
    return told


def crowd(days: float, a_day: float, rng: np.random.Generator) -> np.ndarray:
    return counts(days, a_day * 8, rng)


@pytest.mark.parametrize("a_day", [0.5, 8, 60])
def test_a_quiet_desk_with_days_nights_and_weekends_raises_no_alarm(a_day: float) -> None:
    rng = np.random.default_rng(1)
    assert followed(counts(24, a_day, rng), crowd(24, a_day, rng), 3 * DAY, 2 * HOUR) == []


@pytest.mark.parametrize(("a_day", "times", "within_h"), [(12, 10, 3), (40, 5, 3), (40, 3, 9), (200, 3, 3)])
def test_a_surge_is_found_and_told_once(a_day: float, times: float, within_h: float) -> None:
    rng = np.random.default_rng(2)
    negative = counts(25, a_day, rng, [Surge(OPENS / HOUR, 9, times)])
    told = followed(negative, crowd(25, a_day, rng), 20 * DAY, HOUR // 2)
    assert [change for change, _, _ in told] == ["began", "over"]
    assert 0 <= told[0][1] - OPENS <= within_h * HOUR


def test_a_topic_that_nobody_minded_before_is_found_with_the_first_few() -> None:
    negative = np.zeros(20 * DAY, np.int64)
    negative[-30:-2:5] = 1
    (told,) = followed(negative, crowd(20, 10, np.random.default_rng(3)), 20 * DAY - 1)
    assert told[0] == "began"
    assert told[2].reading is not None
    assert told[2].reading.count >= 5


def test_four_angry_visitors_are_no_surge() -> None:
    negative = np.zeros(20 * DAY, np.int64)
    negative[-8:] = (1, 0, 1, 0, 1, 0, 1, 0)
    assert not any(one.surges for one in read(negative, np.zeros_like(negative)))


@pytest.mark.parametrize(("a_day", "times"), [(60, 4), (200, 2.5)])
def test_a_level_that_stays_high_is_told_once_until_it_has_become_usual(a_day: float, times: float) -> None:
    rng = np.random.default_rng(4)
    negative = counts(45, a_day, rng, [Surge(OPENS / HOUR, 45 * 24, times)])
    told = followed(negative, crowd(45, a_day, rng), 20 * DAY, 3 * HOUR)
    assert [change for change, _, _ in told] == ["began", "over"]
    assert 10 <= (told[1][1] - OPENS) / DAY <= 15


def test_a_surge_of_days_with_nights_and_a_weekend_in_it_is_over_when_all_is_as_before() -> None:
    rng = np.random.default_rng(8)
    negative = counts(35, 60, rng, [Surge(OPENS / HOUR, 8 * 24, 4)])
    told = followed(negative, crowd(35, 60, rng), 20 * DAY, HOUR)
    assert [change for change, _, _ in told] == ["began", "over"]
    assert 0 <= (told[1][1] - OPENS) / DAY - 8 <= 1


def test_a_slow_drift_is_no_surge() -> None:
    rng = np.random.default_rng(5)
    days = 42
    rate = np.full(days * DAY, 40 / DAY) * rhythm(days * DAY) * np.linspace(1, 3, days * DAY)
    negative = np.asarray(rng.poisson(rate), np.int64)
    assert followed(negative, crowd(days, 40, rng), 3 * DAY, 4 * HOUR) == []


def test_more_visitors_of_all_kinds_are_no_surge() -> None:
    rng = np.random.default_rng(6)
    busier = [Surge(OPENS / HOUR, 9, 3)]
    negative, others = counts(25, 60, rng, busier), counts(25, 480, rng, busier)
    assert followed(negative, others, 20 * DAY) == []


def test_a_young_desk_is_not_judged() -> None:
    negative = np.zeros(2 * DAY, np.int64)
    negative[-12:] = 5
    assert read(negative, np.zeros_like(negative)) == []


def test_nothing_is_told_again_while_it_cools_down() -> None:
    rng = np.random.default_rng(7)
    surges = [Surge(OPENS / HOUR, 2, 8), Surge(OPENS / HOUR + 4, 2, 8)]
    negative = counts(25, 100, rng, surges)
    told = followed(negative, crowd(25, 100, rng), 20 * DAY, HOUR // 2)
    assert [change for change, _, _ in told].count("began") == 1


def test_the_tail_of_poisson_is_right() -> None:
    exact = 1 - sum(math.exp(-4.0) * 4.0**k / math.factorial(k) for k in range(12))
    assert poisson_tail(12, 4.0) == pytest.approx(exact, rel=1e-9)
    assert poisson_tail(0, 4.0) == 1.0
    assert poisson_tail(1, 0.0) == 0.0
    assert poisson_tail(5000, 4900.0) == pytest.approx(0.0778, abs=0.005)
