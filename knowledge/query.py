"""A question, understood as far as words go: which it is about, and what each is worth."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from knowledge.index import KNOWN_LEAST, WEIGHT_PLAIN, WordIndex
from knowledge.lexicon import HAN, lexicon
from knowledge.words import Word, words_of

WEIGHT_ASPECT = 0.3
WEIGHT_NUMBER = 0.3
THING_SHARE = 0.6
"""A thing weighs less where the question also says what is to be done with it."""
DEGREE_CONCEPT = 0.85
"""A synonym is worth a little less than the word itself."""
GOODS = "#^goods"
DEGREE_PARTS = 0.75
DEGREE_ASPECT = 0.5
PAIR = 2
"""Characters of a Chinese word that has no parts of its own; where it is not known, each is looked for."""
_NUMBER = re.compile(r"[\d.,:-]+$")


@dataclass(frozen=True, slots=True)
class Asked:
    """One word of a question, looked up in the index."""

    word: Word
    weight: float
    """How much of the question's meaning it carries, about 0.1 to 1."""
    exact: int | None
    """Token number, where the knowledge has the word itself."""
    others: tuple[tuple[int, float], ...]
    """Token numbers of synonyms, with degrees."""
    parts: tuple[int, ...]
    """Token numbers of its parts; all must be there."""
    topical: bool
    """False for plain words, numbers and aspects."""
    share: float = 1.0
    """Less for a word of an earlier turn, which the word search counts as so much of a word."""

    @property
    def thing(self) -> bool:
        """Tell whether it names one of the things that something is done to."""
        return bool(self.word.concepts) and self.word.concepts[0].startswith("#^")

    @property
    def foreign(self) -> bool:
        """Tell whether it belongs to other people's business, and the knowledge does not hold it."""
        return self.exact is None and self.word.stem in lexicon().foreign

    @property
    def known(self) -> bool:
        """Tell whether any passage has the word or a synonym."""
        return self.exact is not None or bool(self.others) or bool(self.parts)

    def degree(self, tokens: frozenset[int]) -> float:
        """Return how well a passage with these tokens holds the word, 0..1."""
        if self.exact is not None and self.exact in tokens:
            return 1.0
        best = 0.0
        for token, degree in self.others:
            if degree > best and token in tokens:
                best = degree
        if best < DEGREE_PARTS and self.parts and all(part in tokens for part in self.parts):
            best = DEGREE_PARTS
        return best


@dataclass(frozen=True, slots=True)
class Query:
    """A question's words with their weights."""

    text: str
    asked: tuple[Asked, ...]

    @property
    def weight(self) -> float:
        """All the words' weights together."""
        return sum(item.weight for item in self.asked)


def understand(text: str, index: WordIndex) -> Query:
    """Look a question's words up."""
    found: dict[str, Asked] = {}
    for word in words_of(text):
        if word.stem not in found:
            found[word.stem] = _look_up(word, index)
    asked = list(found.values())
    if any(item.topical and item.known and not item.thing for item in asked):
        asked = [replace(item, weight=item.weight * THING_SHARE) if item.thing else item for item in asked]
    return Query(text, tuple(asked))


def _look_up(word: Word, index: WordIndex) -> Asked:
    vocabulary = index.vocabulary
    exact = vocabulary.get(word.stem)
    others = []
    for name in word.concepts:
        token = vocabulary.get(name)
        if token is not None:
            weak = name == GOODS or name.startswith("#~")
            others.append((token, DEGREE_ASPECT if weak else DEGREE_CONCEPT))
    parts = tuple(vocabulary[part] for part in word.parts if part in vocabulary)
    parts = parts if len(parts) == len(word.parts) else ()
    if not (parts or others or exact is not None) and HAN.match(word.stem) and len(word.stem) == PAIR:
        # "带狗" is one word to the segmenter, and two in a document that says "狗可以带".
        apart = tuple(vocabulary[one] for one in word.stem if one in vocabulary)
        parts = apart if len(apart) == PAIR else ()
    proper = any(not name.startswith("#~") for name in word.concepts)
    aspect = bool(word.concepts) and not proper
    number = bool(_NUMBER.match(word.surface))
    any_goods = word.concepts == (GOODS,) and exact is None
    # "Change" and "store" are plain words of English, and names of what a shop does.
    plain = word.plain and (not proper or bool(HAN.match(word.stem)))
    topical = not (plain or number or aspect or any_goods)
    return Asked(
        word, _weight(word, exact, others, topical, number, index), exact, tuple(others), parts, topical
    )


def _weight(
    word: Word,
    exact: int | None,
    others: list[tuple[int, float]],
    topical: bool,
    number: bool,
    index: WordIndex,
) -> float:
    if not topical:
        if number:
            return WEIGHT_NUMBER
        return WEIGHT_ASPECT if word.concepts else WEIGHT_PLAIN
    tokens = [token for token, degree in others if degree > DEGREE_ASPECT]
    tokens += [exact] if exact is not None else []
    if tokens:
        # The commonest of its forms says how telling the idea is here.
        return max(KNOWN_LEAST, min(float(index.worth[token]) for token in tokens))
    if HAN.match(word.stem):
        return 0.55 if len(word.stem) == 1 else 0.95
    return 0.4 + 0.7 * lexicon().rarity(word.surface)
