"""Replays in sound: what is measured of a desk in order, and of desks that are broken on purpose."""

import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from agent.conversation import Conversation
from agent.desk import Desk
from agent.engines import Engines
from agent.scripted import ScriptedAnswerer
from agent.stage import Stage
from agent.turn_commands import Cancel, Command, Commit, Pause
from avatar import Pose, Renderer
from evals.checks.conversation import check_conversation
from evals.replay.audio import replay_audio
from evals.replay.desk import DeskUnderTest
from evals.replay.drawn_face import drawn_face
from evals.replay.record import ConversationRecord
from evals.replay.visitor_voice import close_voices
from evals.scripts import Script, ScriptError, load_script, read_script
from speech.audio import load_audio
from speech.scripted import ScriptedRecognizer
from speech.timeline import Speech
from tests.evals import faults

DESK = """
name = "Test"
languages = ["en"]
[persona]
name = "Ada"
company = "Acme"
[avatar]
size = 256
[voice]
engine = "espeak"
[hearing]
engine = "pocketsphinx"
turn_end = "words"
"""
ASKED = """
id: asked
turns:
  - user: "When are you open on Sunday?"
    expect: {contains: Sunday, within_ms: {first_sound: 60000}}
"""
BROKEN_INTO = """
id: broken-into
timeout_s: 5
turns:
  - user: "When are you open on Sunday?"
    expect: {interrupted: true}
  - user: "When are you open on Sunday?"
    barge_in: 1.0
    expect: {yielded_ms: 900}
"""
ANSWER = "Both shops open at nine; maybe you prefer Sunday."


def change(engines: Engines) -> None:
    """Open a desk whose ears and answers cost nothing."""
    assert engines.recognizer is not None
    engines.recognizer.close()
    engines.recognizer = ScriptedRecognizer(["When are you open on Sunday?"] * 100)
    engines.answerer = ScriptedAnswerer([ANSWER])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskUnderTest]:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "desk.toml").write_text(DESK, encoding="utf-8")
    with (
        pytest.MonkeyPatch.context() as patch,
        DeskUnderTest(Desk.load(folder), mode="audio", change=change) as opened,
    ):
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield opened
    close_voices()


def wrong(script: Script, record: ConversationRecord) -> set[str]:
    """Name the checks that fail."""
    return {check.name for check in check_conversation(script, record) if not check.passed}


def test_a_conversation_in_sound_is_timed_by_its_samples_and_kept(
    desk: DeskUnderTest, tmp_path: Path
) -> None:
    script = read_script(ASKED, Path("asked.yaml"))
    record = replay_audio(desk, script, folder=tmp_path / "media")
    (turn,) = record.turns
    assert not wrong(script, record)
    assert turn.heard == "When are you open on Sunday?"
    assert turn.heard_reply == ANSWER
    assert turn.timings_ms["turn_end"] <= turn.timings_ms["first_sound"] < turn.timings_ms["reply_end"]
    assert turn.timings_ms["turn_end"] > 300  # nobody answers before a turn can be over
    media = record.media
    assert media is not None
    assert record.engines["lips"] == "poses"
    assert media.silent_noise_db is None
    assert media.av_offset_ms is not None
    assert abs(media.av_offset_ms) < 40
    assert media.bilabials >= 5
    assert media.lip_closure == 1.0
    both = load_audio(tmp_path / media.sound)
    assert len(both) / 16000 == pytest.approx(record.lasted_s, abs=0.1)
    again = replay_audio(desk, script)
    assert [one.timings_ms["turn_end"] for one in again.turns] == [turn.timings_ms["turn_end"]]
    assert again.media is not None
    assert again.media.av_offset_ms is not None
    assert again.media.av_offset_ms == pytest.approx(media.av_offset_ms, abs=5.0)


def test_breaking_in_is_measured_from_sound_to_silence(desk: DeskUnderTest) -> None:
    script = read_script(BROKEN_INTO, Path("broken-into.yaml"))
    record = replay_audio(desk, script)
    assert not wrong(script, record)
    first, second = record.turns
    assert first.reply_began_s is not None
    assert second.began_s - first.reply_began_s == pytest.approx(1.0, abs=0.1)
    assert second.yielded_ms is not None
    assert 200 < second.yielded_ms < 900
    assert second.resumed is False


def test_a_desk_that_cannot_be_broken_into_is_told(
    desk: DeskUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = read_script(BROKEN_INTO, Path("broken-into.yaml"))
    do = Conversation._do

    def stubborn(conversation: Conversation, command: Command) -> None:
        if not isinstance(command, Pause | Cancel | Commit) or not conversation.stage.replying:
            do(conversation, command)

    monkeypatch.setattr(Conversation, "_do", stubborn)
    record = replay_audio(desk, script)
    assert {"yielded_ms", "interrupted"} <= wrong(script, record)


NODDED = """
id: nodded
turns:
  - user: "When are you open on Sunday?"
    expect: {interrupted: false}
  - {over}
    barge_in: 1.2
    expect: {resumed: true, silent: true}
"""


def nodded(desk: DeskUnderTest, over: str, heard: str, file: Path) -> set[str]:
    """Replay a conversation in which something is heard over the reply that must not end it."""
    file.write_text(NODDED.replace("{over}", over), encoding="utf-8")
    script = load_script(file)
    ears = ScriptedRecognizer(["When are you open on Sunday?", *[heard] * 20])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk.engines, "recognizer", ears)
        return wrong(script, replay_audio(desk, script))


