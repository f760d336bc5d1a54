"""How English says what is written in figures and signs: money, times, dates, codes, units, addresses."""

from __future__ import annotations

import re
from re import Match, Pattern

from speech.spoken_text import Draft, Rule

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_DASH = r"\s?[-–—~]\s?"

_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yuan", "yuan", "fen", "fen"),
    "￥": ("yuan", "yuan", "fen", "fen"),
}
_CURRENCY_CODES = {"USD": "$", "GBP": "£", "EUR": "€", "CNY": "¥", "RMB": "¥"}
_UNITS = {
    "kg": ("kilogram", "kilograms"), "g": ("gram", "grams"), "mg": ("milligram", "milligrams"),
    "km": ("kilometre", "kilometres"), "m": ("metre", "metres"), "cm": ("centimetre", "centimetres"),
    "mm": ("millimetre", "millimetres"), "ml": ("millilitre", "millilitres"), "l": ("litre", "litres"),
    "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"), "ft": ("foot", "feet"),
    "GB": ("gigabyte", "gigabytes"), "MB": ("megabyte", "megabytes"), "TB": ("terabyte", "terabytes"),
    "mAh": ("milliamp hour", "milliamp hours"), "W": ("watt", "watts"), "V": ("volt", "volts"),
    "hrs": ("hour", "hours"), "hr": ("hour", "hours"), "mins": ("minute", "minutes"),
    "min": ("minute", "minutes"), "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
}  # fmt: skip
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAY = re.compile(rf"(?<![\w.,-])(the )?(\d{{1,2}}) ({'|'.join(_MONTHS)})(?: (\d{{4}}))?\b")
_ABBREVIATIONS = {
    r"e\.\s?g\.,?": "for example,",
    r"i\.\s?e\.,?": "that is,",
    r"etc\.(?=\s*$)": "et cetera.",
    r"etc\.": "et cetera",
    r"approx\.": "approximately",
    r"incl\.": "including",
    r"excl\.": "excluding",
    r"vs\.?": "versus",
    r"Mr\.": "Mister",
    r"Mrs\.": "Missus",
    r"Ms\.": "Miz",
    r"Dr\.": "Doctor",
    r"No\.(?=\s?\d)": "number",
    r"FAQs": "F A Qs",
    r"FAQ": "F A Q",
    r"VAT": "V A T",
    r"w/o": "without",
    r"24/7": "24 7",
    r"and/or": "and or",
}
_FRACTIONS = {
    "1/2": "one half",
    "1/4": "a quarter",
    "3/4": "three quarters",
    "1/3": "one third",
    "2/3": "two thirds",
}

