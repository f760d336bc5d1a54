"""Identifiers, personal by what they are called or by their form: licences, plates, devices, wallets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

_IS = r"[^0-9a-z]{0,3}(?:(?:is|was|number|no|num|code|:|=|are|of|号码|号|是|为)[^0-9a-z]{0,3}){0,3}"
"""What may stand between a name and its number."""
_CODE = r"((?=[a-z0-9 -]{0,24}\d)[a-z0-9](?:[ -]?[a-z0-9]){4,19})(?![a-z0-9])"
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
"""What a Chinese number plate begins with."""
_NAMED = (
    (
        "pii.security_code",
        r"(?:\b(?:cvv2?|cvc2?|cvn|csc|c v v|security (?:code|number)"
        r"|card pin|pin code|pin number|(?:my|the|card) pin)\b"
        r"(?: on the back| of my card| of the card| number| code)?"
        r"|安全码|cvv码?|支付密码|取款密码|银行卡密码|背面(?:的)?(?:三位|3位)(?:数|数字|码)?)"
        rf"{_IS}(\d{{3,6}})(?!\d)",
    ),
    (
        "pii.ssn",
        r"\b(?:last (?:four|4)(?: digits)? (?:of|on) (?:my |the )?(?:social security|ssn)"
        rf"|(?:social security|ssn)(?: number)? (?:ends|ending) (?:in|with)){_IS}(\d{{4}})(?!\d)",
    ),
    ("pii.passport", rf"(?:\bpassport|护照){_IS}((?=[a-z]{{0,2}}\d)[a-z0-9]{{7,9}})(?![a-z0-9])"),
    (
        "pii.driving_licence",
        r"(?:\b(?:driver'?s?|driving) (?:licen[cs]e|permit)|\bdl (?:no|number)|驾驶证|驾照)" + _IS + _CODE,
    ),
    (
        "pii.national_id",
        r"(?:\b(?:national|identity|government|citizen|personal) (?:id|identity|identification)\b"
        r"|\bid card\b|\bidentification number|\bidentity number|\btax(?:payer)? (?:id|identification)"
        r"|\bnational insurance|身份证|身分证|证件号)" + _IS + _CODE,
    ),
    ("pii.plate", rf"(?<![a-z0-9])([{_PROVINCES}][a-z][·. ]?(?=[a-z]{{0,3}}\d)[a-z0-9]{{5,6}})(?![a-z0-9])"),
    (
        "pii.plate",
        r"(?:\b(?:licen[cs]e|number|registration) plate|\bplate number|\b(?:vehicle|car) registration|车牌)"
        + _IS
        + r"((?=[a-z]{0,4}[ -]?\d)[a-z0-9]{1,4}[ -]?[a-z0-9]{1,4}[ -]?[a-z0-9]{0,4})(?![a-z0-9])",
    ),
    (
        "pii.bic",
        r"\b(?:bic|swift)(?: ?/ ?(?:bic|swift))?(?: code)?[^0-9a-z]{0,3}(?:is |: ?)?"
        r"([a-z]{6}[a-z0-9]{2}(?:[a-z0-9]{3})?)(?![a-z0-9])",
    ),
    (
        "pii.account",
        r"(?:\bbank account(?: number| no)?\b|\brouting (?:number|no)\b"
        r"|\bsort code.{3,60}?\baccount(?: number| no)?\b"
        r"|银行账号|银行账户|卡号)[^0-9a-z]{0,3}(?:is |was |are |是|为){0,2}[^0-9a-z]{0,3}"
        r"(\d(?:[ -]?\d){6,18})(?![a-zA-Z0-9_])",
    ),
    (
        "pii.account",
        r"\bsort code[^0-9a-z]{0,3}(?:is |was )?[^0-9a-z]{0,3}(\d{2}[ -]?\d{2}[ -]?\d{2})(?![a-zA-Z0-9_])",
    ),
    (
        "pii.card",
        r"\b(?:card|cc)(?: (?:number|no))?[^0-9a-z]{0,3}(?:is |was |of )?[^0-9a-z]{0,3}"
        r"(\d{12}|\d{4}([ -])\d{4}\2\d{4}(?:\2\d{4})?|\d{13,19})(?![a-zA-Z0-9_])",
    ),
)
_PATTERNS = tuple((rule, re.compile(pattern)) for rule, pattern in _NAMED)
_WORDS = re.compile(
    r"\b(?:cv|cs|c v v|security|pin|social|ssn|passport|driv|dl |id|tax|national|licen|number plate"
    r"|registration|vehicle|car |citizen|government|personal|bic|swift|bank|routing|sort|card|cc)"
    rf"|安全码|密码|背面|护照|驾|证|车牌|[{_PROVINCES}][a-z]|账|卡号"
)
"""One of these stands in every named number."""
_V4 = re.compile(r"(?<![a-zA-Z0-9_.\-/])(?:\d{1,3}\.){3}\d{1,3}(?![a-zA-Z0-9_\-]|\.\d)")
_V6 = re.compile(r"(?<![a-zA-Z0-9_:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![a-zA-Z0-9_:])")
_VERSION = re.compile(
    r"\b(?:version|ver|v|firmware|release|update|build|android|ios|driver)[ .:]{0,2}$|版本|固件"
)
_MAC = re.compile(r"(?<![a-zA-Z0-9_:-])[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![a-zA-Z0-9_:-])")
_ETHER = re.compile(r"(?<![a-zA-Z0-9_])0x[0-9a-f]{40}(?![a-zA-Z0-9_])")
_BASE58 = re.compile(
    r"(?<![a-zA-Z0-9_])(?:[13T][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[02-9ac-hj-np-z]{11,71})(?![a-zA-Z0-9_])"
)


def identifiers(text: str) -> Iterator[tuple[str, int, int]]:
    """The rule and place of each identifier in a folded text."""
    if _WORDS.search(text):
        for rule, pattern in _PATTERNS:
            for match in pattern.finditer(text):
                yield rule, *match.span(1)
    if text.count(".") >= 3:
        for match in _V4.finditer(text):
            if _is_public(match.group()) and not _VERSION.search(
                text, max(0, match.start() - 12), match.start()
            ):
                yield "pii.ip_address", *match.span()
    if text.count(":") >= 2 or text.count("-") >= 5:
        for match in _V6.finditer(text):
            if match.group().count(":") >= 3 and _is_public(match.group()):
                yield "pii.ip_address", *match.span()
        for match in _MAC.finditer(text):
            yield "pii.mac_address", *match.span()
    if "0x" in text:
        for match in _ETHER.finditer(text):
            yield "pii.wallet", *match.span()


def wallets(text: str) -> Iterator[tuple[int, int]]:
    """The places of Bitcoin and Tron addresses in a text as it was written: capitals count."""
    for match in _BASE58.finditer(text):
        if _is_wallet(match.group()):
            yield match.span()


def _is_public(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return parsed.is_global and not parsed.is_multicast


def _is_wallet(text: str) -> bool:
    from hashlib import sha256

    from stdnum import bitcoin

    if not text.startswith("T"):
        return bool(bitcoin.is_valid(text))
    value = 0
    for sign in text:
        value = value * 58 + "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".index(sign)
    data = value.to_bytes(32, "big").lstrip(b"\0")
    return len(data) == 25 and sha256(sha256(data[:-4]).digest()).digest()[:4] == data[-4:]
