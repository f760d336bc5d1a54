"""Telephone numbers: written so, introduced so, or valid in one of the desk's countries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_DIGITS = re.compile(r"[0-9]+")
_MOBILE_ZH = re.compile(r"(?<![\d.])(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")
_NUMBER = re.compile(
    r"(?<![a-zA-Z0-9_#])(?<!\d[.,/:-])(?:\+|00)?\(?\d(?:[ \-./()]{0,2}\d){6,18}"
    r"(?:(?![a-zA-Z0-9_])|(?= ?x ?\d)|(?= ?ext))"
)
_EXTENSION = re.compile(r" ?(?:x|ext\.?|extension|分机|转)[ :]?\d{1,6}(?![a-zA-Z0-9_])")
_NORTH_AMERICAN = re.compile(r"(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}")
_DATE = re.compile(
    r"(?<!\d)(?<!\d[./-])(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}(?!\d))"
    r"|\d{1,2}[ ./-](?:19|20)\d{2})(?![./-]?\d)"
)
_SURE = re.compile(
    r"(?:\b(?:phone|mobile|cell|cellphone|telephone|tel|fax|whatsapp|landline|handy|registered|desk)(?:'s)?"
    r"(?: ?(?:number|no|nr|#))?|\b(?:contact|home|work|office|new|my) (?:phone |mobile )?(?:number|no)"
    r"|\b(?:call|ring|text|reach|phone|dial|whatsapp|message|messages|sms|answering|calling)"
    r"(?: (?:me|us|him|her|them|back))*(?: (?:on|at|to|under))?"
    r"|电话|手机|手机号码?|电话号码?|联系方式|联系电话|座机|传真|微信号?|致电|拨打)"
    r"[\s.:：,-]{0,3}(?:is|are|was|=|是|为)?[\s.:：]{0,3}$"
)
"""What says, right before a number, that it is a telephone's."""
_AFTER = re.compile(r"[\s-]{0,2}(?:office|fax|home|mobile|cell|work|desk|tel)\b")
"""What says so right behind a number."""
_WORDS = re.compile(
    r"\b(?:phone|mobile|cell|cellphone|telephone|tel|call|ring|text|reach|whatsapp|sms|contact|dial|fax)\b"
    r"|电话|手机|联系|致电|拨打|微信|号码"
)
_ORDER_WORDS = re.compile(
    r"\b(?:orders?|tracking|track|invoice|reference|ref|ticket|serial|model|sku|item|product|parcel|shipment|isbn"
    r"|barcode|case|receipt|account|policy|booking|confirmation|customer|member|membership)\b"
    r"|订单|单号|运单|快递|物流|发票|型号|货号|账户|会员"
)
_NUMBER_WORDS = re.compile(r"\b(?:my|new|home|work) number\b|\bnumber(?:s)? (?:is|are)\b")
REACH = 40
"""Characters before a number in which "phone" or "order" tells what it is."""
MAX_GROUPS = 4
"""Groups of digits; more of them are a list of small numbers, unless called a telephone number."""
MIN_DIGITS = 7
MAX_DIGITS = 15
"""Digits: the longest number of ITU-T E.164."""


def digits_of(text: str) -> str:
    """The digits of a text."""
    return "".join(character for character in text if "0" <= character <= "9")


def phones(text: str, regions: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where telephone numbers stand in a folded text, with their extensions."""
    if "CN" in regions:
        for match in _MOBILE_ZH.finditer(text):
            yield match.span()
    for match in _NUMBER.finditer(text):
        start, end = match.span()
        number = match.group()
        if not MIN_DIGITS <= len(digits_of(number)) <= MAX_DIGITS or _DATE.search(number):
            continue
        context = text[max(0, start - REACH) : start] + ("phone " if _AFTER.match(text, end) else "")
        if is_phone(number, context, regions):
            extension = _EXTENSION.match(text, end)
            yield start, extension.end() if extension else end


def names_order(context: str) -> bool:
    """True where the words before a number call it an order's, a parcel's and the like."""
    return _ORDER_WORDS.search(context) is not None


def is_phone(number: str, context: str, regions: Sequence[str]) -> bool:
    """Valid in a known region, and written or introduced as a telephone number.

    Args:
        number: digits with signs between.
        context: what stands before it, lower case.
        regions: ISO 3166 countries whose national numbers count.
    """
    digits = digits_of(number)
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS or len(set(digits)) == 1:
        return False
    if _SURE.search(context):
        return True
    if "US" in regions and _NORTH_AMERICAN.fullmatch(number):
        return True
    international = number.startswith(("+", "00"))
    order = names_order(context)
    introduced = bool(_WORDS.search(context)) or (not order and bool(_NUMBER_WORDS.search(context)))
    if order and not (international or introduced):
        return False
    written = len(number) > len(digits) or digits.startswith("0")
    if not (international or written or introduced) or (len(digits) < 9 and not international):
        return False
    if not (international or introduced) and len(_DIGITS.findall(number)) > MAX_GROUPS:
        return False
    return _is_valid(number, digits, regions, introduced=introduced)


def _is_valid(number: str, digits: str, regions: Sequence[str], *, introduced: bool) -> bool:
    from phonenumbers import NumberParseException, is_possible_number, is_valid_number, parse

    international = number.startswith(("+", "00"))
    plus = "+" + (digits if number.startswith("+") else digits[2:])
    attempts = [(plus, None)] if international else [(digits, region) for region in regions]
    for attempt, region in attempts:
        if region == "CN" and not digits.startswith("0"):
            continue  # landlines are written with their 0; mobile numbers are found by their own form
        try:
            parsed = parse(attempt, region)
        except NumberParseException:
            continue
        if is_valid_number(parsed) or (
            (introduced or international) and is_possible_number(parsed) and len(digits) >= 10
        ):
            return True
    return False