_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"')\]，。；！？、]*[^\s<>\"')\].,;:!?，。；！？、]", re.IGNORECASE
)
_HOST = re.compile(r"(?:https?://)?(?:[^/@]*@)?(?:www\.)?([^/:?#]+)", re.IGNORECASE)
_EMAIL = re.compile(r"(?:mailto:)?\b([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)")
_PHONE = re.compile(
    r"(?<![\w.,$£€-])(?:\+\d{1,3}[\s.-]?)?(?:\(\d{2,5}\)[\s.-]?)?\d{1,5}(?:[\s.-]\d{2,5}){2,4}(?![\w-]|[.,]\d)"
    r"|(?<![\w.,$£€-])(?:\+\d{1,3}[\s.-]?)?\(\d{2,5}\)\s?\d{2,5}(?:[\s.-]?\d{2,5})?(?![\w-]|[.,]\d)"
    r"|(?<![\w.,$£€-])\d{3}-\d{4}(?![\w-]|[.,]\d)"
    r"|\+\d{7,15}\b"
)
_DATE = re.compile(r"(?<![\w-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\w-])")
_CLOCK = r"([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?(?:\s?([ap])\.?m\b\.?)?"
_TIME_RANGE = re.compile(rf"(?<![\d:]){_CLOCK}{_DASH}{_CLOCK}(?![\d:])", re.IGNORECASE)
_TIME = re.compile(rf"(?<![\d:]){_CLOCK}(?![\d:])", re.IGNORECASE)
_CODE = re.compile(r"(?<![\w-])#?([A-Z]{1,5})[-–]?(\d{3,}(?:-\d+)*)(?![\w])")
_NUMBERED = re.compile(
    r"((?:\border|\bnumber|\bcode|\breference|\bref\.?|\btracking|\baccount|\binvoice|\bticket|\bPIN)"
    r"(?:\s+(?:number|no\.?|id|code|is|of))*\s*[:#]?\s*)#?(\d{4,})\b(?![.,]?\d)",
    re.IGNORECASE,
)
_LONG_DIGITS = re.compile(r"(?<![\w.,$£€¥])\d{7,}(?![\w]|[.,]\d)")
_HASH_DIGITS = re.compile(r"#(\d{4,})\b")
_HASH = re.compile(r"#(?=\d)")
_MONEY_RANGE = re.compile(rf"([$£€¥￥])\s?({_NUMBER}){_DASH}(?:\1\s?)?({_NUMBER})(?![\w])")
_MONEY = re.compile(
    rf"([$£€¥￥])\s?({_NUMBER})(?:\s?(thousand|million|billion|k)\b)?(?:\s?/\s?([a-z]+))?", re.IGNORECASE
)
_MONEY_CODE = re.compile(
    rf"\b(USD|GBP|EUR|CNY|RMB)\s?({_NUMBER})|(?<![\w.])({_NUMBER})\s?(USD|GBP|EUR|CNY|RMB)\b"
)
_RANGE = re.compile(rf"(?<![\w.,-])({_NUMBER}){_DASH}({_NUMBER})(?![\d-])")
_TIMES = re.compile(r"(?<=\d)\s?\*\s?(?=\d)")
_SIZE = re.compile(r"(?<=\d)\s?[x×]\s?(?=\d)")
_PERCENT = re.compile(r"(?<=\d)\s?%")
_UNIT = re.compile(rf"(?<![\w.])({_NUMBER})\s?({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![\w/°])")
_DEGREE = re.compile(r"(?<=\d)\s?°")
_YEAR = re.compile(
    r"(?<=\b(?:in|by|of)\s)(1[1-9]|20)([1-9]\d)\b(?![.,]?\d)(?!\s*(?:words|items|people|customers))"
)
_FRACTION = re.compile(r"(?<![\d/])([123]/[234])(?![\d/])")
_SLASH = re.compile(r"(?<=[a-z])\s?/\s?(?=[a-z])")
_AMPERSAND = re.compile(r"\s?&\s?")


def _spell(letters: str) -> str:
    # A lone "A" would be read as the article.
    return " ".join("ay" if letter in "aA" else letter for letter in letters)


def _digits(text: str) -> str:
    """Digit by digit; a pause after each group."""
    groups = re.findall(r"\d+", text)
    if len(groups) == 1 and len(groups[0]) > 6:
        whole = groups[0]
        groups = [whole[at : at + 3] for at in range(0, len(whole) - len(whole) % 3, 3)]
        groups[-1] += whole[3 * len(groups) :]
    return ", ".join(" ".join(group) for group in groups)


def _say_host(host: str) -> str:
    return host.strip(".").replace("-", " dash ").replace("_", " underscore ").replace(".", " dot ")


def _say_url(match: Match[str]) -> str:
    host = _HOST.match(match.group())
    return _say_host(host.group(1)) if host else ""


def _say_email(match: Match[str]) -> str:
    return f"{_say_host(match.group(1)).replace('+', ' plus ')} at {_say_host(match.group(2))}"


def _say_phone(match: Match[str]) -> str:
    plus = "plus " if match.group().lstrip().startswith("+") else ""
    return plus + _digits(match.group())


def _say_date(match: Match[str]) -> str:
    year, month, day = match.group(1), int(match.group(3)), int(match.group(4))
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match.group()
    return f"{_MONTHS[month - 1]} {_ordinal(day)}, {_say_year(year)}"


def _say_day(match: Match[str]) -> str:
    """Say "1 November" and "the 1 November" as people do."""
    day = int(match.group(2))
    if not 1 <= day <= 31:
        return match.group()
    year = f" {_say_year(match.group(4))}" if match.group(4) else ""
    return f"the {_ordinal(day)} of {match.group(3)}{year}"


def _ordinal(day: int) -> str:
    suffix = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{suffix}"


def _say_year(year: str) -> str:
    in_pairs = year[2:] >= "10" and year[:2] in {"17", "18", "19", "20"}
    return f"{year[:2]} {year[2:]}" if in_pairs else year


