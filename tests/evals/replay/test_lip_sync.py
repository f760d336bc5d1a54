"""Lips that have nothing to do with the sound are told from those of which too little is known."""

import numpy as np
import pytest

from agent.line import MOMENT_S, RATE_HZ
from evals.replay.lip_sync import offset_ms

LENGTH_S = 8.0


def talk(spoken_s: float) -> tuple[dict[int, float], np.ndarray]:
    """Openings and sound of syllables in the first `spoken_s` seconds."""
    chance = np.random.default_rng(3)
    loud, at_s = np.zeros(round(LENGTH_S * RATE_HZ)), 0.0
    while at_s < spoken_s:
        low, high = round(at_s * RATE_HZ), round((at_s + chance.uniform(0.08, 0.2)) * RATE_HZ)
        loud[low:high] = np.hanning(high - low) * chance.uniform(0.3, 1.0)
        at_s = high / RATE_HZ + chance.uniform(0.02, 0.1)
    sound = (loud * np.sin(np.arange(len(loud)) * 2 * np.pi * 700 / RATE_HZ) * 12_000).astype(np.int16)
    middle = [round((number + 0.5) * MOMENT_S * RATE_HZ) for number in range(round(LENGTH_S / MOMENT_S))]
    return {number: float(6 * loud[place]) for number, place in enumerate(middle)}, sound


def test_lips_that_follow_the_sound_are_measured() -> None:
    openings, sound = talk(6.0)
    later = {number + 5: opening for number, opening in openings.items()}
    for mouth, late_ms in ((openings, 0.0), (later, 200.0)):
        found_ms, apart = offset_ms(mouth, sound)
        assert found_ms == pytest.approx(late_ms, abs=15.0)
        assert not apart


@pytest.mark.parametrize(("spoken_s", "sure"), [(6.0, True), (2.0, False)])
def test_a_mouth_that_stands_still_is_told_where_enough_is_said(spoken_s: float, sure: bool) -> None:
    openings, sound = talk(spoken_s)
    assert offset_ms(dict.fromkeys(openings, 0.0), sound) == (None, sure)
