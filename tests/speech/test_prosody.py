"""Emotion becomes rate, pitch, range and volume."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from speech.errors import SpeechError
from speech.espeak import EspeakSynthesizer
from speech.prosody import EMOTIONS, FASTEST, SLOWEST, Prosody, espeak_settings, piper_settings, prosody
from speech.scripted_voice import ScriptedSynthesizer
from speech.synthesizer import Synthesizer
from speech.timeline import Speech


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


@pytest.fixture(scope="module")
def voices() -> Iterator[dict[str, Synthesizer]]:
    voices: dict[str, Synthesizer] = {"espeak": EspeakSynthesizer(), "scripted": ScriptedSynthesizer()}
    yield voices
    for voice in voices.values():
        voice.close()


@pytest.mark.parametrize("engine", ["espeak", "scripted"])
@pytest.mark.parametrize("pace", [0.8, 1.2])
@pytest.mark.parametrize(
    ("text", "language"),
    [("You can bring it back to any of our shops", "en"), ("您可以把它带到我们的任何一家店", "zh")],
)
def test_pace_makes_speech_shorter_or_longer_by_its_factor(
    voices: dict[str, Synthesizer], engine: str, pace: float, text: str, language: str
) -> None:
    usual, paced = (voices[engine].speak(text, language=language, pace=one) for one in (1.0, pace))
    assert voiced_s(paced) == pytest.approx(voiced_s(usual) / pace, rel=0.06)
    assert paced.text == usual.text


def test_pace_and_emotion_together_stay_within_what_sounds_natural() -> None:
    assert prosody("thinking", pace=0.5).rate == SLOWEST
    assert prosody("happy", pace=3.0).rate == FASTEST
    assert prosody("happy", 0.0, pace=0.9) == Prosody(rate=0.9)


def voiced_s(speech: Speech) -> float:
    """How long it takes from the first sound to the end of the last word."""
    said = [one for one in speech.phonemes if one.symbol]
    return said[-1].end_s - said[0].start_s
