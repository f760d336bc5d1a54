"""The embedded answerer: says what the knowledge says, cites it, and says so when it does not know."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import replace

from agent.answerer import Question
from agent.emotion_clauses import asked_of
from agent.emotion_telling import Telling, complains, telling
from agent.reading import SORT, held, names_in, speaks_of, told, wanted
from agent.rereading import tells
from agent.sentence import Citation, Emotion, Outcome, Sentence
from agent.shortening import shorter
from agent.smalltalk import Talk, small_talk
from agent.splitter import split_sentences
from knowledge.passage import Passage
from knowledge.table import default_embedder
from knowledge.words import Word, words_of

MOST_SENTENCES = 3
OF_SEVERAL = 2
"""Sentences to each of several questions."""
MOST_WORDS = 60
"""About 25 seconds of speech: visitors stop listening after that."""
MOST_HAN = 120
"""The same in Chinese characters."""
SURE = 0.85
"""From this score on the best passage is the answer even if another is close."""
CLOSE = 0.9
"""A second passage with this share of the best one's score makes the question ambiguous."""
MAYBE = 0.6
"""From this share of the needed score on, two likely topics are offered instead of "I do not know"."""
MAYBE_TOPICS = 2
"""... if the question has at least so many words of its own: one alone is too little to guess from."""

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
_WARNING = re.compile(
    r"\b(?:never|do not|don't|must not|danger|risk|careful|stop using)\b|切勿|不要|千万|危险|禁止|小心",
    re.IGNORECASE,
)
_UPSET = re.compile(
    r"\b(?:annoy\w*|angry|furious|upset|frustrat\w*|disappoint\w*|terrible|awful|horrible|ridiculous|worst|useless"
    r"|unacceptable|fed up|sick of|rude|disgust\w*|a joke|hate)\b"
    r"|生气|气死|太差|失望|投诉|垃圾|受够|差劲|态度|恼火|坑人|骗人|郁闷",
    re.IGNORECASE,
)
_TROUBLE = {"#damaged", "#faulty", "#late", "#lost", "#wrong", "#complaint", "#declined", "#missed"}
_WORRY = {"#phishing"}
_PLEASANT = {"#gift", "#wrap", "#giftcard", "#loyalty", "#free", "#discount"}


UNKNOWN = Emotion("apologetic", 0.3)
"""How it is said that a part of a question has no answer."""
PATIENT = Emotion("empathetic", 0.4)
"""How it is said once more what a tool found."""


