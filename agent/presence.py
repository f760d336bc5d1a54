"""The face and the voice on one clock: spoken sentences in, video frames with their sound out."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.ahead import ahead
from agent.caption import caption_at, cues_of
from agent.desk import Desk
from agent.events import Event, Moment, Spoken
from agent.face import open_renderer
from agent.gesturing import gesture_of
from agent.reply import FPS, LEAD_S, SENTENCES_AHEAD, TAIL_S
from avatar import Performer, Pose, Renderer
from avatar.lettering import Lettering
from speech.timeline import Pcm

FRAMES_AHEAD = 8
"""How many frames may be in drawing at once: enough to keep every core busy, little to throw away."""


def drawing_pool() -> ThreadPoolExecutor:
    """Threads that draw frames: as many as there are cores, within reason."""
    return ThreadPoolExecutor(max(2, min(4, os.cpu_count() or 2)), thread_name_prefix="draw")


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
        renderer = open_renderer(desk)
        return cls(
            renderer=renderer,
            lettering=Lettering(
                size=renderer.width,
                height=renderer.height,
                ai_label=settings.ai_label,
                captions=settings.captions,
            ),
            pool=drawing_pool(),
        )

    async def perform(
        self, events: AsyncIterator[Event], *, seed: int = 0
    ) -> AsyncGenerator[Event | Moment, None]:
        """Pass events on and, after each `Spoken`, its moments.

        The face lives for `LEAD_S` before the first sound (drawn while the answer is being made) and for
        `TAIL_S` after the last. Frames are drawn by several threads and handed out in order.
        """
        performer = Performer(fps=FPS, seed=seed)
        index = sentences = 0
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
                    gesture = gesture_of(event.sentence, first=sentences == 0)
                    sentences += 1
                    poses = await asyncio.to_thread(_poses, performer, event, gesture)
                    cues = cues_of(event)
                    for number, (pose, pcm) in enumerate(zip(poses, _slices(event), strict=True)):
                        draw(pose, pcm, event, caption_at(cues, event.start_s + (number + 0.5) / FPS))
                        async for moment in finished(FRAMES_AHEAD):
                            yield moment
                for pose in performer.rest(round(TAIL_S * FPS)):
                    draw(pose, np.zeros(0, np.float32), None, "")
                    async for moment in finished(FRAMES_AHEAD):
                        yield moment
                async for moment in finished(0):
                    yield moment
        finally:
            # What has not begun is not drawn; what is being drawn is waited for.
            begun = [future for future, _, _ in drawing if not future.cancel()]
            await asyncio.gather(*map(asyncio.wrap_future, begun), return_exceptions=True)

    def close(self) -> None:
        """End the drawing threads."""
        self.pool.shutdown(cancel_futures=True)

    def _draw(self, pose: Pose, caption: str) -> NDArray[np.uint8]:
        return self.lettering.draw(self.renderer.draw(pose), caption)


def _poses(performer: Performer, spoken: Spoken, gesture: str | None) -> list[Pose]:
    emotion = spoken.sentence.emotion
    return list(performer.speak(spoken.speech, emotion.label, emotion.intensity, gesture=gesture))


def _slices(spoken: Spoken) -> Iterator[Pcm]:
    per_frame = spoken.speech.sample_rate // FPS
    for start in range(0, len(spoken.speech.pcm), per_frame):
        yield spoken.speech.pcm[start : start + per_frame]
