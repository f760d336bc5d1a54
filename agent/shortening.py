"""Long sentences cut where they can be: at semicolons, and where an "and" begins a clause of its own."""

from __future__ import annotations

import re

WORDS = 10
"""English words from which a sentence is long."""
HAN = 18
"""Chinese characters from which it is."""
LEAST = 4
"""Words, or characters, that a part has at least: a shorter one sounds chopped."""

_SUBJECT = (
    r"(?:you|we|it|they|there|this|that|i|he|she)\b|(?:your|our|the) \w+ "
    r"(?:is|are|was|will|can|may|must|has|have|should|does|do|takes?|comes?|goes?)\b"
)
_CUT_EN = re.compile(rf";\s+|,\s+(?=(?:and|but|so) (?:then )?(?:{_SUBJECT}))|\s+[–—]\s+", re.IGNORECASE)
_CUT_ZH = re.compile(
    r"；|，(?=(?:然后|同时|另外|此外|不过|但是?|而且|之后|最后|接着|请|您可以|我们会|您也可以|也可以))"
)
_HANGS_EN = re.compile(
    r"(?:^|,\s+)(?:if|when|while|unless|because|since|although|though|once|after|before|until|as|where"
    r"|should)\b"
    r"|\b(?:both|either|neither|whether|between|not only)\b",
    re.IGNORECASE,
)
_HANGS_ZH = re.compile(
    r"如果|要是|若|假如|一旦|万一|因为|由于|虽然|尽管|只要|除非|即使|当|为了|对于|关于|不仅|无论|(?:时|后|前|的话|以后|之前)$"
)
"""A part that is nothing without what follows it."""
_HAN = re.compile(r"[\u3400-\u9fff]")


def shorter(text: str) -> list[str]:
    """Cut a sentence of a reply into shorter ones, which say the same in the same words.

    Returns:
        At least one; the text as it is where it is short or holds no place to cut.
    """
    chinese = len(_HAN.findall(text)) > len(text) / 3
    if _length(text, chinese) < (HAN if chinese else WORDS):
        return [text]
    hangs = _HANGS_ZH if chinese else _HANGS_EN
    parts: list[str] = []
    begin = 0
    for cut in (_CUT_ZH if chinese else _CUT_EN).finditer(text):
        part, rest = text[begin : cut.start()].strip(), text[cut.end() :]
        if min(_length(part, chinese), _length(rest, chinese)) < LEAST:
            continue
        if cut.group()[0] not in ";；" and hangs.search(part):
            continue
        if part.count("“") != part.count("”") or part.count("(") + part.count("（") != part.count(
            ")"
        ) + part.count("）"):
            continue
        parts.append(part)
        begin = cut.end()
    parts.append(text[begin:].strip())
    stop = "。" if chinese else "."
    ended = [_capital(part.rstrip(",，;；")) + stop for part in parts[:-1]]
    return [*ended, _capital(parts[-1])] if ended else [text]


def _length(text: str, chinese: bool) -> int:
    return len(_HAN.findall(text)) if chinese else len(text.split())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
