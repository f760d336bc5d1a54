from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from speech.alignment import _best_path, _Chain, align
from speech.audio import MAX_S, load_audio
from speech.errors import AudioError
from speech.espeak import EspeakSynthesizer
from speech.recording import speech_from_audio, timeline_of
from speech.timeline import Phoneme, Speech

DATA = Path(__file__).parents[3] / "shared" / "data"
QUESTION = "Good morning, how may I help you with your parcel today?"
ANSWER = "The blue bicycle was repaired by my brother before breakfast."
QUESTION_ZH = "你好，请问我的包裹什么时候能送到北京？"
ANSWER_ZH = "我们学校旁边有一家很好吃的面包店。"


@pytest.fixture(scope="module")
def voice() -> Iterator[EspeakSynthesizer]:
    # not the voice that alignment takes its reference from
    voice = EspeakSynthesizer("en-us+m3", "cmn+m3", rate=150, pitch=40)
    yield voice
    voice.close()


@pytest.fixture(scope="module")
def question(voice: EspeakSynthesizer) -> Speech:
    return voice.speak(QUESTION, language="en")


@pytest.fixture(scope="module")
def question_zh(voice: EspeakSynthesizer) -> Speech:
    return voice.speak(QUESTION_ZH, language="zh")


def padded(speech: Speech, before_s: float, after_s: float) -> np.ndarray:
    rate = speech.sample_rate
    return np.pad(speech.pcm, (int(before_s * rate), int(after_s * rate)))


def is_timeline(phonemes: tuple[Phoneme, ...] | list[Phoneme], duration_s: float) -> bool:
    return (
        phonemes[0].start_s == 0.0
        and phonemes[-1].end_s == pytest.approx(duration_s)
        and all(a.end_s == b.start_s for a, b in itertools.pairwise(phonemes))
        and all(p.end_s > p.start_s for p in phonemes)
    )


def onsets(phonemes: tuple[Phoneme, ...]) -> np.ndarray:
    return np.array([phoneme.start_s for phoneme in phonemes if phoneme.symbol])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sounds_of_another_voice_are_found_where_they_are(
    question: Speech, question_zh: Speech, language: str
) -> None:
    speech = question if language == "en" else question_zh
    sound = padded(speech, 0.7, 0.4)
    found = align(sound, speech.sample_rate, speech.text, language)
    assert found.fits
    assert is_timeline(found.phonemes, len(sound) / speech.sample_rate)
    assert [p.symbol for p in found.phonemes if p.symbol] == [p.symbol for p in speech.phonemes if p.symbol]
    errors = np.abs(onsets(found.phonemes) - onsets(speech.phonemes) - 0.7)
    assert np.median(errors) < 0.025
    assert np.quantile(errors, 0.9) < 0.1


def test_silence_around_speech_is_a_pause(question: Speech) -> None:
    found = align(padded(question, 1.5, 1.0), question.sample_rate, QUESTION, "en")
    first, last = found.phonemes[0], found.phonemes[-1]
    assert (first.symbol, last.symbol) == ("", "")
    assert first.end_s == pytest.approx(1.5, abs=0.12)
    assert last.end_s - last.start_s > 0.9


def test_words_are_timed_as_they_are_heard(question: Speech) -> None:
    found = align(question.pcm, question.sample_rate, QUESTION, "en")
    assert [word.text for word in found.words] == QUESTION.split()
    errors = [abs(a.start_s - b.start_s) for a, b in zip(found.words, question.words, strict=True)]
    assert float(np.median(errors)) < 0.04
    assert all(a.end_s <= b.start_s for a, b in itertools.pairwise(found.words))


@pytest.mark.parametrize("wrong", [ANSWER, "No.", QUESTION_ZH])
def test_another_text_does_not_fit(question: Speech, wrong: str) -> None:
    right = align(question.pcm, question.sample_rate, QUESTION)
    other = align(question.pcm, question.sample_rate, wrong)
    assert right.fits
    assert not other.fits
    assert is_timeline(other.phonemes, question.duration_s)


def test_another_chinese_text_does_not_fit(question_zh: Speech) -> None:
    assert align(question_zh.pcm, question_zh.sample_rate, QUESTION_ZH).fits
    assert not align(question_zh.pcm, question_zh.sample_rate, ANSWER_ZH).fits


