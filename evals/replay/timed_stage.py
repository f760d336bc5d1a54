"""A stage without sound and picture: sentences take their time, and are heard as far as they got."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING

import numpy as np

from agent.line import MOMENT_S, Line
from agent.stage import Stage
from evals.replay.sounded import Piece, Sounded

if TYPE_CHECKING:
    from agent.events import Spoken
    from agent.painter import Picture
    from avatar import Pose

TINY = (2, 2)
"""Width and height of pictures that nobody looks at."""


class NoPainter:
    """Draws the same tiny grey picture at once, for replays without video."""

    size = TINY

    def paint(self, pose: Pose, scale: float) -> Future[tuple[Picture, float]]:
        """Return the picture."""
        done: Future[tuple[Picture, float]] = Future()
        done.set_result((np.full((TINY[1], TINY[0], 3), 128, np.uint8), 0.0))
        return done


class TimedStage(Stage):
    """Says sentences by the loop's clock, from milestone to milestone instead of moment by moment."""

    def __init__(self) -> None:
        super().__init__(NoPainter())
        self.sounded = Sounded()
        self._since_s: float | None = None
        """When the sounding line stood at its first moment; None: nothing sounds."""
        self._noted: Line | None = None
        """Of which the latest piece is."""
        self._timer: asyncio.TimerHandle | None = None

    def say(self, spoken: Spoken) -> None:
        """Append a sentence; see `Stage.say`."""
        self.sounded.say(spoken, first=not self.replying)
        super().say(spoken)
        self._go_on()

    def finish(self) -> None:
        """No more sentences come; see `Stage.finish`."""
        super().finish()
        self._go_on()

    def pause(self) -> None:
        """Stop the sound; see `Stage.pause`."""
        self._sync()
        self._stop()
        super().pause()
        self._tail = None

    def resume(self) -> None:
        """Go on; see `Stage.resume`."""
        super().resume()
        self._go_on()

    def cancel(self) -> None:
        """Stop the sound and forget the rest; see `Stage.cancel`."""
        self._sync()
        self._stop()
        super().cancel()
        self._tail = None

    def heard(self) -> str:
        """Return the words that have left so far; see `Stage.heard`."""
        self._sync()
        return super().heard()

    @property
    def queued_s(self) -> float:
        """Seconds of speech that wait to be said."""
        self._sync()
        return sum((line.count - line.frame) * MOMENT_S for line in self._lines)

    def close(self) -> None:
        """Say no more."""
        self._stop()
        super().close()

    def _go_on(self) -> None:
        """Begin the next line, or wait for the next milestone of the one that sounds."""
        if self._timer is not None or self._paused or not self._lines:
            return
        loop, line = asyncio.get_running_loop(), self._lines[0]
        self._since_s = loop.time() - line.frame * MOMENT_S
        self._timer = loop.call_later(0 if line.frame else MOMENT_S, self._reach)

    def _reach(self) -> None:
        """A milestone is reached: a line's first sound, its last, or the end of the pause after it."""
        self._timer = None
        if self._paused or not self._lines:
            return
        line, began = self._lines[0], not self._lines[0].begun
        line.begun = True
        self._sync()
        line.frame = max(line.frame, 1)
        self._note(line)
        self._left(line, 0, began=began)
        if self._paused or self._timer is not None:
            return  # what was told of it changed the course
        if not self._lines or self._lines[0] is not line:
            self._since_s = None
            self._go_on()
            return
        assert self._since_s is not None
        mark = line.count if line.ended else line.sounding
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(self._since_s + mark * MOMENT_S, self._reach)

    def _sync(self) -> None:
        """Bring the sounding line to where the clock is."""
        line = self._lines[0] if self._lines else None
        if line is None or self._since_s is None or not line.begun:
            return
        moments = (asyncio.get_running_loop().time() - self._since_s) / MOMENT_S
        line.frame = min(max(line.frame, round(moments)), line.count)

    def _note(self, line: Line) -> None:
        """Write down how far a line has sounded."""
        begin_s, end_s = line.offset_s, line.offset_s + line.frame * MOMENT_S
        if self._noted is line:
            self.sounded.pieces[-1].end_s = end_s
        else:
            self._noted = line
            now_s = asyncio.get_running_loop().time()
            self.sounded.pieces.append(Piece(line.spoken, begin_s, end_s, now_s))

    def _stop(self) -> None:
        if self._since_s is not None and self._lines and self._lines[0].begun:
            self._note(self._lines[0])
        self._since_s = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
