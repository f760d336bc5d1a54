"""The face and the voice on one clock: spoken sentences in, video frames with their sound out."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agent.ahead import ahead
from agent.caption import caption_at, cues_of
from agent.desk import Desk
from agent.events import Event, Moment, Spoken
from agent.face import open_lips, open_renderer
from agent.frames import FPS, LEAD_S, TAIL_S
from agent.gesturing import gesture_of
from agent.reply import SENTENCES_AHEAD
from avatar import AvatarError, Performer, Pose, Renderer
from avatar.framing import Framing
from avatar.lettering import Lettering
from speech.timeline import Pcm, Speech

if TYPE_CHECKING:
    from avatar.neural import NeuralLips

FRAMES_AHEAD = 8
"""How many frames may be in drawing at once: enough to keep every core busy, little to throw away."""
SILENT_RATE_HZ = 16_000
"""Of the silence in which lips keep still, before and after a reply."""


Drawing = tuple[Future[NDArray[np.uint8]], Pcm, Spoken | None]
"""A frame that is being drawn, its sound, and the sentence that it belongs to."""


def drawers() -> int:
    """How many threads draw frames: as many as there are cores, within reason."""
    return max(2, min(4, os.cpu_count() or 2))


def drawing_pool() -> ThreadPoolExecutor:
    """Threads that draw frames."""
    return ThreadPoolExecutor(drawers(), thread_name_prefix="draw")


@dataclass(slots=True)
class Presence:
    """A desk's face, ready to perform replies."""

    renderer: Renderer
    lettering: Lettering
    pool: ThreadPoolExecutor
    framing: Framing = "square"
    lips: NeuralLips | None = None
    """What redraws the mouth, if anything does."""
    lip_thread: ThreadPoolExecutor | None = None
    """Where it works: one frame after the other."""

    @classmethod
    def open(cls, desk: Desk) -> Presence:
        """Load the desk's rig and a renderer for it.

        Raises:
            AvatarError: the rig is missing or broken, or the lip model is none.
            DeskError: the lip model is missing.
        """
        settings = desk.settings.avatar
        lips = open_lips(desk)
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
            framing=settings.framing,
            lips=lips,
            lip_thread=ThreadPoolExecutor(1, thread_name_prefix="lips") if lips else None,
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
        drawing: deque[Drawing] = deque()

        async def finished(until: int) -> AsyncIterator[Moment]:
            nonlocal index
            while len(drawing) > until:
                future, pcm, spoken = drawing.popleft()
                picture = await asyncio.wrap_future(future)
                rate = spoken.speech.sample_rate if spoken else 0
                yield Moment(index, picture, pcm, rate, spoken)
                index += 1

        def silent(poses: Sequence[Pose]) -> Iterator[Drawing]:
            return (
                (future, np.zeros(0, np.float32), None) for future in self._begin(poses, [""] * len(poses))
            )

        try:
            async with aclosing(ahead(events, depth=SENTENCES_AHEAD * 4)) as coming:
                drawing.extend(silent(list(performer.idle(round(LEAD_S * FPS), look="thinking"))))
                async for event in coming:
                    yield event
                    if not isinstance(event, Spoken):
                        continue
                    gesture = gesture_of(event.sentence, first=sentences == 0)
                    sentences += 1
                    poses = await asyncio.to_thread(_poses, performer, event, gesture)
                    cues = cues_of(event)
                    captions = [
                        caption_at(cues, event.start_s + (number + 0.5) / FPS) for number in range(len(poses))
                    ]
                    frames = self._begin(poses, captions, event.speech)
                    for future, pcm in zip(frames, _slices(event), strict=True):
                        drawing.append((future, pcm, event))
                        async for moment in finished(FRAMES_AHEAD):
                            yield moment
                for entry in silent(list(performer.rest(round(TAIL_S * FPS)))):
                    drawing.append(entry)
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
        if self.lip_thread is not None:
            self.lip_thread.shutdown(cancel_futures=True)
        self.pool.shutdown(cancel_futures=True)

    def _begin(
        self, poses: Sequence[Pose], captions: Sequence[str], speech: Speech | None = None
    ) -> Iterator[Future[NDArray[np.uint8]]]:
        """Begin to draw frame after frame, each with its caption; lips go with the speech, or keep still."""
        if self.lips is None or self.lip_thread is None:
            for pose, caption in zip(poses, captions, strict=True):
                yield self.pool.submit(self._draw, pose, caption)
            return
        from avatar.neural import quiet

        drawn = drawn_ahead(self.renderer, [quiet(pose) for pose in poses], self.pool)
        pcm, rate = (speech.pcm, speech.sample_rate) if speech else (np.zeros(0, np.float32), SILENT_RATE_HZ)
        speaking = self.lips.apply_stream(drawn, pcm, rate, FPS, framing=self.framing)
        for caption in captions:
            yield self.lip_thread.submit(self._next, speaking, caption)

    def _draw(self, pose: Pose, caption: str) -> NDArray[np.uint8]:
        return self.lettering.draw(self.renderer.draw(pose), caption)

    def _next(self, speaking: Iterator[NDArray[np.uint8]], caption: str) -> NDArray[np.uint8]:
        picture = next(speaking, None)
        if picture is None:  # a StopIteration would never arrive at the event loop
            raise AvatarError("the lips broke off; ask again, and look at what was said before")
        return self.lettering.draw(picture, caption)


def drawn_ahead(
    renderer: Renderer, poses: Iterable[Pose], pool: ThreadPoolExecutor
) -> Generator[tuple[NDArray[np.uint8], Pose], None, None]:
    """Frames with their poses, in order, drawn by several threads; closed early, the rest is not drawn."""
    drawing: deque[tuple[Future[NDArray[np.uint8]], Pose]] = deque()
    try:
        for pose in poses:
            drawing.append((pool.submit(renderer.draw, pose), pose))
            if len(drawing) > FRAMES_AHEAD:
                future, shown = drawing.popleft()
                yield future.result(), shown
        while drawing:
            future, shown = drawing.popleft()
            yield future.result(), shown
    finally:
        for future, _ in drawing:
            future.cancel()


def _poses(performer: Performer, spoken: Spoken, gesture: str | None) -> list[Pose]:
    emotion = spoken.sentence.emotion
    return list(performer.speak(spoken.speech, emotion.label, emotion.intensity, gesture=gesture))


def _slices(spoken: Spoken) -> Iterator[Pcm]:
    per_frame = spoken.speech.sample_rate // FPS
    for start in range(0, len(spoken.speech.pcm), per_frame):
        yield spoken.speech.pcm[start : start + per_frame]
