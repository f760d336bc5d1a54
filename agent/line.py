"""A sentence on its way out: its sound in pieces of one video frame, and where it may be taken up again."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from agent.caption import Cue, caption_at, cues_of
from agent.events import Spoken, spoken_until
from agent.frames import FPS, whole_frames
from speech.audio import Resampler
from speech.timeline import Speech, Word

MOMENT_S = 1 / FPS
"""Length of what leaves at once: one video frame and its sound."""
RATE_HZ = 48_000
"""What WebRTC's Opus works at."""
SAMPLES = RATE_HZ // FPS
"""Of sound in one moment: 1920."""
FADE = RATE_HZ // 100
"""Samples in which sound goes out and comes in where it is cut, 10 ms: no click, and gone at once."""
ONSET_S = 0.02
"""A word is taken up again so much before its time: what times words is not more exact."""
AGAIN_S = 0.4
"""A sentence that was cut in its second word, before this time, is said again from its beginning."""
PAUSE_S = 0.12
"""Pauses from this length on separate phrases, where nothing tells the words' times."""

_UNIT = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+")
_WIDE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
_RISE = (np.arange(FADE, dtype=np.float32) + 0.5) / FADE

Sound = NDArray[np.int16]


@dataclass(slots=True, eq=False)
class Line:
    """One sentence, or what is left of it after a cut; hands out its sound moment by moment."""

    spoken: Spoken
    speech: Speech
    """What of the sentence is to be said; a whole number of video frames long."""
    first: bool = False
    """Whether the reply begins with it."""
    offset_s: float = 0.0
    """Where `speech` begins in the sentence."""
    begun: bool = False
    """Whether any of the sentence has left, be it before a cut."""
    ended: bool = False
    """Whether its last sound has left."""
    frame: int = 0
    """Number of the moment that leaves next, from `speech`'s beginning."""
    count: int = field(init=False)
    """How many moments there are."""
    sounding: int = field(init=False)
    """How many until the last sound is out; the rest is the pause after it."""
    cut_s: float = 0.0
    """How far the sentence had left when it was cut."""
    _cues: list[Cue] = field(init=False)
    _resampler: Resampler = field(init=False)
    _fed: int = field(init=False, default=0)
    _flushed: bool = field(init=False, default=False)
    _ready: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        self.count = math.ceil(self.speech.duration_s * FPS - 1e-6)
        self.sounding = min(math.ceil(spoken_until(self.speech) * FPS - 1e-6), self.count)
        self._cues = cues_of(self.spoken)
        self._resampler = Resampler(self.speech.sample_rate, RATE_HZ)
        self._ready = np.zeros(0, np.float32)

    @classmethod
    def of(cls, spoken: Spoken, *, first: bool) -> Line:
        """A whole sentence."""
        speech = spoken.speech
        return cls(
            spoken, _whole(speech) if len(speech.pcm) else whole_frames(speech, pause_s=MOMENT_S), first=first
        )

    @property
    def over(self) -> bool:
        """Whether all of it has left."""
        return self.frame >= self.count

    @property
    def heard_s(self) -> float:
        """How far the sentence has left, in seconds of its own time; a cut does not turn it back."""
        return max(self.cut_s, self.offset_s + self.frame * MOMENT_S if self.frame else 0.0)

    @property
    def heard(self) -> str:
        """The words of the sentence that have left wholly."""
        return said_until(self.spoken, self.heard_s) if self.begun else ""

    @property
    def caption(self) -> str:
        """What to show while the next moment leaves."""
        at_s = self.offset_s + (self.frame + 0.5) * MOMENT_S
        return caption_at(self._cues, self.spoken.start_s + at_s)

    def sound(self) -> Sound:
        """Sound of the next moment, int16[1920] at 48 kHz; counts it as left."""
        per_frame = round(self.speech.sample_rate * MOMENT_S)
        while len(self._ready) < SAMPLES and not self._flushed:
            piece = self.speech.pcm[self._fed : self._fed + per_frame]
            self._fed += per_frame
            parts = [self._ready, self._resampler.feed(piece)]
            if self._fed >= len(self.speech.pcm):
                parts.append(self._resampler.flush())
                self._flushed = True
            self._ready = np.concatenate(parts)
        out = np.zeros(SAMPLES, np.float32)
        out[: len(self._ready)] = self._ready[:SAMPLES]
        self._ready = self._ready[SAMPLES:]
        if self.offset_s and not self.frame:
            out[:FADE] *= _RISE
        self.frame += 1
        self.begun = True
        return _whole_numbers(out)

    def cut(self) -> tuple[Sound, Line]:
        """Break off before the last sound: what fades out in the next moment, and the line that goes on."""
        tail = self.sound()
        faded = np.zeros(SAMPLES, np.float32)
        faded[:FADE] = tail[:FADE].astype(np.float32) / 32767 * _RISE[::-1]
        # of this moment only the fade was heard
        at_s = self.offset_s + (self.frame - 1) * MOMENT_S
        self.cut_s = max(self.cut_s, at_s + FADE / RATE_HZ)
        start_s = take_up_at(self.spoken.speech, at_s)
        rest = Line(
            self.spoken,
            _whole(sliced(self.spoken.speech, start_s)),
            offset_s=start_s,
            begun=True,
            cut_s=self.cut_s,
        )
        return _whole_numbers(faded), rest

    def place(self, frame: int) -> tuple[Spoken, float]:
        """The sentence, and where a frame stands in it, in seconds of its own time."""
        return self.spoken, self.offset_s + frame * MOMENT_S

    def rest(self, frame: int) -> Speech:
        """The speech from a frame on, for a face that missed what was before."""
        return sliced(self.speech, frame * MOMENT_S)


