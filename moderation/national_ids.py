"""National identity, tax and health numbers: by form and checksum, the weaker ones only where named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib import import_module

REACH = 48
"""Characters before a number in which what it is called counts."""
_TABLE_SG = {
    "s": "jzihgfedcba",
    "t": "jzihgfedcba",
    "f": "xwutrqpnmlk",
    "g": "xwutrqpnmlk",
    "m": "xwutrqpnjlk",
}
_LETTERS_TW = "abcdefghjklmnpqrstuvxywzio"
"""Letters of Taiwan's districts in the order of their numbers, from 10 on."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of number."""

    rule: str
    pattern: re.Pattern[str]
    valid: Callable[[str], bool]
    cue: re.Pattern[str] | None = None
    """What must be said before it; None: its form is enough."""


def _stdnum(module: str, *, grouped: bool = False) -> Callable[[str], bool]:
    """Checks as python-stdnum does; `grouped`: as written, with signs between the groups."""

    def valid(number: str) -> bool:
        text = number.upper() if grouped else re.sub(r"[^0-9A-Za-z]", "", number).upper()
        return bool(import_module(f"stdnum.{module}").is_valid(text))

    return valid


def _digits(number: str) -> list[int]:
    return [int(sign) for sign in number if "0" <= sign <= "9"]


def _is_ssn(number: str) -> bool:
    return _stdnum("us.ssn")(number) or _stdnum("us.itin")(number)


def _is_singapore(number: str) -> bool:
    total = sum(a * b for a, b in zip(_digits(number), (2, 7, 6, 5, 4, 3, 2), strict=True))
    total += {"t": 4, "g": 4, "m": 3}.get(number[0], 0)
    return _TABLE_SG[number[0]][total % 11] == number[-1]


def _is_hong_kong(number: str) -> bool:
    signs = [sign for sign in number if sign.isalnum()]
    values = [36] * (9 - len(signs)) + [
        int(sign) if sign.isdigit() else ord(sign) - ord("a") + 10 for sign in signs
    ]
    return sum(value * weight for value, weight in zip(values, range(9, 0, -1), strict=True)) % 11 == 0


def _is_taiwanese(number: str) -> bool:
    code = _LETTERS_TW.index(number[0]) + 10
    digits = _digits(number)
    total = code // 10 + code % 10 * 9 + sum(a * b for a, b in zip(digits, range(8, 0, -1), strict=False))
    return (total + digits[-1]) % 10 == 0


def _is_my_number(number: str) -> bool:
    digits = _digits(number)
    rest = sum(a * b for a, b in zip(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=False)) % 11
    return digits[-1] == (0 if rest <= 1 else 11 - rest)


def _has_korean_birth(number: str) -> bool:
    try:
        date(2000 if number[7] in "3478" else 1900, int(number[2:4]), int(number[4:6]))
    except ValueError:
        return False
    return True


def _any(number: str) -> bool:
    return True


