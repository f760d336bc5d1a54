"""IBANs that are read aloud: "D E eight nine, three seven zero four …", sign after sign."""

from __future__ import annotations

import re
from collections.abc import Iterator

from moderation.normalise import Reading
from moderation.spoken_digits import FILLERS, TIMES, value_of

_TOKEN = re.compile(r"[a-z]+|[0-9]|[\u3007\u4e00-\u9fff]|[^\s\w]")
_SIGNS = frozenset("-,.·、，。/…:")
SPELT = {
    "alpha": "a", "alfa": "a", "bravo": "b", "charlie": "c", "delta": "d", "echo": "e", "foxtrot": "f",
    "golf": "g", "hotel": "h", "india": "i", "juliet": "j", "juliett": "j", "kilo": "k", "lima": "l",
    "mike": "m", "november": "n", "oscar": "o", "papa": "p", "quebec": "q", "romeo": "r", "sierra": "s",
    "tango": "t", "uniform": "u", "victor": "v", "whiskey": "w", "whisky": "w", "xray": "x", "yankee": "y",
    "zulu": "z", "bee": "b", "see": "c", "dee": "d", "gee": "g", "jay": "j", "kay": "k", "ell": "l",
    "tee": "t",
}  # fmt: skip
"""Words that stand for a letter."""
LONGEST = 34
"""Characters of an IBAN."""
MOST_GROUP = 4
"""Letters that a recognizer writes as one word: "NWBK"."""
_BEGINNING = re.compile(r"[a-z]{2}[0-9]{2}")
MIN_SPOKEN = 4
"""Spoken digits: what is typed is found without this."""


def spoken_ibans(folded: Reading) -> Iterator[tuple[int, int]]:
    """Where IBANs are read aloud, in the original text; each passes the check of its country."""
    from stdnum import iban

    rows = [(match.start(), match.end(), match.group()) for match in _TOKEN.finditer(folded.text)]
    read = [_read(token) for _, _, token in rows]
    free = 0
    for index, said in enumerate(read):
        if index < free or not said.isalpha() or len(said) > 2:
            continue
        characters, ends = _run(rows, read, index)
        if sum(end[1] for end in ends) < MIN_SPOKEN or not _BEGINNING.match(characters):
            continue
        for length in range(min(LONGEST, len(characters)), 14, -1):
            last = ends[length - 1][0]
            if _checks(characters[:length]) and iban.is_valid(characters[:length].upper()):
                yield folded.original(rows[index][0], rows[last][1])
                free = last + 1
                break


def _run(rows: list[tuple[int, int, str]], read: list[str], index: int) -> tuple[str, list[tuple[int, bool]]]:
    """The characters from a token on; for each, which token it was read from, and whether it was spoken."""
    characters = ""
    ends: list[tuple[int, bool]] = []
    times, at = 1, index
    while at < len(rows) and len(characters) < LONGEST:
        token = rows[at][2]
        if token in TIMES:
            times = TIMES[token]
        elif read[at]:
            characters += read[at] * times
            spoken = read[at].isdecimal() and not token.isdecimal()
            ends += [(at, spoken)] * len(read[at] * times)
            times = 1
        elif token not in FILLERS and token not in _SIGNS:
            break
        at += 1
    return characters, ends


def _checks(characters: str) -> bool:
    """The check of ISO 7064, mod 97-10: it costs little, unlike that of the country."""
    turned = characters[4:] + characters[:4]
    return int("".join(str(int(one, 36)) for one in turned)) % 97 == 1


def _read(token: str) -> str:
    """The letters or digits that a token says; empty for none."""
    if token in ("o", "oh"):
        return "0"
    value = value_of(token) or SPELT.get(token)
    if value is not None:
        return value
    return token if token.isascii() and token.isalpha() and len(token) <= MOST_GROUP else ""