def _say_clock(hour_text: str, minute: str, half: str | None, *, day_clock: bool) -> str:
    hour = int(hour_text)
    if half is None and (hour >= 13 or hour == 0 or hour_text.startswith("0") or day_clock):
        half = "a" if hour % 24 < 12 else "p"
    suffix = f" {half.upper()}M" if half else ""
    hour = (hour - 1) % 12 + 1
    if minute == "00":
        return f"{hour}{suffix}" if suffix else f"{hour} o'clock"
    return f"{hour} {'oh ' + minute[1] if minute[0] == '0' else minute}{suffix}"


def _say_time_range(match: Match[str]) -> str:
    hour, minute, half, to_hour, to_minute, to_half = match.groups()
    day_clock = half is None and to_half is None and int(to_hour) >= 13
    start = _say_clock(hour, minute, half or None, day_clock=day_clock)
    return f"{start} to {_say_clock(to_hour, to_minute, to_half, day_clock=day_clock)}"


def _say_time(match: Match[str]) -> str:
    return _say_clock(match.group(1), match.group(2), match.group(3), day_clock=False)


def _say_code(match: Match[str]) -> str:
    return f"{_spell(match.group(1))}, {_digits(match.group(2))}"


def _amount(number: str, symbol: str) -> str:
    one, many, cent, cents = _CURRENCIES[symbol]
    whole, _, fraction = number.replace(",", "").partition(".")
    if len(fraction) != 2:
        value = whole + (f".{fraction}" if fraction.strip("0") else "")
        return f"{value} {one if value == '1' else many}"
    small = int(fraction)
    small_words = f"{small} {cent if small == 1 else cents}"
    if int(whole) == 0 and small:
        return small_words
    whole_words = f"{whole} {one if whole == '1' else many}"
    return f"{whole_words} and {small_words}" if small else whole_words


def _say_money(match: Match[str]) -> str:
    symbol, number, scale, each = match.groups()
    per = f" per {each}" if each else ""
    if scale:
        scale = "thousand" if scale.lower() == "k" else scale
        return f"{number} {scale} {_CURRENCIES[symbol][1]}{per}"
    return _amount(number, symbol) + per


def _say_money_code(match: Match[str]) -> str:
    code = match.group(1) or match.group(4)
    return _amount(match.group(2) or match.group(3), _CURRENCY_CODES[code])


def _say_money_range(match: Match[str]) -> str:
    symbol, low, high = match.groups()
    return f"{low.replace(',', '')} to {_amount(high, symbol)}"


def _say_unit(match: Match[str]) -> str:
    one, many = _UNITS[match.group(2)]
    return f"{match.group(1)} {one if match.group(1) == '1' else many}"


def _rule(pattern: Pattern[str], said: object) -> Rule:
    return lambda draft: draft.replace(pattern, said)  # type: ignore[arg-type]


def _abbreviations(draft: Draft) -> None:
    for written, said in _ABBREVIATIONS.items():
        draft.replace(re.compile(rf"(?<![\w./]){written}(?![\w/])"), said)


ENGLISH_RULES: tuple[Rule, ...] = (
    _rule(_URL, _say_url),
    _rule(_EMAIL, _say_email),
    _abbreviations,
    _rule(_DATE, _say_date),
    _rule(_DAY, _say_day),
    _rule(_TIME_RANGE, _say_time_range),
    _rule(_TIME, _say_time),
    _rule(_CODE, _say_code),
    _rule(_PHONE, _say_phone),
    _rule(_NUMBERED, lambda match: f"{match.group(1)}{_digits(match.group(2))}"),
    _rule(_MONEY_RANGE, _say_money_range),
    _rule(_MONEY, _say_money),
    _rule(_MONEY_CODE, _say_money_code),
    _rule(_HASH_DIGITS, lambda match: f"number {_digits(match.group(1))}"),
    _rule(_LONG_DIGITS, lambda match: _digits(match.group())),
    _rule(_HASH, "number "),
    _rule(_RANGE, lambda match: f"{match.group(1)} to {match.group(2)}"),
    _rule(_TIMES, " times "),
    _rule(_SIZE, " by "),
    _rule(_UNIT, _say_unit),
    _rule(_PERCENT, " percent"),
    _rule(_DEGREE, " degrees"),
    _rule(_YEAR, lambda match: f"{match.group(1)} {match.group(2)}"),
    _rule(_FRACTION, lambda match: _FRACTIONS.get(match.group(), match.group())),
    _rule(_SLASH, " or "),
    _rule(_AMPERSAND, " and "),
)
"""In this order: what is longest and surest first, so that later rules find only what is left."""
