"""Numbers in a text with what they measure, in English and Chinese: what may never differ from the source."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_ONES = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_WORDS = (
    {word: n for n, word in enumerate(_ONES, 1)}
    | {word: n * 10 for n, word in enumerate(_TENS, 2)}
    | _SCALES
    | {"zero": 0}
)
_HAN_DIGITS = {**{c: n for n, c in enumerate("零一二三四五六七八九")}, "两": 2, "〇": 0}
_HAN_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000}

_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_SPELT = rf"\b(?:{_WORD})(?:(?:\s+and\s+|[\s-]+)(?:{_WORD}))*\b"
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_HAN_NUMBER = r"[零〇一二两三四五六七八九十百千万]+"
_AMOUNT = rf"(?:{_DIGITS}|{_SPELT}|{_HAN_NUMBER}|半)"

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTH = "|".join(f"{name}|{name[:3]}" for name in _MONTHS)

_UNITS: tuple[tuple[str, str, float], ...] = (
    (r"(?:working|business|week)[\s-]?days?|(?:个)?工作[日天]", "workday", 1),
    (r"minutes?|mins?|分钟", "hour", 1 / 60),
    (r"(?:个)?(?:小时|钟头)|hours?|hrs?", "hour", 1),
    (r"(?:calendar[\s-])?days?|天|日(?!元)", "hour", 24),
    (r"weeks?|(?:个)?(?:星期|礼拜)|周(?!年)", "hour", 168),
    (r"months?|个?月(?!\s*\d+\s*[日号])", "month", 1),
    (r"years?|年", "month", 12),
    (r"%|per ?cent|％", "percent", 1),
    (r"euros?|eur|€|欧元|欧", "eur", 1),
    (r"dollars?|usd|\$|美元", "usd", 1),
    (r"pounds?|gbp|£|英镑", "gbp", 1),
    (r"yuan|rmb|cny|元|块钱?|人民币", "cny", 1),
    (r"cents?|分(?!钟)", "cent", 1),
    (r"折", "discount", 1),
    (r"kg|kilos?|kilograms?|公斤|千克", "kg", 1),
    (r"km|kilomet(?:er|re)s?|公里", "km", 1),
    (r"cm|centimet(?:er|re)s?|厘米", "cm", 1),
    (r"(?:degrees?|°)(?:\s?c(?:elsius)?)?|度|℃", "degree", 1),
)
_UNIT = "|".join(pattern for pattern, _, _ in _UNITS)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), unit, scale) for pattern, unit, scale in _UNITS)
_COUNTED = r"[个件次台家本张条位种款双套名号楼层岁部份倍门折]"
"""What Chinese puts between a number and a thing; a number word without it is rarely a number."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = re.compile(
    r"\b(mon|tues|wednes|thurs|fri|satur|sun)days?\b|(?:周|星期|礼拜)([一二三四五六日天])", re.IGNORECASE
)
_ISO_DATE = re.compile(r"(?<!\d)\d{4}-(\d{1,2})-(\d{1,2})(?!\d)")
_DATE = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?({_MONTH}|sept)\b"
    rf"|\b({_MONTH}|sept)\s+(\d{{1,2}})(?:st|nd|rd|th)?(?!\d)"
    rf"|({_DIGITS}|{_HAN_NUMBER})\s*月\s*({_DIGITS}|{_HAN_NUMBER})\s*[日号]",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?<![\d.:])(\d{1,2})(?::(\d{2}))?\s*(a\.?m\b|p\.?m\b)"
    r"|(?<![\d:])(\d{1,2}):(\d{2})(?![\d:])"
    rf"|(上午|早上|下午|晚上|中午|凌晨)?\s*(\d{{1,2}}|{_HAN_NUMBER})\s*点(?:(半)|(\d{{1,2}}|{_HAN_NUMBER})分?)?(?!击|名|单|赞)",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![\w.,])\+?\d(?:[\s()-]?\d){6,}(?![\w])|(?<![\w.,])(?:0\d+|\d{5,})(?![\w]|[.,]\d)")
