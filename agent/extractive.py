"""The embedded answerer: says what the knowledge says, cites it, and says so when it does not know."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import replace

from agent.answerer import Question
from agent.emotion_clauses import asked_of
from agent.emotion_telling import Telling, complains, telling
from agent.reading import sentences_of
from agent.rereading import tells
from agent.selection import is_said, select, unsaid
from agent.sentence import Citation, Emotion, Outcome, Sentence
from agent.shortening import shorter
from agent.smalltalk import Talk, small_talk
from agent.splitter import split_sentences
from knowledge.passage import Passage
from knowledge.words import Word, words_of

OF_SEVERAL = 2
"""Sentences to each of several questions."""
SURE = 0.85
"""From this score on the best passage is the answer even if another is close."""
CLOSE = 0.9
"""A second passage with this share of the best one's score makes the question ambiguous."""
MAYBE = 0.6
"""From this share of the needed score on, two likely topics are offered instead of "I do not know"."""
MAYBE_TOPICS = 2
"""... if the question has at least so many words of its own: one alone is too little to guess from."""

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
            left = " ".join(text for text in sentences_of(passage.text) if text not in said)
            chosen = select(left, whole, passage.language, part.text, OF_SEVERAL)
            yield from self._said(chosen, passage, part)
            said.update(chosen)
        if question.left:
            yield from _say(question.phrases.rest, question.language, UNKNOWN, Outcome.ANSWERED)

    def _once_more(self, question: Question) -> Iterator[Sentence]:
        """Yield what matters most of the last answer in short sentences; the next time, what was left out."""
        last = question.history[-1].reply
        passage = next((one for one in question.passages if is_said(one.text, last)), None)
        said = sentences_of(passage.text) if passage is not None else split_sentences(last)
        if passage is None:
            for text in (piece for one in said[-OF_SEVERAL:] for piece in shorter(one)):
                yield Sentence(text, question.language, PATIENT, Outcome.ANSWERED)
            return
        whole = question.standalone
        chosen = select(passage.text, whole, passage.language, most=1)
        if all(piece in last for one in chosen for piece in shorter(one)) and not is_said(
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


_GESTURES = {
    Talk.GREETING: "greet",
    Talk.THANKS: "agree",
    Talk.NEVER_MIND: "agree",
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
