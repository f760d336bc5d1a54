import wave
from pathlib import Path

import numpy as np
import pytest

from evals.live import main
from evals.live_script import LEVEL_RMS, RATE_HZ
from evals.live_speech import cut, found, recording, utterances
from speech.errors import AudioError

HUMAN = Path(__file__).parents[3] / "shared" / "data"


def voice(*pieces: tuple[float, float], rate: int = RATE_HZ) -> np.ndarray:
    """Seconds of noise and of (nearly) silence, by turns."""
    random = np.random.default_rng(0)
    sound = [
        random.normal(0, level, round(seconds * rate))
        for said, pause in pieces
        for level, seconds in ((0.1, said), (0.0002, pause))
    ]
    return np.concatenate(sound).astype(np.float32)


def write(path: Path, pcm: np.ndarray, rate: int = RATE_HZ) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((pcm * 32767).astype("<i2").tobytes())
    return path


def seconds(pcm: np.ndarray) -> list[tuple[float, float]]:
    return [(round(begin / RATE_HZ, 1), round(end / RATE_HZ, 1)) for begin, end in cut(pcm)]


def test_a_recording_is_cut_at_long_pauses_only() -> None:
    assert seconds(voice((2.0, 0.4), (1.0, 0.7), (3.0, 1.0))) == [(0.0, 3.4), (4.1, 7.1)]


def test_scraps_are_left_out_but_a_short_recording_is_one_utterance() -> None:
    assert seconds(voice((0.8, 0.7), (2.0, 0.7), (0.4, 0.5))) == [(1.5, 3.5)]
    assert seconds(voice((0.8, 0.5))) == [(0.0, 0.8)]


def test_a_long_stretch_is_cut_at_its_longest_pause() -> None:
    assert seconds(voice((4.0, 0.2), (3.0, 0.4), (4.0, 0.5))) == [(0.0, 7.2), (7.6, 11.6)]


def test_a_long_stretch_without_any_pause_is_left_out() -> None:
    assert seconds(voice((9.0, 1.0))) == []


def test_silence_has_no_utterances() -> None:
    assert cut(np.zeros(RATE_HZ, np.float32)) == []
    assert cut(np.zeros(0, np.float32)) == []


def test_every_second_utterance_breaks_in_and_all_are_equally_loud(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", 0.1 * voice((2.0, 0.7), (2.0, 0.7), (2.0, 0.7)))
    write(tmp_path / "b.wav", voice((1.0, 0.2), rate=16_000), 16_000)
    made = recording([tmp_path], 10)
    assert [one.kind for one in made.said] == ["question", "interruption", "question", "interruption"]
    for one in made.said:
        heard = made.pcm[round(one.start_s * RATE_HZ) : round(one.end_s * RATE_HZ)]
        assert np.sqrt(np.mean(heard**2)) == pytest.approx(LEVEL_RMS, rel=0.02)
    assert made.said[1].start_s - made.said[0].end_s < made.said[2].start_s - made.said[1].end_s


def test_fewer_utterances_come_from_all_over_the_recordings(tmp_path: Path) -> None:
    for name in "abcdef":
        write(tmp_path / f"{name}.wav", voice((1.0, 0.2)))
    assert [one.text[0] for one in recording([tmp_path], 3).said] == ["a", "c", "e"]


def test_transcripts_name_what_is_said(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", voice((1.0, 0.2)))
    write(tmp_path / "b.wav", voice((2.0, 0.2)))
    (tmp_path / "transcripts.tsv").write_text("a.wav\t你好,请问几点开门?\n", encoding="utf-8")
    assert [one.text for one in utterances([tmp_path])] == ["你好,请问几点开门?", "b.wav 0.0-2.0 s"]


def test_folders_within_folders_are_searched(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    deep = write(tmp_path / "in" / "a.WAV", voice((1.0, 0.2)))
    assert found([tmp_path]) == [deep]


@pytest.mark.parametrize(
    ("prepare", "complaint"),
    [
        (lambda _: None, "is not there"),
        (lambda path: path.mkdir(), "holds no recording"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"no sound at all " * 99), "is not a sound file"),
        (lambda path: write(path, np.zeros(RATE_HZ, np.float32)), "nobody says anything"),
    ],
)
def test_what_cannot_be_said_is_told_in_plain_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], prepare, complaint: str
) -> None:
    path = tmp_path / "given.wav"
    prepare(path)
    with pytest.raises(AudioError, match=complaint):
        recording([path], 10)
    with pytest.raises(SystemExit) as ended:
        main(["talk", "--speech", str(path)])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_transcripts_that_are_no_text_are_named(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", voice((1.0, 0.2)))
    (tmp_path / "transcripts.tsv").write_bytes(b"a.wav\t\xff\xfe\xff")
    with pytest.raises(AudioError, match="not UTF-8"):
        utterances([tmp_path])


def test_speech_is_for_talk_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["skew", "--speech", "a.wav"])
    assert "goes with talk" in capsys.readouterr().err


def test_human_recordings_are_cut_into_sentences() -> None:
    if not (HUMAN / "jfk").is_dir():
        pytest.skip("the development data is not beside this checkout")
    lengths = [len(one.pcm) / RATE_HZ for one in utterances([HUMAN / "jfk", HUMAN / "cosyvoice_zh"])]
    assert len(lengths) == 4
    assert all(1.5 <= one <= 8 for one in lengths)
