"""The face and the voice of a live session: always on, one video frame and its sound at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import numpy as np

from agent.errors import AgentError
from agent.events import Spoken
from agent.line import MOMENT_S, SAMPLES, Line, Sound, joined
from agent.live_face import Key, LiveFace, Look
from agent.painter import Painter, Picture
from avatar import perform
from speech.timeline import Phoneme, Speech

FULL_S = 180.0
"""Seconds of speech that may wait: three minutes of talk that nobody hears is a mistake, and 16 MB."""
REACTION = ("attend", 0.7)
"""What the face does when it stops for the visitor: the head comes up, eyes open."""


@dataclass(frozen=True, slots=True)
class LiveMoment:
    """What leaves at once: 40 ms of picture and sound."""

    index: int
    """Of the media clock; sound and picture are stamped from it."""
    frame: Picture | None
    """RGB[H, W, 3], not to be written to; None: repeat the last one, for drawing was late."""
    pcm: Sound
    """int16[1920], 48 kHz mono; zeros in silence."""
    caption: str
    """What is being said now, "" in silence."""
    speaking: bool
    spoken: Spoken | None = None
    """The sentence that the sound is of."""
    at_s: float = 0.0
    """Where the sound stands in it, in seconds."""


@dataclass(frozen=True, slots=True)
class Began:
    """The first sound of a sentence leaves."""

    spoken: Spoken
    index: int
    """Of the moment that it leaves with."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The last sound of a sentence has left."""

    spoken: Spoken


@dataclass(frozen=True, slots=True)
class ReplyOver:
    """The last sound of a reply has left, or it was cancelled."""

    heard: str
    """The words of it that left."""
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """The face cannot be drawn; the voice goes on. Told once, and again only after it had recovered."""

    message: str


StageEvent = Began | Finished | ReplyOver | Failed


