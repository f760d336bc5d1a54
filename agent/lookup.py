"""What an utterance asks the knowledge: its questions, each by itself, and what is found for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.confirming import Nod, nod
from agent.confusion import says_no_more
from agent.emotion_clauses import asked_of
from agent.followup import follows, on_topic, standalone
from agent.history import Exchange
from agent.questions import MOST, questions_of, topical
from agent.reading import wanted
from agent.rereading import tells, tells_sort
from agent.sentence import Outcome
from knowledge.lexicon import lexicon
from knowledge.passage import Passage
from knowledge.words import words_of
from moderation.confusable import simplified

if TYPE_CHECKING:
    from agent.engines import Engines
    from agent.history import Memory

UNSURE, SURE = 0.6, 0.8
"""Likelihoods: a question that hardly has an answer as a follow-up and surely has one by itself is none."""
TOLD_WORDS = 3
"""Words of what is told beside a question that are tried with it, one after the other."""
_POINTS = re.compile(
    r"\b(?:it|they|them|this|that|these|those|one|there)\b|它们?|[这那][个些种里]?", re.IGNORECASE
)
"""What stands for something that was said before."""
_WEEKDAY = re.compile(r"礼拜([一二三四五六日天])")
"""A weekday as people say it; it is written otherwise."""
_WHOLE = re.compile(
    r"\W*(?!(?:and|or|but|so|what about|how about)\b)(?:\w+(?:['’]\w+)*[^\w'’]+){3,}\w+(?:['’]\w+)*\W*$"
    r"|\W*(?![那还]|以及)[\u3400-\u9fff]{4,}\W*$",
    re.IGNORECASE,
)
"""A question that may stand over a passage; what is shorter leans on the one before."""
PLAIN = 0.9
"""Likelihood from which a question of one word is answered, whatever is told before it."""
MORE = 0.15
"""So much likelier than it must be is an answer to a part of what was said, or to that with such a word."""


@dataclass(frozen=True, slots=True)
class Found:
    """One question, and what the knowledge holds about it."""

    asked: str
    """In the visitor's words."""
    wanted: str
    """As it stands by itself."""
    passages: tuple[Passage, ...]
    """Best first."""
    answerable: float


@dataclass(frozen=True, slots=True)
class Looked:
    """What an utterance asks for, and what was found for all of it together."""

    whole: Found
    parts: tuple[Found, ...] = ()
    """Its questions, where it asks several things and the knowledge has an answer to more than one."""
    left: bool = False
    """One of its questions has no answer."""
    again: bool = False
    """It asks to hear the last answer once more, in other words."""


