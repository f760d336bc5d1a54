"""The visitor's voice on a recording's timeline: sound that comes when it comes, given out by the moment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
"""Of the sound that comes in."""
OUT_HZ = 48_000
MOMENT = RATE_HZ // 25
"""Samples of 40 ms as they come."""
MOMENT_OUT = OUT_HZ // 25
_SLACK = RATE_HZ // 10
"""100 ms: how much earlier or later than its time sound may come before it is moved. More than the jitter
of aiortc's and the browsers' buffers."""
_LEAD = 2 * RATE_HZ
"""Sound that is further ahead of the clock than this is lost: a client that sends faster than time."""
_VOICED = 0.02
"""Peak above which somebody speaks, as captions are timed."""
_PAUSE = 40
"""Moments without voice that part two utterances: 1.6 s."""
_QUIET = 0.004
"""Peak of sound that may be left out where too much of it came: below any voice."""


class VisitorLine:
    """Lines the visitor's sound up with the moments.

    Nothing says when sound was made, only when it came. It is laid end to end as long as it comes in time;
    after a gap it goes on at the present; where more came than time passed (a burst after a stall, another
    clock) what is quiet is left out until it is in time again.
    """

    def __init__(self) -> None:
        self._waiting: NDArray[np.float32] = np.zeros(0, np.float32)
        self._given = 0
        self._resampler: Any = None
        self._ready: NDArray[np.float32] = np.zeros(0, np.float32)
        self.utterance = (-RATE_HZ, -RATE_HZ)
        """When the last utterance began and ended, in moments."""
        self.lost = 0
        """Samples, of what came, that were not laid down though they were not quiet."""

    def hear(self, pcm: NDArray[np.float32], moments: int) -> None:
        """Take sound.

        Args:
            pcm: float32[n] at 16 kHz, in [-1, 1]; what is beyond or no number is brought there.
            moments: how many have passed on the timeline; not fewer than were given out.
        """
        if len(pcm) == 0:
            return
        pcm = np.clip(np.nan_to_num(pcm.astype(np.float32, copy=False), nan=0.0), -1.0, 1.0)
        peak = float(np.abs(pcm).max())
        if peak > _VOICED:
            began, ended = self.utterance
            self.utterance = (began if moments - ended <= _PAUSE else moments - 1, moments)
        due = moments * MOMENT - len(pcm)
        at = self._given * MOMENT + len(self._waiting)
        if at > due + _LEAD:
            self.lost += len(pcm)
            return
        if at > due + _SLACK and peak < _QUIET:
            return
        gap = due - at if at < due - _SLACK else 0
        self._waiting = np.concatenate((self._waiting, np.zeros(gap, np.float32), pcm))

    def next(self) -> NDArray[np.float32]:
        """Give out the next moment, float32[1920] at 48 kHz; silence where nothing came."""
        block = self._waiting[:MOMENT]
        self._waiting = self._waiting[MOMENT:]
        self._given += 1
        if len(block) < MOMENT:
            block = np.concatenate((block, np.zeros(MOMENT - len(block), np.float32)))
        self._ready = np.concatenate((self._ready, self._converted(block)))
        # The filter holds the first few samples back: the line begins that much later, a third of a ms.
        missing = max(0, MOMENT_OUT - len(self._ready))
        sound = np.concatenate((np.zeros(missing, np.float32), self._ready[: MOMENT_OUT - missing]))
        self._ready = self._ready[MOMENT_OUT - missing :]
        return sound

    def _converted(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        import av

        if self._resampler is None:
            self._resampler = av.AudioResampler("fltp", "mono", OUT_HZ)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block)[None], format="fltp", layout="mono")
        frame.sample_rate = RATE_HZ
        parts = [each.to_ndarray()[0] for each in self._resampler.resample(frame)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)
