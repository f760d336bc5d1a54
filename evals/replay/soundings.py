"""Which sentence sounds when, as a server tells an examiner, laid over the sound that arrived.

A server counts moments of 40 ms from its own beginning, a visitor hears sound from theirs. The two differ by
a whole number of moments, which no message tells. When messages come tells it to a moment or two; where loud
and soft sounds stand in what was heard tells it exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from agent.events import Spoken
from agent.line import MOMENT_S
from agent.sentence import Sentence
from avatar.viseme import is_bilabial
from evals.replay.lip_sync import F64, STEP_S, loudness
from evals.replay.record import TurnRecord
from evals.replay.tape import Heard, Taken
from speech.timeline import Phoneme, Speech

NEARBY = 5
"""Moments by which the times of the messages may mislead."""
LEAST_ALIKE = 0.3
"""Correlation of what was to be heard with what was, below which the messages' times have to do."""
STOPS = frozenset("pbtdkgʔ")
"""Sounds that begin with silence."""


@dataclass(frozen=True, slots=True)
class _Sounding:
    """From a moment on, a sentence sounds from a place in it; without one: silence."""

    moment: int
    at_s: float
    spoken: Spoken | None
    told_s: float
    """When the message came."""


class Soundings:
    """Takes what a server tells, and lays it over what was heard when the conversation is over."""

    def __init__(self) -> None:
        self._told: list[_Sounding] = []

    def __bool__(self) -> bool:
        return bool(self._told)

    def take(self, told: Mapping[str, Any], at_s: float) -> None:
        """Take a message `sounding`.

        Args:
            told: as `server.live.examining` sends it.
            at_s: when it came.

        Raises:
            KeyError, ValueError, TypeError: it is not as this version's server tells it.
        """
        phonemes = tuple(
            Phoneme(str(name), float(start), float(end)) for name, start, end in told["phonemes"]
        )
        spoken = None
        if phonemes:
            before = next((one.spoken for one in reversed(self._told) if one.spoken is not None), None)
            same = before is not None and before.speech.phonemes == phonemes  # it goes on after a cut
            spoken = before if same else _spoken(phonemes)
        self._told.append(_Sounding(int(told["moment"]), float(told["at_s"]), spoken, at_s))

    def lay_over(self, heard: Heard) -> None:
        """Write down of which sentence each moment of the sound is."""
        if not self._told or not heard.count or heard.began_s is None:
            return
        first = self._first(heard, heard.began_s)
        ends = [one.moment for one in self._told[1:]] + [first + heard.count]
        for one, end in zip(self._told, ends, strict=True):
            for moment in range(max(one.moment, first), min(end, first + heard.count)):
                at_s = one.at_s + (moment - one.moment) * MOMENT_S
                said = one.spoken is not None
                heard.moments[moment - first] = Taken(one.spoken, at_s if said else 0.0, said)

    def _first(self, heard: Heard, began_s: float) -> int:
        """Return the number that the server gave the first moment that was heard."""
        usual = round(median(one.moment - (one.told_s - began_s) / MOMENT_S for one in self._told))
        loud = np.sqrt(loudness(heard.sound()))
        scores = {
            usual + step: _alike(self._expected(usual + step, len(loud)), loud)
            for step in range(-NEARBY, NEARBY + 1)
        }
        best = max(scores, key=lambda first: scores[first])
        return best if scores[best] >= LEAST_ALIKE else usual

    def _expected(self, first: int, length: int) -> F64:
        """How loud it should be every `STEP_S`, were that the first moment: 1 in sounds, 0 in silence."""
        curve = np.zeros(length)
        ends = [one.moment for one in self._told[1:]] + [2**31]
        for one, end in zip(self._told, ends, strict=True):
            if one.spoken is None:
                continue
            begin_s = (one.moment - first) * MOMENT_S - one.at_s
            last = (end - first) * MOMENT_S
            for phoneme in one.spoken.speech.phonemes:
                low, high = begin_s + phoneme.start_s, min(begin_s + phoneme.end_s, last)
                if phoneme.symbol and phoneme.end_s > one.at_s and low < high:
                    soft = phoneme.symbol[0] in STOPS or is_bilabial(phoneme.symbol)
                    curve[max(round(low / STEP_S), 0) : max(round(high / STEP_S), 0)] = 0.3 if soft else 1.0
        return curve


def lay_replies_over(heard: Heard, turns: Sequence[TurnRecord]) -> None:
    """Take each reply for one sentence, where nobody tells which sentence sounds when."""
    for turn in turns:
        if turn.reply_began_s is None:
            continue
        end_s = turn.reply_ended_s if turn.reply_ended_s is not None else heard.time(heard.count)
        spoken = _spoken(())
        begin = round((turn.reply_began_s - heard.time(0)) / MOMENT_S)
        for index in range(max(begin, 0), min(round((end_s - heard.time(0)) / MOMENT_S), heard.count)):
            heard.moments[index] = Taken(spoken, (index - begin) * MOMENT_S, True)


def _spoken(phonemes: tuple[Phoneme, ...]) -> Spoken:
    return Spoken(Sentence(""), Speech(np.zeros(0, np.float32), 16_000, phonemes), 0.0, 0.0)


def _alike(expected: F64, loud: F64) -> float:
    a, b = expected - expected.mean(), loud - loud.mean()
    norm = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / norm if norm else 0.0
