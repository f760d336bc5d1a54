"""Questions that a desk did not answer, or not well: collected from the event store, those alike together."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from agent.confirming import Nod, leaves, nod
from agent.sentence import Outcome
from agent.smalltalk import Talk, small_talk
from knowledge.grouping import alike
from knowledge.words import language_of
from server.live import tables

if TYPE_CHECKING:
    from knowledge import KnowledgeBase
    from server.live.database import Database

LOW = "low_rated"
KINDS = (Outcome.ABSTAINED.value, Outcome.HANDOFF.value, Outcome.CLARIFIED.value, LOW)
"""Not known, passed on to a person, asked back, and answered but rated down by the visitor."""
MOST_PHRASINGS = 12
"""Other ways of asking that are told of one matter."""
MOST_ANSWERS = 3
ANSWER_CHARS = 300
QUESTION_CHARS = 400
"""A longer question is a letter; its beginning tells what it is about."""

_DIGITS = re.compile(r"(?<![A-Za-z0-9.,])\+?\d(?:[ -]?\d){4,}(?![A-Za-z0-9])")
"""Order numbers and the like: no personal data by themselves, and no part of what is asked."""
_NAMED = (
    re.compile(
        r"\b((?i:my (?:(?:first|last|full|sur)[ -]?)?name(?:'s| is)|i am called|i'm called))\s+"
        r"[A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]*){0,3}"
    ),
    re.compile(r"(我叫|我的名字(?:是|叫)|我姓|本人)\s*[\u3400-\u9fff]{1,4}?(?=$|[\s，。,.！!？?；;、的])"),
)
"""How people say who they are."""
_PAUSE = re.compile(r"[,，.。!！;；:：]")
_ASKS = re.compile(r"[?？]\W*$")
_LETTER = re.compile(r"[^\W\d_]")
_HIDES = {"en": ("[number]", "[name]"), "zh": ("[号码]", "[姓名]")}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to which a visitor got no good answer."""

    text: str
    """Personal data masked."""
    kind: str
    """One of `KINDS`."""
    at: float
    """Seconds since 1970, UTC."""
    session: str
    answer: str = ""
    """What the desk said, where that was rated down; personal data masked."""
    sources: tuple[str, ...] = ()
    """What that rested on."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What the store tells of one desk."""

    asked: tuple[Asked, ...]
    turns: int
    """All that were had in the time."""
    persons: int
    """How often a visitor asked for a person and for nothing else."""
    wordless: int
    """Questions whose words were not kept."""


@dataclass(frozen=True, slots=True)
class Matter:
    """Questions that ask for the same."""

    question: str
    """The one that stands for the others."""
    language: str
    times: int
    visitors: int
    kinds: Mapping[str, int]
    """kind → times"""
    last: float
    """When it was asked last, seconds since 1970, UTC."""
    phrasings: tuple[str, ...]
    """Other ways in which it was asked, the commonest first."""
    answers: tuple[str, ...] = field(default=())
    """What the desk said, where that was rated down."""
    sources: tuple[str, ...] = ()


def collect(database: Database, desk: str, since: float, mask: Callable[[str], str]) -> Collected:
    """Read from the store what a desk did not answer well.

    Args:
        database: of the events.
        desk: as the server names it.
        since: seconds since 1970, UTC.
        mask: returns a text without personal data.

    Raises:
        LiveError: "store_unavailable".
    """
    events, sessions = tables.events, tables.sessions
    query = (
        sa.select(events.c.session_id, events.c.kind, events.c.turn, events.c.at, events.c.data)
        .join(sessions, sessions.c.id == events.c.session_id)
        .where(sessions.c.desk == desk, events.c.kind.in_(("turn", "rating")), events.c.at >= since)
        .order_by(events.c.id)
    )
    turns: dict[tuple[str, int | None], tuple[float, dict[str, object]]] = {}
    ratings: dict[tuple[str, int | None], int] = {}

    def read(connection: sa.Connection) -> None:
        for row in connection.execute(query.execution_options(yield_per=1000)):
            data = json.loads(row.data)
            if row.kind == "rating":
                ratings[row.session_id, row.turn] = int(data.get("value", 0))
            elif _wanted(data) or (row.session_id, row.turn) not in turns:
                turns[row.session_id, row.turn] = (row.at, data)

    database.read(read)
    asked: list[Asked] = []
    persons = wordless = 0
    said: dict[str, str] = {}
    for place, (at, data) in turns.items():
        before, heard = said.get(place[0], ""), str(data.get("heard") or "")
        said[place[0]] = heard or before
        low = ratings.get(place, 0) < 0
        if not (low or _wanted(data)):
            continue
        question = " ".join(str(data.get("question") or "").split())
        if not question:
            wordless += "question" not in data
            continue
        if small_talk(question) is Talk.HANDOFF:
            persons += 1
            continue
        to_a_person = data.get("outcome") == Outcome.HANDOFF and not heard
        if to_a_person or _is_reply(question, before):
            continue
        cited = data.get("citations")
        asked.append(
            Asked(
                text=mask(question[:QUESTION_CHARS]),
                kind=str(data["outcome"]) if _wanted(data) else LOW,
                at=at,
                session=place[0],
                answer=mask(heard)[:ANSWER_CHARS] if low else "",
                sources=_sources(cited) if low and isinstance(cited, list) else (),
            )
        )
    return Collected(tuple(asked), len(turns), persons, wordless)


