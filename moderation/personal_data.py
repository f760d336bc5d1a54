"""Personal data: cards, accounts, telephone numbers, e-mail addresses and national ids, typed or spoken.

Checksums decide wherever a number has one, so that order numbers, prices and years stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from moderation.normalise import Reading
from moderation.screener import Finding, Subject
from moderation.spoken_digits import spoken_numbers
from moderation.verdict import Direction

if TYPE_CHECKING:
    from moderation.policy import Contacts, PersonalData

_DIGITS = re.compile(r"[0-9]+")
_EMAIL = re.compile(
    r"(?<![a-z0-9._%+/-])[a-z0-9_%+-][a-z0-9._%+-]{0,63}@[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){0,3}\.[a-z]{2,24}(?![a-z])"
)
_SPOKEN_EMAIL = re.compile(
    r"\b[a-z0-9]{1,30}(?: ?(?:dot|\.|underscore|_|dash|-) ?[a-z0-9]{1,30}){0,3} at [a-z0-9-]{2,40}"
    r"(?: dot [a-z]{2,12}){0,2} dot (?:com|net|org|co|io|cn|uk|de|fr|edu|gov|info|me|example)\b"
)
_DIGIT_GROUPS = re.compile(r"(?<![\w.])\d{1,19}(?:[ \-.]\d{1,19}){0,24}(?![\w])")
_CARD_LENGTHS = range(13, 20)
_CARD_STARTS = ("2", "3", "4", "5", "6", "1800")
"""First digits of the schemes in use (2 and 5 Mastercard, 3 travel, 4 Visa, 6 UnionPay, 1800 JCB)."""
_IBAN = re.compile(r"(?<![a-z0-9])[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,4})?(?![a-z0-9])")
_CHINESE_ID = re.compile(r"(?<!\d)\d{6} ?(?:18|19|20)\d{6} ?\d{3}[\dx](?![a-z0-9])")
_CHINESE_MOBILE = re.compile(r"(?<![\d.])(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")
_SSN = re.compile(r"(?<![\w-])\d{3}([ -])\d{2}\1\d{4}(?![\w-])")
_SSN_NAMED = re.compile(
    r"(?:\bssn|social security(?: number| no)?)[^0-9a-z]{0,3}(?:is |was |of )?[^0-9a-z]{0,3}(\d{9})(?!\d)"
)
_NINO = re.compile(
    r"(?<![a-z0-9])(?!bg|gb|nk|kn|tn|nt|zz)[a-ceghj-prtw-z][a-ceghj-nprtw-z]"
    r" ?\d{2} ?\d{2} ?\d{2} ?[a-d](?![a-z0-9])"
)
"""UK National Insurance number; its prefixes and suffixes are HMRC's (NIM39110)."""
_SECURITY_CODE = re.compile(
    r"\b(?:cvv2?|cvc2?|security code|card pin|pin code|pin number|my pin)\b"
    r"[^0-9a-z]{0,3}(?:is |was )?[^0-9a-z]{0,3}(\d{3,6})(?!\d)"
    r"|(?:安全码|cvv码?|银行卡密码|支付密码)[^0-9a-z]{0,3}(\d{3,6})(?!\d)"
)
_BIRTH = re.compile(
    r"(?:\b(?:born on|date of birth|birth date|birthday|dob)\b|出生日期|生日|出生于)"
    r"[^0-9a-z]{0,3}(?:is |was |on )?"
    r"((?:\d{1,4}[./年 -]){1,2}\d{1,4}日?|(?:[a-z]{3,9} \d{1,2}|\d{1,2} [a-z]{3,9}),? \d{4})"
)
_PASSPORT = re.compile(
    r"(?:\bpassport(?: number| no)?|护照号?码?)"
    r"[^0-9a-z]{0,3}(?:is |was )?[^0-9a-z]{0,3}([a-z]{0,2}\d{7,9})(?![a-z0-9])"
)
_PHONE = re.compile(r"(?<![\w.,/:#-])(?:\+|00)?\(?\d(?:[ \-./()]{0,2}\d){6,18}(?![\w])")
_NAMED_PHONE = re.compile(
    r"\b(?:phone|mobile|cell|telephone|contact) (?:number|no)\b[^0-9+(]{0,12}"
    r"(\+?\(?\d(?:[ \-./()]{0,2}\d){6,14})(?!\w)"
)
_NORTH_AMERICAN = re.compile(r"(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}")
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}(?!\d))"
    r"|\d{1,2}[ ./-](?:19|20)\d{2}(?!\d)"
)
_PHONE_WORDS = re.compile(
    r"\b(?:phone|mobile|cell|cellphone|telephone|tel|call|ring|text|reach|whatsapp|sms|contact|dial|fax)\b|电话|手机|联系|致电|拨打|微信|号码"
)
_ORDER_WORDS = re.compile(
    r"\b(?:orders?|tracking|track|invoice|reference|ref|ticket|serial|model|sku|item|product|parcel|shipment|isbn|barcode|case|receipt)\b"
    r"|订单|单号|运单|快递|物流|发票|型号|货号"
)
_NUMBER_WORDS = re.compile(r"\b(?:my|new|home|work) number\b|\bnumber(?:s)? (?:is|are)\b")
_WORDS_REACH = 40
"""Characters before a number in which "phone" or "order" tells what it is."""
MAX_PHONE_GROUPS = 4
"""Groups of digits; more of them are a list of small numbers, unless called a telephone number."""
MIN_PHONE_DIGITS = 7
MAX_PHONE_DIGITS = 15
"""Digits: the longest number of ITU-T E.164."""


