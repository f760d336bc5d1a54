"""How finished endings sound, and what both languages' rules share: numbers that are dictated."""

from __future__ import annotations

import re
from typing import NamedTuple


class Sounding(NamedTuple):
    """What rules make of an ending."""

    score: float
    """0..1, as of `agent.finished.sounds_finished`."""
    odds: float | None
    """By what it multiplies the odds that the model of ends gives a whole sentence; None: the rules know."""


FINISHED = Sounding(0.95, 1.0)
"""Nothing speaks for going on."""
WHOLE = Sounding(0.95, None)
"""It is all: an address is complete, a question mark was heard."""
ANSWERED = Sounding(0.85, None)
"""Whole as an answer."""
GREETED = Sounding(0.7, None)
"""A greeting is whole, but mostly something follows."""
HALFWAY = Sounding(0.5, 0.5)
"""It may be all; good for about 1.4 s of waiting."""
PARTED = Sounding(0.5, None)
"""Half of a number or of a list, perhaps; or a "嗯" that is a yes, or not."""
ATTRIBUTE = Sounding(0.5, None)
"""It says of something what it is like, and may stand for it."""
OPEN = Sounding(0.2, 0.5)
"""An object is missing."""
CLAUSE = Sounding(0.2, None)
"""A main clause is missing."""
HANGING = Sounding(0.05, 0.2)
"""The last word is hardly the last: "and", "my", "因为"."""
HESITANT = Sounding(0.05, None)
"""It ends in "um"; or in half an e-mail address."""

LEAST_DIGITS = {"card": 13, "phone": 7, "mobile": 7, "telephone": 7, "cell": 7, "tracking": 8, "iban": 15}
"""Digits without which such a number is not whole; of others nobody knows how many they have."""
ENOUGH_DIGITS = 4
"""From so many on, an order number or a post code may be whole."""

_DIGITS_SAID = (
    "zero one two three four five six seven eight nine oh double triple ten eleven twelve thirteen fourteen"
    " fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
    " hundred"
    " thousand nought dash hyphen"
)
_DIGITS = frozenset(_DIGITS_SAID.split())
_NUMBERED = re.compile(
    r"\b(number|code|reference|card|phone|mobile|telephone|cell|tracking|zip|postcode|iban|account|id|serial"
    r"|invoice|pin)\b"
)


def dictated(digits: int, least: int | None) -> Sounding:
    """How a number sounds of which so many digits have been said, of so many at least."""
    if least is None:
        return Sounding(0.3 if digits < ENOUGH_DIGITS else 0.6, None)
    return Sounding(0.2 if digits < least else 0.7, None)


def number_score(plain: str, words: tuple[str, ...]) -> Sounding | None:
    """How English words sound that end in digits or in spelled letters; None for others."""
    run = said = 0
    for word in reversed(words):
        if word.isdigit() or _is_code(word):
            run += len(word)
        elif word in _DIGITS or (len(word) == 1 and word.isalpha() and word not in "ai"):
            run += 1
        else:
            break
        said += 1
    if not run:
        return None
    kind = _NUMBERED.search(plain)
    if kind is not None:
        return dictated(run, LEAST_DIGITS.get(kind.group(1)))
    return PARTED if run >= 2 and len(words) <= said + 1 else ANSWERED


def _is_code(word: str) -> bool:
    return any(map(str.isdigit, word)) and any(map(str.isalpha, word))
