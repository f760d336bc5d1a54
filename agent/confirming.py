"""Yes, no and never mind, in English and Chinese; and the book that lets a thing be done only once."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.slots import asks_something

BOOK = "actions.sqlite"
KEPT_S = 30 * 86_400.0
"""How long it is known what was done: longer than any conversation."""
BUSY_S = 5.0
"""How long a process waits for another one that writes."""

_YES = (
    r"yes|yeah|yep|yup|ya|aye|sure(?: thing)?|ok(?:ay)?|correct|right|exactly|absolutely|definitely|of course"
    r"|certainly|please|go ahead|go on|do it|do that|do so|do|that'?s (?:right|correct|it|fine)|it is"
    r"|that is|fine|perfect|confirm(?:ed)?|affirmative|by all means|sounds good|alright|all right"
    r"|i (?:do|am|confirm)"
)
_YES_ZH = (
    r"是的?|对的?|没错|好的?|可以的?|行|嗯+|要的?|确认|确定|当然|同意|没问题|办吧|麻烦(?:你|您)?了?|正确"
)
_NO = (
    r"no|nope|nah|don'?t|do not|rather not|not now"
    r"|negative|never mind|nevermind|forget (?:it|that|about it)"
    r"|leave it|stop|no way|i (?:don'?t|do not) (?:think so|want)|i changed my mind|on second thought"
    r"|not any ?more"
)
_NO_ZH = r"不|别|算了|不用|不要|不必|取消吧?|不了|先不|没有"
_WRONG = (
    r"no|nope|not|wrong|incorrect|sorry|i (?:mean|meant|said)|actually|wait|that'?s (?:not|wrong)|correction"
)
_WRONG_ZH = r"不(?:对|是)?|错|应该是|我(?:说|指)的?是|更正"
_HESITATES = (
    r"(?:(?:um+|uh+|er+|h?mm+|hm+|ah|oh|well|please|actually|ok(?:ay)?|wait|sorry|but|so|then|maybe"
    r"|you know what|i think|i guess|on second thoughts?)\W+"
    r"|(?:其实|还是|那就?|等等|等一?下|嗯+|哦|呃|啊|我想|要不|好吧|不好意思|抱歉|对不起|请)\W*)*"
)
_NONE_ZH = rf"(?!不错|没错|没问题|不过|不好意思|不客气)(?:{_NO_ZH})"
_REFUSES = re.compile(rf"\W*{_HESITATES}(?:(?:{_NO})\b|{_NONE_ZH})")
_REFUSES_ONLY = re.compile(
    rf"{_HESITATES}(?:(?:(?:{_NO})\b|{_NONE_ZH})[\W了吧]*)+(?:thanks?|thank you|please|谢谢|麻烦)?\W*"
)
_AGREES_FIRST = re.compile(
    rf"\W*(?:(?:{_YES})\b\s*)+[,.!;，。！]+\s*|\W*(?:{_YES_ZH})[，。！,]+\s*", re.IGNORECASE
)
_BUT = re.compile(
    rf"\W*(?:(?:um+|uh+|oh|well)\W+)*(?:(?:(?:{_YES})\b|thanks|thank you)\W*)+"
    r"(?P<but>but|though|only|however)?\W*"
    r"(?P<first>first(?: of all)?|before (?:that|you do(?: (?:that|it|so))?))?\b\W*"
    r"(?P<rest>\S.*)"
    rf"|\W*(?:(?:{_YES_ZH})[，。！,\s]*)+(?P<but_zh>不过|但是?|可是|只是)?[，,\s]*"
    r"(?:请|你|您|我想|我要|能不能)*(?P<first_zh>首?先)?(?P<rest_zh>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_ASKS = re.compile(
    r"(?:please |can you |could you |you )*(?:tell|explain|show|remind|say|let me know|what about)\b"
    r"|(?:how about|i have a question|i(?:'d| would) (?:like|want) to (?:know|ask)"
    r"|i (?:want|need) to (?:know|ask)|one (?:more )?question|a question)\b"
    r"|(?:请|你|您|再|给我|跟我|我想|我要)*(?:告诉|说说|讲讲|说一下|讲一下|解释|介绍|知道|问)",
    re.IGNORECASE,
)
_LEAVES = re.compile(
    r"\b(?:never ?mind|forget (?:it|about it|that)|cancel (?:that|this|it)|leave it|stop|i changed my mind"
    r"|doesn'?t matter|no thanks?|no thank you|nothing|skip (?:it|that))\b"
    r"|^\W*(?:no|nope|cancel)\W*$"
    r"|算了|不用了|不必了|不查了|不办了|不要了|没事了|取消吧|不需要了|^\W*(?:不|取消|不要|不用)\W*$",
    re.IGNORECASE,
)
_WAITS = re.compile(
    r"^\W*(?:(?:just|ok|okay|sure|yes|um+|uh+|please)\W+)*(?:(?:one|a) (?:moment|second|sec|minute)"
    r"|hold on|hang on|wait|let me (?:see|look|check|find|get)|i'?ll (?:check|look|find|get)"
    r"|i have to (?:look|check|find))\b"
    r"|^\W*(?:请|您|你)?(?:稍等|等一?等|等一?下|等会儿?|稍候)|我(?:找|看|查)(?:一?下|找|看|查)",
    re.IGNORECASE,
)
_LACKS = re.compile(
    r"\b(?:don'?t|do not|didn'?t|can'?t|cannot) (?:have|know|remember|find|recall|see|got)\b|\bno idea\b"
    r"|\bnot sure\b|\bi (?:lost|forgot|deleted)\b|没有|不知道|不记得|忘了|找不到|不清楚|想不起",
    re.IGNORECASE,
)
_FILLERS = re.compile(
    r"\b(?:um+|uh+|er+|well|oh|ah|hm+|so|then|and|thanks|thank you|very much|now|the|a|my|me|for|it|that|this"
    r"|you|can|with|just|want|would|like|to|i|i'd)\b|[呀啊吧呢哦哈嘛了您你我请就那这个帮的把]+|谢谢|[^\w\u3400-\u9fff']+",
    re.IGNORECASE,
)


class Nod(StrEnum):
    """What an answer to "shall I?" means."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


