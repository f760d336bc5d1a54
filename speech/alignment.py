"""When each sound of a known text is heard in a recording: forced alignment, in any of espeak-ng's languages.

espeak-ng says which phones the text has and about how long each lasts; the phone model says how likely
each is at each moment of the recording; Viterbi's search finds the likeliest times, with pauses allowed
between words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from speech.articulation import PAUSE, Onset, phonemes
from speech.audio import MAX_S, to_mono_16k
from speech.errors import AudioError
from speech.espeak import EspeakSynthesizer
from speech.estimation import sample_count, speaking_frames
from speech.phone_model import load_phone_model
from speech.phones import phone_index
from speech.spectrum import HOP_S
from speech.timeline import Phoneme, Speech, Word

FITS = 0.5
"""Fit above which a text is taken to be what is said."""

_PRIOR_WEIGHT = 0.5
"""How far the phones' frequency is taken out of the model's opinion."""

_PHONE_STATES = 2
_PAUSE_STATES = 4
"""Frames of 10 ms that a phone and a pause last at least."""

_DURATION_WEIGHT = 1.0
_PAUSE_STAY = -0.05
"""ln P that a pause goes on for one more frame."""
_NO_PAUSE = -0.2
_PAUSE_BEGINS = -2.0
"""ln P of going from word to word without and with a pause."""

_FIT_MIDDLE, _FIT_SLOPE = -2.25, 5.0
"""Score at which the fit is 0.5, and its steepness: recordings of people and voices in both languages, with
their own text and with others', part around here."""

_LOST_MOST = -6.0
"""ln of how much less likely than the likeliest a phone may count: one wrong word must not decide."""

_LEFT_OVER_WEIGHT = 3.0
"""Of the share of the speech for which the text has no sound, against `_LOST_MOST` and the rest."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where a text lies in a sound."""

    phonemes: tuple[Phoneme, ...]
    """Gapless from 0 to the end of the sound."""
    words: tuple[Word, ...]
    fit: float
    """0..1: how well the sound fits the text; below `FITS` something else is said."""

    @property
    def fits(self) -> bool:
        """Whether the text is what is said."""
        return self.fit >= FITS


@dataclass(frozen=True, slots=True)
class _Chain:
    """The states that a recording goes through, in order; each lasts one frame or more."""

    phones: NDArray[np.int64]
    """Index in PHONES of each state."""
    owners: NDArray[np.int64]
    """Index of the reference's phoneme of each state, -1 for a pause."""
    stay: NDArray[np.float32]
    leave: NDArray[np.float32]
    skip: NDArray[np.float32]
    """Score of coming over the optional pause before this state; minus infinity where there is none."""


@lru_cache(maxsize=1)
def _reference_voice() -> EspeakSynthesizer:
    return EspeakSynthesizer()


