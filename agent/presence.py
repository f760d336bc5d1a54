"""The face and the voice on one clock: spoken sentences in, video frames with their sound out."""

from __future__ import annotations

import asyncio
import os
import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.ahead import ahead
from agent.caption import Cue, cues_of
from agent.desk import Desk
from agent.events import Event, Moment, Spoken
from agent.reply import FPS, LEAD_S, SENTENCES_AHEAD, TAIL_S
from avatar import Performer, Pose, Renderer, load_renderer, load_rig
from avatar.lettering import Lettering
from speech.timeline import Pcm

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}$")
FRAMES_AHEAD = 8
"""How many frames may be in drawing at once: enough to keep every core busy, little to throw away."""


@dataclass(slots=True)
class Presence:
    """A desk's face, ready to perform replies."""

    renderer: Renderer
    lettering: Lettering
    pool: ThreadPoolExecutor

    @classmethod
    def open(cls, desk: Desk) -> Presence:
        """Load the desk's rig and a renderer for it.

        Raises:
            AvatarError: the rig is missing or broken.
        """
        settings = desk.settings.avatar
        renderer = load_renderer(
            load_rig(desk.beside(desk.settings.avatar.rig)), size=settings.size, background=_background(desk)
        )
        return cls(
            renderer=renderer,
            lettering=Lettering(size=settings.size, ai_label=settings.ai_label, captions=settings.captions),
            pool=ThreadPoolExecutor(max(2, min(4, os.cpu_count() or 2)), thread_name_prefix="draw"),
        )

    async def perform(
        self, events: AsyncIterator[Event], *, seed: int = 0
    ) -> AsyncGenerator[Event | Moment, None]:
        """Pass events on and, after each `Spoken`, its moments.

        The face lives for `LEAD_S` before the first sound (drawn while the answer is being made) and for
        `TAIL_S` after the last. Frames are drawn by several threads and handed out in order.
        """
        performer = Performer(fps=FPS, seed=seed)
        index = 0
        drawing: deque[tuple[Future[NDArray[np.uint8]], Pcm, Spoken | None]] = deque()

        async def finished(until: int) -> AsyncIterator[Moment]:
            nonlocal index
            while len(drawing) > until:
                future, pcm, spoken = drawing.popleft()
                picture = await asyncio.wrap_future(future)
                rate = spoken.speech.sample_rate if spoken else 0
                yield Moment(index, picture, pcm, rate, spoken)
                index += 1

        def draw(pose: Pose, pcm: Pcm, spoken: Spoken | None, caption: str) -> None:
            drawing.append((self.pool.submit(self._draw, pose, caption), pcm, spoken))

        try:
            async with aclosing(ahead(events, depth=SENTENCES_AHEAD * 4)) as coming:
                for pose in performer.idle(round(LEAD_S * FPS), look="thinking"):
                    draw(pose, np.zeros(0, np.float32), None, "")
                async for event in coming:
                    yield event
                    if not isinstance(event, Spoken):
                        continue
                    poses = await asyncio.to_thread(_poses, performer, event)
                    cues = cues_of(event)
                    for number, (pose, pcm) in enumerate(zip(poses, _slices(event), strict=True)):
                        draw(pose, pcm, event, _caption(cues, event.start_s + (number + 0.5) / FPS))
                        async for moment in finished(FRAMES_AHEAD):
                            yield moment
                for pose in performer.idle(round(TAIL_S * FPS), look="idle"):
                    draw(pose, np.zeros(0, np.float32), None, "")
                    async for moment in finished(FRAMES_AHEAD):
                        yield moment
                async for moment in finished(0):
                    yield moment
        finally:
            for future, _, _ in drawing:
                future.cancel()
            for future, _, _ in drawing:
                with suppress(Exception):
                    await asyncio.wrap_future(future)

    def close(self) -> None:
        """End the drawing threads."""
        self.pool.shutdown(cancel_futures=True)

    def _draw(self, pose: Pose, caption: str) -> NDArray[np.uint8]:
        return self.lettering.draw(self.renderer.draw(pose), caption)


def _background(desk: Desk) -> tuple[int, int, int] | Path | None:
    """A colour, a picture that lies in the desk's folder or elsewhere, or the renderer's own wall."""
    background = desk.settings.avatar.background
    if not background:
        return None
    if _COLOUR.match(background):
        red, green, blue = bytes.fromhex(background[1:])
        return red, green, blue
    return Path(desk.beside(background))


def _poses(performer: Performer, spoken: Spoken) -> list[Pose]:
    emotion = spoken.sentence.emotion
    return list(performer.speak(spoken.speech, emotion.label, emotion.intensity))


def _slices(spoken: Spoken) -> Iterator[Pcm]:
    per_frame = spoken.speech.sample_rate // FPS
    for start in range(0, len(spoken.speech.pcm), per_frame):
        yield spoken.speech.pcm[start : start + per_frame]


def _caption(cues: list[Cue], time_s: float) -> str:
    return next((cue.text for cue in cues if cue.start_s <= time_s < cue.end_s), "")
