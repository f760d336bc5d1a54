"""Captions: what is said, cut into pieces that can be read while it is said."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.events import Spoken, spoken_until

CUE_CHARS = 76
"""Two lines of 38: the usual width of broadcast subtitles."""
CUE_CHARS_CJK = 30
"""Two lines of 15 characters."""
_CJK = re.compile(r"[\u3400-\u9fff]")
_BREAK = re.compile(r"[,;:—，；：、。！？](?:\s+|$)?|\s+")


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption."""

    text: str
    start_s: float
    end_s: float


def cues_of(spoken: Spoken) -> list[Cue]:
    """Cut a spoken sentence into cues on the reply's timeline.

    A cue begins where its first letter is said, as far as the speech knows its words' times; else in
    proportion to the letters before it.
    """
    text = spoken.sentence.text
    pieces = _pieces(text, CUE_CHARS_CJK if _CJK.search(text) else CUE_CHARS)
    total = max(1, sum(map(_weight, pieces)))
    end_s = spoken_until(spoken.speech)
    begins, said = [], 0
    for piece in pieces:
        begins.append(_time_at(spoken, said / total, end_s))
        said += _weight(piece)
    ends = [*begins[1:], end_s]
    return [
        Cue(piece, spoken.start_s + begin, spoken.start_s + max(end, begin + 0.04))
        for piece, begin, end in zip(pieces, begins, ends, strict=True)
    ]


def caption_at(cues: Iterable[Cue], time_s: float) -> str:
    """What is shown at a time; "" between captions."""
    return next((cue.text for cue in cues if cue.start_s <= time_s < cue.end_s), "")


def _pieces(text: str, limit: int) -> list[str]:
    count = max(1, -(-len(text) // limit))
    aim = len(text) / count
    pieces: list[str] = []
    while len(text) > limit:
        breaks = [m.end() for m in _BREAK.finditer(text) if 0 < m.end() <= limit] or [limit]
        # A break at punctuation is worth a fifth of the aimed length against one between words.
        best = min(breaks, key=lambda at: abs(at - aim) - (aim / 5 if not text[at - 1].isalnum() else 0))
        pieces.append(text[:best].strip())
        text = text[best:].strip()
    return [piece for piece in (*pieces, text) if piece]


def _weight(piece: str) -> int:
    return sum(character.isalnum() for character in piece)


def _time_at(spoken: Spoken, share: float, end_s: float) -> float:
    """Return the time at which a share of the sentence's letters has been said."""
    words = spoken.speech.words
    letters = sum(_weight(word.text) for word in words)
    if not letters or share <= 0:
        return 0.0 if share <= 0 else share * end_s
    said = 0
    for word in words:
        if said / letters >= share - 1e-6:
            return word.start_s
        said += _weight(word.text)
    return end_s