class Stage:
    """One face with its voice.

    Everything but `next` returns at once and holds from the next moment on. What leaves is decided by the
    sound's place in its sentence, never by the clock's index: indices that are left out shift nothing.

    A reply is opened by the first `say` and ends with `ReplyOver`: when its last sound has left after
    `finish`, or at once by `cancel`.

    Args:
        painter: draws the face.
        seed: same seed, same blinks.
        on_event: told of every `StageEvent`, on the event loop.
    """

    def __init__(
        self,
        painter: Painter,
        *,
        seed: int = 0,
        on_event: Callable[[StageEvent], None] = lambda event: None,
    ) -> None:
        warm()
        self.size = painter.size
        """Width and height of a frame in pixels."""
        self.drawn = 0
        """Frames that left."""
        self.on_event = on_event
        """Told of every `StageEvent`; a conversation sets itself here."""
        self.on_sound: Callable[[Sound], None] = lambda pcm: None
        """Told of all sound that leaves, int16[n] at 48 kHz; a conversation sets itself here."""
        self._face = LiveFace(painter, seed=seed, on_failure=lambda message: self.on_event(Failed(message)))
        self._look: Look = "idle"
        self._lines: deque[Line] = deque()
        self._tail: tuple[Key, Sound] | None = None
        """The end of a sound that was cut, which fades out with the next moment."""
        self._paused = self._open = self._complete = False
        self._said: list[str] = []
        self._silent = 0

    def look(self, look: Look) -> None:
        """How the face waits while nothing is said; in a pause it listens anyway."""
        self._look = look

    def thin(self, every: int, scale: float = 1.0) -> None:
        """Draw less: what steps down before the sound suffers.

        Args:
            every: one of so many frames, 0 for none.
            scale: share of the full size, where there is a renderer for that.
        """
        self._face.every, self._face.scale = max(every, 0), scale

    def say(self, spoken: Spoken) -> None:
        """Append a sentence to the reply; the first one opens it.

        Raises:
            AgentError: too much is waiting already.
        """
        if self.queued_s > FULL_S:
            raise AgentError(
                f"{self.queued_s:.0f} s of speech are waiting to be said: wait until queued_s is smaller"
            )
        first = not self._open
        if first:
            self._lines.clear()  # at most the silence that ends the last reply
            self._said.clear()
            self._open, self._complete = True, False
        self._lines.append(Line.of(spoken, first=first))

    def finish(self) -> None:
        """No more sentences come; without a reply nothing happens."""
        self._complete = self._open
        self._end_reply()

    def pause(self) -> None:
        """Stop the sound and listen; a reply that opens meanwhile waits for `resume`."""
        if self._paused:
            return
        self._cut()
        self._paused = True
        if self._open:
            self.react(*REACTION)

    def resume(self) -> None:
        """Go on from the start of the word that was cut; without a pause nothing happens."""
        self._paused = False

    def cancel(self) -> None:
        """Stop the sound and forget the rest of the reply; without a reply nothing happens."""
        if not self._paused:
            self._cut()
        heard, was_open = self.heard(), self._open
        self._said = [heard]
        self._lines.clear()
        self._paused = self._open = self._complete = False
        if was_open:
            self.on_event(ReplyOver(heard, interrupted=True))

    def heard(self) -> str:
        """The words of this reply, or of the last one, that have left so far."""
        return joined([*self._said, *(line.heard for line in self._lines if not line.ended)])

    def react(self, gesture: str, strength: float = 1.0) -> None:
        """Make a gesture over whatever goes on, for example "listen" while the visitor speaks.

        Raises:
            AvatarError: there is no such gesture.
        """
        self._face.performer.gesture(gesture, strength)

    @property
    def queued_s(self) -> float:
        """Seconds of speech that wait to be said."""
        return sum((line.count - line.frame) * MOMENT_S for line in self._lines)

    @property
    def replying(self) -> bool:
        """Whether a reply is open."""
        return self._open

    @property
    def late(self) -> int:
        """Moments whose frame was not ready in time."""
        return self._face.late

    def close(self) -> None:
        """Say and draw no more; what a thread draws just now is let go."""
        self._lines.clear()
        self._tail, self._open = None, False
        self._face.close()

    async def next(self, index: int, late_s: float = 0.0) -> LiveMoment:
        """What leaves at a tick of the media clock; waits for its frame until 30 ms after its turn at most.

        Args:
            index: of the moment.
            late_s: how long ago its turn was.
        """
        self._face.look = "listening" if self._paused else self._look
        line, _ = self._to_come(0)
        frame = await self._face.frame(index, self._to_come, late_s)
        # The sound is chosen now: while its frame was drawn it may have been cut.
        if self._tail is not None:
            (cut, place), pcm = self._tail
            self._tail = None
            moment = LiveMoment(index, frame, pcm, "", True, *(cut.place(place) if cut else ()))
        elif line is not None and line in self._lines and not self._paused:
            caption, speaking, began = line.caption, line.frame < line.sounding, not line.begun
            said = line.place(line.frame)
            moment = LiveMoment(index, frame, line.sound(), caption, speaking, *said)
            self._left(line, index, began=began)
        else:
            self._silent += 1
            moment = LiveMoment(index, frame, np.zeros(SAMPLES, np.int16), "", False)
        self.on_sound(moment.pcm)
        self.drawn += frame is not None
        self._face.look = "listening" if self._paused else self._look
        self._face.prepare(index + 1, self._to_come)
        return moment

    def _left(self, line: Line, index: int, *, began: bool) -> None:
        """Tell what has left with this moment."""
        ended = not line.ended and line.frame >= line.sounding
        if ended:
            line.ended = True
            self._said.append(line.spoken.sentence.text)
        if line.over:
            self._lines.popleft()
        if began:
            self.on_event(Began(line.spoken, index))
        if ended:
            self.on_event(Finished(line.spoken))
            self._end_reply()

    def _end_reply(self) -> None:
        """Tell that the reply is over, once nothing but silence is left of it."""
        if self._open and self._complete and all(line.ended for line in self._lines):
            self._paused = self._open = self._complete = False
            self.on_event(ReplyOver(self.heard(), interrupted=False))

    def _cut(self) -> None:
        """Let the sound that is under way fade out with the next moment, and keep what is left of it."""
        line = self._lines[0] if self._lines else None
        if line is None or not line.frame or line.ended:
            return
        frame = line.frame
        sound, self._lines[0] = line.cut()
        self._tail = ((line, frame), sound)

    def _to_come(self, moments: int) -> Key:
        """What is shown so many moments after the next one."""
        if self._tail is not None:
            if not moments:
                return self._tail[0]
            moments -= 1
        if not self._paused:
            for line in self._lines:
                if line.frame + moments < line.count:
                    return line, line.frame + moments
                moments -= line.count - line.frame
        return None, self._silent + moments


@cache
def warm() -> None:
    """Load what the first sentence needs: 0.1 s that its sound would wait for."""
    import_module("av")
    perform(Speech(np.zeros(800, np.float32), 8_000, (Phoneme("a", 0.0, 0.1),)))
