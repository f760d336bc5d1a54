"""Spoken digits: "four seven one one", "double five", 一三八 as digits, to find numbers read aloud."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

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
TIMES = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_SOUNDALIKES = {
    "to": "2",
    "too": "2",
    "for": "4",
    "fore": "4",
    "won": "1",
    "ate": "8",
    "tree": "3",
    "sex": "6",
}
"""What recognizers write for a digit; counts only between two digits."""
FILLERS = frozenset(
    (
        "um",
        "uh",
        "er",
        "and",
        "dash",
        "hyphen",
        "then",
        "space",
        "okay",
        "ok",
        "so",
        "next",
        "呃",
        "嗯",
        "杠",
        "然",
        "后",
    )
)
_SIGNS = frozenset("-,.·、，。/…")
_TOKEN = re.compile(r"[a-z]+|[0-9]|[\u3007\u4e00-\u9fff]|[^\s\w]|\S")
_CHINESE_DIGIT = re.compile(r"[零〇洞一幺壹二两贰三叁四肆五伍六陆七柒拐八捌九玖勾]")
_ENGLISH_DIGIT = re.compile(
    r"\b(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple|[a-z]{2,5}t(?:y|een))\b"
)
MIN_DIGITS = 7
"""Digits; a shorter run is an amount or an order number, not a card or a telephone number."""


def spoken_numbers(folded: Reading, least: int = MIN_DIGITS) -> Iterator[Reading]:
    """Each run of at least `least` spoken digits, as digits that map to the words they were read from.

    A run holds at least three spoken digits: digits alone are found without this.
    """
    text = folded.text
    found = 0
    for pattern in (_ENGLISH_DIGIT, _CHINESE_DIGIT):
        for _ in pattern.finditer(text):
            found += 1
            if found >= 2:
                yield from _runs(folded, least)
                return


@dataclass(slots=True)
class _Run:
    """Digits read so far, with where each began and ended."""

    digits: list[str] = field(default_factory=list)
    starts: array[int] = field(default_factory=lambda: array("i"))
    ends: array[int] = field(default_factory=lambda: array("i"))
    spoken: int = 0

    def add(self, digits: str, start: int, end: int) -> None:
        self.digits.extend(digits)
        self.starts.extend([start] * len(digits))
        self.ends.extend([end] * len(digits))

    def drop_last(self) -> None:
        self.digits.pop()
        self.starts.pop()
        self.ends.pop()

    def reading(self, folded: Reading) -> Reading:
        source = folded.positions
        return Reading(
            "".join(self.digits),
            array("i", [source[start] for start in self.starts]),
            array("i", [source[end - 1] + 1 for end in self.ends]),
        )


def _runs(folded: Reading, least: int) -> Iterator[Reading]:
    rows = [(match.start(), match.end(), match.group()) for match in _TOKEN.finditer(folded.text)]
    run = _Run()
    times, begun = 1, -1
    tens = False  # the last digit may become the tens of a following unit: "forty" + "two"
    for index, (start, end, token) in enumerate(rows):
        value = value_of(token)
        if value is None and token in _SOUNDALIKES and run.digits and _value_at(rows, index + 1) is not None:
            value = _SOUNDALIKES[token]
        if value is not None:
            run.spoken += not token.isascii() or not token.isdecimal()
            if _token_at(rows, index + 1) == "个" and "2" <= value <= "9" and _value_at(rows, index + 2):
                times, begun, tens = int(value), start, False  # 三个八
                continue
            if tens and len(value) == 1 and value != "0" and token in _UNITS:
                run.drop_last()
            run.add(value * times, begun if times > 1 else start, end)
            tens, times = token in _TENS, 1
        elif token == "个" and times > 1:
            continue
        elif token in TIMES:
            times, begun, tens = TIMES[token], start, False
        elif token in FILLERS or token in _SIGNS:
            tens = tens and token == "-"  # "forty-one"
        else:
            if len(run.digits) >= least and run.spoken >= min(3, least):
                yield run.reading(folded)
            run, times, tens = _Run(), 1, False
    if len(run.digits) >= least and run.spoken >= min(3, least):
        yield run.reading(folded)


def value_of(token: str) -> str | None:
    """The digits that a token says."""
    if token in _TENS:
        return _TENS[token] + "0"
    if token.isdecimal() and token.isascii():
        return token
    return _UNITS.get(token) or _TEENS.get(token)


def _token_at(rows: list[tuple[int, int, str]], index: int) -> str:
    return rows[index][2] if index < len(rows) else ""


def _value_at(rows: list[tuple[int, int, str]], index: int) -> str | None:
    return value_of(_token_at(rows, index))
