"""Takes what leaves the desk, moment by moment: the sound as it arrives at the visitor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agent.events import Spoken
from agent.line import MOMENT_S, RATE_HZ, SAMPLES, Sound
from agent.painter import Picture
from agent.stage import LiveMoment
from evals.replay.opus_line import LineOut

AUDIBLE = 64
"""Peak of int16 from which a millisecond of sound is heard: -54 dBFS."""
PIECE = RATE_HZ // 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """A moment that left."""

    spoken: Spoken | None
    """The sentence that it is of."""
    at_s: float
    """Where it stands in it, in seconds."""
    speaking: bool


class Heard:
    """The desk's sound as it arrives at the visitor, on one timeline of 40 ms pieces."""

    def __init__(self) -> None:
        self.began_s: float | None = None
        """When the first piece began."""
        self.moments: dict[int, Taken] = {}
        """What each piece is of, where that is known."""
        self._sound: dict[int, Sound] = {}

    @property
    def count(self) -> int:
        """Moments from the first to the last, with those that were left out."""
        return max(self._sound, default=-1) + 1

    def time(self, index: int) -> float:
        """Return when a moment left."""
        return (self.began_s or 0.0) + index * MOMENT_S

    def sound(self) -> Sound:
        """Return everything that arrived, int16[n] at 48 kHz; silence where moments were left out."""
        return self._joined(0, self.count)

    def between(self, begin_s: float, length: int) -> Sound:
        """Return int16[length] at 48 kHz from a time on; zeros where nothing arrived."""
        first = round((begin_s - (self.began_s or 0.0)) * RATE_HZ)
        index = first // SAMPLES
        pcm = self._joined(index, index + length // SAMPLES + 2)
        return pcm[first - index * SAMPLES :][:length]

    def first_audible_s(self, begin_s: float, end_s: float) -> float | None:
        """Return when the first audible sound in a stretch of time begins; None: there is none."""
        heard = self._audible(begin_s, end_s)
        return begin_s + float(heard[0]) / 1e3 if len(heard) else None

    def last_audible_s(self, begin_s: float, end_s: float) -> float | None:
        """Return when the last audible sound in a stretch of time ends; None: there is none."""
        heard = self._audible(begin_s, end_s)
        return begin_s + float(heard[-1] + 1) / 1e3 if len(heard) else None

    def _audible(self, begin_s: float, end_s: float) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Milliseconds after `begin_s` in which something is heard."""
        length = max(round((end_s - begin_s) * 1000), 0) * PIECE
        pieces = self.between(begin_s, length).astype(np.int32).reshape(-1, PIECE)
        return np.flatnonzero(np.abs(pieces).max(axis=1, initial=0) >= AUDIBLE)

    def _joined(self, begin: int, end: int) -> Sound:
        silence = np.zeros(SAMPLES, np.int16)
        parts = [self._sound.get(index, silence) for index in range(begin, end)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)


class Tape(Heard):
    """A sink of the media clock.

    Args:
        clock: seconds.
        seen: told of every moment's number and picture; None: it repeats the last one.
    """

    def __init__(self, clock: Callable[[], float], seen: Callable[[int, Picture | None], None]) -> None:
        super().__init__()
        self._clock, self._seen = clock, seen
        self._line = LineOut()

    def take(self, moment: LiveMoment) -> None:
        """Take a moment; see `agent.clock.Sink`."""
        if self.began_s is None:
            self.began_s = self._clock() - moment.index * MOMENT_S
        self._sound[moment.index] = self._line.carry(moment.pcm, moment.index)
        self.moments[moment.index] = Taken(moment.spoken, moment.at_s, moment.speaking)
        self._seen(moment.index, moment.frame)
