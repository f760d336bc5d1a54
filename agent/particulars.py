"""What a visitor told of themselves: names, addresses, telephone numbers, e-mail addresses, order numbers.

It stays in memory, and goes to a person only with the visitor's consent. Cards, accounts, identity numbers
and secrets are not even kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.addresses import addresses
from agent.told_names import names_of, without_names
from agent.tools import Tool, dictated, digits_from_words, digits_of
from moderation.verdict import Category, Verdict

MOST = 8
"""Values of each kind that are kept; the latest count."""
PHONE_DIGITS = range(7, 16)
LABELS = {
    "en": {
        "names": "[name]",
        "phones": "[phone number]",
        "emails": "[e-mail address]",
        "numbers": "[number]",
        "addresses": "[address]",
    },
    "zh": {
        "names": "[姓名]",
        "phones": "[电话号码]",
        "emails": "[邮箱]",
        "numbers": "[号码]",
        "addresses": "[地址]",
    },
}
_WORDS = {
    "en": (
        "your name",
        "your phone number",
        "your e-mail address",
        "the numbers that you gave me",
        "your address",
    ),
    "zh": ("您的姓名", "您的电话", "您的邮箱", "您提供的号码", "您的地址"),
}
_EMAIL = re.compile(r"[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,24}){1,4}")
_SPOKEN_EMAIL = re.compile(r"\b[a-z0-9._-]+ at [a-z0-9-]+(?: dot [a-z]{2,12}){1,3}\b", re.IGNORECASE)
_PHONE_WORDS = re.compile(
    r"\b(?:phone|mobile|cell|telephone|tel|call|ring|text|reach|whatsapp|dial)\b|电话|手机|联系|致电|打",
    re.IGNORECASE,
)
_PHONE = re.compile(r"\+?\d[\d\s().-]{5,20}\d")
_CODE = re.compile(r"\b([A-Za-z]{1,4}-?\d{2,12})\b|(?<![\d.,-])(\d{5,12})(?![\d.,]?\d)")
_NUMBERED = re.compile(
    r"(?:\b(?:order|number|invoice|ticket|case|customer|account|reference|booking|tracking|contract)\b[^\d]{0,20}"
    r"|(?:订单|单号|号码|编号|工单|客户号|发票)[^\d]{0,8})(\d{4,12})(?!\d)",
    re.IGNORECASE,
)
_DIGIT_WORD = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_DICTATED = re.compile(
    rf"(?:\b{_DIGIT_WORD}\b[\s,-]*){{4,}}|(?:\d[\s-]){{3,}}\d+|[零〇一幺二两三四五六七八九]{{4,}}",
    re.IGNORECASE,
)
_NUMBER_WORD = (
    r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    r"|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|double|triple)"
)
_RUN = re.compile(rf"\b{_NUMBER_WORD}(?:(?:[\s,-]+){_NUMBER_WORD}){{1,24}}\b", re.IGNORECASE)
"""A number that is dictated, in digits or in pairs: "nineteen eighty-four twelve"."""
DICTATED_DIGITS = 4
"""Digits from which on such words are a number of something, and no amount."""
_ANY_NUMBER = re.compile(r"(?:\b[A-Z]{1,4}[\s-]?)?(?<![\d.,])\d{4,19}(?![\d.,]?\d)")
_IDENTITY = frozenset(
    f"pii.{kind}"
    for kind in (
        *("card", "iban", "account", "ssn", "nino", "resident_id", "national_id", "passport"),
        *("driving_licence", "birth_date", "security_code", "wallet"),
    )
)
MAY_SEE = frozenset({"pii.phone", "pii.email"})
"""What the guard masks and a person who is being talked to may read all the same."""


@dataclass(frozen=True, slots=True)
class Particulars:
    """Values by their kind, the oldest first."""

    names: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    """Of orders, tickets, customers."""
    addresses: tuple[str, ...] = ()
    """Where post comes."""

    def __bool__(self) -> bool:
        return any(self._kinds())

    def __or__(self, other: Particulars) -> Particulars:
        return Particulars(
            _joined(self.names, other.names),
            _joined(self.phones, other.phones),
            _joined(self.emails, other.emails),
            _joined(self.numbers, other.numbers),
            _joined(self.addresses, other.addresses),
        )

    def said(self, language: str) -> str:
        """Name the kinds, for the question whether they may be passed on."""
        words = _WORDS.get(language, _WORDS["en"])
        kinds = [word for word, values in zip(words, self._kinds(), strict=True) if values]
        if language == "zh":
            return "、".join(kinds)
        return " and ".join(filter(None, [", ".join(kinds[:-1]), *kinds[-1:]]))

    def document(self) -> dict[str, list[str]]:
        """Return kind → values, of the kinds that there are."""
        names = ("names", "phones", "emails", "numbers", "addresses")
        return {name: list(values) for name, values in zip(names, self._kinds(), strict=True) if values}

    def _kinds(self) -> tuple[tuple[str, ...], ...]:
        return self.names, self.phones, self.emails, self.numbers, self.addresses


def particulars_of(text: str, verdict: Verdict, tools: Sequence[Tool] = ()) -> Particulars:
    """Find what a visitor tells of themselves.

    Args:
        text: the visitor's words as they came.
        verdict: of the guard, for the same text: where personal data stands.
        tools: the desk's; they know what its numbers look like.
    """
    text = text.replace("’", "'")
    phones, rest = _phones(text, verdict)
    emails = [*_EMAIL.findall(text), *(_written(found) for found in _SPOKEN_EMAIL.findall(text))]
    rest = _EMAIL.sub(" ", rest)
    places = addresses(text)
    for place in places:
        rest = rest.replace(place, " ")
    numbers = []
    spoken = digits_from_words(_RUN.sub(_as_digits, rest))
    for tool in tools:
        for name, slot in tool.slots.items():
            value = slot.find(rest) if slot.digits else None
            if value is None:
                continue
            if len(digits_of(value)) in PHONE_DIGITS and "phone" in name.lower():
                phones.append(value)
            else:
                numbers.append(value)
    numbers += [one or other for one, other in _CODE.findall(spoken)] + _NUMBERED.findall(spoken)
    return Particulars(
        tuple(names_of(text)),
        _joined((), phones),
        _joined((), emails),
        _without_parts(numbers, phones),
        _joined((), places),
    )


def hidden(text: str, known: Particulars, language: str, *, own: bool) -> str:
    """Return words without what the visitor told of themselves.

    Args:
        text: as the guard let it through.
        known: what the visitor told.
        language: ISO 639-1, of the labels.
        own: they are the visitor's words, so that any longer number in them is taken for theirs.
    """
    labels = LABELS.get(language, LABELS["en"])
    places = {*known.addresses, *(addresses(text) if own else ())}
    for place in sorted(places, key=len, reverse=True):
        text = re.sub(re.escape(place), labels["addresses"], text, flags=re.IGNORECASE)
    for label, values in (
        (labels["emails"], known.emails),
        (labels["phones"], known.phones),
        (labels["numbers"], known.numbers),
    ):
        for value in sorted(values, key=len, reverse=True):
            text = _anyhow(value).sub(label, text)
    text = without_names(text, known.names, labels["names"])
    if own:
        text = _RUN.sub(lambda found: labels["numbers"] if _is_long(found) else found.group(), text)
        text = _DICTATED.sub(lambda found: f"{labels['numbers']}{' ' * found.group()[-1:].isspace()}", text)
        text = _ANY_NUMBER.sub(labels["numbers"], text)
        text = _EMAIL.sub(labels["emails"], text)
    return text


def for_a_person(text: str, verdict: Verdict) -> str:
    """Return a visitor's words as the person reads them whom they talk to: cards and the like masked."""
    masks = {rule for rule in verdict.rules if rule.startswith(("pii.", "secrets.", "unsafe_link."))}
    return text if masks <= MAY_SEE else verdict.text


