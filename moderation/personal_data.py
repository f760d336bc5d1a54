"""Personal data: cards, accounts, telephone numbers, e-mail addresses, identity numbers, typed or spoken.

Checksums decide wherever a number has one, so that order numbers, prices and years stay what they are.
Names and addresses are found where a policy asks for it, and by `personal_findings`, for what is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from moderation.addresses import address_spans
from moderation.birth_dates import birth_dates
from moderation.credentials import CredentialScreener
from moderation.emails import emails
from moderation.identifiers import identifiers, wallets
from moderation.names import name_spans
from moderation.national_ids import national_ids
from moderation.normalise import Reading, language_of
from moderation.phones import MAX_DIGITS, REACH, digits_of, is_phone, names_order, phones
from moderation.screener import Finding, Subject
from moderation.spoken_accounts import spoken_ibans
from moderation.spoken_digits import spoken_numbers
from moderation.verdict import Direction, Span

if TYPE_CHECKING:
    from moderation.policy import Contacts, PersonalData

_DIGIT = re.compile(r"[0-9]")
_DIGIT_GROUPS = re.compile(r"(?<![a-zA-Z0-9_.])\d{1,19}(?:[ \-.]\d{1,19}){0,24}(?![a-zA-Z0-9_])")
"""Chinese is written without spaces: its characters may stand right beside a number."""
_CARD_LENGTHS = range(13, 20)
_CARD_STARTS = ("2", "3", "4", "5", "6", "1800")
"""First digits of the schemes in use (2 and 5 Mastercard, 3 travel, 4 Visa, 6 UnionPay, 1800 JCB)."""
_IBAN = re.compile(r"(?<![a-z0-9])[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,4})?(?![a-z0-9])")
_SPOKEN_CODE = re.compile(
    r"(?:cvv2?|cvc2?|c v v|security (?:code|number)|\bpin|code on the back|安全码|背面)\D{0,24}$"
)
_SPOKEN_SSN = re.compile(r"social security|\bssn\b")
_MOBILE_ZH = re.compile(r"1[3-9]\d{9}$")
_LAST = re.compile(r"\b(?:ending|ends|last (?:four|4|digits))\b|尾号")
_GOODS = re.compile(r"(?:\bbar ?code|\bean|\bgtin|\bisbn|条形?码|商品码|货号)[^\d,.;，。；]{0,16}$")
"""What stands before the number of goods, of which one in ten passes the check of cards."""
_GOODS_LENGTHS = (8, 12, 13, 14)
"""Digits of GS1's numbers of goods: a longer one is none, whatever it is called."""
_SCORES = {"pii.card": 0.97, "pii.iban": 0.97, "pii.resident_id": 0.97, "pii.email": 0.95, "pii.ssn": 0.9}
_SCORE = 0.85


