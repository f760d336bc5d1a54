"""The sentences of a passage that answer a question, chosen so that they make sense when heard."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.reading import SORT, held, names_in, sentences_of, speaks_of, told, wanted
from agent.shortening import shorter
from knowledge.table import default_embedder
from knowledge.words import Word, words_of

MOST_SENTENCES = 3
MOST_WORDS = 60
"""About 25 seconds of speech: visitors stop listening after that."""
MOST_HAN = 120
"""The same in Chinese characters."""
MEANING = 0.5
"""Share of the vectors in a sentence's value; the rest is the words that it takes up."""
FIRST = 0.3
"""The sentence that is said first counts so much more: visitors wait for their answer."""
TOLD_LESS = 0.2
"""The answer begins where the day and the name that were asked for are spoken of, or but so much less."""
_LEAD = 0.2
"""Written answers begin with the answer."""
_FOLLOWS = 0.06
"""A further sentence is worth a little even where it shares no word with the question."""
_DEPENDENT = re.compile(
    r"(?:it|they|them|this|that|these|those|he|she|his|her|their|its|then|also|however|otherwise|instead|but|and|or|so|"
    r"after that|in that case|in this case|if so|if not|both|either|neither|the same|such|there|afterwards)\b"
    r"|(?:它|它们|这|那|此|该|但|不过|否则|然后|之后|因此|所以|另外|此外|同样|同时|而且|并且|也|还|如果这样|这时)",
    re.IGNORECASE,
)


def select(text: str, question: str, language: str, own: str = "", most: int = MOST_SENTENCES) -> list[str]:
    """Choose the sentences of a passage that answer a question.

    They are neighbours and keep their order, so that they make sense when heard; the first never leans on
    one that was left out.

    Args:
        text: of the passage.
        question: as it stands by itself.
        language: ISO 639-1, of the passage.
        own: the visitor's words, where the question is made of more than these.
        most: sentences.

    Returns:
        One to three sentences, about 60 words or 120 Chinese characters together.
    """
    sentences = sentences_of(text)
    if not sentences:
        return []
    asked = wanted(question, own)
    names = names_in(asked, sentences)
    values = [
        (1.0 - MEANING)
        * (held(sentence, asked) + told(sentence, asked, names=names) + SORT * asked.shown_by(sentence))
        + MEANING * close
        for sentence, close in zip(sentences, _nearness(question, sentences), strict=True)
    ]
    pins = [speaks_of(sentence, asked, names=names) for sentence in sentences]
    telling = [
        pin + (SORT if pin > 0 and asked.told_by(sentence) else 0.0)
        for pin, sentence in zip(pins, sentences, strict=True)
    ]
    leans = [bool(_DEPENDENT.match(sentence)) for sentence in sentences]
    enough = max(telling) - TOLD_LESS
    best, chosen = -1.0, sentences[:1]
    for first in range(len(sentences)):
        begins = telling[first : first + (2 if leans[first + 1 : first + 2] == [True] else 1)]
        if first and leans[first] or max(begins) < enough:
            continue
        for last in range(first, min(first + most, len(sentences))):
            window = sentences[first : last + 1]
            if last > first and _length(window, language) > 1.0:
                break
            value = (
                sum(values[first : last + 1])
                + FIRST * values[first]
                + _FOLLOWS * len(window)
                + (_LEAD if first == 0 else 0.0)
            )
            if value > best:
                best, chosen = value, window
    return chosen


def is_said(text: str, reply: str, least: int = 1) -> bool:
    """Tell whether so many of a text's sentences were said in a reply, whole or cut."""
    return sum(any(piece in reply for piece in shorter(one)) for one in sentences_of(text)) >= least


def unsaid(sentences: Sequence[str], said: str, asked: str, whole: str) -> list[str]:
    """Leave out of an answer to a follow-up what was said just before, unless it is what the follow-up adds.

    Args:
        sentences: of the answer.
        said: the reply before, as far as it was heard.
        asked: the follow-up in the visitor's words, without what they leave to the conversation.
        whole: with it.
    """
    own = [word for word in words_of(asked) if not word.plain]
    kept = [text for text in sentences if text not in said or own and _value(text, own) > 0]
    if kept or not sentences:
        return kept
    return [max(zip(_nearness(whole, sentences), sentences, strict=True))[1]]


def _nearness(question: str, sentences: Sequence[str]) -> list[float]:
    """Return how near the meanings of the question and of each sentence are, 0..1."""
    vectors = default_embedder().embed([question, *sentences])
    return [max(0.0, float(close)) for close in vectors[1:] @ vectors[0]]


def _value(sentence: str, asked: Sequence[Word]) -> float:
    """Return the share of the question's words that a sentence takes up, 0..1."""
    words = words_of(sentence)
    there = {word.stem for word in words} | {name for word in words for name in word.concepts}
    there |= {part for word in words for part in word.parts}
    total = held = 0.0
    for word in asked:
        weight = 0.3 if word.plain else 1.0
        total += weight
        if word.stem in there:
            held += weight
        elif any(name in there for name in word.concepts):
            held += 0.8 * weight
    return held / total if total else 0.0


def _length(sentences: Sequence[str], language: str) -> float:
    """Return how long sentences are, as a share of what may be said."""
    text = " ".join(sentences)
    return len(text) / MOST_HAN if language == "zh" else len(text.split()) / MOST_WORDS
