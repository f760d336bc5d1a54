"""Speech begins and ends where the numbers of the design say, in virtual time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.audio import load_audio
from speech.timeline import Pcm
from speech.vad import (
    WINDOW,
    WINDOW_S,
    SileroVad,
    SpeechEnded,
    SpeechSegmenter,
    SpeechStarted,
    VadEvent,
    VadSettings,
    VoiceActivity,
    silero_path,
    speech_segments,
)
from tests.speech.sounds import spoken_vowels

DATA = Path(__file__).parents[3] / "shared" / "data"


def run(*stretches: tuple[float, int], settings: VadSettings | None = None) -> list[VadEvent]:
    """Push stretches of (probability, windows)."""
    segmenter = SpeechSegmenter(settings)
    pushed = [segmenter.push(p) for p, count in stretches for _ in range(count)]
    return [event for event in [*pushed, segmenter.finish()] if event is not None]


def test_speech_is_reported_after_a_quarter_second_and_dated_back() -> None:
    started, ended = run((0.0, 20), (0.9, 20), (0.0, 20))
    assert isinstance(started, SpeechStarted)
    assert started.start_s == pytest.approx(20 * WINDOW_S)
    assert started.at_s == pytest.approx(28 * WINDOW_S), "eight windows are the first past 250 ms"
    assert started.keep_from_s == pytest.approx(20 * WINDOW_S - 0.5)
    assert isinstance(ended, SpeechEnded)
    assert ended.end_s == pytest.approx(40 * WINDOW_S)
    assert ended.at_s == pytest.approx(48 * WINDOW_S)


def test_a_cough_is_no_speech() -> None:
    assert run((0.0, 10), (0.95, 7), (0.0, 30)) == []


@pytest.mark.parametrize(("probability", "brief", "heard"), [(0.9, True, 2), (0.8, True, 0), (0.9, False, 0)])
def test_a_short_clear_syllable_is_speech_where_it_is_expected(
    probability: float, brief: bool, heard: int
) -> None:
    segmenter = SpeechSegmenter()
    segmenter.brief = brief
    pushed = [segmenter.push(p) for p in [0.0] * 10 + [probability] * 4 + [0.0] * 20]
    assert len([event for event in pushed if event is not None]) == heard


def test_coughs_far_apart_do_not_add_up() -> None:
    assert run(*[(0.95, 5), (0.0, 10)] * 6) == []


def test_between_the_thresholds_silence_stays_silence_and_speech_stays_speech() -> None:
    assert run((0.45, 100)) == []
    started, ended = run((0.9, 10), (0.4, 30), (0.0, 10))
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert ended.end_s == pytest.approx(40 * WINDOW_S)


def test_a_short_pause_does_not_end_speech() -> None:
    events = run((0.9, 20), (0.0, 7), (0.9, 20), (0.0, 8))
    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded]


def test_pre_roll_does_not_reach_into_the_speech_before() -> None:
    events = run((0.9, 20), (0.0, 9), (0.9, 20), (0.0, 9))
    second = events[2]
    assert isinstance(second, SpeechStarted)
    assert second.keep_from_s == pytest.approx(20 * WINDOW_S)


def test_pre_roll_does_not_reach_before_the_stream() -> None:
    started = run((0.9, 20))[0]
    assert isinstance(started, SpeechStarted)
    assert started.keep_from_s == 0.0


def test_speech_that_goes_on_at_the_end_is_ended_by_it() -> None:
    started, ended = run((0.0, 5), (0.9, 20))
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert ended.end_s == ended.at_s == pytest.approx(25 * WINDOW_S)


@given(st.lists(st.floats(0.0, 1.0), max_size=300))
def test_events_alternate_and_times_never_run_back(probabilities: list[float]) -> None:
    events = run(*((p, 1) for p in probabilities))
    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded] * (len(events) // 2)
    times = [e.start_s if isinstance(e, SpeechStarted) else e.end_s for e in events]
    assert times == sorted(times)
    assert all(e.start_s <= e.at_s if isinstance(e, SpeechStarted) else e.end_s <= e.at_s for e in events)


class Loudness:
    """A probability model that hears what is loud."""

    def __init__(self) -> None:
        self.windows: list[Pcm] = []

    def probability(self, window: Pcm) -> float:
        self.windows.append(window)
        return float(np.abs(window).max() > 0.1)

    def reset(self) -> None:
        self.windows.clear()


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=40))
def test_pieces_of_any_length_give_the_same_windows(lengths: list[int]) -> None:
    samples = np.arange(sum(lengths), dtype=np.float32)
    model = Loudness()
    activity = VoiceActivity(model)
    start = 0
    for length in lengths:
        activity.feed(samples[start : start + length])
        start += length
    assert all(len(window) == WINDOW for window in model.windows)
    heard = np.concatenate([*model.windows, np.zeros(0, np.float32)])
    assert np.array_equal(heard, samples[: len(heard)])
    assert len(samples) - len(heard) < WINDOW


def test_silence_is_counted_from_the_last_speech() -> None:
    activity = VoiceActivity(Loudness())
    activity.feed(np.ones(WINDOW * 20, np.float32))
    assert activity.speaking
    activity.feed(np.zeros(WINDOW * 4, np.float32))
    assert activity.silence_s == pytest.approx(4 * WINDOW_S)


def test_silero_tells_a_voice_from_silence_and_noise() -> None:
    voice = spoken_vowels()
    ((start, end),) = speech_segments(voice)
    assert 0.4 < start < 0.8
    assert 1.7 < end < 2.3
    noise = np.random.default_rng(5).normal(0, 0.1, 48_000).astype(np.float32)
    assert speech_segments(noise) == []
    assert speech_segments(np.zeros(48_000, np.float32)) == []
    assert speech_segments(np.zeros(0, np.float32)) == []


def test_silero_gives_the_same_window_by_window_as_in_one_run() -> None:
    voice = spoken_vowels()
    voice = voice[: len(voice) // WINDOW * WINDOW]
    model = SileroVad()
    one_by_one = [model.probability(voice[start : start + WINDOW]) for start in range(0, len(voice), WINDOW)]
    assert np.allclose(one_by_one, SileroVad().probabilities(voice), atol=1e-4)
    model.reset()
    assert model.probability(voice[:WINDOW]) == pytest.approx(one_by_one[0], abs=1e-4)


def test_streams_do_not_disturb_each_other() -> None:
    voice = spoken_vowels()
    first, second = SileroVad(), SileroVad()
    alone = [SileroVad().probabilities(voice[: WINDOW * 40])[-1]]
    for start in range(0, WINDOW * 40, WINDOW):
        last = first.probability(voice[start : start + WINDOW])
        second.probability(np.zeros(WINDOW, np.float32))
    assert last == pytest.approx(float(alone[0]), abs=1e-4)


def test_a_piece_that_is_no_multiple_of_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 512"):
        SileroVad().probabilities(np.zeros(100, np.float32))


def test_the_model_file_is_found_without_loading_faster_whisper() -> None:
    assert silero_path().stat().st_size > 500_000


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")
def test_recordings_of_speech_are_speech_and_noises_are_not() -> None:
    for path in sorted((DATA / "noise_bursts").glob("*.wav")):
        assert speech_segments(load_audio(path), VadSettings(speech_s=0.1)) == [], path.name
    for path in sorted((DATA / "ljspeech_sample").glob("*.wav")):
        pcm = load_audio(path)
        spoken_s = sum(end - start for start, end in speech_segments(pcm))
        assert spoken_s > 0.8 * len(pcm) / 16_000, path.name