def _kinds() -> Iterator[_Kind]:
    def kind(rule: str, pattern: str, valid: Callable[[str], bool], cue: str = "") -> _Kind:
        return _Kind(
            f"pii.{rule}",
            re.compile(rf"(?<![a-z0-9_]){pattern}(?![a-z0-9_])"),
            valid,
            re.compile(cue) if cue else None,
        )

    sep = r"[ .\-]?"
    yield kind("resident_id", r"\d{6} ?(?:18|19|20)\d{6} ?\d{3}[\dx]", _stdnum("cn.ric"))
    yield kind("ssn", r"\d{3}([ -])\d{2}\1\d{4}(?!-)", _is_ssn)
    yield kind("ssn", r"\d{3}[ .]?\d{2}[ .]?\d{4}", _any, r"\bssn\b|social security|\bitin\b|taxpayer id")
    yield kind(
        "nino",
        r"(?!bg|gb|nk|kn|tn|nt|zz)[a-ceghj-prtw-z][a-ceghj-nprtw-z] ?\d{2} ?\d{2} ?\d{2} ?[a-d]",
        _any,
    )
    named = "national_id"
    yield kind(
        named, rf"\d{{3}}{sep}\d{{3}}{sep}\d{{4}}", _stdnum("gb.nhs"), r"\bnhs\b|\bchi number|health service"
    )
    yield kind(
        named,
        r"\d{2} ?\d{3} ?\d{3} ?\d{3}",
        _stdnum("de.idnr"),
        r"steuer|\bidnr\b|tax (?:id|number)|\btin\b",
    )
    yield kind(named, r"[cfghjklmnprtvwxyz0-9]{9,10}d?", _any, r"personalausweis|ausweisnummer|german id")
    yield kind(named, r"[12] \d{2} \d{2} \d[\dab] \d{3} \d{3}(?: \d{2})?", _stdnum("fr.nir"))
    yield kind(
        named,
        r"[12]\d{4}\d[\dab]\d{8}",
        _stdnum("fr.nir"),
        r"\bnir\b|securite sociale|\binsee\b|\bvitale\b|social security",
    )
    yield kind(named, r"\d{8}-?[a-z]", _stdnum("es.dni"))
    yield kind(named, r"[xyz]-?\d{7}-?[a-z]", _stdnum("es.nie"))
    yield kind(named, r"[a-z]{6} ?\d{2}[a-z]\d{2} ?[a-z]\d{3}[a-z]", _stdnum("it.codicefiscale"))
    yield kind(
        named,
        rf"\d{{4}}{sep}\d{{2}}{sep}\d{{3}}|\d{{9}}",
        _stdnum("nl.bsn"),
        r"\bbsn\b|burgerservice|sofinummer",
    )
    yield kind(named, r"[2-9]\d{3}([ -])\d{4}\1\d{4}", _stdnum("in_.aadhaar"))
    yield kind(named, r"[2-9]\d{11}", _stdnum("in_.aadhaar"), r"aadha+r|\buid(?:ai)?\b")
    yield kind(named, r"[a-z]{3}p[a-z]\d{4}[a-z]", _stdnum("in_.pan"))
    yield kind(named, r"[a-z]{3}[abcfghjlt][a-z]\d{4}[a-z]", _stdnum("in_.pan"), r"\bpan\b")
    yield kind(named, r"[stfgm]\d{7}[a-z]", _is_singapore)
    yield kind(named, r"[a-z]{1,2}\d{6}\([\da]\)", _is_hong_kong)
    yield kind(
        named, r"[a-z]{1,2}\d{6}[\da]", _is_hong_kong, r"\bhkid\b|hong kong id|香港身份证|香港居民|身份证"
    )
    yield kind(
        named,
        r"[a-z][1289]\d{8}",
        _is_taiwanese,
        r"taiwan|national id|id (?:card|number)|身[份分]证|统一编号|居留证",
    )
    yield kind(
        named,
        r"\d{4}[ -]?\d{4}[ -]?\d{4}",
        _is_my_number,
        r"my ?number|マイナン[バハ]ー|个人番号|individual number",
    )
    yield kind(named, r"\d{6}-[1-8]\d{6}", _has_korean_birth)
    yield kind(named, r"\d{3}\.\d{3}\.\d{3}-\d{2}", _stdnum("br.cpf"))
    yield kind(named, r"\d{9}-?\d{2}", _stdnum("br.cpf"), r"\bcpf\b")
    yield kind(named, r"\d{3}[ -]?\d{3}[ -]?\d{3}", _stdnum("luhn"), r"\bsin\b|social insurance")
    yield kind(named, r"\d{3} ?\d{3} ?\d{2,3}", _stdnum("au.tfn"), r"\btfn\b|tax file")
    yield kind(named, r"[2-6]\d{3} ?\d{5} ?\d", _any, r"\bmedicare\b")
    yield kind(named, r"\d{11}", _stdnum("pl.pesel"), r"\bpesel\b")
    yield kind(
        named,
        r"(?:19|20)?\d{6}[-+]\d{4}",
        _stdnum("se.personnummer", grouped=True),
        r"personn|swedish|personal (?:id|number)",
    )
    yield kind(named, r"756\.?\d{4}\.?\d{4}\.?\d{2}", _stdnum("ch.ssn"))
    yield kind(named, r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", _stdnum("be.nn"))
    yield kind(named, r"[a-z]{4}\d{6}[hm][a-z]{5}[a-z0-9]\d", _stdnum("mx.curp"))
    yield kind(named, r"\d{7}[a-w][a-iw]?", _stdnum("ie.pps"), r"\bpps")
    yield kind(named, r"\d{13}", _stdnum("za.idnr"), r"south african? id|\bid (?:no|number)|identity number")
    yield kind(named, r"\d{6}-\d{2}-\d{4}", _stdnum("my.nric"))
    yield kind(named, r"\d{11}", _stdnum("tr.tckimlik"), r"\btc\b|kimlik")
    yield kind("driving_licence", r"[a-z9]{5}\d{6}[a-z9]{2}\d[a-z]{2}", _any)


_KINDS = tuple(_kinds())


def national_ids(text: str) -> Iterator[tuple[str, int, int]]:
    """The rule and place of each number in a folded text."""
    for kind in _KINDS:
        for match in kind.pattern.finditer(text):
            start = match.start()
            if kind.cue is not None and not kind.cue.search(text, max(0, start - REACH), start):
                continue
            if kind.valid(match.group()):
                yield kind.rule, start, match.end()