def test_a_reply_that_does_not_go_on_from_where_it_was_is_told(
    desk: DeskUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = 'user: "Mm-hm, mm-hm."', "Mm-hm, mm-hm.", tmp_path / "nodded.yaml"
    assert nodded(desk, *said) == set()
    for fault in (faults.begins_anew, faults.skips_words):
        with monkeypatch.context() as planted:
            planted.setattr(Stage, "resume", fault)
            assert nodded(desk, *said) == {"resumed"}


def test_a_desk_that_falls_silent_for_a_noise_is_told(
    desk: DeskUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    burst = np.random.default_rng(7).normal(0, 4000, 9600).astype(np.int16)
    with wave.open(str(tmp_path / "cough.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(burst.tobytes())
    noise = "wav: cough.wav", "", tmp_path / "cough.yaml"
    assert nodded(desk, *noise) == set()
    hear = Conversation.hear

    def startled(conversation: Conversation, pcm: np.ndarray) -> None:
        if conversation.stage.replying and np.abs(pcm).max(initial=0) > 0.05:
            conversation.stop()
        hear(conversation, pcm)

    monkeypatch.setattr(Conversation, "hear", startled)
    assert {"interrupted", "resumed"} <= nodded(desk, *noise)


def test_lips_that_come_late_are_told(desk: DeskUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    script = read_script(ASKED, Path("asked.yaml"))
    speak = desk.engines.synthesizer.speak

    def late(text: str, **manner: Any) -> Speech:
        speech = speak(text, **manner)
        moved = tuple(replace(p, start_s=p.start_s + 0.2, end_s=p.end_s + 0.2) for p in speech.phonemes)
        return replace(speech, phonemes=moved)

    monkeypatch.setattr(desk.engines.synthesizer, "speak", late)
    record = replay_audio(desk, script)
    assert "media.av_offset_ms" in wrong(script, record)
    assert record.media is not None
    assert record.media.av_offset_ms is not None
    assert 150 < record.media.av_offset_ms < 250


def test_a_reply_without_a_sound_is_told(desk: DeskUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    script = read_script(ASKED, Path("asked.yaml"))
    speak = desk.engines.synthesizer.speak

    def mute(text: str, **manner: Any) -> Speech:
        speech = speak(text, **manner)
        return replace(speech, pcm=np.zeros_like(speech.pcm))

    monkeypatch.setattr(desk.engines.synthesizer, "speak", mute)
    record = replay_audio(desk, script)
    assert {"media.sound", "within_ms.first_sound"} <= wrong(script, record)


class Late:
    """Draws what was to be drawn five pictures ago; or, from some picture on, nothing but black."""

    engine = "late"

    def __init__(self, renderer: Renderer, fault: str) -> None:
        self._renderer, self._fault = renderer, fault
        self.width, self.height = renderer.width, renderer.height
        self._poses: list[Pose] = []

    def draw(self, pose: Pose) -> Any:
        self._poses.append(pose)
        number = len(self._poses) - 1
        if self._fault == "late":
            return self._renderer.draw(self._poses[max(number - 5, 0)])
        picture = self._renderer.draw(pose)
        return picture * 0 if self._fault == "black" and number > 30 else picture


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("", set()),
        ("late", {"media.av_offset_ms"}),
        ("black", {"media.face_present", "media.freeze_s"}),
    ],
)
def test_faults_of_the_picture_are_told(
    desk: DeskUnderTest, tmp_path: Path, fault: str, told: set[str]
) -> None:
    script = read_script(ASKED, Path("asked.yaml"))
    folder = None if fault else tmp_path / "media"
    record = replay_audio(
        desk, script, folder=folder, video=True, through=lambda one: cast(Any, Late(one, fault))
    )
    assert record.engines["lips"] == "pixels"
    assert told <= wrong(script, record)
    assert bool(told) == bool(wrong(script, record))
    assert record.media is not None
    assert fault != "late" or record.media.longest_freeze_s in (0.2, 0.24)  # six pictures are the first
    assert fault or (tmp_path / record.media.video).stat().st_size > 10_000


def test_a_face_is_missed_where_it_does_not_stand_in_its_place(desk: DeskUnderTest) -> None:
    face = drawn_face(desk)
    picture = face.renderer.draw(Pose())
    assert face.measure.look(picture).face
    assert not face.measure.look(np.roll(picture, 40, axis=1)).face
    assert not face.measure.look(np.full_like(picture, 128)).face
    wide = face.measure.look(face.renderer.draw(Pose({"jawOpen": 0.6}, head=(6.0, 3.0, 2.0))))
    assert wide.face
    assert wide.opening_mm > face.measure.look(picture).opening_mm + 5


def test_a_language_that_is_not_heard_here_is_no_fault_of_the_desk(desk: DeskUnderTest) -> None:
    script = read_script("id: zh\nlanguage: zh\nturns:\n  - user: 你好\n", Path("zh.yaml"))
    with pytest.raises(ScriptError, match=r"2: .*hears en, not zh: run `visavis models pull"):
        replay_audio(desk, script)


def test_a_recording_that_is_missing_is_told_with_its_line(desk: DeskUnderTest, tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text("id: one\nturns:\n  - user: Hello\n    wav: gone.wav\n", encoding="utf-8")
    with pytest.raises(ScriptError, match=r"one.yaml:4: .*gone.wav is not there"):
        replay_audio(desk, load_script(file))
