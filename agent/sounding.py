"""How finished endings sound, and what both languages' rules share: numbers that are dictated."""

from __future__ import annotations

import re

FINISHED = 0.95
"""Nothing speaks for going on."""
GREETED = 0.7
"""A greeting is whole, but mostly something follows."""
HALFWAY = 0.5
"""It may be all, or half of a number or of a list; good for about 1.4 s of waiting."""
OPEN = 0.2
"""Something is still missing: a main clause, an object."""
HANGING = 0.05
"""The last word cannot be the last: "and", "my", "因为"."""

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


def dictated(digits: int, least: int | None) -> float:
    """The score of a number of which so many digits have been said."""
    if least is None:
        return 0.3 if digits < ENOUGH_DIGITS else 0.6
    return OPEN if digits < least else 0.7


def number_score(plain: str, words: tuple[str, ...]) -> float | None:
    """The score of English words that end in digits or in spelled letters; None for others."""
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
    return HALFWAY if run >= 2 and len(words) <= said + 1 else FINISHED - 0.1


def _is_code(word: str) -> bool:
    return any(map(str.isdigit, word)) and any(map(str.isalpha, word))
