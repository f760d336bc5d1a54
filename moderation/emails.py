"""E-mail addresses: written, made unreadable for machines, spelt aloud in English or Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WRITTEN = re.compile(
    r"(?<![a-z0-9._%+/-])[a-z0-9_%+-][a-z0-9._%+-]{0,63}@[a-z0-9][a-z0-9-]{0,62}"
    r"(?:\.[a-z0-9-]{1,63}){0,3}\.[a-z]{2,24}(?![a-z])"
)
_AT = r" ?(?:[\[({<] ?(?:at|@) ?[\])}>]|@| at |艾特|爱特|圈a) ?"
_DOT = r" ?(?:[\[({<] ?(?:dot|punkt|\.) ?[\])}>]| dot | point | punto |\.|点) ?"
_JOINT = r" ?(?:dot|point|underscore|dash|hyphen|minus|plus|下划线|横线|减号|点|[._\-+])(?: |(?<=[^a-z])) ?"
_PART = r"[a-z0-9]{1,30}"
_SPELT = r"(?:[a-z0-9] ){2,24}[a-z0-9]"
_TLD = (
    r"(?:com|net|org|co|io|cn|uk|de|fr|edu|gov|info|me|example|eu|us|ca|au|in|jp|kr|it|es|nl|ch|at|be|se|no|dk|fi"
    r"|pl|pt|br|mx|nz|sg|hk|tw|ie|za|ru|biz|app|dev|ai|tv|xyz|shop|store|online|site)"
)
_SPOKEN = re.compile(
    rf"(?<![a-z0-9./@])(?:{_SPELT}|{_PART})(?:{_JOINT}(?:{_SPELT}|{_PART})){{0,5}}"
    rf"{_AT}((?:{_SPELT}|[a-z0-9-]{{1,40}})(?:{_DOT}[a-z]{{2,12}}){{0,2}}){_DOT}{_TLD}(?![a-z])"
)
_PRIVATE = re.compile(
    r"^(?:g ?mail|google ?mail|yahoo|hot ?mail|outlook|live|msn|icloud|aol|gmx|web|proton ?mail|proton|mail"
    r"|yandex|zoho|comcast|verizon|btinternet|qq|163|126|139|189|sina|sohu|foxmail|aliyun|yeah|example)\b"
)
"""Where private people have their addresses."""
_CUE = re.compile(
    r"e ?-?mail|\bmail\b|\baddress\b|\bwrite (?:to|me)\b|\breach\b|\bcontact\b|\bsend\b|\bmy\b"
    r"|邮箱|邮件|信箱|地址|联系"
)
_CUE_REACH = 50
"""Characters before an address in which its name counts."""
_JOINED = re.compile(r"[._]|\b(?:dot|underscore|dash|hyphen|point|下划线|横线|点)\b|\d")
_MARKS = re.compile(r"@| at |艾特|爱特|圈a|[\[({<] ?at")
_VERBS = frozenset(
    ("look", "order", "shop", "us", "is", "it", "me", "online", "available", "arrived", "was", "are")
)
"""What stands before "at" in a sentence about a shop's page: "order at lamps dot com"."""


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Where e-mail addresses stand in a folded text."""
    if not _MARKS.search(text):
        return
    taken: list[tuple[int, int]] = []
    for match in _WRITTEN.finditer(text):
        taken.append(match.span())
        yield match.span()
    for match in _SPOKEN.finditer(text):
        start, end = match.span()
        if any(start < last and first < end for first, last in taken[-64:]):
            continue
        local = text[start : match.start(1)]
        before = text[max(0, start - _CUE_REACH) : start]
        if (
            "@" in local
            or _PRIVATE.search(match[1])
            or _JOINED.search(local)
            or (_CUE.search(before) and local.split()[0] not in _VERBS)
        ):
            yield start, end