def _phones(text: str, verdict: Verdict) -> tuple[list[str], str]:
    """Return the telephone numbers, and the text without any personal data that the guard has found."""
    found, rest = [], text
    for span in verdict.spans:
        if span.category not in (Category.PII, Category.SECRETS):
            continue
        part = text[span.start : span.end]
        rest = rest[: span.start] + " " * len(part) + rest[span.end :]
        digits = digits_of(part)
        named = bool(_PHONE_WORDS.search(text[max(0, span.start - 40) : span.start]))
        sure = "pii.phone" in verdict.rules and (named or not _IDENTITY & set(verdict.rules))
        if sure and span.category == Category.PII and len(digits) in PHONE_DIGITS and "@" not in part:
            found.append(("+" if part.lstrip().startswith("+") else "") + digits)
    for match in _PHONE.finditer(rest):  # a policy that masks nothing has the desk keep what it is called for
        digits = digits_of(match.group())
        before = rest[max(0, match.start() - 40) : match.start()]
        if len(digits) in PHONE_DIGITS and _PHONE_WORDS.search(before):
            found.append(("+" if match.group().startswith("+") else "") + digits)
            rest = rest[: match.start()] + " " * len(match.group()) + rest[match.end() :]
    return found, rest


def _is_long(found: re.Match[str]) -> bool:
    return len(digits_of(found.group())) >= DICTATED_DIGITS


def _as_digits(found: re.Match[str]) -> str:
    """Write a dictated number in digits, where its words name tens or teens; else it is read as ever."""
    tens = re.search(r"\w(?:teen|ty)\b|\b(?:ten|eleven|twelve)\b", found.group(), re.IGNORECASE)
    return digits_of(found.group()) if tens and _is_long(found) else found.group()


def _written(email: str) -> str:
    return re.sub(r" dot ", ".", email.replace(" at ", "@", 1), flags=re.IGNORECASE)


def _anyhow(value: str) -> re.Pattern[str]:
    """Match a value however its digits are grouped, with a short prefix or not."""
    if "@" in value:
        return re.compile(re.escape(value), re.IGNORECASE)
    signs = [sign for sign in value if sign.isalnum()]
    body = r"[\s-]?".join(map(re.escape, signs))
    prefix = r"(?:\b(?-i:[A-Z]{1,4})[\s-]{0,2})?" if value[:1].isdigit() else ""
    return re.compile(rf"{prefix}(?<![\w.]){body}(?!\d)|{prefix}(?<!\d){body}(?!\d)", re.IGNORECASE)


def _joined(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*one, *other]))[-MOST:]


def _without_parts(numbers: Iterable[str], phones: Sequence[str]) -> tuple[str, ...]:
    """Leave out what stands inside a longer value: 10342 where HP-10342 is known, and telephone numbers."""
    kept: list[str] = []
    called = [digits_of(phone) for phone in phones]
    for value in sorted(dict.fromkeys(numbers), key=len, reverse=True):
        digits = digits_of(dictated(value))
        inside = any(digits == digits_of(other) for other in kept)
        if not inside and not any(digits in phone for phone in called):
            kept.append(value)
    return tuple(kept)[:MOST]