class ExtractiveAnswerer:
    """Answers with the documents' own sentences; needs no model."""

    engine = "extractive"

    def __init__(self, *, answer_from: float = 0.5) -> None:
        """Set from which calibrated score (0..1) on a passage is an answer."""
        self._answer_from = answer_from

    async def answer(self, question: Question) -> AsyncGenerator[Sentence, None]:
        """Yield the reply's sentences."""
        for sentence in self.compose(question):
            yield sentence

    def compose(self, question: Question) -> Iterator[Sentence]:
        """Yield the reply's sentences; nothing here waits."""
        talk = small_talk(question.text)
        if talk is not None:
            yield from said_in_small_talk(talk, question)
            return
        if (feels := telling(question.text)) is not None:
            yield from said_to_feeling(feels, question)
            return
        if question.again and question.history and question.history[-1].outcome is Outcome.ANSWERED:
            yield from self._once_more(question)
            return
        if question.parts:
            yield from self._one_by_one(question)
            return
        passage = self._choose(question)
        choice = self._choice(question, passage)
        if choice is not None:
            line = question.phrases.clarify
            line = line.replace("{first}", _topic(choice[0])).replace("{second}", _topic(choice[1]))
            both = (Citation.of(choice[0]), Citation.of(choice[1]))
            yield from _say(line, question.language, Emotion("thinking", 0.5), Outcome.CLARIFIED, both)
            return
        if passage is None:
            if complains(question.text):
                yield from said_to_feeling(Telling.DISTRESS, question)
                return
            feeling = Emotion("apologetic", 0.5)
            yield from _say(question.phrases.unknown, question.language, feeling, Outcome.ABSTAINED)
            return
        own = asked_of(question.text)
        whole = question.standalone or own
        chosen = select(passage.text, whole, passage.language, own)
        if whole != own and question.history:
            chosen = unsaid(chosen, question.history[-1].reply, own, whole)
        yield from self._said(chosen, passage, question)
        if question.left:
            yield from _say(question.phrases.rest, question.language, UNKNOWN, Outcome.ANSWERED)

    def _one_by_one(self, question: Question) -> Iterator[Sentence]:
        """Yield the answers to several questions, short ones: nobody remembers more."""
        said: set[str] = set()
        for part in question.parts:
            passage = self._choose(part)
            if passage is None:
                continue
            whole = part.standalone or part.text
            chosen = select(passage.text, whole, passage.language, part.text, OF_SEVERAL)
            yield from self._said([text for text in chosen if text not in said], passage, part)
            said.update(chosen)
        if question.left:
            yield from _say(question.phrases.rest, question.language, UNKNOWN, Outcome.ANSWERED)

    def _once_more(self, question: Question) -> Iterator[Sentence]:
        """Yield what matters most of the last answer in short sentences; the next time, what was left out."""
        last = question.history[-1].reply
        passage = next((one for one in question.passages if _is_said(one.text, last)), None)
        said = _sentences(passage.text) if passage is not None else split_sentences(last)
        if passage is None:
            for text in (piece for one in said[-OF_SEVERAL:] for piece in shorter(one)):
                yield Sentence(text, question.language, PATIENT, Outcome.ANSWERED)
            return
        whole = question.standalone
        chosen = select(passage.text, whole, passage.language, most=1)
        if all(piece in last for one in chosen for piece in shorter(one)) and not _is_said(
            passage.text, last, 2
        ):
            chosen = [one for one in said if one not in chosen][:OF_SEVERAL] or chosen
        pieces = [piece for one in chosen for piece in shorter(one)]
        yield from self._said(pieces, passage, question)

    def _said(self, chosen: Sequence[str], passage: Passage, question: Question) -> Iterator[Sentence]:
        """Yield sentences of a passage, each with how it is to be said."""
        if chosen and passage.language != question.language:
            line = question.phrases.other_language
            yield from _say(line, question.language, Emotion("apologetic", 0.3), Outcome.ANSWERED)
        cited = (Citation.of(passage),)
        asked = words_of(question.standalone or asked_of(question.text))
        for number, text in enumerate(chosen):
            feeling = _feeling(question.text, asked, passage, text, first=number == 0)
            yield Sentence(text, passage.language, feeling, Outcome.ANSWERED, cited)

    def _choose(self, question: Question) -> Passage | None:
        """Return the passage to answer from: the best in the visitor's language, or else the best."""
        good = [passage for passage in question.passages if passage.score >= self._answer_from]
        own = [passage for passage in good if passage.language == question.language]
        return next(iter(own or good), None)

    def _choice(self, question: Question, chosen: Passage | None) -> tuple[Passage, Passage] | None:
        """Return two topics to ask back about: the question is too vague, or no answer is likely enough."""
        own = asked_of(question.text)
        asked = question.standalone or own
        topics = {word.key for word in words_of(asked) if not word.plain}
        if chosen is None:
            least = self._answer_from * MAYBE
            candidates = [p for p in question.passages if p.language == question.language]
            chosen = next(iter(candidates), None)
            if chosen is None or chosen.score < least or len(topics) < MAYBE_TOPICS:
                return None
        else:
            vague = len(topics) == 1 and not topics & {word.key for word in words_of(_topic(chosen))}
            if chosen.kind == "faq" or (chosen.score >= SURE and not vague) or tells(asked, chosen, own):
                return None
            least = max(self._answer_from, CLOSE * chosen.score)
            candidates = [p for p in question.passages if p.language == chosen.language]
        for other in candidates:
            if (
                other.score >= least
                and other.kind == "article" == chosen.kind
                and _document(other) != _document(chosen)
                and not _same_topic(other, chosen)
                and (not topics >= _topic_words(chosen) or topics >= _topic_words(other))
            ):
                return chosen, other
        return None


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
    sentences = _sentences(text)
    if not sentences:
        return []
    asked = wanted(question, own)
    names = names_in(asked, sentences)
    values = [
        (1.0 - MEANING) * (held(sentence, asked) + told(sentence, asked, names=names)) + MEANING * close
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


def _sentences(text: str) -> list[str]:
    return [sentence for paragraph in text.split("\n\n") for sentence in split_sentences(paragraph)]


def _is_said(text: str, reply: str, least: int = 1) -> bool:
    """Tell whether so many of a text's sentences were said in a reply, whole or cut."""
    return sum(any(piece in reply for piece in shorter(one)) for one in _sentences(text)) >= least


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


_GESTURES = {
    Talk.GREETING: "greet",
    Talk.THANKS: "agree",
    Talk.GOODBYE: "farewell",
    Talk.IDENTITY: "welcome",
    Talk.HANDOFF: "reassure",
}
"""Small talk → the motion that goes with its first sentence."""


def said_in_small_talk(talk: Talk, question: Question) -> Iterator[Sentence]:
    """Yield the desk's own lines for small talk, with the motion that goes with them."""
    line = str(getattr(question.phrases, talk.value))
    if talk is Talk.HANDOFF:
        feeling, outcome = Emotion("empathetic", 0.5), Outcome.HANDOFF
    else:
        feeling, outcome = Emotion("happy", 0.4 if talk is Talk.IDENTITY else 0.6), Outcome.ANSWERED
    for number, sentence in enumerate(_say(line, question.language, feeling, outcome)):
        yield replace(sentence, gesture=_GESTURES[talk]) if number == 0 else sentence


def said_to_feeling(told: Telling, question: Question) -> Iterator[Sentence]:
    """Yield the desk's line for who only tells a feeling; to distress it has no answer yet."""
    line, glad = str(getattr(question.phrases, told.value)), told is Telling.PRAISE
    feeling = Emotion("happy" if glad else "empathetic", 0.6)
    outcome = Outcome.ANSWERED if glad else Outcome.ABSTAINED
    for number, sentence in enumerate(_say(line, question.language, feeling, outcome)):
        yield replace(sentence, gesture="agree") if glad and number == 0 else sentence


def _say(
    line: str, language: str, feeling: Emotion, outcome: Outcome, cited: tuple[Citation, ...] = ()
) -> Iterator[Sentence]:
    for text in split_sentences(line):
        yield Sentence(text, language, feeling, outcome, cited)


def _feeling(question: str, asked: Sequence[Word], passage: Passage, text: str, *, first: bool) -> Emotion:
    """Choose how to say a sentence: by what happened to the visitor, then by what is said."""
    concepts = {name for word in asked for name in word.concepts}
    if _UPSET.search(question) or "#complaint" in concepts:
        return Emotion("apologetic", 0.7) if first else Emotion("empathetic", 0.5)
    if concepts & _WORRY:
        return Emotion("concerned", 0.6)
    if concepts & _TROUBLE:
        return Emotion("apologetic", 0.6) if first else Emotion("empathetic", 0.4)
    if _WARNING.search(text):
        return Emotion("concerned", 0.4)
    if concepts & _PLEASANT:
        return Emotion("happy", 0.4)
    return Emotion("neutral", 0.5)


def _topic(passage: Passage) -> str:
    """Return what a passage is about, to be named in a question."""
    title = re.split(r": |：", passage.title, maxsplit=1)[0]
    return title.rstrip(" ?？.。")


def _topic_words(passage: Passage) -> set[str]:
    return {word.key for word in words_of(_topic(passage)) if not word.plain}


def _same_topic(one: Passage, other: Passage) -> bool:
    """Tell whether one title says no more than the other: "Refunds" and "My refund has not arrived"."""
    first, second = _topic_words(one), _topic_words(other)
    return first <= second or second <= first


def _document(passage: Passage) -> str:
    return passage.source.partition("#")[0]