@pytest.mark.parametrize("noise_db", [-20, -10])
def test_noise_leaves_the_alignment_in_place(question: Speech, noise_db: int) -> None:
    rng = np.random.default_rng(1)
    level = np.sqrt(np.mean(question.pcm**2)) * 10 ** (noise_db / 20)
    noisy = question.pcm + rng.normal(0, level, len(question.pcm)).astype(np.float32)
    found = align(noisy, question.sample_rate, QUESTION, "en")
    errors = np.abs(onsets(found.phonemes) - onsets(question.phonemes))
    assert np.median(errors) < 0.035


def test_times_are_plain_numbers_that_json_can_write(question: Speech) -> None:
    found = align(question.pcm, question.sample_rate, QUESTION, "en")
    timed = [*found.phonemes, *found.words]
    assert all(type(time_s) is float for one in timed for time_s in (one.start_s, one.end_s))


def test_stress_stays_with_its_vowel(question: Speech) -> None:
    found = align(question.pcm, question.sample_rate, QUESTION, "en")
    stressed = [p.symbol for p in question.phonemes if p.stress == 2]
    assert [p.symbol for p in found.phonemes if p.stress == 2] == stressed


@pytest.mark.parametrize("text", ["", "…", QUESTION])
def test_silence_is_one_pause(text: str) -> None:
    found = align(np.zeros(16_000, np.float32), 16_000, text, "en")
    assert found.phonemes == (Phoneme("", 0.0, 1.0),)
    assert found.words == ()
    assert found.fits is (text != QUESTION)


def test_no_sound_gives_no_phonemes() -> None:
    assert align(np.zeros(0, np.float32), 16_000, QUESTION, "en").phonemes == ()


def test_a_text_far_too_long_for_the_sound_does_not_fit(question: Speech) -> None:
    found = align(question.pcm[: question.sample_rate], question.sample_rate, f"{ANSWER} {QUESTION} " * 4)
    assert not found.fits
    assert is_timeline(found.phonemes, 1.0)


def test_a_sound_too_long_is_refused_with_advice() -> None:
    sound = np.zeros(int((MAX_S + 1) * 8000), np.float32)
    with pytest.raises(AudioError, match="sentence by sentence"):
        align(sound, 8000, QUESTION, "en")


def test_memory_holds_no_score_of_every_state_at_every_frame() -> None:
    frames, states = 1500, 2000
    nowhere = np.full(states, -np.inf, np.float32)
    chain = _Chain(
        np.arange(states) % 40, np.arange(states), np.zeros(states, np.float32),
        np.zeros(states, np.float32), nowhere,
    )  # fmt: skip
    scores = np.zeros((frames, 40), np.float32)
    tracemalloc.start()
    try:
        _best_path(scores, chain)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * frames * states  # bytes; the way back takes one for each


def test_the_same_sound_gives_the_same_timeline(question: Speech) -> None:
    once, twice = (align(question.pcm, question.sample_rate, QUESTION) for _ in range(2))
    assert once == twice


def test_speech_from_audio_carries_the_sound_its_words_and_where_they_come_from(question: Speech) -> None:
    speech = speech_from_audio(question.pcm, question.sample_rate, QUESTION)
    assert speech.engine == "recording/aligned"
    assert np.array_equal(speech.pcm, question.pcm)
    assert (speech.sample_rate, speech.language, speech.text) == (question.sample_rate, "en", QUESTION)
    assert [word.text for word in speech.words] == QUESTION.split()
    assert is_timeline(speech.phonemes, speech.duration_s)


def test_a_text_that_does_not_fit_is_not_believed(question: Speech) -> None:
    speech = speech_from_audio(question.pcm, question.sample_rate, ANSWER)
    assert speech.engine == "recording/estimated"
    assert speech.words == ()
    assert list(speech.phonemes) == timeline_of(question.pcm, question.sample_rate)


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "text", "language"),
    [
        ("jfk/jfk.flac", "And so my fellow Americans ask not what your country can do for you, "
                         "ask what you can do for your country.", "en"),
        ("ljspeech_sample/LJ001-0008.wav", "has never been surpassed.", "en"),
        ("cosyvoice_zh/zero_shot_prompt.wav", "希望你以后能够做的比我还好呦。", "zh"),
    ],
)  # fmt: skip
def test_people_are_aligned(file: str, text: str, language: str) -> None:
    path = DATA / file
    if not path.exists():
        pytest.skip(f"{file} is not beside the checkout in shared/data")
    sound = load_audio(path)
    found = align(sound, 16_000, text, language)
    assert found.fits
    assert is_timeline(found.phonemes, len(sound) / 16_000)
