"""The face of a live session: acts, and is drawn by a thread just ahead of its time."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agent.gesturing import gesture_of
from agent.line import MOMENT_S, Line
from agent.reply import FPS
from avatar import Performer, Pose, Renderer
from avatar.lettering import Lettering

Look = Literal["idle", "listening", "thinking"]
Picture = NDArray[np.uint8]
"""RGB[H, W, 3]"""
Key = tuple[Line | None, int]
"""What a frame shows: a frame of a line; or, None, a waiting face, and which of its moments."""
Script = Callable[[int], Key]
"""What will be shown so many moments after the next one, as things stand."""

WAIT_S = 0.030
"""Longest that sound waits for its frame: three quarters of a moment, so that it never falls behind."""
LEARN = 0.3
"""Weight of the last drawing in the estimate of how long one takes."""
FURTHEST = 10
"""Moments ahead of its time that a slow drawing is begun, at most."""
MISSED = 12
"""Frames that a face may have missed and still act through; after more it begins where the sound is."""
HANGS = 25
"""Moments, a second, for which a drawing may fail to arrive before somebody is told."""
PIECE = 25
"""Poses of a waiting face that are planned at once."""


@dataclass(slots=True)
class _Drawing:
    """A frame that a thread draws."""

    key: Key
    begun_s: float
    future: Future[tuple[Picture, float]]
    """The picture and when it was done."""


class LiveFace:
    """One face over a session; at most one of its frames is being drawn.

    A frame is begun as much ahead as the last ones took to draw, and shows what will be said then; one that
    turns out to be of no use is thrown away. So each frame leaves with its own sound or not at all.

    Args:
        renderer: draws it.
        pool: where; may be shared by sessions.
        seed: same seed, same blinks.
        on_failure: told once why there are no frames, and again only after there were some for a second.
        ai_label: whether the honest label "AI" is written onto the picture.
    """

    def __init__(
        self,
        renderer: Renderer,
        pool: Executor,
        *,
        seed: int,
        on_failure: Callable[[str], None],
        ai_label: bool = True,
    ) -> None:
        self.look: Look = "idle"
        """How it waits."""
        self.every = 1
        """One of so many frames is drawn, 0: none."""
        self.late = 0
        """Moments whose frame was not ready."""
        self.performer = Performer(FPS, seed)
        self._renderer = renderer
        self._pool = pool
        self._tell = on_failure
        self._lettering = Lettering(
            size=renderer.width, height=renderer.height, ai_label=ai_label, captions=False
        )
        self._poses: Iterator[Pose] = iter(())
        self._source: Line | str = ""
        self._posed = 0
        self._drawing: _Drawing | None = None
        self._draw_s = 0.0
        self._missing = 0
        self._good = HANGS

    async def frame(self, index: int, script: Script) -> Picture | None:
        """The frame of the next moment; None where it cannot be had within `WAIT_S`."""
        due = self.every > 0 and index % self.every == 0
        picture = await self._picture(due, script)
        if picture is not None:
            self._missing = 0
        elif due:
            self.late += 1
            self._missing += 1
            if self._missing == HANGS:
                self._fail(f"no frame was ready for {HANGS * MOMENT_S:g} s: is the machine too busy?")
        return picture

    async def _picture(self, due: bool, script: Script) -> Picture | None:
        key = script(0)
        drawing = self._drawing
        if drawing is not None and drawing.key != key:
            if any(script(moments) == drawing.key for moments in range(1, FURTHEST + self.every + 1)):
                return None  # the thread works at the next frame that can be in time
            if not drawing.future.done() and not drawing.future.cancel():
                return None
            self._arrived(drawing)
            drawing = None
        if drawing is None:
            if not due or self._draw_s > WAIT_S:
                return None
            drawing = self._begin(key)
            if drawing is None:
                return None
        if not drawing.future.done():
            arriving = asyncio.wrap_future(drawing.future)
            arriving.add_done_callback(_looked_at)
            await asyncio.wait({arriving}, timeout=WAIT_S)
        return self._arrived(drawing) if drawing.future.done() else None

    def prepare(self, index: int, script: Script) -> None:
        """Begin to draw the next frame that can be ready in time; `index` is the next moment's."""
        if self._drawing is not None or not self.every:
            return
        ahead = min(math.ceil(max(self._draw_s - WAIT_S - MOMENT_S, 0.0) / MOMENT_S), FURTHEST)
        ahead += -(index + ahead) % self.every
        self._begin(script(ahead))

    def close(self) -> None:
        """Draw no more; what a thread draws just now is let go."""
        self.every = 0
        if self._drawing is not None:
            self._drawing.future.cancel()

    def _arrived(self, drawing: _Drawing) -> Picture | None:
        """Take what a thread has done."""
        self._drawing = None
        if drawing.future.cancelled():
            return None
        error = drawing.future.exception()
        if error is not None:
            self._fail(f"the face cannot be drawn ({error}): the voice goes on; look at the desk's avatar")
            return None
        picture, done_s = drawing.future.result()
        took_s = min(done_s - drawing.begun_s, FURTHEST * MOMENT_S)
        self._draw_s += LEARN * (took_s - self._draw_s)
        self._good += 1
        return picture

    def _fail(self, message: str) -> None:
        if self._good >= HANGS:
            self._tell(message)
        self._good = 0

    def _begin(self, key: Key) -> _Drawing | None:
        """Have a frame drawn; None, and told, where that is impossible."""
        try:
            pose = self._pose(*key)
            future = self._pool.submit(_draw, self._renderer, self._lettering, pose)
        except Exception as error:  # whatever it is, the voice must go on
            self._source = ""
            self._fail(f"the face cannot act ({error}): the voice goes on; look at the desk's avatar")
            return None
        self._drawing = _Drawing(key, time.perf_counter(), future)
        return self._drawing

    def _pose(self, line: Line | None, number: int) -> Pose:
        """The face at a frame of a line, or at a moment of waiting."""
        source: Line | str = line or self.look
        fresh = source != self._source
        missed = number - (0 if fresh and line else number if fresh else self._posed)
        if fresh or missed > MISSED:
            if line is None:
                self._poses, self._posed = self.performer.idle(PIECE, self.look), number
            else:
                self._posed = number if missed > MISSED else 0
                self._poses = self._speak(line, self._posed)
        self._source = source
        pose = None
        while pose is None or self._posed <= number:
            pose = next(self._poses, None)
            if pose is None:
                self._poses = self.performer.idle(PIECE, self.look)
                pose = next(self._poses)
            self._posed += 1
        return pose

    def _speak(self, line: Line, begin: int) -> Iterator[Pose]:
        sentence = line.spoken.sentence
        whole = not line.offset_s and not begin
        return self.performer.speak(
            line.rest(begin),
            sentence.emotion.label,
            sentence.emotion.intensity,
            gesture=gesture_of(sentence, first=line.first) if whole else None,
        )


def _draw(renderer: Renderer, lettering: Lettering, pose: Pose) -> tuple[Picture, float]:
    picture = lettering.draw(renderer.draw(pose))
    return picture, time.perf_counter()


def _looked_at(future: asyncio.Future[tuple[Picture, float]]) -> None:
    """Nobody waits for this any more: an error in it is told when the drawing is taken."""
    if not future.cancelled():
        future.exception()
