"""What of an utterance must not be heard in a recording: where personal data was said, in samples."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from server.live.masking import SessionMask
from server.live.overhearing import Utterance
from server.live.quiet import silent
from server.live.told_numbers import called_spans
from server.live.voices import OUT_HZ
from speech.errors import SpeechError
from speech.recognizer import LOW_CONFIDENCE, RECOGNITION_RATE_HZ, Transcript
from speech.timeline import Pcm, Word

if TYPE_CHECKING:
    from agent.events import Spoken

log = logging.getLogger("visavis.live")

MARGIN_S = 0.15
"""Muted before and after a word: what times words is not more exact."""
UNSURE_S = 0.3
"""The same around speech of which no words are known."""
SURE = 0.7
"""How well a sound must fit its words for the words' times to be believed, 0..1."""
FITS = 0.5
"""Below it something else was said. Of 96 strings of digits that people say none fitted words of the demo
desk so well; recordings of people reading fitted their own text by 0.97 and more."""
TAIL_S = 0.25
"""Voice after the last words that were asked for, from which on something may have been said in it."""

Range = tuple[int, int]
SoundOf = Callable[[int, int], Pcm]
"""(first, last sample) → float32[n] at 16 kHz."""


def hushed(utterance: Utterance, mask: SessionMask, sound: SoundOf) -> list[Range]:
    """Return what is to be muted of an utterance, in samples of the microphone.

    Where it is not known when the words were said, all of it is.

    Args:
        utterance: one that is over.
        mask: of the conversation.
        sound: gives the utterance's sound, as far as it is there.
    """
    settings = mask.settings
    if settings.mute == "off":
        return []
    whole = [(utterance.start, utterance.end)]
    transcript = utterance.transcript
    unclear = (
        transcript is None or not transcript.text.strip() or transcript.confidence < LOW_CONFIDENCE
    ) and any(utterance.voiced)
    if unclear and settings.mute_unclear:
        return whole
    if transcript is None or not transcript.text.strip():
        return []
    if mask.unsure(transcript.text):  # a number of which a digit was taken for a word, perhaps
        return whole
    private = _private(transcript.text, mask)
    aligned: tuple[list[Word], float] | None = None
    if settings.mute_unclear or private and not transcript.words:
        aligned = _aligned(transcript, private, sound(utterance.start, utterance.until))
    if settings.mute_unclear and any(utterance.voiced) and (aligned is None or aligned[1] < FITS):
        return whole  # an engine that knows a desk's words makes them of a number, too
    found = _said(transcript, utterance, mask, private, aligned)
    if found is None:
        return whole
    if settings.mute_unclear:
        late = [
            (max(start, utterance.until), end)
            for start, end in utterance.voiced
            if end - max(start, utterance.until) > TAIL_S * RECOGNITION_RATE_HZ
        ]
        found += _around(late, UNSURE_S)
    return found


class SentenceHush:
    """Mutes what of the desk's own sentences must not be heard: a number that it repeats, a visitor's name.

    Args:
        mask: of the conversation.
    """

    def __init__(self, mask: SessionMask) -> None:
        self._mask = mask
        self._latest: tuple[Spoken, list[tuple[float, float]]] | None = None

    def sound(self, spoken: Spoken, at_s: float, pcm: NDArray[np.int16]) -> tuple[NDArray[np.int16], bool]:
        """Return a sentence's sound as it may be heard, and whether something of it is muted.

        Args:
            spoken: the sentence.
            at_s: where the sound begins in it, in seconds.
            pcm: int16[n] at 48 kHz.
        """
        if self._latest is None or self._latest[0] is not spoken:
            self._latest = spoken, self._times(spoken)
        first, muted = round(at_s * OUT_HZ), False
        for start_s, end_s in self._latest[1]:
            start = max(0, int(start_s * OUT_HZ) - first)
            end = min(len(pcm), int(end_s * OUT_HZ) - first)
            if start < end:
                tone = self._mask.settings.mute == "tone"
                instead = silent(end - start, first + start, tone=tone, rate=OUT_HZ)
                pcm, muted = pcm.copy(), True
                pcm[start:end] = np.rint(instead * 32767).astype(np.int16)
        return pcm, muted

    def _times(self, spoken: Spoken) -> list[tuple[float, float]]:
        """Return from when to when a sentence is muted, in seconds."""
        if self._mask.settings.mute == "off":
            return []
        speech = spoken.speech
        text = speech.text or spoken.sentence.text
        spans = self._mask.spans(text, own=False)
        if not spans:
            return []
        times = times_of(text, speech.words, _joined(spans))
        if times is None:
            return [(0.0, speech.duration_s)]
        return [(start_s - MARGIN_S, end_s + MARGIN_S) for start_s, end_s in times]


