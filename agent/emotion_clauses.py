"""An utterance in its clauses: which ask, which only tell a feeling, and what is left to search for."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from agent.confirming import Nod, nod
from agent.slots import asks_something
from agent.smalltalk import Talk, small_talk
from knowledge.words import words_of

WORDS = Path(__file__).with_name("emotion_clauses.toml")
LONGEST = 600
"""Characters of an utterance that is taken apart; nobody says more in one breath."""
SHORT_CRY = 40
"""Characters of a question that is none, as "are you kidding me?", with what goes with it."""
SHORTEST_REST = {"en": 4, "zh": 2}
"""Letters of what is left of an utterance, at least."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_END = re.compile(
    r"[^.!?。！？…\n]*(?:[.!?。！？…\n](?!\d)+)+[\"'”’）)]*\s*|[^.!?。！？…\n]+$|.+$", re.DOTALL
)
_PART = re.compile(r"[^,，;；—]+(?:[,，;；—]+\s*|$)|[,，;；—]+\s*")
_ASKS_FROM = re.compile(
    r"(?<=\s)(?:where|when|why|how|what|who|which|can|could|would|will|do|does|did|is|are|i want|i need"
    r"|i would like"
    r"|please|cancel|tell|show|give|help)\b(?=\s)"
    r"|请问|怎么|为什么|为啥|什么时候|啥时候|多久|多少|几[点天]|哪里|哪儿|能不能|可不可以|可以|能|我的|我要"
    r"|我想|帮我|请|麻烦|快",
    re.IGNORECASE,
)
_WISHES = re.compile(
    r"\W*(?:(?:and|but|so|now|then|just|please|ok|okay|well)\W+)*(?:please|i (?:want|need|would like|wish"
    r"|have to)|i'?d like"
    r"|let me|tell|show|give|send|cancel|change|return|refund|track|check|find|help|get|book|open|stop|call"
    r"|put|connect)\b"
    r"|.{0,6}(?:帮我|给我|替我|我[要想得]|请|麻烦|取消|查|退|换|改|转|告诉)",
    re.IGNORECASE,
)
POLITE = re.compile(
    r"\W*(?:(?:i am|i'm) )?(?:so |very )?(?:sorry|excuse me|pardon me)"
    r"(?: (?:to|for|if i) (?:bother|troubl|disturb|interrupt|ask)\w*(?: you)?(?: again)?)?(?= but\b|[,，.!]"
    r"|\W*$)"
    r"|\W*(?:不好意思|抱歉|打扰)(?:打扰|麻烦)?(?:您|你|你们)?(?:一下|了)?(?=[，,。！!\s]|$)",
    re.IGNORECASE,
)
"""An apology that is a courtesy, where a question follows."""
_RHETORICAL = re.compile(
    r"\W*(?:what an? |how dare\b|how (?:rude|awful|lovely|nice|kind|annoying|stupid|sweet)\b"
    r"|what the (?:hell|heck|fuck)\W*$"
    r"|are you (?:fucking |bloody )?(?:kidding|joking|serious|deaf|blind|stupid)\b(?: me)?\W*$|seriously\W*$"
    r"|(?:开什么玩笑|搞什么|什么玩意儿?|什么态度|什么破\w{1,2}|有没有搞错|什么鬼)(?:啊|呀|吗)?\W*$)",
    re.IGNORECASE,
)
_MARKS = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of an utterance."""

    text: str
    """With the marks and spaces behind it."""
    asks: bool
    feels: bool
    """It only tells a feeling, greets or thanks."""


@lru_cache(maxsize=256)
def clauses_of(text: str) -> tuple[Clause, ...]:
    """Take an utterance apart; put together again, the clauses' texts are the utterance."""
    if len(text) > LONGEST:
        return (Clause(text, _asks(text), feels=False),)
    found: list[Clause] = []
    for sentence in _END.findall(text):
        for part in _PART.findall(sentence) or [sentence]:
            found += _divided(part)
    return tuple(found)