def align(
    pcm: ArrayLike,
    sample_rate: int,
    text: str,
    language: str | None = None,
    *,
    voice: EspeakSynthesizer | None = None,
) -> Alignment:
    """Find a text's sounds in a recording of it.

    Args:
        pcm: sound of any channels, see `speech.audio.to_mono`; at most `speech.audio.MAX_S` long.
        sample_rate: Hz.
        text: what is said, as written.
        language: ISO 639-1, or None to tell Chinese from English by the script.
        voice: says how the text sounds; None takes one that the process keeps.

    Returns:
        The timeline; ask its `fits` whether the text is what is said: an alignment is found for any text.

    Raises:
        AudioError: the sound cannot be used, or is too long.
        EngineUnavailable: espeak-ng or its voice for the language is missing.
        SpeechError: the text is too long.
    """
    sound = to_mono_16k(pcm, sample_rate)
    duration_s = sample_count(pcm) / sample_rate
    if duration_s > MAX_S:
        raise AudioError(
            f"the sound is {duration_s:.0f} s long, more than {MAX_S:g} s: align it sentence by sentence"
        )
    speaking = speaking_frames(sound)
    reference = (voice or _reference_voice()).speak(text, language=language)
    said = [phoneme for phoneme in reference.phonemes if phoneme.symbol != PAUSE]
    if not said or not speaking.any():
        pause = (Phoneme(PAUSE, 0.0, duration_s),) if duration_s else ()
        return Alignment(pause, (), 1.0 if not said and not speaking.any() else 0.0)
    chain = _chain(reference, float(speaking.sum()) * HOP_S)
    model = load_phone_model()
    posteriors = model.log_posteriors(sound)
    if len(posteriors) < _PHONE_STATES * len(said):
        return Alignment((Phoneme(PAUSE, 0.0, duration_s),), (), 0.0)  # nobody speaks that fast
    scores = posteriors - _PRIOR_WEIGHT * model.log_prior
    scores[~speaking, 1:] -= 4.0
    states = _best_path(scores, chain)
    owners = chain.owners[states]
    timeline = phonemes(_onsets(owners, said), duration_s)
    return Alignment(
        timeline, _words(reference, said, owners), _fit(posteriors, chain.phones[states], owners)
    )


def _chain(reference: Speech, speaking_s: float) -> _Chain:
    """Lay out the states: every word may have a pause before it, and the last one behind it."""
    said = [phoneme for phoneme in reference.phonemes if phoneme.symbol != PAUSE]
    stretch = speaking_s / max(0.05, sum(phoneme.end_s - phoneme.start_s for phoneme in said))
    stretch = float(np.clip(stretch, 0.4, 2.5))
    gaps = {0, len(said), *_word_starts(reference, said)}
    phones: list[int] = []
    owners: list[int] = []
    stay: list[float] = []
    leave: list[float] = []
    skip: list[float] = []
    for index in range(len(said) + 1):
        if index in gaps:
            phones += [0] * _PAUSE_STATES
            owners += [-1] * _PAUSE_STATES
            stay += [-np.inf] * (_PAUSE_STATES - 1) + [_PAUSE_STAY]
            leave += [0.0] * _PAUSE_STATES
            skip += [-np.inf] * _PAUSE_STATES
        if index == len(said):
            break
        phoneme = said[index]
        frames = max(_PHONE_STATES + 1.0, (phoneme.end_s - phoneme.start_s) * stretch / HOP_S)
        going_on = 1.0 - 1.0 / (frames - _PHONE_STATES + 1.0)
        phones += [phone_index(phoneme.symbol)] * _PHONE_STATES
        owners += [index] * _PHONE_STATES
        stay += [-np.inf] * (_PHONE_STATES - 1) + [_DURATION_WEIGHT * float(np.log(going_on))]
        last = _DURATION_WEIGHT * float(np.log(1.0 - going_on))
        leave += [0.0] * (_PHONE_STATES - 1) + [last + (_PAUSE_BEGINS if index + 1 in gaps else 0.0)]
        skip += [_NO_PAUSE - _PAUSE_BEGINS if index in gaps and index else -np.inf]
        skip += [-np.inf] * (_PHONE_STATES - 1)
    return _Chain(
        np.array(phones),
        np.array(owners),
        np.array(stay, np.float32),
        np.array(leave, np.float32),
        np.array(skip, np.float32),
    )


def _word_starts(reference: Speech, said: Sequence[Phoneme]) -> list[int]:
    """Index of each word's first phoneme, and of each phoneme behind a pause of the reference."""
    middles = [(phoneme.start_s + phoneme.end_s) / 2 for phoneme in said]
    starts = np.searchsorted(middles, [word.start_s for word in reference.words]).tolist()
    behind = [i for i in range(1, len(said)) if said[i].start_s > said[i - 1].end_s + 1e-6]
    return [*starts, *behind]


