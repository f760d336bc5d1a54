"""The questions of an utterance, and what is told beside them: "my train leaves now, how late are you …?"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from agent.slots import asks_something
from agent.splitter import split_sentences
from knowledge.words import words_of

MOST = 3
"""Questions that are answered at a time: nobody remembers more answers."""
LONGEST = 900
"""Characters of an utterance that is taken apart."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_HELPERS = (
    r"(?:can|could|may|do|does|did|is|are|was|will|would|should|must|has|have)(?:n't)? "
    r"(?:i|you|we|they|it|he|she|there|the|your|my|our|this|that|these|those|a|an|any|one|students?|children|dogs?)\b"
)
_WH = r"(?:what|when|where|who|which|why|whose|how)(?:'s|'re)?\b"
_JOIN = re.compile(
    r"(?:[,;:–—]\s*|\s+)(?:and|also|plus|but|so|then)(?:,? (?:also|then|so|if so|secondly))?,?\s+"
    rf"(?={_WH}|{_HELPERS})"
    rf"|[,;:–—]\s*(?={_WH} (?!i\b|we\b|my\b)\w+|{_HELPERS})",
    re.IGNORECASE,
)
"""Where a question begins inside a sentence; "or" joins two answers of one question."""
_JOIN_ZH = re.compile(
    r"[，,；;、]\s*(?:还有|另外|以及|顺便(?:问(?:一下)?)?|再(?:就是|问一下)|那么?|然后|同时|所以)?[，,：:]?\s*"
    r"|(?<=[吗呢])(?:还有|另外|以及|顺便)[，,：:]?"
)
_ASKS_ZH = re.compile(
    r"吗|呢$|怎么|如何|什么|多少|几[点天个时岁号次楼欧块]|哪|为什么|多[久长大远贵快早晚]|能不能|可不可以|可否|能否|是否|是不是|有没有|要不要|行不行|会不会"
)
_LEAD_EN = re.compile(
    r"^\W*(?:(?:and|also|plus|but|so|then|ok|okay|well|um+|uh+|oh|hi|hello|hey|there|please|secondly|firstly|first"
    r"|second|thanks|right|now|good (?:morning|afternoon|evening|day))\b\W*)+",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"\W*(?:(?:can|could|may|might|would) (?:i|you|someone|we) (?:please |just |quickly )?"
    r"(?:ask|help|have a question|answer|tell me something|bother|disturb)\b.{0,40}"
    r"|(?:do|have) you (?:have |got )?(?:a (?:minute|moment|second)|time).{0,12}"
    r"|how are you\b.{0,20}|(?:you know|guess) what\b.{0,4}|is (?:anyone|anybody|someone) there\b.{0,4}"
    r"|are you (?:there|listening)\b.{0,4}"
    r"|what (?:should|can|do|am|would) (?:i|we) (?:supposed to )?do(?: now)?)\W*$"
    r"|[^\w]*(?:请问|你好|您好|在吗|有人吗|怎么办"
    r"|(?:可以|能)?(?:帮|问)(?:我|您|你)?(?:一下|个问题|个忙)?(?:吗|好吗)?)\W*$",
    re.IGNORECASE,
)
"""Questions that ask for nothing in particular."""
_STARTS = re.compile(
    rf"(?!(?:when|where|what|who) (?:i|we|he|she|they|my|our|the)\b)(?:{_WH}|{_HELPERS}|(?:am|were) )"
    r"|(?:please )?tell (?:me|us)\b|i(?:'d| would)? (?:\w+ )?(?:want|like|need) to (?:know|ask)\b|i wonder\b",
    re.IGNORECASE,
)
_IF = re.compile(r"\W*(?:(?:and|but|so|well|ok(?:ay)?)\W+)*(?:if|unless|in case|suppos\w+)\b", re.IGNORECASE)
_WHEN = re.compile(
    r"\W*(?:when(?:ever)?|once|because|since|after|before|while|as soon as)\b"
    r"(?! (?:do|does|did|is|are|can|will)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Questions:
    """An utterance, taken apart."""

    asked: tuple[str, ...]
    """Its questions in their order, each as it was said."""
    told: tuple[str, ...]
    """What is told around them."""


@lru_cache(maxsize=256)
def questions_of(text: str) -> Questions:
    """Take an utterance apart; one that asks once and tells nothing comes back whole."""
    whole = Questions((text,), ())
    if len(text) > LONGEST:
        return whole
    asked: list[str] = []
    told: list[str] = []
    for sentence in split_sentences(text):
        chinese = bool(_HAN.search(sentence))
        parts = _parts_zh(sentence) if chinese else _parts(sentence)
        for part in parts:
            asks = _asks_zh(part) if chinese else _asks(part)
            if asks and not _COURTESY.match(part):
                asked.append(part)
            elif re.search(r"\w", part):
                told.append(part)
    if not asked or len(asked) == 1 and not told:
        return whole
    return Questions(tuple(asked), tuple(told))


def _parts(sentence: str) -> list[str]:
    cuts = [match.span() for match in _JOIN.finditer(sentence)]
    parts: list[str] = []
    begin = 0
    for start, end in cuts:
        before, join = sentence[begin:start], sentence[start:end]
        if _IF.match(before) or not re.search(r"\w", join) and _WHEN.match(before):
            continue  # "if it breaks, can I …" is one question
        parts.append(before)
        begin = end
    parts.append(sentence[begin:])
    return [part.strip(" ,;") for part in parts if part.strip(" ,;")]


def _asks(part: str) -> bool:
    bare = _LEAD_EN.sub("", part.replace("’", "'"))
    return bool(_STARTS.match(bare)) or part.rstrip().endswith("?") and asks_something(part)


def _parts_zh(sentence: str) -> list[str]:
    """Cut at commas, but for "if it breaks, can I …", which is one question."""
    parts: list[str] = []
    begin = 0
    for match in _JOIN_ZH.finditer(sentence):
        before = sentence[begin : match.start()]
        if re.match(r"\W*(?:如果|要是|假如|若是?|万一|因为|当)", before) and not _asks_zh(before):
            continue
        parts.append(before)
        begin = match.end()
    parts.append(sentence[begin:])
    return [part.strip(" ，,；") for part in parts if part.strip(" ，,；")]


def _asks_zh(part: str) -> bool:
    return bool(_ASKS_ZH.search(part.rstrip("？?。！!"))) or part.rstrip().endswith(("？", "?"))


def topical(text: str) -> frozenset[str]:
    """Return by what the words that a text is about are found."""
    return frozenset(
        word.key
        for word in words_of(text)
        if not word.plain and not (word.concepts and all(name.startswith("#~") for name in word.concepts))
    )
