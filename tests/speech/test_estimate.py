from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from speech.errors import AudioError, EngineUnavailable
from speech.espeak import EspeakSynthesizer
from speech.estimation import estimate
from speech.phone_model import load_phone_model
from speech.phones import PHONES, SHAPE_OF_PHONE, SHAPES, phone_index
from speech.recording import speech_from_audio, timeline_of
from speech.spectrum import BANDS, log_mel, without_channel
from speech.timeline import Phoneme, Speech

TEXT = "Maybe Bob will bring my blue umbrella to the museum, but perhaps we should buy more paper."
TEXT_ZH = "爸爸妈妈明天八点半在北京办公，我们不怕麻烦。"


@pytest.fixture(scope="module")
def voice() -> Iterator[EspeakSynthesizer]:
    # held out of the training
    voice = EspeakSynthesizer("en-us+f2", "cmn+f2", rate=150)
    yield voice
    voice.close()


@pytest.fixture(scope="module")
def spoken(voice: EspeakSynthesizer) -> Speech:
    return voice.speak(TEXT, language="en")


@pytest.fixture(scope="module")
def spoken_zh(voice: EspeakSynthesizer) -> Speech:
    return voice.speak(TEXT_ZH, language="zh")


def shapes(phonemes: tuple[Phoneme, ...], duration_s: float) -> np.ndarray:
    """Index of the shape every 10 ms."""
    ends = [phoneme.end_s for phoneme in phonemes]
    times = np.arange(int(duration_s * 100)) / 100
    kinds = np.array([SHAPE_OF_PHONE[phone_index(phoneme.symbol)] for phoneme in phonemes])
    return kinds[np.minimum(np.searchsorted(ends, times, side="right"), len(kinds) - 1)]


def closures(phonemes: tuple[Phoneme, ...]) -> list[tuple[float, float]]:
    lips = SHAPES.index("p")
    return [(p.start_s, p.end_s) for p in phonemes if SHAPE_OF_PHONE[phone_index(p.symbol)] == lips]


