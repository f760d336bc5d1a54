"""The face of a live session: acts, and is drawn just ahead of its time."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal

from agent.frames import FPS
from agent.gesturing import gesture_of
from agent.line import MOMENT_S, Line
from agent.painter import Painter, Picture
from avatar import Performer, Pose

Look = Literal["idle", "listening", "thinking"]
Key = tuple[Line | None, int]
"""What a frame shows: a frame of a line; or, None, a waiting face, and which of its moments."""
Script = Callable[[int], Key]
"""What will be shown so many moments after the next one, as things stand."""

WAIT_S = 0.030
"""Longest after its turn that sound waits for its frame: three quarters of a moment."""
LEARN = 0.3
"""Weight of the last drawing in the estimate of how long one takes."""
FURTHEST = 10
"""Moments ahead of its time that a slow drawing is begun, at most."""
DEPTH = 3
"""Frames that may be in drawing at once: where a busy machine makes each wait, they wait together."""
MISSED = 12
"""Frames that a face may have missed and still act through; after more it begins where the sound is."""
HANGS, HANGS_S = 25, 1.0
"""Moments, and seconds, for which no frame may arrive before somebody is told."""
PIECE = 25
"""Poses of a waiting face that are planned at once."""


@dataclass(slots=True)
class _Drawing:
    """A frame that is being drawn."""

    key: Key
    begun_s: float
    future: Future[tuple[Picture, float]]
    """The picture and when it was done."""


class LiveFace:
    """One face over a session.

    A frame is begun as much ahead as the last ones took to draw, one moment on a machine that has time, and
    shows what will be said then; one that turns out to be of no use is thrown away. So each frame leaves with
    its own sound or not at all.

    Args:
        painter: draws it.
        seed: same seed, same blinks.
        on_failure: told once why there are no frames, and again only after there were some for a second.
    """

    def __init__(self, painter: Painter, *, seed: int, on_failure: Callable[[str], None]) -> None:
        self.look: Look = "idle"
        """How it waits."""
        self.every = 1
        """One of so many frames is drawn, 0: none."""
        self.scale = 1.0
        """Share of the full size at which it is drawn."""
        self.late = 0
        """Moments whose frame was not ready."""
        self.performer = Performer(FPS, seed)
        self._painter = painter
        self._tell = on_failure
        self._poses: Iterator[Pose] = iter(())
        self._source: Line | str = ""
        self._posed = 0
        self._flying: deque[_Drawing] = deque()
        """In the order in which they will be wanted."""
        self._lost: list[_Drawing] = []
        """Of no use any more, but still being drawn."""
        self._draw_s = 0.0
        self._missing = 0
        self._seen_s = 0.0
        self._good = HANGS

    async def frame(self, index: int, script: Script, late_s: float = 0.0) -> Picture | None:
        """The frame of the next moment; None where it cannot be had within `WAIT_S` of its turn."""
        due = self.every > 0 and index % self.every == 0
        picture = await self._picture(due, script, max(WAIT_S - late_s, 0.0))
        now_s = time.perf_counter()
        if picture is not None or not self._missing:
            self._seen_s = now_s
        if picture is not None:
            self._missing = 0
        elif due:
            self.late += 1
            self._missing += 1
            if self._missing >= HANGS and now_s - self._seen_s >= HANGS_S:
                self._fail(f"no frame was ready for {HANGS_S:g} s: is the machine too busy?")
        return picture

    async def _picture(self, due: bool, script: Script, wait_s: float) -> Picture | None:
        key = script(0)
        self._sort_out(script)
        if not self._flying:
            # Nobody foresaw this frame: it is drawn now, if there is time.
            if not due or self._draw_s > wait_s or len(self._lost) >= DEPTH or not self._begin(key):
                return None
        elif self._flying[0].key != key:
            return None
        drawing = self._flying[0]
        if not drawing.future.done():
            arriving = asyncio.wrap_future(drawing.future)
            arriving.add_done_callback(_looked_at)
            await asyncio.wait({arriving}, timeout=wait_s)
        if drawing.future.done():
            self._flying.remove(drawing)
            return self._arrived(drawing)
        return None

    def prepare(self, index: int, script: Script) -> None:
        """Begin to draw the next frame that can be ready in time; `index` is the next moment's."""
        if not self.every:
            return
        self._sort_out(script)
        ahead = min(math.ceil(max(self._draw_s - WAIT_S, 0.0) / MOMENT_S), FURTHEST)
        if self._flying:
            last = self._flying[-1].key
            if last in [script(moments) for moments in range(ahead, FURTHEST + self.every + 1)]:
                return
        if len(self._flying) + len(self._lost) < DEPTH:
            self._begin(script(ahead + -(index + ahead) % self.every))

    def _sort_out(self, script: Script) -> None:
        """Drop what is drawn for nothing, now that other things are to come."""
        if self._flying:
            wanted = [script(moments) for moments in range(FURTHEST + self.every + 1)]
            dropped = [drawing for drawing in self._flying if drawing.key not in wanted]
            for drawing in dropped:
                self._flying.remove(drawing)
                drawing.future.cancel()
            self._lost += dropped
        for drawing in [drawing for drawing in self._lost if drawing.future.done()]:
            self._lost.remove(drawing)
            self._arrived(drawing)

    def close(self) -> None:
        """Draw no more; what is being drawn just now is let go."""
        self.every = 0
        for drawing in self._flying:
            drawing.future.cancel()

    def _arrived(self, drawing: _Drawing) -> Picture | None:
        """Take what was drawn."""
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

    def _begin(self, key: Key) -> bool:
        """Have a frame drawn; False, and told, where that is impossible."""
        try:
            pose = self._pose(*key)
            begun_s = time.perf_counter()
            future = self._painter.paint(pose, self.scale)
        except Exception as error:  # whatever it is, the voice must go on
            self._source = ""
            self._fail(f"the face cannot act ({error}): the voice goes on; look at the desk's avatar")
            return False
        self._flying.append(_Drawing(key, begun_s, future))
        return True

    def _pose(self, line: Line | None, number: int) -> Pose:
        """The face at a frame of a line, or at a moment of waiting."""
        source: Line | str = line or self.look
        fresh = source != self._source
        if line is None:
            if fresh:
                self._poses = self.performer.idle(PIECE, self.look)
            if fresh or not 0 <= number - self._posed <= MISSED:
                self._posed = number
        else:
            begin = 0 if fresh else self._posed
            if not 0 <= number - begin <= MISSED:
                fresh, begin = True, number
            if fresh:
                self._poses, self._posed = self._speak(line, begin), begin
        self._source = source
        while True:
            pose = next(self._poses, None)
            if pose is None:
                self._poses = self.performer.idle(PIECE, self.look)
                continue
            self._posed += 1
            if self._posed > number:
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


def _looked_at(future: asyncio.Future[tuple[Picture, float]]) -> None:
    """Nobody waits for this any more: an error in it is told when the drawing is taken."""
    if not future.cancelled():
        future.exception()
