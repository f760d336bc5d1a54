"""The quality ladder and the bandwidth behind it, in virtual time."""

from __future__ import annotations

import pytest

from server.live.quality import DEFAULTS, STEPS, Bandwidth, Ladder


def seconds(ladder: Ladder, count: int, start_s: float, *, allowed: float = 1e6, late: float = 0.0) -> float:
    for n in range(count):
        ladder.observe(start_s + n, allowed_bps=allowed, late_share=late)
    return start_s + count


def test_starts_with_the_whole_picture() -> None:
    assert Ladder().step.name == "full"


def test_one_bad_second_changes_nothing() -> None:
    ladder = Ladder()
    now = seconds(ladder, 5, 0.0)
    now = seconds(ladder, 1, now, late=0.9)
    seconds(ladder, 5, now)
    assert ladder.rung == 0


def test_a_few_late_pictures_make_it_smaller_but_not_half_as_often() -> None:
    ladder = Ladder()
    seconds(ladder, 60, 0.0, late=0.3)
    assert ladder.step.name == "half"


def test_a_late_encoder_steps_down_to_a_still_and_no_further() -> None:
    ladder = Ladder()
    seconds(ladder, 60, 0.0, late=0.95)
    assert ladder.step.name == "still"
    assert ladder.step.every == 0


def test_a_slow_machine_keeps_a_moving_picture_while_some_are_in_time() -> None:
    ladder = Ladder()
    seconds(ladder, 60, 0.0, late=0.8)
    assert ladder.step.name == "half-slower"


def test_where_many_share_a_machine_nobody_has_the_whole_picture() -> None:
    ladder = Ladder(rung=2)
    for n in range(60):
        ladder.observe(float(n), allowed_bps=1e6, late_share=0.0, best=2)
    assert ladder.step.name == "half"
    ladder = Ladder()
    assert ladder.observe(0.0, allowed_bps=1e6, late_share=0.0, best=1).name == "three-quarters"
    now = seconds(ladder, 60, 1.0)
    assert (ladder.step.name, now) == ("full", 61.0)


def test_a_narrow_network_steps_down_as_far_as_it_must() -> None:
    ladder = Ladder()
    seconds(ladder, 60, 0.0, allowed=150_000)
    assert ladder.step.name == "half"


def test_size_goes_before_rate_and_rate_before_the_still() -> None:
    ladder = Ladder()
    seen = [ladder.step.name]
    for n in range(60):
        name = ladder.observe(float(n), allowed_bps=1e6, late_share=0.95).name
        if name != seen[-1]:
            seen.append(name)
    assert seen == ["full", "three-quarters", "half", "half-slow", "half-slower", "still"]


def test_goes_up_again_one_rung_at_a_time_and_slower_than_down() -> None:
    ladder = Ladder()
    now = seconds(ladder, 7, 0.0, late=0.5)
    low = ladder.rung
    assert low >= 2
    down_s = now
    rungs = []
    while ladder.rung and now < 200:
        now = seconds(ladder, 1, now)
        rungs.append(ladder.rung)
    assert ladder.rung == 0
    assert now - down_s > 2 * down_s
    assert all(before - after in (0, 1) for before, after in zip(rungs, rungs[1:], strict=False))


def test_does_not_go_up_into_a_network_that_would_not_carry_it() -> None:
    ladder = Ladder()
    now = seconds(ladder, 4, 0.0, allowed=250_000)
    assert ladder.step.name == "three-quarters"
    seconds(ladder, 300, now, allowed=320_000)  # full needs 300,000 and headroom
    assert ladder.step.name == "three-quarters"


def test_a_step_up_that_fails_makes_the_next_wait_longer() -> None:
    ladder = Ladder()
    ups: list[float] = []
    now = 0.0
    while now < 400:
        rung = ladder.rung
        ladder.observe(now, allowed_bps=1e6, late_share=0.5 if rung == 0 else 0.0)
        if ladder.rung < rung:
            ups.append(now)
        now += 1.0
    waits = [b - a for a, b in zip(ups, ups[1:], strict=False)]
    assert len(waits) >= 3
    assert waits == sorted(waits)
    assert waits[-1] > 2 * waits[0]
    assert waits[-1] < 2 * DEFAULTS.up_after_most_s


def test_patience_comes_back_after_a_long_calm() -> None:
    ladder = Ladder()
    now = 0.0
    while now < 300:
        ladder.observe(now, allowed_bps=1e6, late_share=0.5 if ladder.rung == 0 else 0.0)
        now += 1.0
    now = seconds(ladder, 2000, now)
    now = seconds(ladder, 3, now, late=0.5)
    assert ladder.rung == 1
    seconds(ladder, int(DEFAULTS.up_after_s) + 2, now)
    assert ladder.rung == 0


def test_larger_pictures_need_more() -> None:
    assert Ladder(pixels=1280 * 720).least_bps(0) > 2 * Ladder().least_bps(0)


def test_rungs_need_less_and_less() -> None:
    least = [step.least_bps for step in STEPS]
    assert least == sorted(least, reverse=True)
    assert least[-1] == 0


def observed(bandwidth: Bandwidth, count: int, **values: float | None) -> float:
    given = {"audio_bps": 45_000.0, "video_bps": 400_000.0, "rtt_ms": 20.0} | values
    for _ in range(count):
        bandwidth.observe(**given)  # type: ignore[arg-type]
    return bandwidth.allowed_bps


def test_grows_slowly_while_nothing_limits() -> None:
    bandwidth = Bandwidth()
    assert observed(bandwidth, 1) < 1.1 * DEFAULTS.start_bps
    assert observed(bandwidth, 60) == DEFAULTS.most_bps


def test_an_estimate_that_a_longer_round_trip_confirms_is_followed() -> None:
    bandwidth = Bandwidth()
    before = observed(bandwidth, 3)
    after = observed(bandwidth, 2, rtt_ms=250.0, estimate_bps=300_000.0)
    assert after == pytest.approx(300_000 - 45_000)
    assert after < before


def test_one_long_round_trip_alone_is_a_busy_machine() -> None:
    bandwidth = Bandwidth()
    before = observed(bandwidth, 3)
    assert observed(bandwidth, 1, rtt_ms=250.0) >= before


def test_an_estimate_that_loss_confirms_is_followed_as_far_as_can_be_true() -> None:
    bandwidth = Bandwidth()
    arrived = 445_000 * 0.96
    assert observed(bandwidth, 1, estimate_bps=10_000.0, lost=0.04) == pytest.approx(
        DEFAULTS.soft_retreat * arrived - 45_000
    )


def test_an_estimate_that_nothing_confirms_only_slows_the_growth() -> None:
    doubted, free = Bandwidth(), Bandwidth()
    assert DEFAULTS.start_bps < observed(doubted, 20, estimate_bps=110_000.0) < 0.5 * observed(free, 20)


def test_an_estimate_of_a_quiet_picture_is_none() -> None:
    bandwidth = Bandwidth()  # the estimate never exceeds 1.5 times what was sent
    assert observed(bandwidth, 20, video_bps=60_000.0, estimate_bps=157_000.0) > DEFAULTS.start_bps


def test_a_queue_that_builds_up_means_less_even_without_an_estimate() -> None:
    bandwidth = Bandwidth()
    before = observed(bandwidth, 5)
    assert observed(bandwidth, 2, rtt_ms=400.0) < 0.8 * before


def test_a_way_that_is_longer_for_good_is_no_queue_for_ever() -> None:
    bandwidth = Bandwidth()
    observed(bandwidth, 5)
    observed(bandwidth, DEFAULTS.trips, rtt_ms=300.0, video_bps=100_000.0)
    low = bandwidth.allowed_bps
    assert observed(bandwidth, 20, rtt_ms=300.0, video_bps=100_000.0) > low


def test_heavy_loss_costs_more_than_what_was_lost_and_light_loss_nothing() -> None:
    assert observed(Bandwidth(), 1, lost=0.4) <= 0.6 * 400_000
    assert observed(Bandwidth(), 1, lost=0.05) > DEFAULTS.start_bps


def test_a_report_from_before_the_last_step_back_is_not_counted_twice() -> None:
    bandwidth = Bandwidth()
    once = observed(bandwidth, 1, lost=0.4)
    assert observed(bandwidth, 1, lost=0.4) == once
    assert observed(bandwidth, 1, lost=0.4, video_bps=once) < once


def test_trouble_while_no_picture_is_sent_is_not_the_pictures() -> None:
    bandwidth = Bandwidth()
    assert observed(bandwidth, 20, lost=0.5, video_bps=0.0) == DEFAULTS.start_bps


def test_stays_within_its_bounds() -> None:
    assert observed(Bandwidth(), 100, lost=0.9, video_bps=20_000.0) == DEFAULTS.least_bps


def test_a_network_that_carries_sound_only_leaves_a_still_then_recovers() -> None:
    bandwidth, ladder = Bandwidth(), Ladder()
    names = []
    for n in range(240):
        bad = n < 30
        sending = ladder.step.least_bps + 20_000.0
        bandwidth.observe(
            audio_bps=45_000.0,
            video_bps=sending,
            estimate_bps=70_000.0 if bad else None,
            rtt_ms=20.0 + 30 * n if bad else 20.0,
        )
        names.append(ladder.observe(float(n), allowed_bps=bandwidth.allowed_bps, late_share=0.0).name)
    assert names[29] in ("still", "half-slower", "half-slow")
    assert names[-1] == "full"
