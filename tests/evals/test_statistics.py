from __future__ import annotations

import math

import pytest

from evals.statistics import (
    difference_of_means,
    difference_of_medians,
    difference_of_ratios,
    pass_hat,
    rate_interval,
    spread,
)


def test_pass_hat_is_what_the_hand_computes() -> None:
    # of four repeats three passed: C(3,2)/C(4,2) = 3/6
    assert [pass_hat(3, 4, k) for k in (1, 2, 3, 4)] == [0.75, 0.5, 0.25, 0.0]
    assert pass_hat(4, 4, 4) == 1.0


def test_pass_hat_needs_enough_repeats() -> None:
    with pytest.raises(ValueError, match="at least 3 repeats; there are 2"):
        pass_hat(2, 2, 3)


def test_spread_interpolates_and_knows_nothing_of_nothing() -> None:
    assert spread([100.0, 200.0, 300.0]) == {"n": 3, "p50": 200.0, "p95": 290.0, "p99": 298.0, "max": 300.0}
    assert spread([]) == {"n": 0}


def test_rate_interval_is_wilsons() -> None:
    low, high = rate_interval(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
    assert rate_interval(0, 0) == (0.0, 1.0)
    assert rate_interval(5, 5)[1] == 1.0


def test_a_clear_difference_is_decided_and_the_same_at_every_call() -> None:
    before, after = [0.0] * 20, [1.0] * 12 + [0.0] * 8
    found = difference_of_means(before, after)
    assert found.value == pytest.approx(0.6)
    assert 0.3 < found.low < 0.6 < found.high < 0.9
    assert found.decided
    assert difference_of_means(before, after) == found
    assert not difference_of_means(before, before).decided


def test_few_pairs_decide_nothing_even_if_all_point_one_way() -> None:
    # a bootstrap of five equal differences has no width, while chance gives them one sign in 1 of 16 cases
    assert not difference_of_means([0.0] * 5, [1.0] * 5).decided
    assert difference_of_means([0.0] * 6, [1.0] * 6).decided


def test_medians_are_not_moved_by_one_wild_pair() -> None:
    before = [float(100 + one) for one in range(21)]
    after = [one + 50.0 for one in before[:-1]] + [90_000.0]
    found = difference_of_medians(before, after)
    assert found.value == 50.0
    assert found.decided


def test_ratios_are_of_the_sums() -> None:
    found = difference_of_ratios([(1, 10), (0, 90)], [(2, 10), (8, 90)])
    assert math.isclose(found.value, 0.10 - 0.01)
