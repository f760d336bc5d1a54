"""The command as people and scripts call it: its answers, its errors, its exit codes."""

import os
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from speech.espeak import EspeakSynthesizer
from tests.server.called import document, run

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.e2e


def write_wav(path: Path, pcm: np.ndarray, rate: int = 16_000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(pcm, -1, 1) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spoken question, in 48 kHz stereo."""
    # Of the embedded voices the one that the embedded recognizer hears best.
    voice = EspeakSynthesizer(voice_en="en-us+f5")
    speech = voice.speak("How do I pay with a gift card?", language="en")
    voice.close()
    length = round(speech.duration_s * 48_000)
    mono = np.interp(np.arange(length) / 48_000, np.arange(len(speech.pcm)) / speech.sample_rate, speech.pcm)
    mono = np.pad(mono, 9600)
    path = tmp_path_factory.mktemp("sound") / "question.wav"
    return write_wav(path, np.repeat(mono, 2), rate=48_000, channels=2)


def test_a_typed_question_is_answered_with_a_talking_clip(tmp_path: Path) -> None:
    clip = tmp_path / "reply.mp4"
    told = document("ask", "--text", "How many days do I have to return something?", "--out", clip)
    assert told["outcome"] == "answered"
    assert "30" in told["reply"]
    assert told["citations"][0]["source"].startswith("en/")
    assert told["language"] == "en"
    assert told["engines"]["answering"] == "extractive"
    for before, after in zip(told["sentences"], told["sentences"][1:], strict=False):
        assert before["start"] < before["end"] < after["start"]
    video = told["video"]
    assert abs(video["frames"] - video["duration_s"] * 25) <= 1
    assert told["sentences"][-1]["end"] < video["duration_s"]
    with av.open(str(clip)) as container:
        assert container.streams.video[0].frames == video["frames"]
        sound = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    loud = np.flatnonzero(np.abs(sound) > 0.05) / 48_000
    assert abs(loud[0] - told["sentences"][0]["start"]) < 0.15
    assert abs(loud[-1] - told["sentences"][-1]["end"]) < 0.2


def test_a_spoken_question_is_heard_and_answered(question: Path) -> None:
    told = document("ask", "--audio", question)
    assert "gift card" in told["transcript"]
    assert told["outcome"] == "answered"
    assert told["timings_ms"]["recognition"] is not None
    assert told["engines"]["recognition"].startswith(("pocketsphinx", "faster-whisper"))
    assert told["video"] is None


def test_a_chinese_question_is_answered_in_chinese() -> None:
    told = document("ask", "--text", "我买的杯子收到时碎了，怎么办？")
    assert told["language"] == "zh"
    assert told["outcome"] == "answered"


def test_an_unrelated_question_is_not_answered() -> None:
    told = document("ask", "--text", "Who won the football world cup in 1998?")
    assert told["outcome"] == "abstained"
    assert told["citations"] == []


@pytest.mark.parametrize("sound", ["silence", "noise"])
def test_silence_and_noise_are_asked_again(tmp_path: Path, sound: str) -> None:
    rng = np.random.default_rng(3)
    pcm = np.zeros(32_000) if sound == "silence" else rng.normal(0, 0.1, 32_000)
    told = document("ask", "--audio", write_wav(tmp_path / "sound.wav", pcm))
    assert told["transcript"] == ""
    assert told["outcome"] == "clarified"


def test_an_unreachable_endpoint_is_noted_and_the_knowledge_answers(tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    assert run("new", folder)[0] == 0
    with (folder / "desk.toml").open("a") as file:
        file.write('\n[answering]\nengine = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n')
    told = document("ask", folder, "--text", "Tell me about returns")
    assert any("base_url" in note for note in told["notes"])
    with (folder / "desk.toml").open("a") as file:
        file.write("fallback = false\n")
    code, out, err = run("ask", folder, "--text", "Tell me about returns")
    assert (code, out) == (1, "")
    assert "base_url" in err


def bad_file(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.wav"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("not a sound at all\n" * 20)
    elif kind == "no-samples":
        write_wav(path, np.zeros(0))
    elif kind == "ten-minutes":
        write_wav(path, np.zeros(8_000 * 600), rate=8_000)
    elif kind == "nan":
        samples = np.full(16_000, np.nan, "<f4").tobytes()
        header = (
            b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
        )
        header += b"\x03\x00\x01\x00" + (16_000).to_bytes(4, "little") + (64_000).to_bytes(4, "little")
        header += b"\x04\x00\x20\x00data" + len(samples).to_bytes(4, "little")
        path.write_bytes(header + samples)
    return path


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "no-samples", "ten-minutes", "nan"])
def test_sound_that_cannot_be_used_is_one_line_and_exit_2(tmp_path: Path, kind: str) -> None:
    path = bad_file(tmp_path, kind)
    clip = tmp_path / "reply.mp4"
    code, out, err = run("ask", "--audio", path, "--out", clip)
    assert (code, out) == (2, "")
    assert err.startswith("visavis: ")
    assert err.count("\n") == 1
    assert path.name in err
    assert not clip.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        ("ask", "--text", ""),
        ("ask", "--text", "x" * 3000),
        ("ask", "--text", "hi", "--audio", "x.wav"),
        ("ask", "--text", "hi", "--out", "reply.avi"),
        ("ask", "nowhere", "--text", "hi"),
        ("doctor", "nowhere"),
        ("search", "a", "b", "c"),
        ("screen", "hi", "--direction", "sideways"),
        ("speak", "hi", "--emotion", "furious", "--out", "x.wav"),
        ("speak", "hi", "--out", "x.mp3"),
        ("ask", "--text", "hi", "--out", ""),
        ("models", "pull", "gpt-9"),
        ("bench", "unknown_figure"),
        ("avatar", "sheet", "nobody"),
    ],
)
def test_wrong_use_is_exit_2_with_a_remedy(arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("visavis: ")
    assert err.count("\n") == 1


def test_a_broken_desk_is_one_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text('name = "x"\n[persona]\ncompany = 7\n')
    code, _, err = run("ask", tmp_path, "--text", "hi")
    assert code == 2
    assert "persona.company" in err
    assert err.count("\n") == 1


def test_a_full_disk_is_one_line_and_exit_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "full.mp4").symlink_to("/dev/full")
    with_name = Path.with_name
    monkeypatch.setattr(
        Path,
        "with_name",
        lambda self, name: tmp_path / "full.mp4" if name.endswith(".part.mp4") else with_name(self, name),
    )
    code, out, err = run("ask", "--text", "How long is the warranty on a tent?", "--out", tmp_path / "r.mp4")
    assert (code, out) == (1, "")
    assert "space" in err
    assert not (tmp_path / "r.mp4").exists()


def test_a_new_desk_can_be_asked_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    made = document("new", folder, "--name", "Mine", "--company", "Blue Bottle")
    assert "desk.toml" in made["files"]
    examined = document("doctor", folder)
    assert examined["ready"] is True
    told = document("ask", folder, "--text", "Who are you?")
    assert "Blue Bottle" in told["reply"]
    assert run("new", folder)[0] == 2


def test_a_desk_learns_documents_from_elsewhere_once(tmp_path: Path) -> None:
    folder, more = tmp_path / "mine", tmp_path / "more"
    document("new", folder)
    more.mkdir()
    (more / "parking.md").write_text(
        "# Parking\n\nYou can park behind the shop for two hours free of charge.\n"
    )
    (more / "empty.md").write_text("")
    first = document("learn", folder, more)
    assert first["added"] == 1
    assert [one["source"] for one in first["skipped"]]
    assert document("learn", folder, more)["unchanged"] == 1
    told = document("ask", folder, "--text", "Where can I park?")
    assert "behind the shop" in told["reply"]
    assert run("learn", folder, tmp_path / "nowhere")[0] == 2


def test_doctor_names_every_stage() -> None:
    examined = document("doctor")
    stages = {found["stage"] for found in examined["stages"]}
    assert {"hearing", "knowledge", "moderation", "answering", "speaking", "face", "clips"} <= stages
    for found in examined["stages"]:
        assert found["engine"]
        assert found["why"]


def test_search_screen_and_speak_print_their_documents(tmp_path: Path) -> None:
    found = document("search", "how long is the warranty")
    assert found["passages"][0]["score"] >= found["passages"][-1]["score"]
    assert 0 <= found["answerable"] <= 1
    chinese = document("search", "how long is the warranty", "--language", "zh", "--tag", "保修")
    assert {(passage["language"], *passage["tags"]) for passage in chinese["passages"]} == {("zh", "保修")}
    assert document("search", "how long is the warranty", "--since", "2100-01-01")["passages"] == []
    assert document("screen", "my card is 4111 1111 1111 1111")["action"] == "mask"
    spoken = document("speak", "Hello there.", "--out", tmp_path / "hello.wav")
    assert spoken["duration_s"] > 0.4
    assert spoken["phonemes"]
    with wave.open(str(tmp_path / "hello.wav")) as file:
        assert file.getframerate() == spoken["sample_rate"]


def test_being_stopped_leaves_neither_file_nor_process(tmp_path: Path) -> None:
    clip = tmp_path / "reply.mp4"
    text = "How long does delivery take, and how do I return something that I do not like?"
    command = [sys.executable, "-m", "server", "ask", "--text", text, "--out", str(clip)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=-1, stderr=-1, text=True, start_new_session=True
    ) as process:
        me, workers = psutil.Process(process.pid), []
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            workers = me.children(recursive=True)
            if any(tmp_path.glob(".*.part.mp4")):
                break
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGTERM)  # which is handled as Ctrl-C is
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "stopped" in err
    assert workers
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert alive == []
    assert list(tmp_path.iterdir()) == []