def digits_of(text: str) -> str:
    """The digits of a text."""
    return "".join(character for character in text if "0" <= character <= "9")


class PersonalDataScreener:
    """Finds personal data; what the desk may say (`contacts`) and `settings.ignore` are left out."""

    def __init__(self, settings: PersonalData, contacts: Contacts) -> None:
        self._regions = settings.regions
        self._ignore = [re.compile(pattern, re.IGNORECASE) for pattern in settings.ignore]
        self._emails = frozenset(email.lower() for email in contacts.emails)
        self._phones = frozenset(digits_of(phone).lstrip("0") for phone in contacts.phones)

    def screen(self, subject: Subject) -> Iterator[Finding]:
        """Findings `pii.*`, with the kind of mask."""
        folded = subject.folded
        own = subject.direction is not Direction.INPUT
        findings = list(self._emails_in(folded, allowed=own))
        if _DIGITS.search(folded.text):
            findings += self._numbers_in(folded, allowed=own)
        for reading in spoken_numbers(folded):
            findings += self._spoken(reading, folded, allowed=own)
        if findings and self._ignore:
            kept = [match.span() for pattern in self._ignore for match in pattern.finditer(subject.text)]
            findings = [
                finding
                for finding in findings
                if not any(start <= finding.start and finding.end <= end for start, end in kept)
            ]
        yield from findings

    def _emails_in(self, folded: Reading, *, allowed: bool) -> Iterator[Finding]:
        text = folded.text
        if "@" in text:
            for match in _EMAIL.finditer(text):
                address = match.group()
                if allowed and (address in self._emails or "@" + address.partition("@")[2] in self._emails):
                    continue
                yield _finding("pii.email", 0.95, folded, *match.span())
        if " at " in text and " dot " in text:
            for match in _SPOKEN_EMAIL.finditer(text):
                yield _finding("pii.email", 0.8, folded, *match.span())

    def _numbers_in(self, folded: Reading, *, allowed: bool) -> Iterator[Finding]:
        text = folded.text
        taken: list[tuple[int, int]] = []

        def found(rule: str, score: float, start: int, end: int) -> Iterator[Finding]:
            if not any(start < last and first < end for first, last in taken[-64:]):
                taken.append((start, end))
                yield _finding(rule, score, folded, start, end)

        for start, end in _cards(text):
            yield from found("pii.card", 0.97, start, end)
        for match in _IBAN.finditer(text):
            if _is_iban(match.group()):
                yield from found("pii.iban", 0.97, *match.span())
        for match in _CHINESE_ID.finditer(text):
            if _is_chinese_id(match.group()):
                yield from found("pii.resident_id", 0.97, *match.span())
        for match in _SSN.finditer(text):
            if _is_ssn(match.group()):
                yield from found("pii.ssn", 0.9, *match.span())
        for pattern, rule in (
            (_SSN_NAMED, "pii.ssn"),
            (_SECURITY_CODE, "pii.security_code"),
            (_BIRTH, "pii.birth_date"),
            (_PASSPORT, "pii.passport"),
        ):
            for match in pattern.finditer(text):
                group = match.lastindex or 1
                yield from found(rule, 0.85, *match.span(group))
        for match in _NINO.finditer(text):
            yield from found("pii.nino", 0.85, *match.span())
        for match in _CHINESE_MOBILE.finditer(text):
            if "CN" in self._regions and not self._may_be_said(match.group(), allowed=allowed):
                yield from found("pii.phone", 0.9, *match.span())
        for match in _NAMED_PHONE.finditer(text):
            if not self._may_be_said(match.group(1), allowed=allowed):
                yield from found("pii.phone", 0.85, *match.span(1))
        for start, end in _phone_candidates(text):
            number = text[start:end]
            if self._is_phone(number, _context(text, start)) and not self._may_be_said(
                number, allowed=allowed
            ):
                yield from found("pii.phone", 0.85, start, end)

    def _spoken(self, reading: Reading, folded: Reading, *, allowed: bool) -> Iterator[Finding]:
        digits = reading.text
        for length in (16, 15, 19, 18, 17, 14, 13):
            for start in range(len(digits) - length + 1):
                if _is_card(digits[start : start + length]):
                    yield _finding("pii.card", 0.9, reading, start, start + length)
                    return
        for start in range(len(digits) - 17):
            if _is_chinese_id(digits[start : start + 18]):
                yield _finding("pii.resident_id", 0.9, reading, start, start + 18)
                return
        before = folded.text[max(0, reading.positions[0] - _WORDS_REACH) : reading.positions[0]]
        if len(digits) == 9 and ("social security" in before or "ssn" in before):
            yield _finding("pii.ssn", 0.85, reading, 0, 9)
            return
        mobile = re.search(r"1[3-9]\d{9}$", digits) if "CN" in self._regions else None
        if mobile is not None and not self._may_be_said(mobile.group(), allowed=allowed):
            yield _finding("pii.phone", 0.85, reading, mobile.start(), mobile.end())
            return
        if (
            10 <= len(digits) <= MAX_PHONE_DIGITS
            and self._is_phone(digits, "" if _ORDER_WORDS.search(before) else "phone")
            and not self._may_be_said(digits, allowed=allowed)
        ):
            yield _finding("pii.phone", 0.8, reading, 0, len(digits))

    def _may_be_said(self, number: str, *, allowed: bool) -> bool:
        if not allowed:
            return False
        digits = digits_of(number).lstrip("0")
        return any(digits.endswith(own) or own.endswith(digits) for own in self._phones)

    def _is_phone(self, number: str, context: str) -> bool:
        """Valid in a known region, and written or introduced as a telephone number."""
        digits = digits_of(number)
        if not MIN_PHONE_DIGITS <= len(digits) <= MAX_PHONE_DIGITS or len(set(digits)) == 1:
            return False
        if "US" in self._regions and _NORTH_AMERICAN.fullmatch(number):
            return True
        international = number.startswith(("+", "00"))
        order = bool(_ORDER_WORDS.search(context))
        introduced = bool(_PHONE_WORDS.search(context)) or (not order and bool(_NUMBER_WORDS.search(context)))
        if order and not (international or introduced):
            return False
        written = len(number) > len(digits) or digits.startswith("0")
        if not (international or written or introduced) or (len(digits) < 9 and not international):
            return False
        from phonenumbers import NumberParseException, is_possible_number, is_valid_number, parse

        plus = "+" + (digits if number.startswith("+") else digits[2:])
        attempts = [(plus, None)] if international else [(digits, region) for region in self._regions]
        if not (international or introduced) and len(_DIGITS.findall(number)) > MAX_PHONE_GROUPS:
            return False
        for attempt, region in attempts:
            if region == "CN" and not digits.startswith("0"):
                continue  # landlines are written with their 0; mobile numbers are found by their own form
            try:
                parsed = parse(attempt, region)
            except NumberParseException:
                continue
            if is_valid_number(parsed) or (introduced and is_possible_number(parsed) and len(digits) >= 10):
                return True
        return False