class Lookup:
    """Looks up one utterance.

    Args:
        memory: the conversation before it.
        engines: of the desk.
        language: ISO 639-1, of the visitor.
    """

    def __init__(self, memory: Memory, engines: Engines, language: str) -> None:
        self._before = memory.exchanges
        self._engines, self._language = engines, language
        self._least = engines.desk.settings.knowledge.answer_from

    def of(self, text: str) -> Looked:
        """Look an utterance up, as the guard lets it through; either Chinese script is understood."""
        plain = _WEEKDAY.sub(r"星期\1", simplified(text))
        looked = self._looked(plain)
        if plain == text or looked.whole.answerable >= self._least:
            return looked
        as_said = self._looked(text)
        return as_said if as_said.whole.answerable > looked.whole.answerable else looked

    def _looked(self, text: str) -> Looked:
        asked = asked_of(text)
        if nod(asked) is not Nod.UNCLEAR:
            return Looked(self._found(asked, asked))
        if says_no_more(asked) and (last := self._last_answered()) is not None:
            earlier, exchange = last
            last_asked = questions_of(asked_of(exchange.question)).asked[-1]
            return Looked(replace(self._question(last_asked, earlier), asked=asked), again=True)
        said = questions_of(asked)
        if len(said.asked) > 1 and (several := self._several(asked, said.asked[:MOST])) is not None:
            return several
        whole = self._question(asked, self._before)
        if not said.told:
            return Looked(whole)
        return Looked(self._beside(whole, said.asked[-1], said.told))

    def _several(self, text: str, asked: Sequence[str]) -> Looked | None:
        """Look up several questions, each after the ones before it; None where at most one has an answer."""
        found: list[Found] = []
        before = self._before
        for one in asked:
            found.append(self._question(one, before))
            before = (*before, Exchange(found[-1].wanted, "", Outcome.ANSWERED, interrupted=False))
        known = [one for one in found if one.answerable >= self._least]
        if len(known) < len(found) and len(known) < 2:
            whole = self._question(text, self._before)
            best = max(found, key=lambda one: one.answerable)
            if not known or whole.answerable > best.answerable:
                return Looked(whole)
            left = any(one is not best and topical(one.asked) for one in found)
            return Looked(best, left=left)
        merged = Found(text, " ".join(one.wanted for one in known), _merged(known), known[0].answerable)
        return Looked(merged, tuple(known), left=len(known) < len(found))

    def _beside(self, whole: Found, asked: str, told: Sequence[str]) -> Found:
        """Return the likelier answer: to all that was said, or to its question with a word of the rest."""
        alone = self._question(asked, self._before)
        around = topical(" ".join(told))
        if whole.answerable >= self._least and not (
            alone.answerable > whole.answerable and len(topical(asked)) > 1
        ):
            return whole
        says, sorts = topical(_POINTS.sub(" ", asked)), wanted(asked).sorts
        if not (says or sorts):
            return whole
        plain = len(says) > 1 or bool(says and sorts) or alone.answerable >= PLAIN
        if plain and alone.answerable >= self._least + MORE:
            return alone
        # One word says little without the rest: "my roses have rust, what should I spray?"
        best = max(whole, alone, key=lambda one: one.answerable) if plain else whole
        for word in _rarest(around, told):
            one = self._found(f"{asked.rstrip(' ?？。.!！')}, {word}?", asked)
            if one.answerable >= self._least + MORE and one.answerable > best.answerable:
                best = one
        return best

    def _question(self, asked: str, before: Sequence[Exchange]) -> Found:
        """Search for a question as it stands by itself: what it means, and what was found.

        What it adds to the one before must be spoken of there: the weather is no part of "and the weather?"
        after a question about tents. A bare "yes" to nothing asks for nothing.
        """
        leanings = [standalone(asked, one) for one in _sides(before)]
        found = self._found(leanings[0], asked)
        if found.wanted == asked:
            return self._on_topic(found, before) if found.answerable < self._least else found
        others = [self._found(other, asked) for other in leanings[1:] if other != found.wanted]
        if others:  # of two questions before it, it may go on from either
            found = max(found, *others, key=_fits)
        follows_on = follows(asked, found.passages)
        if follows_on and found.answerable >= UNSURE and not _WHOLE.match(asked):
            return found
        alone = self._found(asked, asked)
        if follows_on and found.answerable >= UNSURE and not _is_heading(asked, alone):
            return found
        return alone if not follows_on or alone.answerable >= SURE else found

    def _on_topic(self, alone: Found, before: Sequence[Exchange]) -> Found:
        """Return a question that has no answer alone on the topic before it: "how long until I hear back?"

        Only a price, a time and the like are asked for so, and only a sentence that tells it answers that.
        """
        topic = on_topic(alone.asked, before)
        if topic == alone.asked:
            return alone
        found = self._found(topic, alone.asked)
        first = next(iter(found.passages), None)
        if first is None or found.answerable < self._least or not tells_sort(topic, first, alone.asked):
            return alone
        return found

    def _found(self, wanted: str, asked: str) -> Found:
        own = asked if asked != wanted else ""
        passages, answerable = self._engines.look_up(wanted, self._language, own)
        return Found(asked, wanted, passages, answerable)

    def _last_answered(self) -> tuple[tuple[Exchange, ...], Exchange] | None:
        """Return the last exchange that was more than saying something once more, with those before it."""
        for at in range(len(self._before) - 1, -1, -1):
            one = self._before[at]
            if one.by or one.outcome is Outcome.REFUSED or not one.question:
                return None
            if not says_no_more(asked_of(one.question)):
                return self._before[:at], one
        return None


def _is_heading(asked: str, alone: Found) -> bool:
    """Tell whether a question stands word for word over a passage: then nothing before it is meant."""
    first = next(iter(alone.passages), None)
    said = " ".join(re.findall(r"\w+", asked.casefold()))
    return first is not None and any(
        said == " ".join(re.findall(r"\w+", one.casefold())) for one in (first.section, *first.questions)
    )


def _fits(found: Found) -> tuple[bool, float]:
    """Return what tells which of two meanings of a question is meant: the one that is told something."""
    first = next(iter(found.passages), None)
    return first is not None and tells(found.wanted, first, found.asked), found.answerable


def _sides(before: Sequence[Exchange]) -> list[Sequence[Exchange]]:
    """Return the conversation as it stands after each question of the last turn, the last one first."""
    if not before or not before[-1].question:
        return [before]
    last = before[-1]
    asked = questions_of(asked_of(last.question)).asked
    if len(asked) < 2:
        return [before]
    sides: list[Sequence[Exchange]] = []
    earlier = tuple(before[:-1])
    for one in asked[:MOST]:
        exchange = replace(last, question=standalone(one, earlier))
        earlier = (*before[:-1], exchange)
        sides.insert(0, earlier)
    return sides


def _merged(found: Sequence[Found]) -> tuple[Passage, ...]:
    """Return the passages of several questions in turn, each once."""
    most = max(len(one.passages) for one in found)
    rows = [one.passages[at] for at in range(most) for one in found if at < len(one.passages)]
    return tuple({passage.id: passage for passage in rows}.values())


def _rarest(keys: Iterable[str], told: Sequence[str]) -> list[str]:
    """Return the words of what was told that say most, the rarest first."""
    wanted = set(keys)
    words = {word.surface for word in words_of(" ".join(told)) if word.key in wanted}
    return sorted(words, key=lambda word: (-lexicon().rarity(word), word))[:TOLD_WORDS]
