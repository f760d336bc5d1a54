"""What a visitor's microphone hears, for the recording: sound with its place, and each utterance's words.

The recorder may let no sound reach the disk before it is known what was said in it. So it is fed from the
ears, which alone know where an utterance begins and which words were made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.ears import Ears
from speech.recognizer import RECOGNITION_RATE_HZ, Transcript
from speech.timeline import Pcm
from speech.vad import SpeechEnded, SpeechStarted, VadEvent


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound of the microphone."""

    pcm: Pcm
    """float32[n] at 16 kHz; must not be written to."""
    at: int
    """Number of its first sample since the microphone began."""
    open_from: int | None
    """First sample of the utterance that goes on; None: nobody speaks."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said from one sample to another, once nothing more comes to it."""

    start: int
    end: int
    transcript: Transcript | None
    """The last that was made of it; None: its words were never asked for."""
    first: int
    """Sample at which the transcript's times begin."""
    until: int
    """Sample up to which the transcript goes."""
    voiced: tuple[tuple[int, int], ...]
    """Where a voice was heard, in samples."""
    open_from: int | None
    """First sample of the next utterance, where that has begun already."""


Overheard = Piece | Utterance


class OverheardEars(Ears):
    """Ears that tell what they hear; see `Ears`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.tell: Callable[[Overheard], None] | None = None
        """Told of everything; set by who records."""
        self._stream_from = 0
        self._number = 0
        self._said: tuple[Transcript, int, int] | None = None
        self._voiced: list[tuple[int, int]] = []
        self._voice_from: int | None = None

    def take(self, pcm: Pcm) -> list[VadEvent]:
        """Take the next samples."""
        at = self._taken
        events = super().take(pcm)
        for event in events:
            if isinstance(event, SpeechStarted):
                self._voice_from = int(event.start_s * RECOGNITION_RATE_HZ)
            elif isinstance(event, SpeechEnded) and self._voice_from is not None:
                self._voiced.append((self._voice_from, int(event.end_s * RECOGNITION_RATE_HZ)))
                self._voice_from = None
        if self.tell is not None:
            self.tell(Piece(pcm, at, self._from))
        return events

    async def words(self) -> Transcript:
        """Recognise the utterance so far."""
        self._listen()
        number, first, until = self._number, self._stream_from, self._taken
        transcript = await super().words()
        if number == self._number:
            self._said = transcript, first, until
        return transcript

    def forget(self) -> None:
        """The utterance is over."""
        start, end = self._from, self._taken
        voiced = [*self._voiced, *([(self._voice_from, end)] if self._voice_from is not None else [])]
        said = self._said
        self._number += 1
        self._said = None
        self._voiced.clear()
        super().forget()
        if self._voice_from is not None:
            self._voice_from = self._from
        if start is not None and self.tell is not None:
            transcript, first, until = said or (None, start, start)
            self.tell(Utterance(start, end, transcript, first, until, tuple(voiced), self._from))

    def _listen(self) -> bool:
        begun = super()._listen()
        if begun and self._from is not None:
            self._stream_from = self._from
        return begun
