"""The timeline of a recording: moments, the visitor's sound and captions, put together and written."""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agent.caption import Cue, caption_at, cues_of
from server.live.fragments import FPS, FragmentedClip
from server.live.hushing import SentenceHush, hushed
from server.live.overhearing import Overheard, Piece, Utterance
from server.live.voices import MOMENT, MOMENT_OUT, VisitorLine
from server.live.webvtt import CueFile
from speech.timeline import Pcm

if TYPE_CHECKING:
    from agent.events import Spoken
    from agent.stage import LiveMoment
    from server.live.masking import SessionMask

DELAY = 5
"""Moments by which sound is written later than pictures: the visitor's may come 200 ms late."""
REPEAT = FPS
"""A still face is written once a second, so that fragments end in time."""
TYPED = 2 * FPS
"""How long before now words are shown that nobody was heard to say."""
RECENT = 5 * FPS
"""Words come within 2.5 s of their utterance's end, the longest wait for a turn's end, or were typed."""
ECHO = FPS // 2
"""Moments within which the avatar's voice comes back over the visitor's microphone."""
GAP = 60 * FPS
"""A clock that jumps further, or back, did not skip but was stopped: the recording goes on without a gap."""


class Tape:
    """Writes one recording. Not thread-safe; the methods block, and raise OSError for a full disk."""

    def __init__(
        self,
        path: Path,
        captions: Path,
        size: tuple[int, int],
        *,
        visitor: str,
        avatar: str,
        mask: SessionMask | None = None,
    ) -> None:
        """Open the files.

        Args:
            path: of the mp4.
            captions: of the WebVTT file.
            size: width and height of the picture, even.
            visitor: who the visitor is in the captions.
            avatar: who speaks to them.
            mask: of the conversation; None: everything is heard and written as it comes.
        """
        self._size, self._visitor, self._avatar, self._mask = size, visitor, avatar, mask
        self._muting = mask if mask is not None and mask.settings.mute != "off" else None
        self._hush = SentenceHush(self._muting) if self._muting is not None else None
        self._clip = FragmentedClip(path, width=size[0], height=size[1])
        self._cues = CueFile(captions)
        self._line = VisitorLine()
        self._line.tone = mask is not None and mask.settings.mute == "tone"
        self._sound: deque[NDArray[np.int16]] = deque()
        self._picture: NDArray[np.uint8] | None = None
        self._drawn = 0
        self._first: int | None = None
        self._caption = ""
        self._sentence: tuple[Spoken, list[Cue]] | None = None
        self._worded = 0
        self._open_from: int | None = None
        self.moments = 0
        """Length of the timeline so far."""

    @property
    def frames(self) -> int:
        """Frames that were written."""
        return self._clip.frames

    @property
    def lost(self) -> int:
        """Samples of the visitor's sound that came faster than time."""
        return self._line.lost

    def add(self, moment: LiveMoment) -> None:
        """Add a moment; indices that were skipped become silence before a still face."""
        if self._first is None or not 0 <= moment.index - self._first - self.moments <= GAP:
            self._first = moment.index - self.moments
        at = moment.index - self._first
        for _ in range(at - self.moments):
            self._play(np.zeros(MOMENT_OUT, np.int16))
        self.moments = at + 1
        caption = moment.caption if self._mask is None else self._masked(moment, self._mask)
        if caption != self._caption:
            self._caption = caption
            self._cues.show(caption, self._avatar, at / FPS)
        self._show(moment.frame, at)
        pcm = moment.pcm
        if self._hush is not None and moment.spoken is not None:
            pcm, muted = self._hush.sound(moment.spoken, moment.at_s, pcm)
            if muted:  # a microphone without echo cancelling hears it too
                self._line.mute_line(at * MOMENT, (at + ECHO) * MOMENT)
        self._play(pcm)

    def hear(self, heard: Pcm | Overheard) -> None:
        """Add what the visitor was just heard to say; before the first moment there is no time for it.

        Args:
            heard: float32[n] at 16 kHz, written as it is; or sound with its place, which waits until what was
                said in it is told too.
        """
        if self._first is None:
            return
        if isinstance(heard, Piece | Utterance) and self._muting is not None:
            self._overhear(heard, self._muting)
        elif not isinstance(heard, Utterance):
            self._line.hear(heard.pcm if isinstance(heard, Piece) else heard, self.moments)

    def say(self, text: str) -> None:
        """Add the visitor's words: shown for as long as the last utterance was heard; typed ones for 2 s."""
        start, end = self._line.utterance
        if end <= self._worded or self.moments - end > RECENT:
            start, end = self.moments - TYPED, self.moments
        self._worded = end
        shown = text if self._mask is None else self._mask.of_visitor(text)
        self._cues.add(shown or "", self._visitor, max(start, 0) / FPS, max(end, start + FPS) / FPS)

    def close(self) -> None:
        """Write what waits and complete the files; both are closed whatever happens."""
        try:
            try:
                if self._open_from is not None:  # nobody knows any more what is being said
                    self._line.mute(self._open_from, sys.maxsize)
                while self._sound:
                    self._write_sound()
            finally:
                self._clip.close()
        finally:
            self._cues.close(self.moments / FPS)

    def _masked(self, moment: LiveMoment, mask: SessionMask) -> str:
        """Return a moment's caption as it is kept; what is private may go on from one cue to the next."""
        spoken = moment.spoken
        if spoken is None or not moment.caption:
            return (mask.of_desk(moment.caption) or "") if moment.caption else ""
        if self._sentence is None or self._sentence[0] is not spoken:
            text = mask.of_desk(spoken.sentence.text) or ""
            whole = replace(spoken, sentence=replace(spoken.sentence, text=text))
            self._sentence = spoken, cues_of(whole) if text else []
        return caption_at(self._sentence[1], spoken.start_s + moment.at_s + 0.5 / FPS)

    def _overhear(self, heard: Overheard, mask: SessionMask) -> None:
        """Add sound that waits until it is known what was said in it, or what is known of it now."""
        if isinstance(heard, Utterance):
            for start, end in hushed(heard, mask, self._line.sound):
                self._line.mute(start, end)
            self._open_from = heard.open_from
        else:
            self._line.hear(heard.pcm, self.moments, heard.at)
            before, self._open_from = self._open_from, heard.open_from
            if before is not None and (heard.open_from is None or heard.open_from > before):
                # an utterance without end: of what falls out of the ears' memory nobody will know the words
                self._line.mute(before, heard.open_from if heard.open_from is not None else heard.at)
        self._line.hold(self._open_from)

    def _show(self, frame: NDArray[np.uint8] | None, at: int) -> None:
        if frame is None:
            if self._picture is not None and at - self._drawn < REPEAT:
                return
            if self._picture is None:
                self._picture = np.zeros((self._size[1], self._size[0], 3), np.uint8)
        else:
            self._picture = frame
        self._drawn = at
        self._clip.frame(self._picture, at)

    def _play(self, pcm: NDArray[np.int16]) -> None:
        self._sound.append(pcm)
        while len(self._sound) > DELAY and self._line.ready(self.moments):
            self._write_sound()

    def _write_sound(self) -> None:
        avatar = self._sound.popleft().astype(np.float32) / np.float32(32768)
        self._clip.sound(self._line.next(), avatar)