"""Digits that name something: telephone and order numbers."""
_PERCENT_HAN = re.compile(rf"百分之\s*({_DIGITS}|{_HAN_NUMBER})")
_MONEY_FIRST = re.compile(rf"([€$£¥]|\b(?:EUR|USD|GBP|CNY|RMB)\b)\s?({_DIGITS})", re.IGNORECASE)
_ARTICLE = re.compile(
    rf"\b(?:within|in|after|for|takes?|about|around|up to)\s+(?:an?|one)\s+({_UNIT})\b", re.IGNORECASE
)
_RANGE_TAIL = re.compile(rf"\s*(?:-|–|—|~|to|and|or|至|到)\s*{_AMOUNT}\s*(?P<unit>{_UNIT})", re.IGNORECASE)
_FOUND = re.compile(
    rf"(?P<number>{_AMOUNT})[\s-]?(?:(?:more|further|full|other) )?(?P<unit>{_UNIT})?", re.IGNORECASE
)
_SYMBOLS = {"€": "eur", "$": "usd", "£": "gbp", "¥": "cny", "rmb": "cny"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number; durations are in hours or months, clock times in minutes of the day."""

    value: float
    unit: str
    """"hour", "workday", "month", "eur" …, "date" (month·100 + day), "weekday", "clock", "name", ""."""
    said: float
    """The number as it stands there: 2 for "2 weeks"."""

    def agrees(self, other: Quantity) -> bool:
        """Tell whether both say the same amount of the same thing.

        A bare number of the source may be of anything; one that is said ("from nine") a time or a name.
        """
        if self.unit == other.unit:
            return abs(self.value - other.value) < 1e-6
        bare = other.unit == "" or (self.unit == "" and other.unit in ("clock", "date", "name"))
        return bare and abs(self.said - other.said) < 1e-6


def quantities(text: str) -> list[Quantity]:
    """Find the numbers in a text.

    "One" and "一" count only with a unit behind them, and Chinese number words only with a unit or a measure
    word: both are mostly no numbers.
    """
    found: list[Quantity] = []

    def taken(pattern: re.Pattern[str], read: Callable[[re.Match[str]], Quantity | None]) -> None:
        nonlocal text

        def one(match: re.Match[str]) -> str:
            quantity = read(match)
            if quantity is None:
                return match.group()
            found.append(quantity)
            return " · "

        text = pattern.sub(one, text)

    taken(_WEEKDAY, _read_weekday)
    taken(_ISO_DATE, lambda m: _date(int(m.group(1)), int(m.group(2))))
    taken(_DATE, _read_date)
    taken(_CLOCK, _read_clock)
    taken(_NAME, lambda m: _named(m.group()))
    taken(_PERCENT_HAN, lambda m: Quantity(_number(m.group(1)), "percent", _number(m.group(1))))
    taken(_MONEY_FIRST, _read_money)
    taken(_ARTICLE, lambda m: _measured(1.0, m.group(1)))
    for match in _FOUND.finditer(text):
        number, unit = match.group("number"), match.group("unit")
        if unit and unit.isascii() and unit.isalpha() and text[match.end() : match.end() + 1].isalpha():
            unit = None  # "5 yearly", "2 minor"
        if unit is None:
            tail = _RANGE_TAIL.match(text, match.end("number"))
            unit = tail.group("unit") if tail else None
        if unit is None and not _counts(number, text[match.end("number") :]):
            continue
        found.append(_measured(_number(number), unit))
    return found


def _counts(number: str, behind: str) -> bool:
    if number[0].isdigit():
        return True
    if number == "半":
        return False
    if re.match(_HAN_NUMBER, number):
        return bool(re.match(_COUNTED, behind.lstrip())) and number != "一" and _number(number) > 1
    return number.casefold() != "one"


def _measured(number: float, unit: str | None) -> Quantity:
    if unit:
        for pattern, name, scale in _COMPILED:
            if pattern.fullmatch(unit):
                return Quantity(number * scale, name, number)
    return Quantity(number, "", number)


def _named(digits: str) -> Quantity:
    plain = re.sub(r"\D", "", digits)
    return Quantity(float(plain), "name", float(plain))


def _date(month: int, day: int) -> Quantity:
    return Quantity(month * 100 + day, "date", day)


def _read_weekday(match: re.Match[str]) -> Quantity:
    if match.group(2):
        day = min("一二三四五六日天".index(match.group(2)), 6)
    else:
        day = _DAYS.index(match.group(1)[:3].casefold())
    return Quantity(day, "weekday", day)


def _read_date(match: re.Match[str]) -> Quantity | None:
    day, month, month_first, day_last, han_month, han_day = match.groups()
    if han_month:
        return _date(int(_number(han_month)), int(_number(han_day)))
    name = (month or month_first).casefold()
    if name == "may" and (month or month_first) == "may":
        return None  # the verb
    number = next(n for n, full in enumerate(_MONTHS, 1) if full.startswith(name[:3]))
    return _date(number, int(day or day_last))


def _read_clock(match: re.Match[str]) -> Quantity | None:
    hour, minute, half_day, hour24, minute24, part, han, half, han_minute = match.groups()
    if hour24:
        at = int(hour24) * 60 + int(minute24)
    elif hour:
        at = int(hour) % 12 * 60 + int(minute or 0) + (720 if half_day.casefold().startswith("p") else 0)
    else:
        whole = int(_number(han))
        if whole > 24 or (not part and whole <= 1 and not half and not han_minute):
            return None  # 一点: a little
        at = whole * 60 + (30 if half else int(_number(han_minute)) if han_minute else 0)
        if part in ("下午", "晚上") and whole < 12:
            at += 720
    return Quantity(at, "clock", at if at % 60 else at // 60 % 12 or 12)


def _read_money(match: re.Match[str]) -> Quantity:
    sign = match.group(1).casefold()
    number = _number(match.group(2))
    return Quantity(number, _SYMBOLS.get(sign, sign), number)


def _number(written: str) -> float:
    if written[0].isdigit():
        return float(written.replace(",", ""))
    if written == "半":
        return 0.5
    if written[0] in _HAN_DIGITS or written[0] in _HAN_SCALES:
        return _han_number(written)
    total = current = 0
    for word in re.findall(_WORD, written.casefold()):
        value = _WORDS[word]
        if value == 100:
            current = max(current, 1) * 100
        elif value > 100:
            total, current = total + max(current, 1) * value, 0
        else:
            current += value
    return float(total + current)


def _han_number(written: str) -> float:
    if not any(c in _HAN_SCALES for c in written):
        return float("".join(str(_HAN_DIGITS[c]) for c in written))
    total = section = digit = 0
    for character in written:
        if character in _HAN_DIGITS:
            digit = _HAN_DIGITS[character]
        elif character == "万":
            total, section, digit = (total + section + digit) * 10_000, 0, 0
        else:
            section, digit = section + (digit or 1) * _HAN_SCALES[character], 0
    return float(total + section + digit)