def matters(asked: Sequence[Asked], knowledge: KnowledgeBase) -> list[Matter]:
    """Put questions that are alike together, most asked first; each language by itself.

    Args:
        asked: questions.
        knowledge: of the desk; its embedder says what is alike.

    Raises:
        EmbedderError: the embedder does not answer.
    """
    by_words: dict[tuple[str, str], list[Asked]] = {}
    for one in asked:
        by_words.setdefault((language_of(one.text), _plain(one.text)), []).append(one)
    found: list[Matter] = []
    for language in sorted({language for language, _ in by_words}):
        same = [many for (spoken, _), many in by_words.items() if spoken == language]
        texts = [_commonest(many) for many in same]
        for members in alike(knowledge, texts, [len(many) for many in same], language):
            found.append(_matter([same[at] for at in members], [texts[at] for at in members], language))
    return sorted(found, key=lambda one: (-one.times, -one.visitors, -one.last, one.question))


def masker(screened: Callable[[str], str]) -> Callable[[str], str]:
    """Return what masks personal data.

    Args:
        screened: returns a text as the guard lets it through.
    """

    def mask(text: str) -> str:
        number, name = _HIDES[language_of(text)]
        text = _DIGITS.sub(number, screened(text))
        for pattern in _NAMED:
            text = pattern.sub(
                lambda said: f"{said[1]} {name}" if said[1].isascii() else said[1] + name, text
            )
        return text

    return mask


def _is_reply(text: str, before: str) -> bool:
    """Tell whether a visitor's words answer the desk and ask for nothing themselves: "yes", a number.

    Args:
        text: the words.
        before: what the desk had said; empty where that is unknown.
    """
    if not _LETTER.search(text) or nod(text) is Nod.YES:
        return True
    if not _ASKS.search(before) or _ASKS.search(text):
        return False
    first = _PAUSE.split(text.strip(), maxsplit=1)[0]
    return nod(first, before) is not Nod.UNCLEAR or leaves(text)


def _wanted(data: Mapping[str, object]) -> bool:
    return data.get("outcome") in KINDS


def _matter(same: Sequence[Sequence[Asked]], texts: Sequence[str], language: str) -> Matter:
    members = [one for many in same for one in many]
    answers = Counter(one.answer for one in members if one.answer)
    sources = Counter(source for one in members for source in one.sources)
    return Matter(
        question=texts[0],
        language=language,
        times=len(members),
        visitors=len({one.session for one in members}),
        kinds={kind: count for kind in KINDS if (count := sum(one.kind == kind for one in members))},
        last=max(one.at for one in members),
        phrasings=tuple(texts[1 : MOST_PHRASINGS + 1]),
        answers=tuple(answer for answer, _ in answers.most_common(MOST_ANSWERS)),
        sources=tuple(source for source, _ in sources.most_common(MOST_ANSWERS)),
    )


def _commonest(many: Iterable[Asked]) -> str:
    return Counter(one.text for one in many).most_common(1)[0][0]


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.casefold()).strip() or text


def _sources(cited: Iterable[object]) -> tuple[str, ...]:
    names = (str(each.get("source", "")) for each in cited if isinstance(each, dict))
    return tuple(dict.fromkeys(filter(None, names)))
