import numpy as np

from avatar.life import Life

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


def test_the_same_seed_is_the_same_life_in_any_order() -> None:
    times = [0.3, 7.1, 50.0, 2.0]
    forward, backward = Life(5), Life(5)
    assert [forward.at(t) for t in times] == [backward.at(t) for t in reversed(times)][::-1]
    assert Life(5).at(33.3) != Life(6).at(33.3)


def test_life_has_no_jumps() -> None:
    life = Life(2)
    moments = [life.at(i / 200) for i in range(200 * 30)]
    head = np.array([m.head for m in moments])
    assert np.abs(np.diff(head, axis=0)).max() < 0.05
    assert np.abs(np.diff([m.breath for m in moments])).max() < 0.02
    assert np.abs(np.diff([m.blink for m in moments])).max() < 0.12
    assert np.abs(head).max() < 3


def test_breath_is_calm_and_complete() -> None:
    life = Life(0)
    breath = np.array([life.at(i / FPS).breath for i in range(FPS * 60)])
    rises = ((breath[1:] >= 0.5) & (breath[:-1] < 0.5)).sum()
    assert 10 <= rises <= 18
    assert breath.min() < 0.05
    assert breath.max() > 0.95


def test_eyes_rest_and_jump() -> None:
    life = Life(4)
    gaze = np.array([life.at(i / 100).gaze for i in range(100 * 60)])
    moved = np.abs(np.diff(gaze, axis=0)).max(axis=1) > 1e-9
    assert 0.01 < moved.mean() < 0.2
    assert np.abs(gaze).max() <= 3
