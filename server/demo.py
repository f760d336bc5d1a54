"""`visavis demo`: the demo desk is asked by text and by voice; a page shows what it answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from agent.caption import cues_of
from agent.desk import Desk
from server.ask import Counter, document_of
from server.demo_page import Shown, write_page
from server.progress import Stages
from server.recorder import Record
from server.speak import write_wav
from speech.audio import load_audio
from speech.espeak import EspeakSynthesizer


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of the demo."""

    name: str
    caption: str
    text: str = ""
    """Typed; or spoken by `voice` where that is given."""
    voice: str = ""
    recording: str = ""
    """A file in `server/assets`."""


QUESTIONS = (
    Asked(
        name="typed-english",
        caption="Typed, in English",
        text="My parcel should have been here last week. What can I do?",
    ),
    Asked(
        name="spoken-english",
        caption="Spoken, in English, by a synthetic voice (another than the face's)",
        text="How many days do I have to return something?",
        voice="en-us+f5",
    ),
    Asked(
        name="spoken-recording",
        caption="Spoken, a real recording from 1961: nothing that a shop should have an answer to",
        recording="jfk-1961.flac",
    ),
    Asked(name="typed-chinese", caption="Typed, in Chinese", text="我买的杯子收到时碎了，怎么办？"),
)


def run_demo(folder: Path, stages: Stages) -> dict[str, Any]:
    """Ask every question, write a clip each and the page; return where they are.

    Raises:
        OSError: the folder cannot be written.
        AgentError, AvatarError, SpeechError: a stage failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counter = Counter.open(Desk.load(), hearing=True, face=True, stages=stages)
    try:
        counter.engines.warm(counter.desk.settings.languages)
        shown = [_ask(asked, counter, folder, stages) for asked in QUESTIONS]
    finally:
        counter.close()
    stages.stage("writing the page")
    page = write_page(folder / "index.html", counter.desk, shown)
    return {"page": str(page), "replies": [{"question": one.caption, **one.document} for one in shown]}


def _ask(asked: Asked, counter: Counter, folder: Path, stages: Stages) -> Shown:
    stages.note(asked.caption)
    sound = _sound(asked, folder)
    question = load_audio(sound) if sound else asked.text
    clip = folder / f"{asked.name}.mp4"
    result = asyncio.run(counter.ask(question, out=clip, stages=stages))
    for note in result.notes:
        stages.note(note)
    clip.with_suffix(".vtt").write_text(_captions(result), encoding="utf-8")
    return Shown(asked.caption, asked.text, sound, document_of(result, counter))


def _sound(asked: Asked, folder: Path) -> Path | None:
    """Put the question's sound into the folder, if it has any."""
    if asked.recording:
        file = folder / asked.recording
        file.write_bytes((resources.files("server") / "assets" / asked.recording).read_bytes())
        return file
    if asked.voice:
        voice = EspeakSynthesizer(voice_en=asked.voice)
        try:
            file = folder / f"{asked.name}-question.wav"
            write_wav(file, voice.speak(asked.text, language="en"))
            return file
        finally:
            voice.close()
    return None


def _captions(result: Record) -> str:
    """Return the reply's captions as WebVTT."""
    cues = [cue for spoken in result.spoken for cue in cues_of(spoken)]
    blocks = [f"{_stamp(cue.start_s)} --> {_stamp(cue.end_s)}\n{cue.text}" for cue in cues]
    return "WEBVTT\n\n" + "\n\n".join(blocks) + "\n"


def _stamp(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:02d}:{minutes:02d}:{rest:06.3f}"
