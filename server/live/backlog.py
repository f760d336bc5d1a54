"""What waits for a recording's encoder: moments, sound, words; bounded, so that no memory is lost to it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from server.live.fragments import FPS
from server.live.overhearing import Overheard, Piece, Utterance
from server.live.voices import RATE_HZ
from speech.timeline import Pcm

if TYPE_CHECKING:
    from agent.stage import LiveMoment


class Backlog:
    """Takes what happens, in one thread, without waiting; gives it to another in the same order.

    Args:
        frames: that may wait; further moments come without.
        sound_s: seconds that may wait: of moments, then it ends as "slow", and of the visitor's sound, then
            what comes is lost.
    """

    def __init__(self, frames: int, sound_s: float) -> None:
        self._most_frames, self._most_moments = frames, sound_s * FPS
        self._most_samples = sound_s * RATE_HZ
        self._lock = threading.Condition()
        self._items: deque[LiveMoment | Pcm | Overheard | str] = deque()
        self._frames = self._samples = 0
        self.moments = 0
        """That wait."""
        self.frames_left_out = 0
        self.samples_lost = 0
        """Of the visitor's sound."""
        self.ended = ""
        """Why nothing is taken any more; empty while it is."""

    def put_moment(self, moment: LiveMoment) -> None:
        """Take a moment; where too many frames wait, only its sound."""
        with self._lock:
            if self.ended:
                return
            if self.moments >= self._most_moments:
                self._end("slow")
                return
            self.moments += 1
            if moment.frame is not None:
                if self._frames >= self._most_frames:
                    moment = replace(moment, frame=None)
                    self.frames_left_out += 1
                else:
                    self._frames += 1
            self._items.append(moment)
            self._lock.notify()

    def put_sound(self, sound: Pcm | Piece) -> None:
        """Take the visitor's sound."""
        pcm = sound.pcm if isinstance(sound, Piece) else sound
        with self._lock:
            if self.ended:
                return
            if self._samples + len(pcm) > self._most_samples:
                self.samples_lost += len(pcm)
                if not isinstance(sound, Piece):
                    return
                sound = replace(sound, pcm=pcm[:0])  # where utterances begin is told all the same
            self._samples += len(sound.pcm if isinstance(sound, Piece) else sound)
            self._items.append(sound)

    def put_words(self, words: str | Utterance) -> None:
        """Take words of the visitor: as a caption, or with their place in the sound."""
        with self._lock:
            if not self.ended:
                self._items.append(words)

    def get(self) -> LiveMoment | Pcm | Overheard | str | None:
        """Wait for what comes next; None at the end.

        After "closed" what waits is given all the same, after anything else it is not.
        """
        with self._lock:
            self._lock.wait_for(lambda: self.moments or self.ended)
            if not self._items or self.ended not in ("", "closed"):
                return None
            item = self._items.popleft()
            if isinstance(item, np.ndarray):
                self._samples -= len(item)
            elif isinstance(item, Piece):
                self._samples -= len(item.pcm)
            elif not isinstance(item, str | Utterance):
                self.moments -= 1
                self._frames -= item.frame is not None
            return item

    def end(self, reason: str) -> None:
        """Take no more."""
        with self._lock:
            self._end(reason)

    def break_off(self, reason: str) -> None:
        """End early, also while what waited at the close is given."""
        with self._lock:
            if self.ended == "closed":
                self.ended = ""
            self._end(reason)

    def clear(self) -> None:
        """Forget what waits."""
        with self._lock:
            self._items.clear()
            self.moments = self._frames = self._samples = 0

    def _end(self, reason: str) -> None:
        if not self.ended:
            self.ended = reason
            self._lock.notify()
