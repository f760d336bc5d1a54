import numpy as np
import pytest

from agent.events import Spoken, spoken_until
from agent.frames import whole_frames
from agent.line import SAMPLES, Line, joined, said_until, sliced, take_up_at
from agent.sentence import Sentence
from speech.scripted_voice import ScriptedSynthesizer
from speech.timeline import Phoneme, Speech
from tests.agent.stage_parts import RATE, place_s, ramp


def all_sound(line: Line) -> np.ndarray:
    pieces = []
    while not line.over:
        pieces.append(line.sound())
    return np.concatenate(pieces)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_sound_is_resampled_in_its_place(rate: int) -> None:
    times = np.arange(round(1.0 * rate)) / rate
    pcm = (0.5 * np.sin(2 * np.pi * 300 * times) * np.sin(np.pi * times)).astype(np.float32)
    spoken = Spoken(Sentence("Ah."), Speech(pcm, rate, (Phoneme("a", 0, 1.0),)), 0.0, 0.0)
    sound = all_sound(Line.of(spoken, first=True))
    assert sound.dtype == np.int16
    assert len(sound) == 25 * SAMPLES
    times = np.arange(len(sound)) / 48_000
    wanted = 32767 * 0.5 * np.sin(2 * np.pi * 300 * times) * np.sin(np.pi * times)
    assert np.abs(sound - wanted).max() < 200


def test_a_sentence_of_any_length_becomes_whole_moments() -> None:
    for samples in (0, 1, 639, 640, 641, 9_999):
        pcm = np.full(samples, 0.1, np.float32)
        spoken = Spoken(Sentence("Ah."), Speech(pcm, RATE, (Phoneme("a", 0, samples / RATE),)), 0.0, 0.0)
        line = Line.of(spoken, first=True)
        assert line.count == max(1, -(-samples // 640))
        assert len(all_sound(line)) == line.count * SAMPLES


@pytest.mark.parametrize("words", ["one two three four five six", "你好世界今天"])
def test_a_cut_sentence_goes_on_with_the_word_that_was_cut(words: str) -> None:
    spoken = ramp(words)
    for frames in range(1, 47):
        line = Line.of(spoken, first=True)
        for _ in range(frames):
            line.sound()
        if line.frame >= line.sounding:
            break
        tail, rest = line.cut()
        assert not tail[480:].any()
        cut_s = frames * 0.04
        again_s = take_up_at(spoken.speech, cut_s)
        sound = all_sound(rest)
        assert place_s(sound[600], spoken) == pytest.approx(again_s + 600 / 48_000, abs=0.004)
        late_s = spoken_until(spoken.speech) - 0.02
        assert place_s(sound[round((late_s - again_s) * 48_000)], spoken) == pytest.approx(late_s, abs=0.004)
        lost = [word.text for word in spoken.speech.words if cut_s < word.end_s and word.start_s < again_s]
        again = [word.text for word in spoken.speech.words if word.start_s >= again_s and word.end_s <= cut_s]
        assert not lost
        assert len(again) <= 1


def test_a_cut_is_faded_on_both_sides() -> None:
    spoken = ramp("one two three four five six")
    line = Line.of(spoken, first=True)
    before = [line.sound() for _ in range(40)][-1]
    tail, rest = line.cut()
    assert abs(int(tail[0]) - int(before[-1])) < 100
    assert (np.diff(tail[:480].astype(int)) < 0).all()
    assert tail[479] < 100
    again = rest.sound()
    assert again[0] < 100
    assert (np.diff(again[:480].astype(int)) > 0).all()
    assert again[481] == pytest.approx(again[479], abs=60)


def test_without_the_times_of_words_it_goes_on_after_the_last_pause() -> None:
    spoken = ramp("one two three four five six", timed=False)
    assert take_up_at(spoken.speech, 0.5) == 0.0
    assert take_up_at(spoken.speech, 1.9) == pytest.approx(1.2, abs=0.03)


def test_what_was_all_said_goes_on_with_its_silence() -> None:
    spoken = ramp("one two three four")
    assert take_up_at(spoken.speech, 1.55) == pytest.approx(1.55)


def test_the_rest_of_a_speech_has_its_sounds_and_words_moved() -> None:
    speech = whole_frames(ScriptedSynthesizer().speak("Our shop, in town, is open."), pause_s=0.28)
    start_s = speech.words[2].start_s
    rest = sliced(speech, start_s)
    assert [word.text for word in rest.words] == [word.text for word in speech.words[2:]]
    assert rest.words[0].start_s == pytest.approx(0, abs=1e-4)
    assert rest.duration_s == pytest.approx(speech.duration_s - start_s, abs=1e-4)
    assert rest.phonemes[0].start_s == 0
    assert rest.phonemes[-1].end_s == pytest.approx(rest.duration_s, abs=1e-4)
    assert all(
        a.end_s == pytest.approx(b.start_s) for a, b in zip(rest.phonemes, rest.phonemes[1:], strict=False)
    )


def test_only_whole_words_count_as_said() -> None:
    spoken = ramp("one two, three four")
    said = [said_until(spoken, t) for t in (0.0, 0.29, 0.31, 0.61, 1.0, 1.49, 1.51)]
    assert said == ["", "", "one", "one two,", "one two, three", "one two, three", "one two, three four"]


def test_chinese_counts_by_characters_with_the_marks_that_follow() -> None:
    synthesizer = ScriptedSynthesizer()
    text = "您好，我们九点开门。"
    spoken = Spoken(Sentence(text, "zh"), synthesizer.speak(text), 0.0, 0.0)
    words = spoken.speech.words
    assert said_until(spoken, words[1].end_s + 0.01) == "您好，"
    assert said_until(spoken, words[4].end_s + 0.01) == "您好，我们九"
    assert said_until(spoken, 99.0) == text


def test_without_the_times_of_words_letters_tell_how_much_was_said() -> None:
    spoken = ramp("one two six ten", timed=False)
    assert said_until(spoken, 0.0) == ""
    assert said_until(spoken, 0.75) == "one two"
    assert said_until(spoken, 1.49) == "one two six"
    assert said_until(spoken, 1.6) == "one two six ten"


def test_sentences_are_joined_as_their_script_is_written() -> None:
    assert joined(["Hello.", "", "We are open."]) == "Hello. We are open."
    assert joined(["您好。", "九点开门。"]) == "您好。九点开门。"
    assert joined([]) == ""
