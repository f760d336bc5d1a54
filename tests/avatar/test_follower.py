import numpy as np
import pytest

from avatar.follower import Follower


def followed(targets: list[float], rise_s: float, fps: float) -> np.ndarray:
    follower = Follower(np.zeros(1, np.float32))
    return np.array([follower.step(np.array([t], np.float32), 1 / fps, rise_s)[0] for t in targets])


@pytest.mark.parametrize("rise_s", [0.2, 0.5])
@pytest.mark.parametrize("fps", [100.0, 400.0])
def test_it_rises_in_the_time_that_was_asked_for(rise_s: float, fps: float) -> None:
    way = followed([1.0] * int(3 * fps), rise_s, fps)
    risen = ((way > 0.1) & (way < 0.9)).sum() / fps
    assert risen == pytest.approx(rise_s, rel=0.1)


def test_it_never_overshoots() -> None:
    rng = np.random.default_rng(0)
    targets = [float(t) for t in rng.choice([0.0, 1.0], 60) for _ in range(int(rng.integers(1, 12)))]
    way = followed(targets, 0.25, 25.0)
    assert way.min() >= 0
    assert way.max() <= 1


def test_a_new_target_and_a_new_pace_make_no_kink() -> None:
    follower = Follower(np.zeros(1, np.float32))
    way = [float(follower.step(np.ones(1, np.float32), 0.005, 0.2)[0]) for _ in range(30)]
    way += [float(follower.step(np.zeros(1, np.float32), 0.005, 0.6)[0]) for _ in range(60)]
    speed = np.diff(way)
    assert speed[28] > 0.01
    assert np.abs(np.diff(speed)).max() < 0.2 * speed.max()
