import numpy as np
import pytest

from avatar.coarticulation import loudness_gain, mouth_track
from avatar.geometry import BLENDSHAPE_INDEX
from avatar.style import Style
from speech.timeline import Phoneme
from tests.avatar.lines import SENTENCE, spoken

JAW = BLENDSHAPE_INDEX["jawOpen"]
FINE = 0.005
"""Seconds between looks."""


def looks(end_s: float) -> np.ndarray:
    return np.arange(0, end_s, FINE, dtype=np.float32)


def test_weights_stay_in_bounds() -> None:
    weights, closure = mouth_track(SENTENCE.phonemes, looks(SENTENCE.duration_s), 1.15)
    assert weights.min() >= 0
    assert weights.max() <= 1
    assert 0 <= closure.min() <= closure.max() <= 1


def test_silence_is_closed() -> None:
    times = looks(2.0)
    assert not mouth_track([Phoneme("", 0, 2.0)], times)[0].any()
    assert not mouth_track([], times)[0].any()


def test_the_mouth_closes_in_a_pause() -> None:
    speech = spoken("ɑː _ ɑː", pause_s=0.3)
    pause = speech.phonemes[2]
    times = looks(speech.duration_s)
    weights, _ = mouth_track(speech.phonemes, times)
    inside = (times > pause.start_s + 0.13) & (times < pause.end_s - 0.13)
    assert inside.any()
    assert not weights[inside].any()


def test_lips_round_before_the_sound() -> None:
    speech = spoken("s t uː")
    start = speech.phonemes[3].start_s
    times = np.array([start - 0.15, start - 0.06, start + 0.05], np.float32)
    pucker = mouth_track(speech.phonemes, times)[0][:, BLENDSHAPE_INDEX["mouthPucker"]]
    assert pucker[0] < pucker[1] < pucker[2]
    assert pucker[1] > 0.15


def test_the_jaw_is_slower_than_the_lips() -> None:
    speech = spoken("s ɑː s", vowel_s=0.12)
    times = looks(speech.duration_s)
    weights, _ = mouth_track(speech.phonemes, times)
    vowel = speech.phonemes[2]
    after = times > vowel.end_s + 0.03
    jaw, lip = weights[:, JAW], weights[:, BLENDSHAPE_INDEX["mouthSmileLeft"]]
    # 30 ms into the /s/ its spread lips have come further than its raised jaw
    assert (jaw[after][0] - 0.03) / (jaw.max() - 0.03) > 1 - lip[after][0] / 0.15


@pytest.mark.parametrize("symbol", ["p", "b", "m"])
@pytest.mark.parametrize("length", [0.065, 0.09, 0.15])
def test_bilabials_reach_closure(symbol: str, length: float) -> None:
    speech = spoken(f"ɑː {symbol} ɑː", consonant_s=length)
    sound = speech.phonemes[2]
    times = looks(speech.duration_s)
    _, closure = mouth_track(speech.phonemes, times)
    assert (closure[(times > sound.start_s) & (times < sound.end_s)] > 0.999).sum() * FINE >= 0.04


def test_a_very_short_bilabial_narrows_the_mouth() -> None:
    speech = spoken("ɑː b ɑː", consonant_s=0.04)
    middle = np.array([(speech.phonemes[2].start_s + speech.phonemes[2].end_s) / 2], np.float32)
    assert mouth_track(speech.phonemes, middle)[1][0] == pytest.approx(0.85, abs=0.01)


def test_louder_opens_wider() -> None:
    times = looks(SENTENCE.duration_s)
    quiet, loud = (mouth_track(SENTENCE.phonemes, times, gain)[0][:, JAW].max() for gain in (0.75, 1.15))
    assert loud > 1.3 * quiet


def test_gain_follows_the_sound() -> None:
    rate = 16000
    pcm = np.concatenate([np.full(rate, 0.01), np.full(rate, 0.5)]).astype(np.float32)
    gain = loudness_gain(pcm, rate, np.array([0.5, 1.5], np.float32))
    assert 0.75 <= gain[0] < gain[1] <= 1.15


@pytest.mark.parametrize("pcm", [np.zeros(0), np.zeros(16000), np.full(16000, np.nan)])
def test_gain_of_nothing_is_one(pcm: np.ndarray) -> None:
    assert (loudness_gain(pcm.astype(np.float32), 16000, np.array([0.1, 0.5], np.float32)) == 1).all()


def test_long_speech_is_the_same_in_blocks() -> None:
    long = spoken("m ɑː p uː s 'iː _ b oʊ θ " * 12)
    times = ((np.arange(int(long.duration_s * 25)) + 0.5) / 25).astype(np.float32)
    whole, _ = mouth_track(long.phonemes, times)
    middle, _ = mouth_track(long.phonemes, times[100:200])
    assert np.abs(whole[100:200] - middle).max() < 1e-3


def test_round_lips_are_seen_in_a_short_sound_between_spread_ones() -> None:
    speech = spoken("iː w iː", consonant_s=0.06)
    sound = speech.phonemes[2]
    middle = np.array([(sound.start_s + sound.end_s) / 2], np.float32)
    assert mouth_track(speech.phonemes, middle)[0][0, BLENDSHAPE_INDEX["mouthPucker"]] > 0.6


@pytest.mark.parametrize(
    ("symbol", "shape"), [("f", "mouthRollLower"), ("v", "mouthRollLower"), ("ð", "tongueOut")]
)
def test_teeth_and_tongue_are_seen_in_a_short_sound(symbol: str, shape: str) -> None:
    speech = spoken(f"ɑː {symbol} ɑː", consonant_s=0.05)
    sound = speech.phonemes[2]
    middle = np.array([(sound.start_s + sound.end_s) / 2], np.float32)
    assert mouth_track(speech.phonemes, middle)[0][0, BLENDSHAPE_INDEX[shape]] > 0.4


def test_lips_stay_round_through_a_closure_between_round_vowels() -> None:
    for vowel, low, high in (("uː", 0.2, 1.0), ("iː", 0.0, 0.1)):
        speech = spoken(f"{vowel} m {vowel}")
        sound = speech.phonemes[2]
        weights, closure = mouth_track(
            speech.phonemes, np.array([(sound.start_s + sound.end_s) / 2], np.float32)
        )
        assert closure[0] > 0.999
        assert low <= weights[0, BLENDSHAPE_INDEX["mouthPucker"]] <= high


def test_a_style_scales_the_mouth_but_not_its_closures() -> None:
    times = looks(SENTENCE.duration_s)
    plain, closed = mouth_track(SENTENCE.phonemes, times)
    small, still_closed = mouth_track(SENTENCE.phonemes, times, 1.0, Style(opening=0.7))
    assert small[:, JAW].max() < 0.8 * plain[:, JAW].max()
    assert np.array_equal(closed, still_closed)