def nod(text: str, question: str = "") -> Nod:
    """Tell what an answer to a yes-or-no question means.

    Yes is only what says nothing besides: "yes, but …" is unclear, and so is a yes with a no in it.

    Args:
        text: the visitor's words.
        question: as it was asked; its words may be taken up in the answer.
    """
    said = text.casefold().replace("’", "'").strip()
    taken_up = re.match(r"\W*(?:取消|cancel)", said) and re.search(r"取消|cancel", question.casefold())
    if not taken_up and _REFUSES.match(said):
        return Nod.NO
    rest, times = re.subn(rf"\b(?:{_YES})\b", " ", said)
    if re.search(r"[\u3400-\u9fff]", said):
        rest, more = re.subn(_YES_ZH, " ", rest)
        times += more
    asked = set(re.findall(r"[a-z0-9]+", question.casefold()))
    rest = " ".join(word for word in rest.split() if word.strip(".,!?;:'") not in asked)
    rest = _FILLERS.sub(" ", rest)
    rest = re.sub(
        r"[\u3400-\u9fff0-9]{2,}", lambda run: " " if run.group() in question else run.group(), rest
    )
    return Nod.YES if times and not rest.strip("' ") else Nod.UNCLEAR


def bare(text: str) -> Nod:
    """Tell whether a text is a mere yes or a mere no, and so no answer to a question for words."""
    if nod(text) is Nod.YES:
        return Nod.YES
    said = text.casefold().replace("’", "'").strip()
    return Nod.NO if _REFUSES_ONLY.fullmatch(said) else Nod.UNCLEAR


def without_yes(text: str) -> str:
    """Return a text without the "yes, please," that goes before it."""
    found = _AGREES_FIRST.match(text)
    return text[found.end() :] or text if found else text


