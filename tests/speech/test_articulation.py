"""Onsets become a gapless timeline, and stops get their closures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.articulation import PAUSE, Onset, phonemes, with_closures

RATE_HZ = 20_000

onsets = st.lists(
    st.builds(Onset, st.sampled_from([PAUSE, "a", "p", "s"]), st.floats(0.0, 2.0), st.integers(0, 2)),
    max_size=12,
)


@given(onsets, st.floats(0.01, 1.5))
def test_a_timeline_has_no_gaps_and_covers_the_sound(given_onsets: list[Onset], duration_s: float) -> None:
    timeline = phonemes(given_onsets, duration_s)
    assert timeline[0].start_s == 0.0
    assert timeline[-1].end_s == duration_s
    assert all(a.end_s == b.start_s for a, b in zip(timeline, timeline[1:], strict=False))
    assert all(phoneme.end_s > phoneme.start_s for phoneme in timeline)


def test_what_comes_before_the_first_sound_is_a_pause() -> None:
    timeline = phonemes([Onset("a", 0.2)], 0.5)
    assert [(phoneme.symbol, phoneme.start_s) for phoneme in timeline] == [(PAUSE, 0.0), ("a", 0.2)]


def test_pauses_join_and_seams_of_syllables_close() -> None:
    timeline = phonemes(
        [Onset("a", 0.0), Onset(PAUSE, 0.1), Onset("s", 0.11), Onset(PAUSE, 0.2), Onset(PAUSE, 0.3)], 0.5
    )
    assert [phoneme.symbol for phoneme in timeline] == ["a", "s", PAUSE]
    assert timeline[0].end_s == 0.11


def _sound(*parts: tuple[float, float]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Noise of (seconds, loudness) after each other."""
    noise = np.random.default_rng(0)
    return np.concatenate(
        [loudness * noise.standard_normal(int(seconds * RATE_HZ)) for seconds, loudness in parts]
    ).astype(np.float32)


def test_the_silence_before_a_burst_belongs_to_the_stop() -> None:
    pcm = _sound((0.15, 0.1), (0.05, 0.0005), (0.03, 0.02), (0.1, 0.1))
    closed = with_closures([Onset("a", 0.0), Onset("p", 0.2), Onset("i", 0.23)], pcm, RATE_HZ)
    assert [onset.symbol for onset in closed] == ["a", "p", "i"]
    assert closed[1].start_s == pytest.approx(0.15, abs=0.006)
    assert closed[2].start_s == 0.23


def test_a_voiced_sound_without_silence_keeps_its_time() -> None:
    pcm = _sound((0.2, 0.1), (0.07, 0.03), (0.1, 0.1))
    before = [Onset("a", 0.0), Onset("b", 0.2), Onset("i", 0.27)]
    assert with_closures(before, pcm, RATE_HZ) == before


def test_a_fricative_gets_no_closure() -> None:
    pcm = _sound((0.15, 0.1), (0.05, 0.0005), (0.1, 0.05))
    before = [Onset("a", 0.0), Onset("s", 0.2)]
    assert with_closures(before, pcm, RATE_HZ) == before


@pytest.mark.parametrize("onsets", [[Onset("p", 0.3)], [Onset(PAUSE, 0.0), Onset("p", 0.3)]])
def test_a_stop_after_a_pause_is_shut_before_it_is_heard(onsets: list[Onset]) -> None:
    pcm = _sound((0.3, 0.0), (0.03, 0.05))
    timeline = phonemes(with_closures(onsets, pcm, RATE_HZ), 0.33)
    assert [phoneme.symbol for phoneme in timeline] == [PAUSE, "p"]
    assert 0.05 <= timeline[1].end_s - timeline[1].start_s - 0.03 <= 0.1


def test_a_sound_is_never_swallowed_whole() -> None:
    pcm = _sound((0.1, 0.1), (0.01, 0.1), (0.09, 0.0), (0.03, 0.05))
    onsets = with_closures([Onset("s", 0.0), Onset("a", 0.1), Onset("p", 0.2)], pcm, RATE_HZ)
    assert onsets[2].start_s - onsets[1].start_s >= 0.039
