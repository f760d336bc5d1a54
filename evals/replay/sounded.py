"""What of a reply sounded, piece by piece: whether one that was held went on from where it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent.events import Spoken
from agent.line import MOMENT_S
from evals.replay.record import TurnRecord
from evals.replay.tape import Heard

EDGE_S = 0.08
"""At the end of a piece: two moments, of which the last may be but the fade of what was cut."""
AGAIN = 2
"""So many words are said twice where a reply goes on too early: the one that was cut is said again, and a
first one with it."""
LOST_SOUNDS = 4
"""Where nothing tells words' times, so many sounds in a row are a word that is missing."""


@dataclass(slots=True)
class Piece:
    """A stretch of a sentence that sounded without a break."""

    spoken: Spoken
    begin_s: float
    """In the sentence's own time."""
    end_s: float
    at_s: float
    """When it began to sound."""


@dataclass(slots=True)
class Sounded:
    """What was to be said, reply by reply, and what sounded of it."""

    replies: list[list[Spoken]] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)

    def say(self, spoken: Spoken, *, first: bool) -> None:
        """A sentence is to be said; `first`: it opens a reply."""
        if first or not self.replies:
            self.replies.append([])
        self.replies[-1].append(spoken)

    def listen(self, heard: Heard) -> None:
        """Take the pieces from a tape."""
        for index, moment in sorted(heard.moments.items()):
            if moment.spoken is None:
                continue
            last = self.pieces[-1] if self.pieces else None
            if (
                last is not None
                and last.spoken is moment.spoken
                and abs(last.end_s - moment.at_s) < MOMENT_S / 2
            ):
                last.end_s = moment.at_s + MOMENT_S
            else:
                at_s = heard.time(index)
                self.pieces.append(Piece(moment.spoken, moment.at_s, moment.at_s + MOMENT_S, at_s))

    def judge(self, turns: Sequence[TurnRecord]) -> None:
        """Write down of replies that went on after somebody broke in what they said twice, or left out."""
        for before, turn in zip(turns, turns[1:], strict=False):
            if turn.resumed and before.reply_began_s is not None and before.reply_ended_s is not None:
                turn.resumed_wrong = self._wrong(before.reply_began_s, before.reply_ended_s)

    def _wrong(self, began_s: float, ended_s: float) -> str:
        pieces = [one for one in self.pieces if began_s - EDGE_S <= one.at_s <= ended_s]
        said = next((those for those in self.replies if pieces and pieces[0].spoken in those), [])
        twice, lost = list[str](), list[str]()
        for spoken in said:
            own = [one for one in pieces if one.spoken is spoken]
            units = _words(spoken)
            twice += _twice(units, own)
            missing = _lost(units or _sounds(spoken), own)
            lost += missing if units or len(missing) >= LOST_SOUNDS else []
        wrong = [f'left out "{_quoted(lost)}"'] if lost else []
        wrong += [f'said "{_quoted(twice)}" twice'] if len(twice) >= AGAIN else []
        return " and ".join(wrong)


Unit = tuple[str, float, float]


def _words(spoken: Spoken) -> list[Unit]:
    return [(word.text, word.start_s, word.end_s) for word in spoken.speech.words]


def _sounds(spoken: Spoken) -> list[Unit]:
    return [(one.symbol, one.start_s, one.end_s) for one in spoken.speech.phonemes if one.symbol]


def _twice(units: Iterable[Unit], pieces: Sequence[Piece]) -> list[str]:
    """Return what sounded as a whole more than once."""
    return [
        text
        for text, start_s, end_s in units
        if sum(one.begin_s <= start_s + EDGE_S and end_s <= one.end_s - EDGE_S / 2 for one in pieces) > 1
    ]


def _lost(units: Iterable[Unit], pieces: Sequence[Piece]) -> list[str]:
    """Return what did not sound, not even by half."""
    return [
        text
        for text, start_s, end_s in units
        if not any(one.begin_s - EDGE_S <= (start_s + end_s) / 2 <= one.end_s + EDGE_S for one in pieces)
    ]


def _quoted(texts: Sequence[str]) -> str:
    shown = " ".join(texts)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