def asked_of(text: str) -> str:
    """Return what is left of an utterance to be searched for, and done, without what only tells a feeling.

    "I am furious! Where is my order?" asks "Where is my order?". Words that ask and wish for nothing stay
    whole, as do answers to a question of the desk's.
    """
    if nod(text) is not Nod.UNCLEAR:
        return text
    parts = clauses_of(text)
    kept = "".join(part.text for part in parts if not part.feels).strip(" ,，;；—\n")
    letters = sum(character.isalnum() for character in kept)
    if len(kept) == len(text.strip()) or letters < SHORTEST_REST["zh" if _HAN.search(kept) else "en"]:
        return text
    return kept if asks(kept) and any(not word.plain or word.concepts for word in words_of(kept)) else text


def asks(text: str) -> bool:
    """Tell whether any clause of an utterance asks or wishes for something."""
    return any(part.asks or _WISHES.match(part.text) for part in clauses_of(text) if not part.feels)


def told_of(text: str) -> str:
    """Return the clauses of an utterance that ask nothing; empty where none asks, or all do."""
    parts = [part for part in clauses_of(text) if _MARKS.search(part.text)]
    telling = [part.text for part in parts if not part.asks and not POLITE.match(part.text)]
    return "".join(telling).strip() if len(telling) < len(parts) else ""


def only_feels(text: str) -> bool:
    """Tell whether an utterance tells a feeling and nothing else."""
    parts = [part for part in clauses_of(text) if _MARKS.search(part.text)]
    return bool(parts) and all(part.feels for part in parts)


def _divided(part: str) -> list[Clause]:
    """Divide what was said in one breath where a question follows a feeling: "I am furious where is it"."""
    if _feels(part):
        return [Clause(part, asks=False, feels=True)]
    for start in (match.start() for match in _ASKS_FROM.finditer(part)):
        head, tail = part[:start], part[start:]
        if start and not _asks(head) and _feels(head) and words_of(tail):
            return [Clause(head, asks=False, feels=True), Clause(tail, _asks(tail), feels=False)]
    return [Clause(part, _asks(part), feels=False)]


def _asks(part: str) -> bool:
    part = part.rstrip(" ,，;；—").replace("不怎么", "不太")
    return asks_something(part) and not _RHETORICAL.match(part)


def _feels(part: str) -> bool:
    if not _MARKS.search(part):
        return False
    if small_talk(part) in (Talk.GREETING, Talk.THANKS):
        return nod(part) is not Nod.NO
    if (polite := POLITE.match(part)) and not _MARKS.search(part[polite.end() :]):
        return True
    if _RHETORICAL.match(part) and len(part) <= SHORT_CRY:
        return True
    if re.search(r"\d|[?？]", part):
        return False
    vocabulary, feels = _vocabulary(), False
    for word in words_of(part):
        told = vocabulary.tells(word.surface)
        feels = feels or told
        if not told and not vocabulary.around(word.surface) and (not word.plain or word.concepts):
            return False
    return feels


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    feelings: frozenset[str]
    beginnings: tuple[str, ...]
    things: frozenset[str]

    def tells(self, word: str) -> bool:
        word = word.casefold()
        if word in self.feelings or word.startswith(self.beginnings):
            return True
        bare = word.strip("太很真好非常了我们你死的是")
        return bool(_HAN.match(word)) and bare in self.feelings

    def around(self, word: str) -> bool:
        return word.casefold() in self.things


@lru_cache(maxsize=1)
def _vocabulary() -> _Vocabulary:
    data = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    feelings = [word for language in data.values() for word in language["feelings"].split()]
    return _Vocabulary(
        frozenset(word for word in feelings if not word.endswith("*")),
        tuple(word[:-1] for word in feelings if word.endswith("*")),
        frozenset(word for language in data.values() for word in language["around"].split()),
    )
