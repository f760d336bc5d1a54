"""One reply: a chain of async generators from a question to spoken sentences."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from agent.ahead import ahead
from agent.answerer import Question
from agent.beginning import Act, Aside, Say
from agent.cards import take_links
from agent.doing import do, safe_sentence
from agent.emotion_clauses import asked_of
from agent.engines import Engines
from agent.errands import next_step
from agent.events import (
    ErrandMoved,
    Event,
    Heard,
    Noted,
    Retrieved,
    Screened,
    Written,
)
from agent.fallback import answered
from agent.feeling import felt_of
from agent.gate import Gate
from agent.guarding import harmless
from agent.handoff import Asked, Reason, begun, next_handoff, passing
from agent.handoff_offer import offering
from agent.history import Memory
from agent.llm import Asking
from agent.lookup import Looked, Lookup
from agent.manner import manner_of
from agent.manner_shape import mannered
from agent.overlong import cut_off
from agent.sentence import Emotion, Outcome, Sentence
from agent.slots import Stage
from agent.summary import remembered
from agent.threads import in_guard
from knowledge.passage import Passage
from moderation.verdict import Action, Category, Verdict
from speech.recognizer import LOW_CONFIDENCE

SENTENCES_AHEAD = 2
"""How many sentences each stage may be before the next: sound early, little to throw away."""

LINKS = 4
"""So many links to a sentence are more than anybody looks at: there the reply ends, too."""

_EITHER = re.compile(r"[\W\d_]*(?:ok|okay|hp|[A-Z]{1,4})?[\W\d_]*", re.IGNORECASE)
"""Numbers, and "OK": said alike in both languages."""


async def reply(heard: Heard, engines: Engines, memory: Memory | None = None) -> AsyncGenerator[Event, None]:
    """Answer one utterance.

    Yields `Screened`, `Retrieved`, `Written`, `Spoken` … and at last `Ended`. Times count from this call,
    plus the recognition that came before it. Closing the generator cancels everything under way.

    Args:
        heard: the visitor's words.
        engines: the desk's.
        memory: the conversation before it; None: this is its first turn. Nothing is remembered here: who
            holds the memory follows `ErrandMoved`.
    """
    began = time.perf_counter() - (heard.recognition_ms or 0.0) / 1e3

    def clock() -> float:
        return (time.perf_counter() - began) * 1e3

    written = ahead(_with_people(heard, engines, memory or Memory(), clock), depth=SENTENCES_AHEAD)
    async with aclosing(Gate(engines, clock).release(written)) as events:
        async for event in events:
            yield event


def changes_nothing(text: str, engines: Engines, memory: Memory | None = None) -> bool:
    """Tell whether a question may be answered before it is certain that it was asked: no tool would run."""
    memory = memory or Memory()
    language = _language(text, engines, memory, "")
    phrases = engines.desk.phrases(language)
    wish = _wish(text, memory)
    step = next_step(wish, memory, engines.tools, phrases, language=language, now_s=time.monotonic())
    return not (isinstance(step, Act) or isinstance(step, Aside) and step.asked)


def _with_people(
    heard: Heard, engines: Engines, memory: Memory, clock: Callable[[], float]
) -> AsyncGenerator[Event, None]:
    """Yield everything up to sentences that may be spoken, and the offer of a person where one is due."""
    events = _written(heard, engines, memory, clock)
    text = heard.transcript.text.strip()
    language = _language(text, engines, memory, heard.transcript.language)
    asked = _asked(text, Verdict(Action.ALLOW, "", text), engines, memory, language)
    table, phrases = engines.desk.settings.emotion, engines.desk.phrases(language)
    return mannered(offering(asked, events), memory, table, phrases, language)


async def _written(
    heard: Heard, engines: Engines, memory: Memory, clock: Callable[[], float]
) -> AsyncGenerator[Event, None]:
    """Yield everything up to sentences that may be spoken."""
    desk, transcript = engines.desk, heard.transcript
    text = transcript.text.strip()
    language = _language(text, engines, memory, transcript.language)
    phrases = desk.phrases(language)
    if not text or transcript.confidence < LOW_CONFIDENCE:
        line = phrases.repeat if heard.speech_s else phrases.nothing_heard
        again = Sentence(line, language, Emotion("apologetic", 0.4), Outcome.CLARIFIED)
        yield Written(again, clock(), own=True)
        return

    verdict = await in_guard(
        engines.guard.screen, text, direction="input", language=language, context=_said_before(memory)
    )
    yield Screened(verdict)
    felt = await asyncio.to_thread(felt_of, heard, memory, time.monotonic(), engines.feels)
    yield felt
    if not verdict.passes:
        yield Written(safe_sentence(engines, verdict, language), clock(), own=True)
        return

    asked = _asked(text, verdict, engines, memory, language)
    if (passed := next_handoff(asked)) is not None:
        async for event in passing(passed, asked, clock):
            yield event
        return

    # Arguments and consent come from the visitor's own words alone, never from documents.
    step = next_step(
        _wish(text, memory),
        memory,
        engines.tools,
        phrases,
        language=language,
        now_s=time.monotonic(),
        spoken=bool(heard.speech_s),
    )
    if not isinstance(step, Aside):
        async for event in do(step, engines, memory, language, phrases, clock):
            yield event
        return
    if step.errand != memory.errand:
        yield ErrandMoved(step.errand)
    if step.asked:
        async with aclosing(_asked_before(step, heard, engines, memory, clock)) as first:
            async for event in first:
                yield event
        return

    searched = time.perf_counter()
    looked = await asyncio.to_thread(Lookup(memory, engines, language).of, verdict.text)
    whole = looked.whole
    yield Retrieved(whole.passages, whole.answerable, (time.perf_counter() - searched) * 1e3)

    # Documents are data, whoever wrote them: one that gives orders does not reach the answerer.
    passages = await in_guard(_harmless, whole.passages, engines)
    manner = manner_of(felt.emotion, verdict, memory, desk.settings.emotion, language)
    earlier, history = remembered(memory.exchanges, language=language)
    question = Question(
        verdict.text,
        language,
        passages,
        whole.answerable if passages else 0.0,
        phrases,
        history=history,
        summary=earlier,
        manner=manner.told() if manner is not None else "",
        standalone=whole.wanted,
        again=looked.again,
        left=looked.left,
    )
    question = replace(question, parts=_parts(question, looked))
    count, written, most = 0, 0, desk.settings.limits.reply_sentences
    async with aclosing(answered(question, engines)) as answers:
        async for item in answers:
            if isinstance(item, Noted):
                yield item
                continue
            if isinstance(item, Asking):
                async for event in do(
                    Say(item.text, item.outcome, item.errand), engines, memory, language, phrases, clock
                ):
                    yield event
                return
            if item.outcome is Outcome.HANDOFF and item.text == phrases.handoff and memory.staff.known:
                async for event in passing(begun(asked, Reason.MODEL), asked, clock):
                    yield event
                return
            upset = verdict.action is Action.SOFTEN and verdict.category != Category.PROFANITY
            if upset and item.emotion.label == "neutral":
                item = replace(item, emotion=Emotion("empathetic", 0.6))
            yield Written(item, clock())
            written += 1
            count += bool(take_links(item.text, "")[0])
            if count >= most or written >= most * LINKS:
                if (left := await cut_off(answers, most)) is not None:
                    yield left
                return
    if not count:
        unknown = Sentence(phrases.unknown, language, Emotion("apologetic", 0.5), Outcome.ABSTAINED)
        yield Written(unknown, clock(), own=True)


async def _asked_before(
    step: Aside, heard: Heard, engines: Engines, memory: Memory, clock: Callable[[], float]
) -> AsyncGenerator[Event, None]:
    """Answer what the visitor wants to know before they agree, and put the question again."""
    inner = replace(heard, transcript=replace(heard.transcript, text=step.asked))
    errand, outcome = step.errand, Outcome.ANSWERED
    async with aclosing(_written(inner, engines, replace(memory, errand=None), clock)) as events:
        async for event in events:
            match event:
                case Screened() if event.verdict.direction.value == "input":
                    continue  # they are part of words that were screened, and told of, before
                case Written():
                    outcome = event.sentence.outcome
                case ErrandMoved():
                    errand = event.errand
            yield event
    other = errand is not step.errand and errand is not None and errand.stage is not Stage.DONE
    if step.errand is None or other or outcome in (Outcome.HANDOFF, Outcome.REFUSED):
        return  # one question at a time
    again = Say(step.errand.question, Outcome.CLARIFIED, replace(step.errand, put=True))
    language = step.errand.language
    async for event in do(again, engines, memory, language, engines.desk.phrases(language), clock):
        yield event


def _wish(text: str, memory: Memory) -> str:
    """Return the words that a tool may be about; answers to its questions are taken whole."""
    errand = memory.errand
    return asked_of(text) if errand is None or errand.stage is Stage.DONE else text


def _asked(text: str, verdict: Verdict, engines: Engines, memory: Memory, language: str) -> Asked:
    phrases = engines.desk.phrases(language)
    return Asked(
        text, verdict, memory, engines.desk, engines.tools, phrases, language, now_s=time.monotonic()
    )


def _said_before(memory: Memory) -> str:
    """Return the visitor's last words, where they were answered: what follows may go on from them."""
    last = memory.exchanges[-1] if memory.exchanges else None
    return last.question if last is not None and last.outcome is not Outcome.REFUSED and not last.by else ""


def _harmless(passages: tuple[Passage, ...], engines: Engines) -> tuple[Passage, ...]:
    """Leave out documents that the rules stop."""
    return tuple(one for one in passages if harmless(engines.guard, one.text))


def _parts(question: Question, looked: Looked) -> tuple[Question, ...]:
    """Return the questions of one that asks several things, with the passages that may be rested on."""
    kept = {passage.id for passage in question.passages}
    return tuple(
        replace(
            question,
            text=one.asked,
            standalone=one.wanted,
            passages=tuple(passage for passage in one.passages if passage.id in kept),
            answerable=one.answerable,
        )
        for one in looked.parts
    )


def _language(text: str, engines: Engines, memory: Memory, heard: str) -> str:
    """Return a reply's language: the visitor's; what could be either goes on in the one spoken before."""
    languages = engines.desk.settings.languages
    if not text:
        language = heard
    elif _EITHER.fullmatch(text) and (memory.language or heard):
        language = memory.language or heard
    else:
        language = engines.desk.language_of(text)
    return language if language in languages else languages[0]