def asked_before(text: str) -> str:
    """Return what the visitor wants to know before they agree: "yes, but first tell me …"; else empty."""
    found = _BUT.fullmatch(text.replace("’", "'").strip())
    if found is None:
        return ""
    rest = str(found["rest"] or found["rest_zh"] or "")
    trimmed = re.sub(r"\W+first\W*$", "", rest, flags=re.IGNORECASE)
    first = found["first"] or found["first_zh"] or trimmed != rest
    asks = _ASKS.match(trimmed) or asks_something(trimmed)
    return trimmed if asks and (first or found["but"] or found["but_zh"]) else ""


def corrects(text: str) -> bool:
    """Tell whether the visitor says that something was understood wrongly: "no, four one one eight"."""
    return bool(re.match(rf"\W*(?:(?:um+|uh+|oh|er+)\W+)*(?:(?:{_WRONG})\b|{_WRONG_ZH})", text.casefold()))


def leaves(text: str) -> bool:
    """Tell whether the visitor gives up what was begun: "never mind"."""
    return bool(_LEAVES.search(text))


def waits(text: str) -> bool:
    """Tell whether the visitor asks for time to look something up: "one moment"."""
    return bool(_WAITS.search(text.replace("’", "'")))


def lacks(text: str) -> bool:
    """Tell whether the visitor cannot say what they were asked for."""
    return bool(_LACKS.search(text))


@dataclass(frozen=True, slots=True)
class Done:
    """What is known of an action that was begun before."""

    finished: bool
    """Its tool came to an end; what it said is not kept, for it may name the visitor."""


class ActionBook:
    """Which actions were begun and finished, in the desk's state folder; processes may share it.

    Args:
        folder: the desk's state.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / BOOK

    def claim(self, key: str, tool: str) -> Done | None:
        """Begin an action; None: it is the caller's, who must do it now. Else what became of it before.

        Raises:
            sqlite3.Error, OSError: it cannot be written down, so that it must not be done.
        """
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as book, book:
            book.execute("DELETE FROM begun WHERE begun_s < ?", (time.time() - KEPT_S,))
            mine = book.execute(
                "INSERT OR IGNORE INTO begun (key, tool, begun_s) VALUES (?, ?, ?)",
                (key, tool, time.time()),
            ).rowcount
            if mine:
                return None
            row = book.execute("SELECT finished FROM begun WHERE key = ?", (key,)).fetchone()
            return Done(bool(row and row[0]))

    def finish(self, key: str) -> None:
        """Write down that an action came to an end."""
        with closing(self._open()) as book, book:
            book.execute("UPDATE begun SET finished = 1 WHERE key = ?", (key,))

    def forget_lines(self) -> None:
        """Erase what tools said, if an earlier release wrote that into the book.

        Raises:
            sqlite3.Error: the book cannot be written.
        """
        if self._file.exists():
            self._open().close()

    def _open(self) -> sqlite3.Connection:
        book = sqlite3.connect(self._file, timeout=BUSY_S)
        book.execute(
            "CREATE TABLE IF NOT EXISTS begun"
            " (key TEXT PRIMARY KEY, tool TEXT NOT NULL, begun_s REAL NOT NULL, finished INTEGER DEFAULT 0)"
        )
        if book.execute(_HAS_LINES).fetchone():
            _without_lines(book)
        return book


_HAS_LINES = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'actions'"


def _without_lines(book: sqlite3.Connection) -> None:
    """Take over what an earlier release wrote, and overwrite the lines in it: they may name visitors."""
    book.execute("PRAGMA secure_delete = ON")
    with book:
        book.execute("BEGIN IMMEDIATE")
        if book.execute(_HAS_LINES).fetchone():  # else another process was first
            book.execute("INSERT OR IGNORE INTO begun SELECT key, tool, begun_s, line <> '' FROM actions")
            book.execute("DROP TABLE actions")


def action_key(conversation: str, tool: str, values: Mapping[str, str]) -> str:
    """Return the key under which an action of a conversation is done at most once; it hides the values."""
    whole = json.dumps([conversation, tool, sorted(values.items())], ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()