def take_up_at(speech: Speech, at_s: float) -> float:
    """Where a sentence that was cut goes on: at the start of the word that was cut.

    In a pause that is the next word. Without the words' times it is the end of the last pause. A sentence
    that had hardly begun is said again; one whose words were all said goes on where it was.

    Args:
        speech: the sentence.
        at_s: where it was cut, in its own time.
    """
    if at_s >= spoken_until(speech):
        return min(at_s, speech.duration_s)
    words = speech.words
    if not words:
        ends = [p.end_s for p in speech.phonemes if not p.symbol and p.end_s - p.start_s >= PAUSE_S]
        return max((end - ONSET_S for end in ends if end <= at_s), default=0.0)
    number = next((i for i, word in enumerate(words) if word.end_s > at_s), None)
    if number is None:
        return at_s
    if number == 0 or (number == 1 and words[1].start_s <= AGAIN_S):
        return 0.0
    return max(words[number - 1].end_s, words[number].start_s - ONSET_S)


def sliced(speech: Speech, start_s: float) -> Speech:
    """The speech from a time on, its sounds and words moved to the new beginning."""
    first = round(start_s * speech.sample_rate)
    if first <= 0:
        return speech
    start_s = first / speech.sample_rate
    phonemes = tuple(
        replace(p, start_s=max(p.start_s - start_s, 0.0), end_s=p.end_s - start_s)
        for p in speech.phonemes
        if p.end_s > start_s
    )
    words = tuple(
        Word(w.text, max(w.start_s - start_s, 0.0), w.end_s - start_s)
        for w in speech.words
        if w.end_s > start_s
    )
    return replace(speech, pcm=speech.pcm[first:], phonemes=phonemes, words=words)


def said_until(spoken: Spoken, at_s: float) -> str:
    """The words of a sentence that are wholly out at a time of its own.

    By the words' times; where there are none, in proportion to the letters.
    """
    text = spoken.sentence.text
    end_s = spoken_until(spoken.speech)
    if at_s >= end_s:
        return text
    place = found = said = 0
    for word in spoken.speech.words:
        at = text.find(word.text, place)
        if at < 0:
            continue
        found += 1
        place = at + len(word.text)
        if word.end_s <= at_s + 1e-6:
            said = place
    if not found:
        said = _share_of(text, at_s / end_s)
    while 0 < said < len(text) and unicodedata.category(text[said]) in ("Po", "Pe", "Pf"):
        said += 1
    return text[:said]


def joined(texts: Sequence[str]) -> str:
    """One text of several sentences: with spaces between them, except after and before Chinese."""
    out = ""
    for text in filter(None, texts):
        gap = "" if not out or _WIDE.match(out[-1]) or _WIDE.match(text[0]) else " "
        out += gap + text
    return out


def _share_of(text: str, share: float) -> int:
    """Where the last whole word ends within a share of the text's letters."""
    units = [(match.end(), sum(c.isalnum() for c in match.group())) for match in _UNIT.finditer(text)]
    total = sum(letters for _, letters in units)
    end = passed = 0
    for place, letters in units:
        passed += letters
        if passed > share * total:
            break
        end = place
    return end


def _whole(speech: Speech) -> Speech:
    """The speech, padded to whole video frames where it is not."""
    return speech if len(speech.pcm) % (speech.sample_rate // FPS) == 0 else whole_frames(speech, pause_s=0.0)


def _whole_numbers(pcm: NDArray[np.float32]) -> Sound:
    return np.asarray(np.rint(np.clip(pcm, -1.0, 1.0) * 32767), np.int16)
