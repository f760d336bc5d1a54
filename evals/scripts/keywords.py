"""What of a reply must not change when it is worded anew: numbers, addresses, names."""

from __future__ import annotations

import re

from moderation.mask import unlabelled

MOST = 6
"""Of one reply."""
_ADDRESS = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://[^\s，。）)]+|\b(?:[\w-]+\.)+(?:com|org|net|example)\b"
)
_UNIT = (
    r"%|€|£|\$|°C|(?:kg|g|km|cm|mm|m|ml|l|h|min|kB|MB|GB|EUR|USD|GBP|CNY|am|pm)\b"
    r"|(?:working |business )?(?:day|week|month|year|hour|minute|euro|pound|dollar)s?\b"
    r"|个?工作日|个月|小时|分钟|[天日年月周元块折]"
)
_NUMBER = re.compile(rf"[€£$¥￥]?\d+(?:[.,:/ -]\d+)*(?:\s?(?:{_UNIT}))?")
_NAME = re.compile(
    r"(?:(?<=[\w,;] )|(?<=[\u3001\u3400-\u9fff，]))"  # the first word of a sentence has a capital anyway
    r"(?!I\b)[A-Z][\w'’-]+(?: (?:and |of |& )?[A-Z][\w'’-]+)*"
)
_NOT_NAMES = re.compile(r"(?:Yes|No|Ok|OK|Please|You|We|It|The|If|I)(?:['’]\w+)?")


def keywords(text: str) -> tuple[str, ...]:
    """Return a reply's numbers with their units, addresses and names, in this order, each once.

    Placeholders of personal data are passed over.
    """
    plain = unlabelled(text)
    found = dict.fromkeys(match.group().rstrip(".,") for match in _ADDRESS.finditer(plain))
    rest = _ADDRESS.sub(" ", plain)
    found |= dict.fromkeys(match.group().strip() for match in _NUMBER.finditer(rest))
    names = (match.group() for match in _NAME.finditer(rest))
    found |= dict.fromkeys(name for name in names if not _NOT_NAMES.fullmatch(name))
    return tuple(found)[:MOST]
