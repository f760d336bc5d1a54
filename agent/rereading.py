"""Found passages read again, sentence by sentence: which of them tells what is asked, and tells it whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from agent.reading import DAY, NAME, SORT, Wanted, held, names_in, sentences_of, tokens, told, wanted
from knowledge.passage import Passage

LOOKED_AT = 10
"""Passages that are read again, of which the best are kept."""
WORDS, TOLD = 0.15, 0.5
"""What the best sentence's words, and what it tells, count in a passage's place beside its likelihood."""
LEAST = 0.2
"""Likelihood from which a passage may be put before others, where none is likely enough to be an answer."""
TELLING = 2
"""Words of a question, or one and the sort of thing it asks for, that a sentence holds to tell it whole."""
LACKS, HOLDS, LESS = 0.1, 0.8, 0.3
"""A passage that holds no word of a question, found by how its document's other passages are asked for,
counts so much less beside one that holds nearly all."""
ADDED = 0.15
"""... and what holds all that a follow-up adds to the question before."""
TOGETHER = 0.7
"""A document's headings say how people ask for any of its passages: so much nearer to its likeliest passage
is one that tells what is asked."""
HELD = 0.6
"""Share of a question's words that a sentence holds which tells what it asks for."""
WHOLE = 0.66
"""Likelihood of a passage one of whose sentences holds all that is asked."""


@dataclass(frozen=True, slots=True)
class _Read:
    passage: Passage
    place: float


def reread(
    question: str, passages: Sequence[Passage], language: str, answer_from: float, own: str = ""
) -> tuple[Passage, ...]:
    """Return passages in the order in which their best sentences answer a question.

    Args:
        question: as it was searched for.
        passages: best first.
        language: ISO 639-1, of the visitor: others' passages keep their places behind.
        answer_from: likelihood from which a passage is an answer: what is none is put before no other.
        own: the visitor's words, where the question is made of more than these.
    """
    asked = wanted(question, own)
    likely = any(one.language == language and one.score >= answer_from for one in passages)
    least = answer_from if likely else LEAST
    near = [one for one in passages if one.language == language and one.score >= least]
    if not near or not asked.words:
        return tuple(passages)
    names = _names(asked, near)
    likeliest: dict[str, float] = {}
    for one in near:
        likeliest.setdefault(_document(one), one.score)
    top, lacks = near[0].score, len(asked.words) > 1 and _most_held(near[0], asked) < LACKS
    for one in passages:
        if LEAST <= one.score < least and one.language == language:
            if lacks and _most_held(one, asked) >= HOLDS:
                likeliest[_document(one)] = top
            if _document(one) in likeliest:
                near.append(one)
    read = sorted(
        (_read(one, asked, names, likeliest[_document(one)], lacks=lacks) for one in near),
        key=lambda one: -one.place,
    )
    first = read[0].passage
    score = WHOLE if first.score < WHOLE and _holds_all(first, asked) else first.score
    best = read[0].place
    found: list[Passage] = []
    for place, one in ((each.place, each.passage) for each in read):
        # What was overtaken is that much less likely than what is now before it.
        score = min(score, one.score * min(1.0, 1.0 - (best - place))) if found else score
        found.append(replace(one, score=max(0.0, score)))
    known = {one.id for one in found}
    rest = [one for one in passages if one.id not in known]
    return (*found, *(replace(one, score=min(one.score, score)) for one in rest))


def tells(question: str, passage: Passage, own: str = "") -> bool:
    """Tell whether a sentence of a passage says what a question asks for: the price, for the country named.

    Args:
        question: as it was searched for; one that asks for nothing of the kind is told by no passage.
        passage: that may answer it.
        own: as of `reread`.
    """
    asked = wanted(question, own)
    names = _names(asked, [passage])
    if not (asked.sorts or asked.days or names):
        return False
    least = SORT * bool(asked.sorts) + DAY * bool(asked.days) + NAME * bool(names)
    return any(
        held(one, asked, passage.title) >= HELD and told(one, asked, passage.title, names) >= least
        for one in _windows(passage)
    )


def tells_sort(question: str, passage: Passage, own: str = "") -> bool:
    """Tell whether a question asks for a price, a time or the like, and a sentence of a passage tells one."""
    asked = wanted(question, own)
    return bool(asked.sorts) and any(asked.told_by(one) for one in sentences_of(passage.text))


def _names(asked: Wanted, passages: Sequence[Passage]) -> frozenset[str]:
    return names_in(asked, [f"{one.title}. {one.text}" for one in passages])


def _read(passage: Passage, asked: Wanted, names: frozenset[str], likeliest: float, *, lacks: bool) -> _Read:
    windows = _windows(passage)
    words = _most_held(passage, asked)
    tells = max((told(one, asked, passage.title, names) for one in windows), default=0.0)
    there = tokens(f"{passage.title}. {passage.text}")
    score, place = passage.score, WORDS * words + TOLD * tells
    if asked.own <= there:
        holds = lacks and words >= HOLDS
        if holds or any(told(one, asked, passage.title) > 0 for one in windows):
            score += TOGETHER * max(0.0, likeliest - score)
        if asked.own:
            before = [word for word in asked.words if not word.plain and word.stem not in asked.own]
            kept = [word for word in before if there.intersection((word.stem, *word.concepts))]
            place += ADDED * len(kept) / max(1, len(before))
    if words < LACKS:
        place -= LESS
    return _Read(replace(passage, score=score), score + place)


def _most_held(passage: Passage, asked: Wanted) -> float:
    return max((held(one, asked, passage.title) for one in _windows(passage)), default=0.0)


def _document(passage: Passage) -> str:
    return passage.source.partition("#")[0]


def _windows(passage: Passage) -> list[str]:
    """Return a passage's sentences, and its pairs: "to Spain … . The fee for these countries …"."""
    sentences = sentences_of(passage.text)
    return [*sentences, *(f"{one} {other}" for one, other in pairwise(sentences))]


def _holds_all(passage: Passage, asked: Wanted) -> bool:
    """Tell whether a sentence, under its heading, holds every word of a question and tells what it asks."""
    topical = [word for word in asked.words if not word.plain and not _says_sort(word.concepts)]
    above = tokens(passage.title)
    for sentence in sentences_of(passage.text):
        sorts, there = asked.told_by(sentence), tokens(sentence)
        if len(topical) + bool(sorts) < TELLING or asked.sorts and not sorts:
            continue
        if all(word.stem in there | above for word in topical) and any(
            word.stem in there for word in topical
        ):
            return True
    return False


def _says_sort(concepts: tuple[str, ...]) -> bool:
    """Tell whether a word says which sort of thing is asked for: "how much", "cost", "when"."""
    return any(name.startswith("#~") for name in concepts)
