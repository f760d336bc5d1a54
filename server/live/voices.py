"""The visitor's voice on a recording's timeline: sound that comes when it comes, given out by the moment."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.live.quiet import silent

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
_AWAITED = RATE_HZ * 6 // 5
"""1.2 s: an utterance begins at most so long before it is known to have begun; until then sound waits."""


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
        self.tone = False
        """Whether a soft tone is heard where sound is muted, rather than nothing."""
        self._pieces: deque[tuple[int, int, int]] = deque()
        """Microphone's sample, place on the line, and length of what was laid down."""
        self._open_from: int | None = None
        self._waits = False
        self._muted: list[tuple[int, int]] = []
        """Places on the line, from and to."""

    def hold(self, open_from: int | None) -> None:
        """From now on sound waits until it is known what was said: `ready` tells when that is so.

        Args:
            open_from: the microphone's sample with which the utterance began that goes on; None: none does.
        """
        self._waits, self._open_from = True, open_from

    def ready(self, moments: int) -> bool:
        """Tell whether the next moment may be given out.

        Args:
            moments: how many have passed on the timeline.
        """
        if not self._waits:
            return True
        known = moments * MOMENT - _AWAITED
        if self._open_from is not None:
            known = min(known, self._place(self._open_from))
        return (self._given + 1) * MOMENT <= known

    def mute(self, start: int, end: int) -> None:
        """Let nothing be heard of the microphone's samples from one to another."""
        for at, place, length in self._pieces:
            first, last = max(start, at), min(end, at + length)
            if first < last:
                self.mute_line(place + first - at, place + last - at)

    def mute_line(self, start: int, end: int) -> None:
        """Let nothing be heard from one place of the line to another, in samples."""
        self._muted.append((start, end))

    def sound(self, start: int, end: int) -> NDArray[np.float32]:
        """Return the microphone's samples from one to another, as far as they wait; zeros elsewhere."""
        found = np.zeros(max(0, end - start), np.float32)
        given = self._given * MOMENT
        for at, place, length in self._pieces:
            first, last = max(start, at, at + given - place), min(end, at + length)
            if first < last:
                there = self._waiting[place + first - at - given : place + last - at - given]
                found[first - start : first - start + len(there)] = there
        return found

    def hear(self, pcm: NDArray[np.float32], moments: int, at: int | None = None) -> None:
        """Take sound.

        Args:
            pcm: float32[n] at 16 kHz, in [-1, 1]; what is beyond or no number is brought there.
            moments: how many have passed on the timeline; not fewer than were given out.
            at: number of its first sample, as the microphone counts; None: it has none.
        """
        if len(pcm) == 0:
            return
        pcm = np.clip(np.nan_to_num(pcm.astype(np.float32, copy=False), nan=0.0), -1.0, 1.0)
        peak = float(np.abs(pcm).max())
        if peak > _VOICED:
            began, ended = self.utterance
            self.utterance = (began if moments - ended <= _PAUSE else moments - 1, moments)
        due = moments * MOMENT - len(pcm)
        end = self._given * MOMENT + len(self._waiting)
        if end > due + _LEAD:
            self.lost += len(pcm)
            return
        if end > due + _SLACK and peak < _QUIET:
            return
        gap = due - end if end < due - _SLACK else 0
        if at is not None:
            self._pieces.append((at, end + gap, len(pcm)))
        self._waiting = np.concatenate((self._waiting, np.zeros(gap, np.float32), pcm))

    def next(self) -> NDArray[np.float32]:
        """Give out the next moment, float32[1920] at 48 kHz; silence where nothing came."""
        block = self._waiting[:MOMENT]
        self._waiting = self._waiting[MOMENT:]
        if len(block) < MOMENT:
            block = np.concatenate((block, np.zeros(MOMENT - len(block), np.float32)))
        block = self._hushed(block, self._given * MOMENT)
        self._given += 1
        self._forget()
        self._ready = np.concatenate((self._ready, self._converted(block)))
        # The filter holds the first few samples back: the line begins that much later, a third of a ms.
        missing = max(0, MOMENT_OUT - len(self._ready))
        sound = np.concatenate((np.zeros(missing, np.float32), self._ready[: MOMENT_OUT - missing]))
        self._ready = self._ready[MOMENT_OUT - missing :]
        return sound

    def _place(self, sample: int) -> int:
        """Return where on the line a sample of the microphone lies; what never came lies at its end."""
        for at, place, length in self._pieces:
            if sample < at + length:
                return place + max(0, sample - at)
        return self._given * MOMENT + len(self._waiting)

    def _hushed(self, block: NDArray[np.float32], start: int) -> NDArray[np.float32]:
        """Return the moment that begins at a place of the line, without what is muted."""
        end = start + len(block)
        for first, last in self._muted:
            first, last = max(first, start), min(last, end)
            if first < last:
                block = block.copy()
                block[first - start : last - start] = silent(
                    last - first, first, tone=self.tone, rate=RATE_HZ
                )
        return block

    def _forget(self) -> None:
        """Forget what was given out."""
        given = self._given * MOMENT
        while self._pieces and self._pieces[0][1] + self._pieces[0][2] <= given:
            self._pieces.popleft()
        if self._muted:
            self._muted = [each for each in self._muted if each[1] > given]

    def _converted(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        import av

        if self._resampler is None:
            self._resampler = av.AudioResampler("fltp", "mono", OUT_HZ)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block)[None], format="fltp", layout="mono")
        frame.sample_rate = RATE_HZ
        parts = [each.to_ndarray()[0] for each in self._resampler.resample(frame)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)
