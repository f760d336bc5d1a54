"""Dates of birth, written in figures or as they are spoken, where words say that they are one."""

from __future__ import annotations

import re
from collections.abc import Iterator

_UNITS = "one|two|three|four|five|six|seven|eight|nine"
_TEENS = "ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_DAY = (
    r"(?:\d{1,2}(?:st|nd|rd|th)?|tenth|eleventh|twelfth|(?:thir|four|fif|six|seven|eigh|nine)teenth"
    r"|(?:(?:twenty|thirty)[ -])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)"
    rf"|twentieth|thirtieth|{_TEENS}|(?:(?:twenty|thirty)[ -])?(?:{_UNITS})|twenty|thirty)"
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t|tember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = (
    r"(?:\d{4}|(?:nineteen|twenty|two thousand)(?: and)?"
    rf"[ -](?:oh[ -](?:{_UNITS})|{_TEENS}|(?:{_TENS})(?:[ -](?:{_UNITS}))?|{_UNITS}|hundred)|two thousand)"
)
_SPOKEN = rf"(?:{_DAY} (?:of )?{_MONTH}|{_MONTH} (?:the )?{_DAY}),? (?:in )?{_YEAR}(?![a-z0-9])"
_SPOKEN_ZH = r"[一二三四五六七八九〇零]{2,4}年[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}[日号]"
_PATTERNS = (
    re.compile(
        r"(?:\b(?:born on|born|date of birth|birth ?date|birthday|d\.?o\.?b\.?)(?![a-z])"
        r"|出生日期|出生年月日?|生日|出生于|生于)"
        r"[^0-9a-z]{0,3}?(?:is |was |on |in |the |是|为|在){0,3}[^0-9a-z]{0,2}?"
        r"(\d{1,4}[./年 -] ?\d{1,2}[./月 -] ?\d{1,4}日?|\d{1,2}[./-]\d{4}"
        r"|[a-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}|\d{1,2}(?:st|nd|rd|th)? (?:of )?[a-z]{3,9},? \d{4}"
        rf"|(?:19|20)\d{{6}}(?!\d)|{_SPOKEN}|{_SPOKEN_ZH})"
    ),
    re.compile(
        rf"(?<!\d)((?:19|20)\d{{2}}年\d{{1,2}}月\d{{1,2}}[日号]|{_SPOKEN_ZH})(?:出生|生人)",
    ),
)
_WORDS = re.compile(r"\b(?:born|birth|d\.?o\.?b)|生")
"""One of these stands beside every date of birth."""


def birth_dates(text: str) -> Iterator[tuple[int, int]]:
    """The places of dates of birth in a folded text."""
    if _WORDS.search(text):
        for pattern in _PATTERNS:
            for match in pattern.finditer(text):
                yield match.span(1)
