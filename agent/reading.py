"""What a question asks for, held against sentences: words, the days it names, a price, a time, a "not"."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from agent.denying import ways
from agent.quantities import quantities
from agent.splitter import split_sentences
from knowledge.lexicon import HAN
from knowledge.words import Word, words_of

PLAIN = 0.3
"""Weight of a word that a question is not about."""
BEFORE = 0.5
"""Share of its weight that a word has which a follow-up leaves to the conversation."""
SYNONYM = 0.8
"""Share of a word's weight that another word for it holds."""
SORT = 0.35
"""What a sentence gains that tells the sort of thing asked for: a price, a time."""
DAY = 0.5
"""What it gains that speaks of the day asked for."""
DENIES = 0.4
"""What it gains where the question asks what is not, and it says so."""
NAME = 0.5
"""What it gains that holds the names of the question, as of a country: another one's price is none."""
OF_A_KIND = 0.2
"""Share of a word's weight that another one of its kind holds: Norway is not Switzerland."""

_CAPITAL = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}")
_SMALL = re.compile(r"\b[a-z]{3,}\b")
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:周|星期|礼拜)[一二三四五六日天]"
_DAYS = re.compile(
    rf"(?P<first>{_DAY})(?:\s*(?:to|until|till|through|-|–|到|至)\s*(?P<last>{_DAY}))?"
    r"|(?P<weekend>\bweekends?\b|周末)|(?P<week>\bweekdays?\b|工作日(?=营|开|早|上))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question asks for."""

    words: tuple[Word, ...]
    days: frozenset[int]
    """Weekdays that it names, Monday 0."""
    sorts: tuple[str, ...]
    """"money", "duration", "clock", "place"."""
    denied: bool
    """It asks what is not so."""
    lists: bool = False
    """It asks what is so: what is not is half an answer to it."""
    way: bool = False
    """It asks how something is done."""
    own: frozenset[str] = frozenset()
    """Stems of what a follow-up itself is about; empty for a question that stands by itself."""

    def shown_by(self, sentence: str) -> bool:
        """Tell whether it is asked how something is done, and a sentence says what to do."""
        return self.way and bool(_ways_to_ask().way[1].search(sentence))

    def told_by(self, sentence: str) -> tuple[str, ...]:
        """Return which of the sorts asked for a sentence tells."""
        return tuple(sort for sort in self.sorts if _ways_to_ask().sorts[sort][1].search(sentence))


@dataclass(frozen=True, slots=True)
class _WaysToAsk:
    """`reading.toml`, read and compiled."""

    sorts: dict[str, tuple[re.Pattern[str], re.Pattern[str]]]
    """What is asked for → how it is asked for, and how a sentence looks that tells it."""
    denied: re.Pattern[str]
    lists: re.Pattern[str]
    way: tuple[re.Pattern[str], re.Pattern[str]]


@lru_cache(maxsize=1)
def _ways_to_ask() -> _WaysToAsk:
    data = tomllib.loads((resources.files("agent") / "reading.toml").read_text(encoding="utf-8"))

    def any_of(patterns: Sequence[str]) -> re.Pattern[str]:
        return re.compile("|".join(patterns), re.IGNORECASE)

    sorts = {name: (any_of(sort["asks"]), any_of(sort["tells"])) for name, sort in data["sorts"].items()}
    way = any_of(data["way"]["asks"]), any_of(data["way"]["tells"])
    return _WaysToAsk(sorts, any_of(data["not"]["asks"]), any_of(data["list"]["asks"]), way)


@lru_cache(maxsize=256)
def wanted(question: str, own: str = "") -> Wanted:
    """Read a question.

    Args:
        question: as it stands by itself.
        own: the visitor's words, where they leave something to the conversation; what sort of thing they ask
            for they say themselves, but for "and to Switzerland?".
    """
    says = own if own and _asks_anew(own) else question
    plain = ways().no_negation.sub(" ", says.replace("’", "'"))
    return Wanted(
        tuple({word.stem: word for word in words_of(question)}.values()),
        days_of(question),
        tuple(sort for sort, (asks, _) in _ways_to_ask().sorts.items() if asks.search(says)),
        bool(_ways_to_ask().denied.search(plain)),
        bool(_ways_to_ask().lists.search(plain)),
        bool(_ways_to_ask().way[0].search(says)),
        _about(own),
    )


def _about(own: str) -> frozenset[str]:
    """Return the stems of what a follow-up is about; of "how do I claim it", plain ones."""
    words = [
        word for word in words_of(own) if not all(name.startswith("#~") for name in word.concepts or ("",))
    ]
    return frozenset(word.stem for word in words if not word.plain) or frozenset(word.stem for word in words)


def _asks_anew(own: str) -> bool:
    """Tell whether a follow-up says itself what is asked: a sort of thing, or a thing in its own words."""
    if any(asks.search(own) for asks, _ in _ways_to_ask().sorts.values()):
        return True
    return any(
        not word.plain and not ways().places.intersection(word.concepts) and not days_of(word.surface)
        for word in words_of(own)
    )


def days_of(text: str) -> frozenset[int]:
    """Return the weekdays that a text speaks of, ranges filled in; Monday is 0."""
    found: set[int] = set()
    for match in _DAYS.finditer(text):
        if match["weekend"]:
            found |= {5, 6}
        elif match["week"]:
            found |= {0, 1, 2, 3, 4}
        else:
            first = _weekday(match["first"])
            last = _weekday(match["last"]) if match["last"] else first
            found |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    return frozenset(found)


def _weekday(name: str) -> int:
    return next(int(one.value) for one in quantities(name) if one.unit == "weekday")


def held(sentence: str, asked: Wanted, heading: str = "") -> float:
    """Return the share of the question's words that a sentence holds, or its heading, 0..1."""
    there = tokens(sentence) | tokens(heading)
    total = value = 0.0
    for word in asked.words:
        weight = PLAIN if word.plain else BEFORE if asked.own and word.stem not in asked.own else 1.0
        total += weight
        value += weight * _degree(word, there)
    return value / total if total else 0.0


def told(sentence: str, asked: Wanted, heading: str = "", names: frozenset[str] = frozenset()) -> float:
    """Return by how much a sentence tells what is asked in whatever words: a price, the day, what is not so.

    Args:
        sentence: that may be said.
        asked: the question.
        heading: what stands above it.
        names: stems of the question that name something, see `names_in`.
    """
    value = SORT if asked.sorts and asked.told_by(sentence) else 0.0
    if (asked.denied or asked.lists) and ways().negation.search(ways().no_negation.sub(" ", sentence)):
        value += DENIES if asked.denied else -DENIES / 2
    return value + speaks_of(sentence, asked, heading, names)


def speaks_of(sentence: str, asked: Wanted, heading: str = "", names: frozenset[str] = frozenset()) -> float:
    """Return by how much a sentence speaks of the days and names asked for, see `told`."""
    value = 0.0
    if asked.days:
        days = days_of(sentence)
        value += DAY * len(asked.days & days) / len(asked.days) - (
            DAY if days and not asked.days & days else 0
        )
    if names:
        value += NAME * len(names & (tokens(sentence) | tokens(heading))) / len(names)
    return value


def names_in(asked: Wanted, texts: Sequence[str]) -> frozenset[str]:
    """Return the stems of a question's words that name a place or the like, where any of the texts has them.

    Args:
        asked: the question.
        texts: in which it is looked how words are written: what has a capital inside a sentence is a name.
    """
    found = {
        word.stem
        for word in asked.words
        if not word.plain and not word.parts and ways().places.intersection(word.concepts)
    }
    capitals = {word.casefold() for text in texts for word in _CAPITAL.findall(text)}
    small = {word for text in texts for word in _SMALL.findall(text)}
    found |= {
        word.stem
        for word in asked.words
        if not HAN.match(word.stem) and word.surface in capitals and word.surface not in small
    }
    held = frozenset[str]().union(*(tokens(text) for text in texts)) if texts else frozenset[str]()
    return frozenset(found & held)


def _degree(word: Word, there: frozenset[str]) -> float:
    """Return how well a text with these tokens holds a word, 0..1."""
    if word.stem in there:
        return 1.0
    if not any(name in there for name in word.concepts):
        return 0.0
    return OF_A_KIND if ways().places.intersection(word.concepts) else SYNONYM


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a passage, paragraph by paragraph."""
    return [sentence for paragraph in text.split("\n\n") for sentence in split_sentences(paragraph)]


@lru_cache(maxsize=4096)
def tokens(text: str) -> frozenset[str]:
    """Return by what the words of a text are found: stems, concepts, parts."""
    return frozenset(token for word in words_of(text) for token in (word.stem, *word.concepts, *word.parts))
