"""`visavis ask`: one question in, one talking answer out."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.desk import Desk
from agent.engines import Engines
from agent.events import Heard
from agent.gesturing import gesture_of
from agent.listening import listen
from agent.presence import Presence
from agent.reply import reply
from server.boundary import UsageError
from server.live.documents import FeelingDocument
from server.live.telling import citation_document
from server.progress import Stages
from server.recorder import Record, record
from speech.audio import load_audio
from speech.recognizer import Transcript
from speech.timeline import Pcm


@dataclass(slots=True)
class Counter:
    """A desk with its engines and its face open, for one question after the other."""

    desk: Desk
    engines: Engines
    presence: Presence | None
    opened_ms: float

    @classmethod
    def open(
        cls, desk: Desk, *, hearing: bool, face: bool, stages: Stages, language: str | None = None
    ) -> Counter:
        """Open what is needed.

        Args:
            desk: whose.
            language: in which the questions are, ISO 639-1; None for all that the desk can take.
            hearing: questions may be spoken.
            face: replies are drawn.
            stages: told what is being done.
        """
        began = time.perf_counter()
        engines = Engines.open(
            desk,
            remind=False,
            hearing=hearing,
            step=lambda name: stages.stage(f"opening: {name}"),
            fetched=stages.advance,
        )
        presence = None
        try:
            if face:
                stages.stage("opening: face")
                presence = Presence.open(desk)
            stages.stage("warming up")
            heard = engines.recognizer.languages if engines.recognizer else desk.settings.languages
            known = [one for one in desk.settings.languages if one in heard]
            engines.warm([language] if language else known)
        except BaseException:
            if presence is not None:
                presence.close()
            engines.close()
            raise
        return cls(desk, engines, presence, (time.perf_counter() - began) * 1e3)

    def close(self) -> None:
        """End the workers and threads."""
        if self.presence is not None:
            self.presence.close()
        self.engines.close()

    async def ask(self, question: str | Pcm, *, out: Path | None, stages: Stages) -> Record:
        """Answer one question.

        Args:
            question: words, or sound as float32[n] at 16 kHz.
            out: where to write the clip; None for no clip.
            stages: told of the turn's stages.
        """
        if isinstance(question, str):
            language = self.desk.language_of(question)
            heard = Heard(Transcript(question, language, 1.0, "typed"))
        else:
            assert self.engines.recognizer is not None
            stages.stage("hearing")
            heard = await listen(question, self.engines.recognizer)
        stages.stage("answering")
        events = reply(heard, self.engines)
        if self.presence is None:
            async with aclosing(events):
                return await record(events, heard, out=None, frame=(0, 0), stages=stages)
        renderer = self.presence.renderer
        frame = (renderer.width, renderer.height)
        async with aclosing(self.presence.perform(events)) as turn:
            return await record(turn, heard, out=out, frame=frame, stages=stages)


def question_of(desk: Desk, text: str | None, audio: Path | None) -> str | Pcm:
    """Read the question that a command was given.

    Raises:
        UsageError: neither or both of text and audio, or too long a text.
        AudioError: the file cannot be used.
    """
    limits = desk.settings.limits
    if (text is None) == (audio is None):
        raise UsageError('give one of --text "…" and --audio FILE')
    if audio is not None:
        return load_audio(audio, max_s=limits.audio_s)
    assert text is not None
    if not text.strip():
        raise UsageError('--text is empty; write a question, for example --text "How long is the warranty?"')
    if len(text) > limits.question_chars:
        raise UsageError(
            f"--text has {len(text)} characters; this desk takes {limits.question_chars}; ask more briefly"
        )
    return text.encode("utf-8", "replace").decode()


def ask(
    desk: Desk, *, text: str | None, audio: Path | None, out: Path | None, stages: Stages
) -> tuple[Record, Counter]:
    """Open a desk, answer one question, close it; return what happened and by which engines."""
    question = question_of(desk, text, audio)
    language = desk.language_of(text) if text else None
    counter = Counter.open(
        desk, hearing=audio is not None, face=out is not None, stages=stages, language=language
    )
    try:
        return asyncio.run(counter.ask(question, out=out, stages=stages)), counter
    finally:
        counter.close()


def document_of(result: Record, counter: Counter) -> dict[str, Any]:
    """Return the JSON document of a turn, as the contract names its parts."""
    heard, clip = result.heard, result.clip
    engines = counter.engines.names()
    engines["recognition"] = heard.transcript.engine
    if counter.presence is not None:
        engines["face"] = counter.presence.renderer.engine
        if counter.presence.lips is not None:
            engines["lips"] = counter.presence.lips.engine
    last = result.spoken[-1] if result.spoken else None
    return {
        "transcript": heard.transcript.text,
        "confidence": round(heard.transcript.confidence, 3),
        "reply": result.reply,
        "outcome": result.outcome.value,
        "language": last.sentence.language if last else heard.transcript.language,
        "emotion": result.spoken[0].sentence.emotion.label if result.spoken else "neutral",
        "visitor_emotion": FeelingDocument.of(result.felt).model_dump() if result.felt else None,
        "sentences": [
            {
                "text": spoken.sentence.text,
                "emotion": spoken.sentence.emotion.label,
                "intensity": round(spoken.sentence.emotion.intensity, 2),
                "gesture": gesture_of(spoken.sentence, first=number == 0),
                "start": round(spoken.start_s, 3),
                "end": round(spoken.end_s, 3),
            }
            for number, spoken in enumerate(result.spoken)
        ],
        "citations": [citation_document(one) for one in result.citations],
        "verdicts": [
            {
                "direction": verdict.direction.value,
                "action": verdict.action.value,
                "rule": verdict.rule,
                "scores": {category: round(score, 3) for category, score in verdict.scores.items()},
            }
            for verdict in result.verdicts
        ],
        "timings_ms": {
            "vad": _rounded(heard.vad_ms),
            "recognition": _rounded(heard.recognition_ms),
            "retrieval": _rounded(result.retrieved.retrieval_ms if result.retrieved else None),
            "first_sentence": _rounded(result.first_sentence_ms),
            "first_sound": _rounded(result.first_sound_ms),
            "first_frame": _rounded(result.first_frame_ms),
            "total": _rounded(result.total_ms),
            "opening": _rounded(counter.opened_ms),
        },
        "engines": engines,
        "notes": [*counter.engines.problems, *result.notes],
        "video": {
            "path": str(clip.path),
            "frames": clip.frames,
            "fps": clip.fps,
            "duration_s": round(clip.duration_s, 3),
        }
        if clip
        else None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
