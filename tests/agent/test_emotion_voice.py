"""What a voice tells of feeling, measured against the visitor's own manner."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.emotion_voice import VoiceFeatures, syllables, voice_features, voice_feeling
from moderation.feelings import FEELINGS
from speech.timeline import Pcm

DATA = Path(__file__).parents[2].parent / "shared" / "data"
CALM = VoiceFeatures(pitch=3.0, pitch_range=6.0, loudness=-22.0, pace=4.5, pauses=0.15, voiced_s=2.0)


def voice(hz: float, *, seconds: float = 2.0, glide: float = 0.0, level: float = 0.1) -> Pcm:
    """A buzz with a voice's harmonics, four swells a second."""
    t = np.arange(int(seconds * 16_000)) / 16_000
    pitch = hz * 2 ** (glide * np.sin(2 * np.pi * 0.5 * t) / 12)
    phase = 2 * np.pi * np.cumsum(pitch) / 16_000
    tone = sum(np.sin(k * phase) / k for k in range(1, 9))
    noise = np.random.default_rng(0).normal(0, 0.01, len(t))
    return (level * (tone * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t)) + noise)).astype(np.float32)


@pytest.mark.parametrize("hz", [85.0, 120.0, 180.0, 240.0, 330.0])
def test_pitch_is_measured(hz: float) -> None:
    features = voice_features(voice(hz))
    assert features is not None
    assert 100 * 2 ** (features.pitch / 12) == pytest.approx(hz, rel=0.03)


def test_range_loudness_and_pace_are_measured() -> None:
    flat, lively = voice_features(voice(150)), voice_features(voice(150, glide=5, level=0.2))
    assert flat is not None
    assert lively is not None
    assert flat.pitch_range < 1.5 < 6.0 < lively.pitch_range
    assert lively.loudness - flat.loudness == pytest.approx(6.0, abs=0.7)
    assert flat.pace == pytest.approx(4.0, abs=0.7)


@pytest.mark.parametrize("pcm", [
    np.zeros(0, np.float32),
    np.zeros(48_000, np.float32),
    np.random.default_rng(1).normal(0, 0.1, 48_000).astype(np.float32),
    np.full(48_000, np.nan, np.float32),
    voice(150, seconds=0.2),
], ids=["nothing", "silence", "noise", "nan", "too short"])  # fmt: skip
def test_what_is_no_voice_tells_nothing(pcm: Pcm) -> None:
    assert voice_features(pcm) is None
    assert voice_feeling(None, [CALM]) is None


def strongest(turn: VoiceFeatures) -> str:
    told = voice_feeling(turn, [CALM] * 4)
    assert told is not None
    return FEELINGS[int(np.argmax(told.evidence))]


def test_a_voice_like_before_tells_nothing() -> None:
    told = voice_feeling(replace(CALM, pitch=3.8, loudness=-21.0, pace=4.9), [CALM] * 4)
    assert told is not None
    assert told.emotion.label == "neutral"
    assert max(told.evidence) < 0.2


def test_loud_is_angry_quiet_and_slow_is_sad_high_and_quick_is_afraid() -> None:
    assert strongest(replace(CALM, loudness=-12.0, pitch=6.0)) == "anger"
    assert strongest(replace(CALM, loudness=-30.0, pitch=0.5, pace=3.0, pitch_range=3.0)) == "sadness"
    assert strongest(replace(CALM, pitch=9.0, pace=6.5, pitch_range=5.0)) == "fear"


def test_a_moving_voice_is_less_neutral_and_more_aroused() -> None:
    told = voice_feeling(replace(CALM, loudness=-12.0, pitch=8.0), [CALM] * 4)
    assert told is not None
    assert told.arousal > 0.5
    assert told.evidence[0] < 0


def test_confidence_grows_with_turns_and_the_first_has_little() -> None:
    loud = replace(CALM, loudness=-10.0)
    sure = [told.confidence for n in range(4) if (told := voice_feeling(loud, [CALM] * n))]
    assert sure == sorted(sure)
    assert sure[0] <= 0.1
    assert sure[3] == 1.0


def test_one_strange_turn_does_not_move_the_manner() -> None:
    turns = [CALM, CALM, replace(CALM, pitch=20.0, loudness=-5.0), CALM]
    told = voice_feeling(CALM, turns)
    assert told is not None
    assert told.emotion.label == "neutral"


def test_syllables_of_both_languages_are_counted() -> None:
    assert syllables("Where is my parcel?") == 5
    assert syllables("我的快递在哪里") == 7


@pytest.mark.parametrize("pattern", ["ljspeech_sample/**/*.wav", "jfk/*.flac", "cosyvoice_zh/*.wav"])
def test_read_speech_is_calm(pattern: str) -> None:
    from speech.audio import load_audio

    files = sorted(DATA.glob(pattern))[:4]
    if not files:
        pytest.skip("the development data are not beside the repository")
    turns = [
        features for file in files if (features := voice_features(load_audio(file, max_s=60))) is not None
    ]
    assert turns
    for place, features in enumerate(turns):
        told = voice_feeling(features, turns[:place])
        assert told is not None
        assert told.emotion.label == "neutral"