def is_timeline(phonemes: tuple[Phoneme, ...], duration_s: float) -> bool:
    return (
        phonemes[0].start_s == 0.0
        and phonemes[-1].end_s == pytest.approx(duration_s)
        and all(a.end_s == b.start_s for a, b in itertools.pairwise(phonemes))
        and all(p.end_s > p.start_s for p in phonemes)
        and all(p.symbol in SHAPES for p in phonemes)
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_shapes_are_mostly_those_of_the_voice(spoken: Speech, spoken_zh: Speech, language: str) -> None:
    speech = spoken if language == "en" else spoken_zh
    heard = estimate(speech.pcm, speech.sample_rate)
    assert is_timeline(heard, speech.duration_s)
    right = shapes(heard, speech.duration_s) == shapes(speech.phonemes, speech.duration_s)
    assert right.mean() > 0.6  # one in fifteen by chance


@pytest.mark.parametrize("language", ["en", "zh"])
def test_lips_close_where_the_voice_closes_them(spoken: Speech, spoken_zh: Speech, language: str) -> None:
    speech = spoken if language == "en" else spoken_zh
    heard = closures(estimate(speech.pcm, speech.sample_rate))
    truth = closures(speech.phonemes)
    found = [any(a < end + 0.03 and start < b + 0.03 for a, b in heard) for start, end in truth]
    assert np.mean(found) > 0.7
    assert len(heard) < 1.5 * len(truth)


@pytest.mark.parametrize("rate_hz", [8000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_any_sample_rate_is_heard(spoken: Speech, rate_hz: int) -> None:
    count = int(spoken.duration_s * rate_hz)
    times = np.arange(count) / rate_hz * spoken.sample_rate
    sound = np.interp(times, np.arange(len(spoken.pcm)), spoken.pcm).astype(np.float32)
    heard = estimate(sound, rate_hz)
    assert is_timeline(heard, count / rate_hz)
    assert len({phoneme.symbol for phoneme in heard}) > 6


@pytest.mark.parametrize("gain", [0.02, 0.2, 1.0])
def test_loudness_does_not_matter(spoken: Speech, gain: float) -> None:
    usual = shapes(estimate(spoken.pcm * 0.5, spoken.sample_rate), spoken.duration_s)
    heard = shapes(estimate(spoken.pcm * gain, spoken.sample_rate), spoken.duration_s)
    assert (usual == heard).mean() > 0.9


def test_silence_before_speech_is_a_pause(spoken: Speech) -> None:
    heard = estimate(np.pad(spoken.pcm, (spoken.sample_rate, 0)), spoken.sample_rate)
    assert heard[0].symbol == ""
    assert heard[0].end_s == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("level", [0.0, 1e-5, 0.1])
def test_what_is_no_speech_is_one_pause(level: float) -> None:
    noise = np.random.default_rng(2).normal(0, 1, 24_000).astype(np.float32) * level
    assert estimate(noise, 16_000) == (Phoneme("", 0.0, 1.5),)


@pytest.mark.parametrize("samples", [1, 100, 159, 1600])
def test_a_sound_too_short_for_a_word_is_a_pause(samples: int) -> None:
    heard = estimate(np.full(samples, 0.1, np.float32), 16_000)
    assert heard == (Phoneme("", 0.0, samples / 16_000),)


def test_no_sound_gives_no_phonemes() -> None:
    assert estimate(np.zeros(0, np.float32), 16_000) == ()
    assert timeline_of(np.zeros(0, np.float32), 16_000) == []


def test_times_are_plain_numbers_that_json_can_write(spoken: Speech) -> None:
    heard = estimate(spoken.pcm, spoken.sample_rate)
    assert all(type(time_s) is float for p in heard for time_s in (p.start_s, p.end_s))


def test_stereo_counts_as_its_mix(spoken: Speech) -> None:
    stereo = np.stack([spoken.pcm, spoken.pcm])
    assert estimate(stereo, spoken.sample_rate) == estimate(spoken.pcm, spoken.sample_rate)


def test_sound_that_is_no_number_is_refused() -> None:
    with pytest.raises(AudioError, match="not numbers"):
        estimate(np.full(1600, np.nan, np.float32), 16_000)


def test_the_same_sound_gives_the_same_timeline(spoken: Speech) -> None:
    assert estimate(spoken.pcm, spoken.sample_rate) == estimate(spoken.pcm, spoken.sample_rate)


def test_speech_from_audio_without_a_text_is_estimated(spoken: Speech) -> None:
    speech = speech_from_audio(spoken.pcm, spoken.sample_rate)
    assert speech.engine == "recording/estimated"
    assert speech.phonemes == estimate(spoken.pcm, spoken.sample_rate)
    assert (speech.text, speech.words) == ("", ())


def test_a_long_sound_is_heard_as_its_parts_are(spoken: Speech) -> None:
    model = load_phone_model()
    from speech.audio import to_mono_16k

    once = to_mono_16k(spoken.pcm, spoken.sample_rate)
    once = once[: len(once) // 160 * 160]
    repeated = np.tile(once, 6)
    assert len(repeated) // 160 > 2000  # more than is computed at a time
    heard = model.log_posteriors(repeated)
    count = len(once) // 160
    assert np.allclose(heard[count : 2 * count], heard[3 * count : 4 * count], atol=1e-3)


def test_posteriors_are_probabilities(spoken: Speech) -> None:
    heard = load_phone_model().log_posteriors(spoken.pcm)
    assert heard.shape == (-(-len(spoken.pcm) // 160), len(PHONES))
    assert np.allclose(np.exp(heard).sum(axis=1), 1.0, atol=1e-4)


def test_the_channel_is_taken_out(spoken: Speech) -> None:
    bands = log_mel(spoken.pcm)
    curve = np.linspace(-2.0, 2.0, BANDS, dtype=np.float32)
    assert np.abs(without_channel(bands + 3.0) - without_channel(bands)).max() < 1e-4
    bent = without_channel(bands + curve) - without_channel(bands)
    assert np.abs(bent).mean() < 0.5


@pytest.mark.parametrize(
    ("symbol", "phone"),
    [("", ""), ("tʰ", "t"), ("ʈʂʰ", "tʃ"), ("ɑ̃", "ɑ"), ("g", "ɡ"), ("ɾ", "d"), ("œ", "ɛ"), ("☃", "t")],
)
def test_any_symbol_has_a_phone(symbol: str, phone: str) -> None:
    assert PHONES[phone_index(symbol)] == phone


def test_weights_that_are_missing_are_named(tmp_path: object) -> None:
    from pathlib import Path

    with pytest.raises(EngineUnavailable, match="reinstall"):
        load_phone_model(Path(str(tmp_path)) / "none.npz")
