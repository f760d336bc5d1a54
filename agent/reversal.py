"""Sentences that turn their sources around: they deny what these say, or say what these deny."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.clauses import NOTHING, Clause, Source
from agent.denying import ways
from agent.overlap import share, supported
from knowledge.words import Word

CLOSE = 0.5
"""From this share of a clause's words on, a clause of the source speaks about the same thing."""
BRIEF = 2
"""A denial of so few words is about what they say, wherever they are said."""


def turned_around(clause: Clause, wanted: Source, sources: Sequence[Source]) -> bool:
    """Tell whether a clause denies what the sources say, or says what they deny."""
    words = [word for word in clause.words if not word.plain]
    if not words:
        return False
    denied = any(c.negated for c in wanted.clauses)
    best: list[tuple[float, bool]] = []
    for source in sources:
        title = tuple(c for c in source.clauses if not c.states)
        answers = any(re.search(r"[?？]\s*$|吗$", c.text) for c in title)
        nearest: dict[int, float] = {}
        for other in source.clauses:
            if other.states:
                told = _told(clause, words, other, title if answers else (), clause.negated)
                nearest[id(other)] = told[0]
                best.append(told)
        for whole, its in source.wholes:
            told = _told(clause, words, whole, (), denied)
            if told[0] > max(nearest[id(one)] for one in its):  # what spreads over the clauses
                best.append(told)
    most = max((near for near, _ in best), default=0.0)
    return most >= CLOSE and not any(same for near, same in best if near >= 0.85 * most)


def _told(
    clause: Clause, words: Sequence[Word], other: Clause, title: tuple[Clause, ...], negated: bool
) -> tuple[float, bool]:
    """Return how near a source's clause is to what is said, and whether it denies as that does."""
    if not (other.words or other.numbers):
        return 0.0, True
    opposite, near = _nearness(clause, words, other)
    if near > 0 and title:
        near = max(near, 0.9 * share(words, (other, *title), NOTHING))
    same = (negated == other.negated) != opposite
    either = clause.either or other.either
    if clause.negated and other.negated and _denials(clause, twice=True) and _denials(other) == 1:
        same = opposite  # "you do not pay nothing", where the source says "you pay nothing"
        conditions = set(map(str.casefold, ways().either_way.findall(clause.text)))
        either = other.either or not conditions <= {"if", "如果", "若"}
    return near, either or same


def _denials(clause: Clause, *, twice: bool = False) -> int:
    """Return how often a clause denies; with `twice`, how often two denials take each other back."""
    plain = ways().no_negation.sub(" ", clause.text).replace("’", "'")
    return len((ways().doubled if twice else ways().negation).findall(plain))


def _nearness(clause: Clause, words: Sequence[Word], other: Clause) -> tuple[bool, float]:
    """Tell whether a source's clause uses an opposite word, and how near it is to what a clause says."""
    ours, theirs = {word.stem for word in clause.words}, {word.stem for word in other.words}
    against = _opposites(ours, theirs)
    held = sum(word.stem in against or supported(word, other.keys, other.text) for word in words)
    numbers = sum(2 for number in clause.numbers if any(number.agrees(n) for n in other.numbers))
    near = (held + numbers) / (len(words) + 2 * len(clause.numbers))
    telling = [word for word in other.words if not word.plain]
    if near and len(telling) <= BRIEF and (clause.negated or other.negated):
        # "You do not have to register" is about registering, however much else a sentence says of it.
        back = sum(supported(word, clause.keys, clause.text) for word in telling) / max(1, len(telling))
        near = max(near, (near + back) / 2)
    return bool(against), near


def _opposites(ours: set[str], theirs: set[str]) -> set[str]:
    """Return our words that exclude one of theirs: used, unused; before, after; open, closed."""
    found = set()
    for word in ours - theirs:
        others = {other for pair in ways().opposites if word in pair for other in pair if other != word}
        others |= {"un" + word, "non" + word, word.removeprefix("un"), word.removeprefix("non")} - {word}
        if others & (theirs - ours):
            found.add(word)
    return found