def _said(
    transcript: Transcript,
    utterance: Utterance,
    mask: SessionMask,
    private: list[Range],
    aligned: tuple[list[Word], float] | None,
) -> list[Range] | None:
    """Return where personal words were said; None where that is not known."""
    if not transcript.words:
        first = utterance.start
        sure = aligned is not None and aligned[1] >= SURE
        times = times_of(transcript.text, aligned[0] if aligned and sure else (), private)
    else:
        first = utterance.first
        heard, spans = transcript.text, private
        if _placed(heard, transcript.words) is None:  # numbers are written in it that were words
            heard = (" " if transcript.language != "zh" else "").join(word.text for word in transcript.words)
            spans = _private(heard, mask)
        if len(spans) < len(private):  # some of it stands elsewhere in the words, but where?
            return None
        until_s = (utterance.until - first) / RECOGNITION_RATE_HZ
        times = times_of(heard, transcript.words, spans, until_s=until_s)
    if times is None:
        return None
    samples = [
        (first + int(start_s * RECOGNITION_RATE_HZ), first + int(end_s * RECOGNITION_RATE_HZ))
        for start_s, end_s in times
    ]
    return _around(samples, 0.0 if transcript.words else MARGIN_S)


def _private(text: str, mask: SessionMask) -> list[Range]:
    called = called_spans(text)
    sure = mask.sure_spans(text) if called else []
    # Of a number that was heard right the end is known; of one that was not, nobody knows what belongs to it.
    open_ = [each for each in called if not any(each[0] <= start for start, _ in sure)]
    return _joined([*mask.spans(text, own=True), *open_])


def times_of(
    text: str, words: Iterable[Word], spans: Sequence[Range], *, until_s: float | None = None
) -> list[tuple[float, float]] | None:
    """Return when stretches of a text are heard, in seconds; None where one of them has no words.

    Args:
        text: in which the words stand in their order.
        words: with their times.
        spans: in characters.
        until_s: end of the sound, of words that an engine heard. Their times are rough, and between two of
            them more may have been said than was made out: stretches then reach `MARGIN_S` further, and
            all the way to the words beside them. None: words were said just then.
    """
    places = _placed(text, words, every=False) or []
    times = []
    for start, end in spans:
        inside = [at for at, (first, last, _) in enumerate(places) if first < end and start < last]
        if not inside:
            return None
        start_s, end_s = places[inside[0]][2].start_s, places[inside[-1]][2].end_s
        if until_s is not None:
            before_s = places[inside[0] - 1][2].end_s if inside[0] else 0.0
            after_s = places[inside[-1] + 1][2].start_s if inside[-1] + 1 < len(places) else until_s
            start_s, end_s = min(before_s, start_s - MARGIN_S), max(after_s, end_s + MARGIN_S)
        times.append((start_s, end_s))
    return times


def _placed(text: str, words: Iterable[Word], *, every: bool = True) -> list[tuple[int, int, Word]] | None:
    """Return where words stand in a text, in its order; None where one does not, if `every` must."""
    places: list[tuple[int, int, Word]] = []
    at = 0
    for word in words:
        found = text.find(word.text, at)
        if found >= 0:
            at = found + len(word.text)
            places.append((found, at, word))
        elif every:
            return None
    return places


def _aligned(transcript: Transcript, spans: Sequence[Range], pcm: Pcm) -> tuple[list[Word], float] | None:
    """Find the words in their sound, and how well it fits, 0..1; None where they cannot be looked for."""
    from speech.alignment import align

    if not len(pcm):
        return None
    text, origins = _spelled(transcript.text, spans)
    try:
        found = align(pcm, RECOGNITION_RATE_HZ, text, transcript.language)
    except SpeechError as error:
        log.info("words could not be found in their sound: %s", type(error).__name__)
        return None
    words = []
    at = 0
    for word in found.words:
        place = text.find(word.text, at)
        if place < 0:
            return [], found.fit
        at = place + len(word.text)
        said = transcript.text[origins[place] : origins[at - 1] + 1]
        words.append(Word(said, word.start_s, word.end_s))
    return words, found.fit


def _spelled(text: str, spans: Sequence[Range]) -> tuple[str, list[int]]:
    """Write a text's private numbers as they are said, digit by digit, and where each character came from."""
    letters: list[str] = []
    origins: list[int] = []
    for place, letter in enumerate(text):
        if letter.isdecimal() and any(start <= place < end for start, end in spans):
            letters += [" ", letter, " "]
            origins += [place] * 3
        else:
            letters.append(letter)
            origins.append(place)
    return "".join(letters), origins


def _around(ranges: Iterable[Range], margin_s: float) -> list[Range]:
    margin = int(margin_s * RECOGNITION_RATE_HZ)
    return _joined([(max(0, start - margin), end + margin) for start, end in ranges])


def _joined(ranges: Iterable[Range]) -> list[Range]:
    """Return ranges in their order, those that touch as one."""
    joined: list[Range] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined
