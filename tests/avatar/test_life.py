import numpy as np
import pytest

from avatar.life import BLINK_GAP_S, Drift, Life

FPS = 25


def test_blinks_come_ten_to_twenty_times_a_minute() -> None:
    for seed in range(5):
        blinks = Life(seed).blink_times(600)
        assert 10 <= len(blinks) / 10 <= 20
        assert min(np.diff(blinks)) > 0.3


def test_every_blink_is_seen_closed_at_25_frames() -> None:
    life = Life(1)
    closed = np.array([life.at((i + 0.5) / FPS).blink for i in range(FPS * 120)]) > 0.97
    starts = life.blink_times(119)
    for start in starts:
        first = int(start * FPS)
        assert closed[first : first + 8].any()


def test_double_blinks_happen() -> None:
    assert any(gap < 0.5 for gap in np.diff(Life(0).blink_times(900)))


def test_the_waits_between_blinks_are_those_of_chance() -> None:
    waits = np.diff(Life(3).blink_times(3600))
    waits = waits[waits > 0.5] - BLINK_GAP_S
    # of an exponential wait the mean is the spread; a steady or a uniform beat is far from that
    assert waits.std() / waits.mean() == pytest.approx(1.0, abs=0.25)


def test_a_cue_brings_a_blink_unless_one_has_just_been() -> None:
    life = Life(2)
    first = life.blink_times(30)[0]
    fresh = Life(2)
    fresh.cue_blink(first + 0.5, 1.0)
    assert not any(first < t <= first + 0.5 for t in fresh.blink_times(first + 1.0))
    fresh.cue_blink(first + 5 * BLINK_GAP_S, 0.0)
    early = Life(2)
    early.cue_blink(0.1, 1.0)
    assert early.blink_times(0.2) == [0.1]
    after = early.blink_times(60)
    assert all(gap > 0.3 for gap in np.diff(after))


def test_the_same_seed_is_the_same_life_in_any_order() -> None:
    times = [0.3, 7.1, 50.0, 2.0]
    forward, backward = Life(5), Life(5)
    assert [forward.at(t) for t in times] == [backward.at(t) for t in reversed(times)][::-1]
    assert Life(5).at(33.3) != Life(6).at(33.3)


def test_life_has_no_jumps() -> None:
    life = Life(2)
    moments = [life.at(i / 200) for i in range(200 * 60)]
    head = np.array([m.head for m in moments])
    assert np.abs(np.diff(head, axis=0)).max() < 0.05
    assert np.abs(np.diff([m.breath for m in moments])).max() < 0.02
    assert np.abs(np.diff([m.blink for m in moments])).max() < 0.13
    assert np.abs(np.diff([m.vigour for m in moments])).max() < 0.02
    assert np.abs(head).max() < 4


def test_breath_is_calm_and_deep() -> None:
    life = Life(0)
    breath = np.array([life.at(i / FPS).breath for i in range(FPS * 60)])
    rises = ((breath[1:] >= 0.5) & (breath[:-1] < 0.5)).sum()
    assert 10 <= rises <= 18
    assert breath.min() < 0.05
    assert 0.85 < breath.max() <= 1


def test_eyes_rest_and_jump() -> None:
    life = Life(4)
    gaze = np.array([life.at(i / 100).gaze for i in range(100 * 60)])
    moved = np.abs(np.diff(gaze, axis=0)).max(axis=1) > 1e-9
    assert 0.01 < moved.mean() < 0.25
    assert np.abs(gaze).max() <= 1


def test_ten_minutes_hold_no_loop() -> None:
    life = Life(8)
    yaw = np.array([life.at(i / 5).head[0] for i in range(5 * 600)])
    yaw -= yaw.mean()
    again = np.correlate(yaw, yaw, "full")[len(yaw) - 1 :] / np.dot(yaw, yaw)
    assert again[0] == pytest.approx(1.0)
    assert np.abs(again[5 * 20 :]).max() < 0.4
    # the same look at a head that sways: the check does find a loop
    sway = np.sin(np.arange(5 * 600) / 5)
    loop = np.correlate(sway, sway, "full")[len(sway) - 1 :] / np.dot(sway, sway)
    assert np.abs(loop[5 * 20 :]).max() > 0.9


def test_a_face_may_live_for_days_in_little_memory() -> None:
    drift = Drift([1], 1.0, (1.0, 2.0))
    life = Life(1)
    for minute in range(0, 120, 20):
        assert abs(drift.at(minute * 60.0)) <= 2
        life.at(minute * 60.0)
    assert len(drift._times) <= 1100
    assert len(life._blinks) <= 1100