def _finding(rule: str, score: float, reading: Reading, start: int, end: int) -> Finding:
    first, last = reading.original(start, end)
    return Finding(rule, score, first, last, rule.partition(".")[2])


def _context(text: str, start: int) -> str:
    return text[max(0, start - _WORDS_REACH) : start]


def _cards(text: str) -> Iterator[tuple[int, int]]:
    """Stretches that are card numbers: whole digit groups, one after the other, that pass the check."""
    for match in _DIGIT_GROUPS.finditer(text):
        groups = [(part.start(), part.end()) for part in re.finditer(r"\d+", match.group())]
        first = 0
        while first < len(groups):
            step = 1
            for last in range(len(groups) - 1, first - 1, -1):
                start, end = groups[first][0], groups[last][1]
                length = end - start - (last - first)  # one sign between two groups
                if length in _CARD_LENGTHS and _is_card(digits_of(match.group()[start:end])):
                    yield match.start() + start, match.start() + end
                    step = last - first + 1
                    break
            first += step


def _is_card(digits: str) -> bool:
    if len(digits) not in _CARD_LENGTHS or not digits.startswith(_CARD_STARTS) or len(set(digits)) < 2:
        return False
    from stdnum import luhn

    return bool(luhn.is_valid(digits))


def _is_iban(text: str) -> bool:
    from stdnum import iban

    return bool(iban.is_valid(text.upper()))


def _is_chinese_id(text: str) -> bool:
    from stdnum.cn import ric

    return bool(ric.is_valid(text.replace(" ", "").upper()))


def _is_ssn(text: str) -> bool:
    from stdnum.us import ssn

    return bool(ssn.is_valid(text.replace(" ", "-")))


def _phone_candidates(text: str) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(text):
        start, end = match.span()
        number = match.group()
        if MIN_PHONE_DIGITS <= len(digits_of(number)) <= MAX_PHONE_DIGITS and not _DATE.search(number):
            yield start, end
