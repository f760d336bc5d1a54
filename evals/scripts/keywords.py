"""What of a reply must not change when it is worded anew: numbers, addresses, names."""

from __future__ import annotations

import re

from moderation.mask import unlabelled

MOST = 6
"""Of one reply."""
MOST_FACTS = 4
"""That one reply must hold: more, and no other wording passes."""
_ADDRESS = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://[^\s，。）)]+|\b(?:[\w-]+\.)+(?:com|org|net|example)\b"
)
_UNIT = (
    r"%|€|£|\$|°C|(?:kg|g|km|cm|mm|m|ml|l|h|min|kB|MB|GB|EUR|USD|GBP|CNY|am|pm)\b"
    r"|(?:working |business )?(?:day|week|month|year|hour|minute|euro|pound|dollar)s?\b"
    r"|个?工作日|个月|小时|分钟|[天日年月周元块折]"
)
_GRAMMAR = "is|are|was|were|has|have|will|can|and|or|to|in|on|at|for|of|by|with|from|the|a|an|if|you|we"
_DIGITS = r"[€£$¥￥]?\d+(?:[.,:/ -]\d+)*"
_NUMBER = re.compile(rf"{_DIGITS}(?:\s?(?:{_UNIT}))?")
_FIGURE = re.compile(
    rf"(?:{_DIGITS}(?:\s?(?:to|or|and|[-–—~到至或])\s?))?{_DIGITS}"
    rf"(?:\s?(?:{_UNIT})|\s?[\u3400-\u9fff]{{1,2}}| (?!(?:{_GRAMMAR})\b)[A-Za-z]+)?"
)
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_DATE = re.compile(
    rf"\d{{4}}-\d\d?-\d\d?|\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? \d{{4}})?"
    rf"|\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|(?:\d{{4}}\s?年\s?)?\d+\s?月\s?\d+\s?[日号]"
    r"|\bin \d+ (?:day|week)s?\b|\b\d+ (?:day|week)s? ago\b|\d+\s?天[前后]|\b\d{1,2}:\d\d\b"
    rf"|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|\b{_MONTH}(?= \d)"
)
_DIGIT = re.compile(r"\d")
"""Alone it says too little: it stands in many other replies."""
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
    capitals = (match.group() for match in _NAME.finditer(rest))
    found |= dict.fromkeys(name for name in capitals if not _NOT_NAMES.fullmatch(name))
    return tuple(found)[:MOST]


def undated(text: str) -> str:
    """Return a text without its days, times and spans until them, which move with the calendar."""
    return _DATE.sub("; ", text)


def facts(text: str) -> tuple[str, ...]:
    """Return what makes a reply wrong where it changes: addresses, and figures with what they count.

    Args:
        text: the reply, personal data masked.

    Returns:
        At most `MOST_FACTS`: "2 to 4 working days", not "2"; each once.
    """
    plain = unlabelled(text)
    found = dict.fromkeys(match.group().rstrip(".,") for match in _ADDRESS.finditer(plain))
    rest = _ADDRESS.sub("; ", plain)
    found |= dict.fromkeys(one.strip() for one in _FIGURE.findall(rest) if not _DIGIT.fullmatch(one))
    return tuple(found)[:MOST_FACTS]


def names(text: str) -> tuple[str, ...]:
    """Return a reply's keywords without its facts."""
    return tuple(one for one in keywords(text) if not _ADDRESS.fullmatch(one) and not _NUMBER.search(one))
