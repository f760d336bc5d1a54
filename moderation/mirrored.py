"""Text that is written backwards and shown forwards, by the sign that turns the direction of writing."""

from __future__ import annotations

import re
from array import array

from moderation.normalise import Reading, fold

TURNED = "\u202e"
"""RIGHT-TO-LEFT OVERRIDE: what follows is shown from right to left, whatever it is."""
_TURNED = re.compile("\u202e[^\u202c\u2069\n]*")
"""It ends with the override, an isolate or the line."""


def as_shown(text: str) -> str:
    """The text as people see it; the text itself where nothing is turned."""
    return _shown(text)[0] if TURNED in text else text


def shown(text: str) -> Reading | None:
    """The folded text as people see it, every turned piece at the place where it begins; None as above."""
    if TURNED not in text:
        return None
    seen, places = _shown(text)
    folded = fold(seen)
    return Reading(folded.text, array("i", [places[position] for position in folded.positions]))


def _shown(text: str) -> tuple[str, array[int]]:
    pieces: list[str] = []
    places = array("i")
    at = 0
    for match in _TURNED.finditer(text):
        turned = match.group().replace(TURNED, "")
        pieces += [text[at : match.start()], turned[::-1]]
        places.extend(range(at, match.start()))
        places.extend([match.start()] * len(turned))
        at = match.end()
    pieces.append(text[at:])
    places.extend(range(at, len(text)))
    return "".join(pieces), places
