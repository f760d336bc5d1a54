"""A desk's own words: blocked words, promises, competitors and topics of its policy, as screeners."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from moderation.lexicon import Entry, Lexicon, denied
from moderation.phrase import EXPRESSION
from moderation.screener import Finding, Screener, Subject

if TYPE_CHECKING:
    from moderation.policy import Policy

_SCORE = 0.9
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


def desk_screeners(policy: Policy) -> Iterator[Screener]:
    """The screeners for a policy's words; none where it has none."""
    rows = [
        ("blocked.word", policy.words.blocked),
        ("promise.made", policy.words.promises),
        ("competitor.named", policy.words.competitors),
        *((f"topic.{name}", topic.phrases) for name, topic in policy.topics.items()),
    ]
    entries: list[Entry] = []
    expressions: list[tuple[str, str]] = []
    for rule, phrases in rows:
        plain = tuple(phrase for phrase in phrases if not phrase.startswith(EXPRESSION))
        if plain:
            entries.append(Entry(rule, _SCORE, plain, deniable=rule in _DENIABLE))
        expressions += (
            (rule, phrase.removeprefix(EXPRESSION)) for phrase in phrases if phrase.startswith(EXPRESSION)
        )
    if entries:
        yield Lexicon(entries)
    if expressions:
        yield Expressions(expressions)
