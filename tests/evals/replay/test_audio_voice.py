"""The visitor's sound: noise of a stated level, rooms, telephones, echoes, and voices that are kept."""

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from evals.replay.kept_sound import kept
from evals.replay.microphone_feed import Room
from evals.replay.noise import noise_of
from evals.replay.room import Telephone, reverberant
from evals.replay.visitor_voice import close_voices, speaker_of, utterance_of, voiced_level
from evals.scripts import Script, ScriptError, load_script, read_script
from evals.scripts.script import Echo, Noise, Voice
from speech.loudness import SPEECH_LEVEL
from speech.timeline import Pcm


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    close_voices()


def script(more: str = "", user: str = "Hello there") -> Script:
    return read_script(f"id: one\n{more}\nturns:\n  - user: {user}\n", Path("one.yaml"))


def silence(begin: int, delay_s: float) -> Pcm:
    return np.zeros(1920, np.float32)


@pytest.mark.parametrize("kind", ["white", "pink", "hum"])
def test_noise_is_as_loud_as_its_ratio_says(kind: str) -> None:
    room = Room(script(), Voice(noise=Noise(kind=kind, snr_db=10.0)), 0)
    heard = [room.heard(np.zeros(1920, np.float32), n * 1920, silence) for n in range(100)]
    assert 20 * np.log10(voiced_level(np.concatenate(heard)) / SPEECH_LEVEL) == pytest.approx(-10.0, abs=0.7)


def test_noise_is_the_same_for_a_seed_and_another_for_the_next_repeat() -> None:
    noise = Noise(kind="pink")
    assert np.array_equal(noise_of(noise, script(), 1), noise_of(noise, script(), 1))
    assert not np.array_equal(noise_of(noise, script(), 1), noise_of(noise, script(), 2))


def test_a_noise_that_is_not_there_is_told_with_its_line() -> None:
    told = script("voice:\n  noise:\n    kind: rain.wav")
    assert told.voice.noise is not None
    with pytest.raises(ScriptError, match=r"one.yaml:4: .*none of babble, white, pink, hum, and no file"):
        noise_of(told.voice.noise, told, 0)


def test_an_echo_comes_back_late_and_weak() -> None:
    asked = list[float]()

    def played(begin: int, delay_s: float) -> Pcm:
        asked.append(delay_s)
        return np.full(1920, 0.5, np.float32)

    room = Room(script(), Voice(echo=Echo(delay_ms=120, level_db=-20)), 0)
    heard = room.heard(np.zeros(1920, np.float32), 0, played)
    assert asked == [0.12]
    assert heard.max() == pytest.approx(0.05)


def test_a_telephone_lets_only_its_band_through() -> None:
    times = np.arange(48_000) / 48_000
    passed = {}
    for hertz in (100, 1000, 6000):
        tone = (0.1 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)
        line = Telephone()
        out = np.concatenate([line.carry(piece) for piece in tone.reshape(-1, 1920)])
        passed[hertz] = float(out[9600:].std() / tone.std())
    assert passed[1000] == pytest.approx(1.0, abs=0.1)
    assert passed[100] < 0.1
    assert passed[6000] < 0.1


def test_a_room_lengthens_a_sound_by_its_reverberation() -> None:
    click = np.zeros(480, np.float32)
    click[0] = 1.0
    wet = reverberant(click, 0.4, "one")
    assert wet[0] == pytest.approx(1.0, abs=1e-3)
    assert np.abs(wet[1:180]).max() < 1e-3
    early, late = (float((wet[a : a + 2400] ** 2).mean()) for a in (400, 400 + 9600))
    assert 10 * np.log10(early / late) == pytest.approx(30.0, abs=3.0)  # 60 dB in 0.4 s


def test_an_utterance_is_as_loud_as_speech_and_kept_for_the_next_time(tmp_path: Path) -> None:
    first = utterance_of(script(), 0, "Hello there", cache=tmp_path)
    assert first.loudness == pytest.approx(SPEECH_LEVEL, rel=0.15)
    assert 0 <= first.first < first.last < len(first.pcm)
    (file,) = tmp_path.glob("*.npy")
    file.touch()
    again = utterance_of(script(), 0, "Hello there", cache=tmp_path)
    assert np.array_equal(first.pcm, again.pcm)
    quick = utterance_of(script("voice: {speed: 1.5, pitch: 1.3}"), 0, "Hello there", cache=tmp_path)
    assert len(quick.pcm) < 0.85 * len(first.pcm)


def test_who_speaks_is_chosen_by_the_seed_unless_named() -> None:
    turn = script().turns[0]
    assert speaker_of(script(), turn, 0) == speaker_of(script(), turn, 0)
    assert len({speaker_of(script(), turn, repeat) for repeat in range(20)}) > 2
    assert speaker_of(script("voice: {speaker: en-us+f3}"), turn, 0) == "en-us+f3"


def test_a_speaker_that_does_not_exist_is_told_with_its_line(tmp_path: Path) -> None:
    wrong = script("voice:\n  speaker: xx-nobody")
    with pytest.raises(ScriptError, match=r"one.yaml:2: the visitor cannot say this"):
        utterance_of(wrong, 0, "Hello", cache=tmp_path)


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert len(kept("x", lambda: np.ones(5, np.float32), tmp_path / "file" / "folder")) == 5


def test_a_recording_is_as_loud_as_speech_whatever_its_rate(tmp_path: Path) -> None:
    said = utterance_of(script(), 0, "Hello there", cache=tmp_path)
    with wave.open(str(tmp_path / "said.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((said.pcm[::3] * 8000).astype("<i2").tobytes())
    file_of = tmp_path / "one.yaml"
    file_of.write_text("id: one\nturns:\n  - user: Hello there\n    wav: said.wav\n", encoding="utf-8")
    recorded = utterance_of(load_script(file_of), 0, "Hello there", cache=tmp_path)
    assert recorded.loudness == pytest.approx(SPEECH_LEVEL, rel=0.15)
    assert recorded.last - recorded.first == pytest.approx(said.last - said.first, abs=2400)
