"""How Chinese says what is written in figures and signs."""

from __future__ import annotations

import re
from re import Match, Pattern

from speech.spoken_text import Rule

_FIGURES = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_SECTIONS = ("", "万", "亿", "万亿")
_MAX_DIGITS = 4 * len(_SECTIONS)

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_TO = r"\s?[-–—~～至到]\s?"
_CURRENCIES = {"$": "美元", "£": "英镑", "€": "欧元", "¥": "元", "￥": "元"}
_CURRENCY_CODES = {"USD": "美元", "GBP": "英镑", "EUR": "欧元", "CNY": "元", "RMB": "元"}
_UNITS = {
    "kg": "公斤", "g": "克", "mg": "毫克", "km": "公里", "m": "米", "cm": "厘米", "mm": "毫米", "ml": "毫升",
    "L": "升", "l": "升", "W": "瓦", "V": "伏", "mAh": "毫安时", "h": "小时", "min": "分钟",
    "°C": "摄氏度", "℃": "摄氏度",
}  # fmt: skip
_MEASURES = "个件天次种条双位份张只本部台家岁层杯瓶盒箱袋款套点周期年月小分"
"""Measure words before which two is 两, not 二."""

_URL = re.compile(r"(?:https?://|www\.)[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]*[A-Za-z0-9/]", re.IGNORECASE)
_HOST = re.compile(r"(?:https?://)?(?:[^/@]*@)?(?:www\.)?([^/:?#]+)", re.IGNORECASE)
_EMAIL = re.compile(r"(?:mailto:)?([A-Za-z0-9.+_-]+)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_DATE = re.compile(r"(?<![\d-])(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?![\d-])")
_YEAR = re.compile(r"(?<!\d)([12]\d{3})(?=\s?年)")
_TIME = re.compile(r"(?<![\d:：])([01]?\d|2[0-4])[:：]([0-5]\d)(?![\d:：])")
_TIME_RANGE = re.compile(r"(?<=[点分半])\s?[-–—~～]\s?(?=[零一二三四五六七八九十两]+点)")
_CODE = re.compile(r"(?<![A-Za-z0-9-])([A-Z]{1,5})[-–]?(\d{3,}(?:-\d+)*)(?![A-Za-z0-9])")
_PHONE = re.compile(r"(?<![A-Za-z0-9.$£€¥-])\+?\d{2,5}(?:[\s-]\d{2,8}){1,4}(?![\d-])")
_LONG_DIGITS = re.compile(r"(?<![\d.,])\d{7,}(?![\d.,]\d)")
_NUMBERED = re.compile(
    r"((?:订单|单|编|账|运单|卡|工单|热线|电话|客服)号?码?(?:是|为)?[:：]?\s?)(\d{4,})(?![\d.])"
)
_MONEY_RANGE = re.compile(rf"([$£€¥￥])\s?({_NUMBER}){_TO}(?:\1\s?)?({_NUMBER})")
_MONEY = re.compile(rf"([$£€¥￥])\s?({_NUMBER})(万|亿)?元?")
_MONEY_CODE = re.compile(rf"(USD|GBP|EUR|CNY|RMB)\s?({_NUMBER})|({_NUMBER})\s?(USD|GBP|EUR|CNY|RMB)")
_PERCENT_RANGE = re.compile(rf"({_NUMBER})[%％]?{_TO}({_NUMBER})\s?[%％]")
_PERCENT = re.compile(rf"({_NUMBER})\s?[%％]")
_RANGE = re.compile(rf"(?<![\d.-])({_NUMBER}){_TO}({_NUMBER})(?![\d-])")
_ALL_DAY = re.compile(r"24/7")
_SIZE = re.compile(r"(?<=\d)\s?[x×]\s?(?=\d)")
_UNIT = re.compile(rf"({_NUMBER})\s?({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![A-Za-z])")
_TWO = re.compile(rf"(?<![\d.第十])2(?=\s?[{_MEASURES}])(?!\s?(?:月|年|日|号|点\d|分之))")
_PLAIN = re.compile(rf"(?<![A-Za-z]){_NUMBER}")


def chinese_number(number: str) -> str:
    """Say a number of at most 16 digits before the point, digit by digit if it has more.

    Args:
        number: ASCII digits, with or without a decimal point and thousands commas: "12,000.5".
    """
    whole, _, fraction = number.replace(",", "").partition(".")
    whole = whole.lstrip("0") or "0"
    said = digit_by_digit(whole) if len(whole) > _MAX_DIGITS else _whole(whole)
    return said + (f"点{digit_by_digit(fraction)}" if fraction else "")


def digit_by_digit(digits: str, one: str = "一") -> str:
    """Say every digit by its name; telephone numbers say 幺 for one."""
    return "".join(
        one if digit == "1" else _FIGURES[int(digit)]
        for digit in digits
        if digit.isascii() and digit.isdigit()
    )


def _whole(digits: str) -> str:
    if digits == "0":
        return _FIGURES[0]
    sections: list[str] = []
    while digits:
        sections.append(digits[-4:])
        digits = digits[:-4]
    said = ""
    gap = False
    for index in range(len(sections) - 1, -1, -1):
        section = sections[index]
        if int(section) == 0:
            gap = bool(said)
            continue
        if said and (gap or (len(section) == 4 and section[0] == "0")):
            said += "零"
        said += _section(section.lstrip("0")) + _SECTIONS[index]
        gap = False
    # 一十五 is said 十五 at the beginning.
    return said[1:] if said.startswith("一十") else said


def _section(digits: str) -> str:
    said = ""
    gap = False
    for place, digit in zip(range(len(digits) - 1, -1, -1), digits, strict=True):
        if digit == "0":
            gap = True
            continue
        if gap and said:
            said += "零"
        said += _FIGURES[int(digit)] + _PLACES[place]
        gap = False
    return said


def _say_host(host: str) -> str:
    return host.strip(".").replace(".", "点").replace("-", "杠").replace("_", "下划线")


def _say_url(match: Match[str]) -> str:
    host = _HOST.match(match.group())
    return _say_host(host.group(1)) if host else ""


def _say_email(match: Match[str]) -> str:
    return f"{_say_host(match.group(1))}艾特{_say_host(match.group(2))}"


def _say_date(match: Match[str]) -> str:
    year, month, day = match.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return match.group()
    return f"{digit_by_digit(year)}年{chinese_number(month)}月{chinese_number(day)}日"


def _say_time(match: Match[str]) -> str:
    hour, minute = int(match.group(1)), match.group(2)
    said = ("两" if hour == 2 else chinese_number(str(hour))) + "点"
    if minute == "00":
        return said
    if minute == "30":
        return said + "半"
    return said + ("零" if minute[0] == "0" else "") + chinese_number(minute) + "分"


def _say_code(match: Match[str]) -> str:
    return f"{' '.join(match.group(1))} {digit_by_digit(match.group(2))}"


def _say_phone(match: Match[str]) -> str:
    groups = re.findall(r"\d+", match.group())
    if sum(map(len, groups)) < 7 or (len(groups) == 2 and len(groups[0]) == len(groups[1])):
        return match.group()  # a range, not a telephone number
    return "，".join(digit_by_digit(group, "幺") for group in groups)


def _say_money(match: Match[str]) -> str:
    symbol, number, scale = match.groups()
    return f"{chinese_number(_trim(number))}{scale or ''}{_CURRENCIES[symbol]}"


def _say_money_range(match: Match[str]) -> str:
    symbol, low, high = match.groups()
    return f"{chinese_number(_trim(low))}到{chinese_number(_trim(high))}{_CURRENCIES[symbol]}"


def _say_money_code(match: Match[str]) -> str:
    code = match.group(1) or match.group(4)
    return chinese_number(_trim(match.group(2) or match.group(3))) + _CURRENCY_CODES[code]


def _trim(number: str) -> str:
    whole, _, fraction = number.partition(".")
    return number if fraction.strip("0") else whole


def _rule(pattern: Pattern[str], said: object) -> Rule:
    return lambda draft: draft.replace(pattern, said)  # type: ignore[arg-type]


CHINESE_RULES: tuple[Rule, ...] = (
    _rule(_URL, _say_url),
    _rule(_EMAIL, _say_email),
    _rule(_DATE, _say_date),
    _rule(_YEAR, lambda match: digit_by_digit(match.group(1))),
    _rule(_TIME, _say_time),
    _rule(_TIME_RANGE, "到"),
    _rule(_CODE, _say_code),
    _rule(_NUMBERED, lambda match: match.group(1) + digit_by_digit(match.group(2))),
    _rule(_PHONE, _say_phone),
    _rule(_LONG_DIGITS, lambda match: digit_by_digit(match.group(), "幺")),
    _rule(_MONEY_RANGE, _say_money_range),
    _rule(_MONEY, _say_money),
    _rule(_MONEY_CODE, _say_money_code),
    _rule(
        _PERCENT_RANGE,
        lambda match: f"百分之{chinese_number(match.group(1))}到百分之{chinese_number(match.group(2))}",
    ),
    _rule(_PERCENT, lambda match: f"百分之{chinese_number(match.group(1))}"),
    _rule(_ALL_DAY, "全天候"),
    _rule(_RANGE, lambda match: f"{match.group(1)}到{match.group(2)}"),
    _rule(_SIZE, "乘"),
    _rule(_UNIT, lambda match: chinese_number(match.group(1)) + _UNITS[match.group(2)]),
    _rule(_TWO, "两"),
    _rule(_PLAIN, lambda match: chinese_number(match.group())),
)
"""In this order: what is longest and surest first, so that later rules find only what is left."""
