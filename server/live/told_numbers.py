"""Numbers in spoken words, as recognisers hear them: without checksums, for a misheard digit breaks those."""

from __future__ import annotations

import re

MOST_WORDS_BETWEEN = 1
"""Other words that may stand within a number: one misheard digit."""
FEWEST = 6
"""Digits from which on a number is somebody's: telephone numbers have more, prices and most orders fewer."""
SURELY = 12
"""Digits from which on it is, whatever it was called: cards have 13 and more, one of them misheard."""
CUE_REACH = 40
"""Characters before a number in which stands what it is of."""

_DIGIT_WORDS = frozenset(
    ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "niner", "nought")
)
_TENS = ("ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TEEN = re.compile(r"eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen")
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_ALIKE = frozenset(
    ("o", "to", "too", "for", "fore", "far", "won", "ate", "tree", "fight", "hundred", "and", "dash")
)
"""What digits are heard as; counted only within a number."""
_TOKEN = re.compile(r"\d+|[A-Za-z]+(?:['’][A-Za-z]+)*|[零〇一幺二两三四五六七八九]|[\u3400-\u9fff]")
_CHINESE = frozenset("零〇一幺二两三四五六七八九")
_NO_NUMBER = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d{1,2}(?!\d)|(?<!\d)(?:19|20)\d{2}(?!\d)"
)
"""Dates, amounts with commas or cents, years."""
_OF_THE_DESK = re.compile(
    r"\b(?:orders?|tracking|track|invoice|reference|ref|ticket|serial|model|sku|item|product|parcel|shipment)\b"
    r"|订单|单号|运单|快递|物流|发票|型号|货号",
    re.IGNORECASE,
)
_THINGS = (
    "card|account|phone|telephone|mobile|cell|passport|social security|security|pin|cvv|cvc|sort|routing|iban"
    "|insurance|licen[cs]e|identity|id|pass ?word|pass ?code"
)
_NO_VALUE = (
    "not|wrong|invalid|expired|missing|declined|stolen|lost|blocked|gone|correct|right|safe|required|needed|used"
    "|charged|broken|what|the same|still|already|about|due"
)
_CALLED = re.compile(
    rf"\b(?:{_THINGS})(?: (?:number|no|code|card))*(?: is|['’]s| was|:| =)(?!\s+(?:{_NO_VALUE})\b)"
    r"|(?:卡号|账号|帐号|手机号?码?|电话号?码?|身份证号?码?|护照号?码?|密码|验证码|安全码)\s*[是为:：]",
    re.IGNORECASE,
)
"""What comes behind these words is somebody's number or secret, however it is heard."""

_SECRET = re.compile(
    rf"\bpass ?(?:word|code|phrase)(?: is|['’]s| was|:| =)\s+(?!(?:{_NO_VALUE})\b)([^\[\].,;!?。，；！？]+)"
    r"|密码\s*[是为:：]\s*(?![什错哪多])([^\[\].,;!?。，；！？吗呢]+)",
    re.IGNORECASE,
)
"""Words that are somebody's password, up to the end of the clause."""


def secret_spans(text: str) -> list[tuple[int, int]]:
    """Return where passwords stand that are words, in characters."""
    return [match.span(1) if match[1] else match.span(2) for match in _SECRET.finditer(text)]


def number_spans(text: str) -> list[tuple[int, int]]:
    """Return where numbers stand that may be somebody's, digits and digit words alike, in characters."""
    passed = [match.span() for match in _NO_NUMBER.finditer(text)]
    found: list[tuple[int, int]] = []
    start = end = digits = between = 0
    times = 1
    open_ = False

    def close() -> None:
        nonlocal open_, digits, between, times
        if open_ and digits >= FEWEST:
            before = text[max(0, start - CUE_REACH) : start]
            if digits >= SURELY or not _OF_THE_DESK.search(before):
                found.append((start, end))
        open_, digits, between, times = False, 0, 0, 1

    for match in _TOKEN.finditer(text):
        token = match.group().lower()
        if any(first <= match.start() < last for first, last in passed):
            close()
            continue
        if token in _TIMES:
            times = _TIMES[token]
            continue
        count = _count(token)
        if count:
            if not open_:
                open_, start = True, match.start()
            digits += count * times
            end, between, times = match.end(), 0, 1
        elif open_ and token not in _ALIKE:
            between += 1
            if between > MOST_WORDS_BETWEEN:
                close()
    close()
    return found


def called_spans(text: str) -> list[tuple[int, int]]:
    """Return what follows words such as "my card number is", to the end of the text."""
    match = _CALLED.search(text)
    if match is None or not text[match.end() :].strip():
        return []
    return [(match.end(), len(text))]


def _count(token: str) -> int:
    if token.isdecimal():
        return len(token)
    if token in _DIGIT_WORDS or token in _CHINESE:
        return 1
    return 2 if token in _TENS or _TEEN.fullmatch(token) else 0
