"""Spoken digits: "four seven one one", "double five", 一三八 as digits, to find numbers read aloud."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator

from moderation.normalise import Reading

_UNITS = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "naught": "0", "nil": "0",
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9", "niner": "9",
    "零": "0", "〇": "0", "洞": "0", "一": "1", "幺": "1", "壹": "1", "二": "2", "两": "2", "贰": "2",
    "三": "3", "叁": "3", "四": "4", "肆": "4", "五": "5", "伍": "5", "六": "6", "陆": "6",
    "七": "7", "柒": "7", "拐": "7", "八": "8", "捌": "8", "九": "9", "玖": "9", "勾": "9",
}  # fmt: skip
_TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5",
    "sixty": "6", "seventy": "7", "eighty": "8", "ninety": "9",
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_FILLERS = frozenset(("um", "uh", "er", "and", "dash", "hyphen", "then", "space", "呃", "嗯", "杠"))
_TOKEN = re.compile(r"[a-z]+|[0-9]|[\u3007\u4e00-\u9fff]|[^\s\w]|\S")
_CHINESE_DIGIT = re.compile(r"[零〇洞一幺壹二两贰三叁四肆五伍六陆七柒拐八捌九玖勾]")
_ENGLISH_DIGIT = re.compile(
    r"\b(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|[a-z]{2,5}t(?:y|een))\b"
)
MIN_DIGITS = 7
"""Digits; a shorter run is an amount or an order number, not a card or a telephone number."""


def spoken_numbers(folded: Reading) -> Iterator[Reading]:
    """Each run of at least 7 spoken digits, as digits that map to the words they were read from.

    A run holds at least three spoken digits: digits alone are found without this.
    """
    text = folded.text
    found = 0
    for pattern in (_ENGLISH_DIGIT, _CHINESE_DIGIT):
        for _ in pattern.finditer(text):
            found += 1
            if found >= 3:
                yield from _runs(folded)
                return


def _runs(folded: Reading) -> Iterator[Reading]:
    digits: list[str] = []
    starts, ends = array("i"), array("i")
    spoken = 0
    times = 1
    tens = False  # the last digit may become the tens of a following unit: "forty" + "two"
    for match in _TOKEN.finditer(folded.text):
        token = match.group()
        value = _UNITS.get(token) or _TEENS.get(token)
        if value is None and token in _TENS:
            value = _TENS[token] + "0"
        if value is None and token.isdecimal() and token.isascii():
            value = token
        elif value is not None:
            spoken += 1
        if value is not None:
            if tens and len(value) == 1 and value != "0" and token in _UNITS:
                digits.pop()
                starts.pop()
                ends.pop()
            new = value * times
            digits.extend(new)
            starts.extend([match.start()] * len(new))
            ends.extend([match.end()] * len(new))
            tens, times = token in _TENS, 1
            continue
        if token in _TIMES:
            times = _TIMES[token]
            tens = False
            continue
        if token in _FILLERS or token in "-,.·、，。/":
            tens = False
            continue
        if len(digits) >= MIN_DIGITS and spoken >= 3:
            yield _reading(folded, digits, starts, ends)
        digits, starts, ends = [], array("i"), array("i")
        spoken, times, tens = 0, 1, False
    if len(digits) >= MIN_DIGITS and spoken >= 3:
        yield _reading(folded, digits, starts, ends)


def _reading(folded: Reading, digits: list[str], starts: array[int], ends: array[int]) -> Reading:
    source = folded.positions
    return Reading(
        "".join(digits),
        array("i", [source[start] for start in starts]),
        array("i", [source[end - 1] + 1 for end in ends]),
    )
