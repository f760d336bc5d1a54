"""A desk's own words: blocked words, promises, competitors and topics of its policy, as screeners.

Topics may count by patterns that ship (`lexicon/topics.toml`): questions, and advice where the desk speaks. A
competitor that bears a name of nature, "Amazon" or "Apple", is not named by "the Amazon rainforest".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from moderation.lexicon import Entry, Lexicon, denied, entries
from moderation.phrase import EXPRESSION
from moderation.screener import Finding, Screener, Subject
from moderation.verdict import Direction

if TYPE_CHECKING:
    from moderation.policy import Policy

_SCORE = 0.9
_Topic: TypeAlias = tuple[str, tuple[str, ...], bool]
"""A rule, its phrases, and whether the patterns that ship for it count."""
_COMPETITOR = "competitor.named"
_DENIABLE = frozenset(("promise.made",))


class Expressions:
    """A screener made of a desk's regular expressions, compared with the folded text."""

    def __init__(self, patterns: Iterable[tuple[str, str]]) -> None:
        """Compile pairs of rule and pattern."""
        self._patterns = [(rule, re.compile(pattern, re.IGNORECASE)) for rule, pattern in patterns]

    def screen(self, subject: Subject) -> Iterator[Finding]:
        """Every match that is not empty; a promise that is denied does not count."""
        folded = subject.folded
        for rule, pattern in self._patterns:
            for match in pattern.finditer(folded.text):
                if match.end() == match.start() or (rule in _DENIABLE and denied(folded.text, match.start())):
                    continue
                yield Finding(rule, _SCORE, *folded.original(*match.span()))


class Topics:
    """A screener of topics: what visitors ask about them, and what the desk says of them."""

    def __init__(self, topics: Iterable[_Topic]) -> None:
        """Compile the topics' own phrases, and the patterns that ship for those that want them."""
        topics = list(topics)
        own = [Entry(rule, _SCORE, plain) for rule, phrases, _ in topics if (plain := _plain(phrases))]
        wanted = {"", *(rule for rule, _, patterns in topics if patterns)}
        shipped = [one for one in entries("topics") if one.rule in wanted] if len(wanted) > 1 else []
        self._asked = Lexicon((*own, *(one for one in shipped if not one.spoken)))
        declined = (replace(one, deniable=True) for one in own)
        self._said = Lexicon((*declined, *(one for one in shipped if one.spoken)))

    def screen(self, subject: Subject) -> Iterator[Finding]:
        """Questions wherever a text comes from; of what the desk says, advice that it does not decline."""
        return (self._said if subject.direction is Direction.OUTPUT else self._asked).screen(subject)


def desk_screeners(policy: Policy) -> Iterator[Screener]:
    """The screeners for a policy's words; none where it has none."""
    rows = (
        ("blocked.word", policy.words.blocked),
        ("promise.made", policy.words.promises),
        (_COMPETITOR, policy.words.competitors),
    )
    topics = [(f"topic.{name}", one.phrases, one.patterns) for name, one in policy.topics.items()]
    made = [
        Entry(rule, _SCORE, plain, deniable=rule in _DENIABLE)
        for rule, phrases in rows
        if (plain := _plain(phrases))
    ]
    if own := [one for one in made if one.rule != _COMPETITOR]:
        yield Lexicon(own)
    if rivals := [one for one in made if one.rule == _COMPETITOR]:
        yield Lexicon((*rivals, *entries("namesakes")))
    if policy.topics:
        yield _topics(tuple(topics))
    expressions = [
        (rule, phrase.removeprefix(EXPRESSION))
        for rule, phrases in (*rows, *((rule, phrases) for rule, phrases, _ in topics))
        for phrase in phrases
        if phrase.startswith(EXPRESSION)
    ]
    if expressions:
        yield Expressions(expressions)


@lru_cache(maxsize=8)
def _topics(topics: tuple[_Topic, ...]) -> Topics:
    """The screener of these topics; desks that have the same share it."""
    return Topics(topics)


def _plain(phrases: Iterable[str]) -> tuple[str, ...]:
    return tuple(phrase for phrase in phrases if not phrase.startswith(EXPRESSION))