class PersonalDataScreener:
    """Finds personal data; what the desk may say (`contacts`) and `settings.ignore` are left out."""

    def __init__(self, settings: PersonalData, contacts: Contacts, *, names: bool | None = None) -> None:
        """A screener.

        Args:
            settings: the policy's.
            contacts: what the desk may say.
            names: look for names and addresses, too; None: as the policy says.
        """
        self._regions = settings.regions
        self._ignore = [re.compile(pattern, re.IGNORECASE) for pattern in settings.ignore]
        self._emails = frozenset(email.lower() for email in contacts.emails)
        self._phones = frozenset(digits_of(phone).lstrip("0") for phone in contacts.phones)
        self._names = settings.names if names is None else names

    def screen(self, subject: Subject) -> Iterator[Finding]:
        """Findings `pii.*`, with the kind of mask."""
        folded = subject.folded
        own = subject.direction is not Direction.INPUT
        findings: list[Finding] = []
        taken: list[tuple[int, int]] = []
        for rule, start, end in self._found(folded.text, allowed=own):
            if not any(start < last and first < end for first, last in taken[-64:]):
                taken.append((start, end))
                findings.append(_finding(rule, _SCORES.get(rule, _SCORE), folded, start, end))
        spoken = list(spoken_numbers(folded, least=3))
        for reading in spoken:
            findings += self._spoken(reading, subject.text, allowed=own)
        if spoken:
            findings += (Finding("pii.iban", 0.95, *span, "iban") for span in spoken_ibans(folded))
        if not subject.text.isascii() or _DIGIT.search(subject.text):
            findings += (Finding("pii.wallet", 0.9, *span, "wallet") for span in wallets(subject.text))
        if self._names and not own:
            findings += (Finding("pii.name", 0.75, *span, "name") for span in name_spans(subject.text))
            findings += (
                Finding("pii.address", 0.8, *span, "address") for span in address_spans(subject.text)
            )
        if findings and self._ignore:
            kept = [match.span() for pattern in self._ignore for match in pattern.finditer(subject.text)]
            findings = [
                finding
                for finding in findings
                if not any(start <= finding.start and finding.end <= end for start, end in kept)
            ]
        yield from findings

    def _found(self, text: str, *, allowed: bool) -> Iterator[tuple[str, int, int]]:
        """Rule and place in a folded text, the surest first."""
        for start, end in emails(text):
            address = text[start:end]
            own = address in self._emails or "@" + address.partition("@")[2] in self._emails
            if not (allowed and own):
                yield "pii.email", start, end
        yield from (("pii.birth_date", *span) for span in birth_dates(text))
        if not _DIGIT.search(text):
            return
        for start, end in _cards(text):
            goods = len(digits_of(text[start:end])) in _GOODS_LENGTHS
            if not (goods and _GOODS.search(text, max(0, start - REACH), start)):
                yield "pii.card", start, end
        for match in _IBAN.finditer(text):
            if _is_iban(match.group()):
                yield "pii.iban", *match.span()
        yield from national_ids(text)
        for rule, start, end in identifiers(text):
            if not (rule == "pii.card" and _LAST.search(text, max(0, start - REACH), start)):
                yield rule, start, end
        for start, end in phones(text, self._regions):
            if not self._may_be_said(text[start:end], allowed=allowed):
                yield "pii.phone", start, end

    def _spoken(self, reading: Reading, text: str, *, allowed: bool) -> Iterator[Finding]:
        digits = reading.text
        before = text[max(0, reading.positions[0] - REACH) : reading.positions[0]].lower()
        if 3 <= len(digits) <= 6 and _SPOKEN_CODE.search(before):
            yield _finding("pii.security_code", 0.85, reading, 0, len(digits))
            return
        for length in (16, 15, 19, 18, 17, 14, 13):
            for start in range(len(digits) - length + 1):
                if _is_card(digits[start : start + length]):
                    yield _finding("pii.card", 0.9, reading, start, start + length)
                    return
        for start in range(len(digits) - 17):
            if _is_chinese_id(digits[start : start + 18]):
                yield _finding("pii.resident_id", 0.9, reading, start, start + 18)
                return
        if _SPOKEN_SSN.search(before) and (len(digits) == 9 or (len(digits) == 4 and _LAST.search(before))):
            yield _finding("pii.ssn", 0.85, reading, 0, len(digits))
            return
        mobile = _MOBILE_ZH.search(digits) if "CN" in self._regions else None
        if mobile is not None and not self._may_be_said(mobile.group(), allowed=allowed):
            yield _finding("pii.phone", 0.85, reading, mobile.start(), mobile.end())
            return
        context = before if len(digits) < 10 else "" if names_order(before) else "phone"
        if (
            7 <= len(digits) <= MAX_DIGITS
            and is_phone(digits, context, self._regions)
            and not self._may_be_said(digits, allowed=allowed)
        ):
            yield _finding("pii.phone", 0.8, reading, 0, len(digits))

    def _may_be_said(self, number: str, *, allowed: bool) -> bool:
        if not allowed:
            return False
        digits = digits_of(number).lstrip("0")
        return any(digits.endswith(own) or own.endswith(digits) for own in self._phones)


def personal_findings(text: str, language: str | None = None) -> list[Finding]:
    """What is personal or secret in a visitor's words, names and addresses too, whatever a policy says.

    Args:
        text: as it was said or typed; of any length, time grows with it.
        language: "en", "zh" …; by the text's script where left out.
    """
    from moderation.policy import Contacts, PersonalData  # pydantic, which a mere import should not pay for

    subject = Subject(text, Direction.INPUT, language or language_of(text))
    personal = PersonalDataScreener(PersonalData(), Contacts(), names=True)
    return [*personal.screen(subject), *CredentialScreener().screen(subject)]


def personal_spans(text: str, language: str | None = None) -> list[Span]:
    """Where `personal_findings` stand, the first first; `category` is the rule, such as "pii.name"."""
    found = {(each.start, each.end, each.rule) for each in personal_findings(text, language)}
    return [Span(*each) for each in sorted(found)]


def _finding(rule: str, score: float, reading: Reading, start: int, end: int) -> Finding:
    return Finding(rule, score, *reading.original(start, end), rule.partition(".")[2])


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
