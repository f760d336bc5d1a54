"""A visitor's microphone as it arrives: sound waits here until there is time to hear it."""

from __future__ import annotations

from collections import deque

from speech.recognizer import RECOGNITION_RATE_HZ
from speech.timeline import Pcm

WAITING_S = 5.0
"""Sound that may wait when the machine is behind; older sound is lost."""
SILENT_S = 0.7
"""A microphone that sends nothing for so long counts as silent."""


class Microphone:
    """A bounded queue of sound, used on the event loop.

    Args:
        now_s: the clock's time.
    """

    def __init__(self, now_s: float) -> None:
        self._pieces: deque[Pcm] = deque()
        self._waiting = 0
        self._muted = False
        self._sounded_s = now_s

    @property
    def muted(self) -> bool:
        """True while what comes is thrown away."""
        return self._muted

    def put(self, pcm: Pcm) -> None:
        """Take sound, float32[n] at 16 kHz."""
        if self._muted:
            return
        self._pieces.append(pcm)
        self._waiting += len(pcm)
        while self._waiting > WAITING_S * RECOGNITION_RATE_HZ:
            self._waiting -= len(self._pieces.popleft())

    def take(self, now_s: float) -> Pcm | None:
        """Return the oldest piece, or None where nothing waits."""
        if not self._pieces:
            return None
        pcm = self._pieces.popleft()
        self._waiting -= len(pcm)
        self._sounded_s = now_s
        return pcm

    def gone(self, now_s: float) -> bool:
        """Whether nothing has come for so long that it counts as silent."""
        return now_s - self._sounded_s > SILENT_S

    def mute(self, muted: bool) -> None:
        """Throw away what waits and what comes, or hear again."""
        self._muted = muted
        if muted:
            self._pieces.clear()
            self._waiting = 0
