"""Recording a reply: events and moments in, a clip and a written record out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from agent.caption import cues_of
from agent.events import Ended, Event, Felt, Heard, Moment, Noted, Retrieved, Screened, Spoken, Written
from agent.frames import FPS
from agent.sentence import Citation, Outcome
from avatar.clip import SOUND_RATE_HZ, Clip, ClipWriter
from moderation.verdict import Verdict
from server.progress import Stages

FRAMES_QUEUED = 16
"""Frames that wait for the encoder; at 512 pixels 12 MB."""


@dataclass(slots=True)
class Record:
    """What happened in a turn."""

    heard: Heard
    verdicts: list[Verdict] = field(default_factory=list)
    felt: Felt | None = None
    retrieved: Retrieved | None = None
    spoken: list[Spoken] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    outcome: Outcome = Outcome.ABSTAINED
    first_sentence_ms: float | None = None
    first_sound_ms: float | None = None
    first_frame_ms: float | None = None
    total_ms: float = 0.0
    clip: Clip | None = None

    @property
    def citations(self) -> list[Citation]:
        """What the reply rests on, each once, in order."""
        return list(dict.fromkeys(c for spoken in self.spoken for c in spoken.sentence.citations))

    @property
    def reply(self) -> str:
        """The whole reply as text."""
        joint = "" if self.spoken and self.spoken[0].sentence.language == "zh" else " "
        return joint.join(spoken.sentence.text for spoken in self.spoken)

    def take(self, event: Event) -> None:
        """Write down an event."""
        match event:
            case Felt():
                self.felt = event
            case Screened():
                self.verdicts.append(event.verdict)
            case Retrieved():
                self.retrieved = event
            case Spoken():
                self.spoken.append(event)
                if self.first_sound_ms is None:
                    self.first_sound_ms = event.at_ms
            case Noted():
                self.notes.append(event.message)
            case Ended():
                self.outcome = event.outcome
            case Heard():
                self.heard = event
            case Written():
                if self.first_sentence_ms is None:
                    self.first_sentence_ms = event.at_ms
            case _:
                pass


async def record(
    turn: AsyncIterator[Event | Moment],
    heard: Heard,
    *,
    out: Path | None,
    frame: tuple[int, int],
    stages: Stages,
) -> Record:
    """Follow a turn to its end; write its clip, of frames of this width and height, where `out` names one.

    Raises:
        ClipError: the clip cannot be written; nothing is left behind.
    """
    result = Record(heard)
    # Times are those of the question's end: `recognition_ms` ago.
    began = time.perf_counter() - (heard.recognition_ms or 0.0) / 1e3
    writer = ClipWriter(out, width=frame[0], height=frame[1], fps=FPS) if out else None
    encoder = _Encoder(writer)
    try:
        async with asyncio.TaskGroup() as tasks:
            encoding = tasks.create_task(encoder.run())
            frames = 0
            async for item in turn:
                if not isinstance(item, Moment):
                    result.take(item)
                    if isinstance(item, Spoken):
                        await encoder.put(item)
                    continue
                if frames == 0:
                    stages.stage("speaking and drawing")
                frames += 1
                if item.spoken and result.first_frame_ms is None:
                    result.first_frame_ms = (time.perf_counter() - began) * 1e3
                await encoder.put(item)
                stages.advance(frames, _frames_known(result))
            await encoder.put(None)
            await encoding
    except BaseExceptionGroup as group:
        encoder.discard()
        raise group.exceptions[0] from None
    except BaseException:
        encoder.discard()
        raise
    result.clip = encoder.clip
    result.total_ms = (time.perf_counter() - began) * 1e3
    return result


def _frames_known(result: Record) -> float:
    last = result.spoken[-1] if result.spoken else None
    return (last.start_s + last.speech.duration_s) * FPS + 1 if last else 0


class _Encoder:
    """Writes a clip in a thread, behind a bounded queue."""

    def __init__(self, writer: ClipWriter | None) -> None:
        self._writer = writer
        self._queue: asyncio.Queue[Spoken | Moment | None] = asyncio.Queue(maxsize=FRAMES_QUEUED)
        self.clip: Clip | None = None

    async def put(self, item: Spoken | Moment | None) -> None:
        """Hand over a sentence (for its captions), a moment, or None for the end."""
        if self._writer is not None:
            await self._queue.put(item)

    async def run(self) -> None:
        """Encode until the end."""
        if self._writer is None:
            return
        while (item := await self._queue.get()) is not None:
            await asyncio.to_thread(self._encode, item)
        self.clip = await asyncio.to_thread(self._writer.finish)

    def discard(self) -> None:
        """Throw the clip away."""
        if self._writer is not None and self.clip is None:
            self._writer.discard()

    def _encode(self, item: Spoken | Moment) -> None:
        assert self._writer is not None
        if isinstance(item, Spoken):
            for cue in cues_of(item):
                self._writer.caption(cue.text, cue.start_s, cue.end_s)
            return
        self._writer.frame(item.frame)
        self._sound(item)

    def _sound(self, moment: Moment) -> None:
        """Append a moment's sound, or as much silence."""
        assert self._writer is not None
        if len(moment.pcm):
            self._writer.sound(moment.pcm, moment.sample_rate)
        else:
            self._writer.sound(np.zeros(SOUND_RATE_HZ // FPS, np.float32), SOUND_RATE_HZ)
