"""Emotion becomes rate, pitch, range and volume."""

from __future__ import annotations

import itertools

import pytest

from speech.errors import SpeechError
from speech.prosody import EMOTIONS, Prosody, espeak_settings, piper_settings, prosody


def test_the_seven_emotions_of_the_design_are_there_and_all_differ() -> None:
    assert set(EMOTIONS) == {
        "neutral", "happy", "empathetic", "apologetic", "concerned", "surprised", "thinking",
    }  # fmt: skip
    for one, other in itertools.combinations(EMOTIONS.values(), 2):
        assert espeak_settings(one) != espeak_settings(other)


def test_no_intensity_is_the_neutral_voice() -> None:
    for emotion in EMOTIONS:
        assert prosody(emotion, 0.0) == Prosody()


def test_half_intensity_lies_between() -> None:
    half, full = prosody("happy", 0.5), prosody("happy", 1.0)
    assert 1.0 < half.rate < full.rate
    assert 0.0 < half.pitch < full.pitch
    assert 1.0 < half.range < full.range
    assert 0.0 < half.volume_db < full.volume_db


def test_intensity_outside_its_range_is_clipped() -> None:
    assert prosody("happy", 7.0) == prosody("happy", 1.0)
    assert prosody("happy", -1.0) == prosody("neutral")


def test_joy_is_quicker_and_higher_and_sorrow_slower_and_softer() -> None:
    happy, sorry = prosody("happy"), prosody("apologetic")
    assert happy.rate > 1.0 > sorry.rate
    assert happy.pitch > 0.0 > sorry.pitch
    assert happy.gain > 1.0 > sorry.gain


def test_an_unknown_emotion_is_refused_with_the_list() -> None:
    with pytest.raises(SpeechError, match="neutral, happy"):
        prosody("furious")


def test_engines_get_numbers_in_their_own_ranges() -> None:
    settings = espeak_settings(Prosody(rate=9.0, pitch=40.0, range=9.0))
    assert (settings.rate, settings.pitch, settings.range) == (450, 99, 100)
    assert espeak_settings(Prosody()).rate in range(160, 180)
    assert piper_settings(prosody("thinking")).length_scale > 1.0
    assert piper_settings(prosody("neutral")).noise_w_scale == 1.0