def _best_path(scores: NDArray[np.float32], chain: _Chain) -> NDArray[np.int64]:
    """Viterbi's search through the chain from its first pause or phone to its last phone or pause.

    Args:
        scores: float32[frames, phones], ln P; looked up state by state, a frame at a time, for a table of
            frames and states would take a gigabyte for long texts.
        chain: the states.

    Returns:
        State of each frame.
    """
    count, states, phones = len(scores), len(chain.phones), chain.phones
    jump = _PAUSE_STATES + 1
    came = np.zeros((count, states), np.uint8)  # 0 stayed, 1 from the state before, 2 over a pause
    best = np.full(states, -np.inf, np.float32)
    best[0], best[_PAUSE_STATES] = scores[0, phones[0]], scores[0, phones[_PAUSE_STATES]]
    before = np.full(states, -np.inf, np.float32)
    over = np.full(states, -np.inf, np.float32)
    for t in range(1, count):
        moved = best + chain.leave
        best = best + chain.stay
        before[1:] = moved[:-1]
        over[jump:] = moved[:-jump]
        over[jump:] += chain.skip[jump:]
        came[t][before > best] = 1
        np.maximum(best, before, out=best)
        came[t][over > best] = 2
        np.maximum(best, over, out=best)
        best += scores[t, phones]
    ends = (states - 1, states - 1 - _PAUSE_STATES)
    state = max(ends, key=lambda end: best[end])
    path = np.empty(count, np.int64)
    steps = (0, 1, jump)
    for t in range(count - 1, -1, -1):
        path[t] = state
        state -= steps[came[t, state]] if t else 0
    return path


def _onsets(owners: NDArray[np.int64], said: Sequence[Phoneme]) -> list[Onset]:
    onsets: list[Onset] = []
    for at in np.flatnonzero(np.diff(owners, prepend=-2)):
        # A frame is centred on its time: what begins with frame i begins half a hop earlier.
        start_s = max(0.0, (int(at) - 0.5) * HOP_S)
        owner = int(owners[at])
        if owner < 0:
            onsets.append(Onset(PAUSE, start_s))
        else:
            onsets.append(Onset(said[owner].symbol, start_s, said[owner].stress))
    return onsets


def _words(reference: Speech, said: Sequence[Phoneme], owners: NDArray[np.int64]) -> tuple[Word, ...]:
    """Carry the reference's words over, by the phonemes that they consist of."""
    middles = [(phoneme.start_s + phoneme.end_s) / 2 for phoneme in said]
    words: list[Word] = []
    for word in reference.words:
        first, last = np.searchsorted(middles, [word.start_s, word.end_s])
        heard = np.flatnonzero((owners >= first) & (owners < max(last, first + 1)))
        if len(heard):
            start_s = max(0.0, (float(heard[0]) - 0.5) * HOP_S, words[-1].end_s if words else 0.0)
            end_s = (float(heard[-1]) + 0.5) * HOP_S
            if end_s > start_s:
                words.append(Word(word.text, start_s, end_s))
    return tuple(words)


def _fit(posteriors: NDArray[np.float32], phones: NDArray[np.int64], owners: NDArray[np.int64]) -> float:
    """How much less likely than the likeliest the text's phones are, each counting the same; 0..1."""
    likeliest = posteriors.argmax(axis=1)
    row = np.arange(len(phones))
    lost = np.maximum(posteriors[row, phones] - posteriors[row, likeliest], _LOST_MOST)
    spoken = owners >= 0
    counts = np.bincount(owners[spoken])
    by_phone = np.bincount(owners[spoken], lost[spoken])[counts > 0] / counts[counts > 0]
    left_over = float(np.mean(~spoken[likeliest > 0])) if (likeliest > 0).any() else 0.0
    score = float(by_phone.mean()) - _LEFT_OVER_WEIGHT * left_over
    return float(1.0 / (1.0 + np.exp(-_FIT_SLOPE * (score - _FIT_MIDDLE))))
