"""One reply: a chain of async generators from a question to spoken sentences."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace

import numpy as np

from agent.ahead import ahead
from agent.answerer import Question
from agent.engines import Engines
from agent.errors import AnswererError, ToolError
from agent.events import Ended, Event, Heard, Noted, Retrieved, Screened, Spoken, Written
from agent.phrases import Phrases
from agent.sentence import Citation, Emotion, Outcome, Sentence
from agent.tools import run_tool
from moderation.verdict import Action, Verdict
from speech.recognizer import LOW_CONFIDENCE
from speech.timeline import Phoneme, Speech

FPS = 25
"""Video frames a second; every sentence's sound is padded to whole frames."""
LEAD_S = 0.2
"""A living face before the first sound, so that a clip does not begin in the middle of a breath."""
PAUSE_S = 0.28
"""Between sentences: about what people leave."""
TAIL_S = 0.6
"""After the last: the mouth closes and the face settles."""
TOOL_S = 5.0
"""How long a desk's tool may take before the visitor gets an apology instead."""
SENTENCES_AHEAD = 2
"""How many sentences each stage may be before the next: sound early, little to throw away."""

_BAD_NEWS = re.compile(
    r"(?:i am|i'm|we are|we're) (?:very )?sorry|sorry|unfortunately|很?抱歉|对不起|很遗憾", re.IGNORECASE
)
_GOOD_NEWS = re.compile(r"good news|great news|好消息", re.IGNORECASE)


async def reply(heard: Heard, engines: Engines) -> AsyncGenerator[Event, None]:
    """Answer one utterance.

    Yields `Screened`, `Retrieved`, `Written`, `Spoken` … and at last `Ended`. Times count from this call,
    plus the recognition that came before it. Closing the generator cancels everything under way.
    """
    began = time.perf_counter() - (heard.recognition_ms or 0.0) / 1e3

    def clock() -> float:
        return (time.perf_counter() - began) * 1e3

    start_s, outcome = LEAD_S, Outcome.ANSWERED
    async with aclosing(ahead(_written(heard, engines, clock), depth=SENTENCES_AHEAD)) as events:
        async for event in events:
            yield event
            if not isinstance(event, Written):
                continue
            outcome = event.sentence.outcome
            sentence = event.sentence
            speech = await asyncio.to_thread(
                engines.synthesizer.speak,
                sentence.text,
                emotion=sentence.emotion.label,
                intensity=sentence.emotion.intensity,
                language=sentence.language,
            )
            speech = whole_frames(speech, pause_s=PAUSE_S)
            yield Spoken(sentence, speech, start_s, clock())
            start_s += speech.duration_s
    yield Ended(outcome, clock())


def changes_nothing(text: str, engines: Engines) -> bool:
    """Tell whether a question may be answered before it is certain that it was asked: no tool would run."""
    return not any(tool.about.search(text) and tool.fill(text) is not None for tool in engines.tools)


def whole_frames(speech: Speech, *, pause_s: float) -> Speech:
    """Return the speech with a pause at its end that makes it a whole number of video frames long."""
    per_frame = speech.sample_rate // FPS
    wanted = int(np.ceil((len(speech.pcm) + pause_s * speech.sample_rate) / per_frame)) * per_frame
    pcm = np.concatenate([speech.pcm, np.zeros(wanted - len(speech.pcm), np.float32)])
    end = wanted / speech.sample_rate
    last = speech.phonemes[-1] if speech.phonemes else None
    if last and not last.symbol:
        phonemes = (*speech.phonemes[:-1], replace(last, end_s=end))
    else:
        phonemes = (*speech.phonemes, Phoneme("", speech.duration_s, end))
    return replace(speech, pcm=pcm, phonemes=phonemes)


async def _written(heard: Heard, engines: Engines, clock: Callable[[], float]) -> AsyncGenerator[Event, None]:
    """Yield everything up to sentences that may be spoken."""
    desk, transcript = engines.desk, heard.transcript
    text = transcript.text.strip()
    language = desk.language_of(text) if text else transcript.language
    if language not in desk.settings.languages:
        language = desk.settings.languages[0]
    phrases = desk.phrases(language)
    if not text or transcript.confidence < LOW_CONFIDENCE:
        line = phrases.repeat if heard.speech_s else phrases.nothing_heard
        yield Written(Sentence(line, language, Emotion("apologetic", 0.4), Outcome.CLARIFIED), clock())
        return

    screen = engines.guard.screen
    verdict = await asyncio.to_thread(screen, text, direction="input", language=language)
    yield Screened(verdict)
    if not verdict.passes:
        yield Written(_safe_sentence(engines, verdict, language), clock())
        return

    searched = time.perf_counter()
    passages, answerable = await asyncio.to_thread(engines.look_up, verdict.text, language)
    yield Retrieved(passages, answerable, (time.perf_counter() - searched) * 1e3)

    # Documents are data, whoever wrote them: one that gives orders does not reach the answerer.
    texts = [passage.text for passage in passages]
    read = await asyncio.to_thread(engines.guard.screen_many, texts, direction="document")
    passages = tuple(
        passage for passage, checked in zip(passages, read, strict=True) if checked.action is Action.ALLOW
    )
    question = Question(verdict.text, language, passages, answerable if passages else 0.0, phrases)
    count = 0
    async with aclosing(_answer(question, text, engines)) as answers:
        async for item in answers:
            if isinstance(item, Noted):
                yield item
                continue
            checked = await asyncio.to_thread(screen, item.text, direction="output", language=item.language)
            yield Screened(checked)
            if not checked.passes:
                yield Written(_safe_sentence(engines, checked, language), clock())
                return
            if verdict.action is Action.SOFTEN and item.emotion.label == "neutral":
                item = replace(item, emotion=Emotion("empathetic", 0.6))
            yield Written(replace(item, text=checked.text), clock())
            count += 1
            if count >= desk.settings.limits.reply_sentences:
                return
    if not count:
        yield Written(
            Sentence(phrases.unknown, language, Emotion("apologetic", 0.5), Outcome.ABSTAINED), clock()
        )


async def _answer(question: Question, raw: str, engines: Engines) -> AsyncGenerator[Sentence | Noted, None]:
    """Yield an answer from a tool, else from the answering engine, else from the knowledge alone."""
    for chosen in engines.tools:
        # Arguments come from the visitor's own words alone, never from documents.
        values = chosen.fill(raw) if chosen.about.search(raw) else None
        if values is None:
            continue
        try:
            async with asyncio.timeout(TOOL_S):
                line = await asyncio.to_thread(
                    run_tool, chosen, values, language=question.language, state_dir=engines.desk.state_folder
                )
        except (ToolError, TimeoutError) as error:
            yield Noted(str(error) or f"the desk's tool {chosen.name} took over {TOOL_S:g} s; see tools.py")
            yield _failed(question.phrases, question.language)
            return
        citation = Citation(f"tool:{chosen.name}", chosen.description.split("\n", 1)[0], line, 1.0)
        async for sentence in _sentences(line, question.language, citation):
            yield sentence
        return

    spoken = False
    try:
        async with aclosing(engines.answerer.answer(question)) as answers:  # type: ignore[type-var]
            async for sentence in answers:
                spoken = True
                yield sentence
        return
    except AnswererError as error:
        if not engines.fallback:
            raise
        if spoken:
            yield Noted(f"{error}; the reply was broken off")
            yield _failed(question.phrases, question.language)
            return
        yield Noted(f"{error}; answered from the knowledge alone")
    async for sentence in engines.fallback.answer(question):
        yield sentence


async def _sentences(line: str, language: str, citation: Citation) -> AsyncIterator[Sentence]:
    from agent.splitter import split_sentences

    for text in split_sentences(line):
        yield Sentence(text, language, _tone(text), Outcome.ANSWERED, (citation,))


def _tone(line: str) -> Emotion:
    """Return how to say a tool's line, by how it begins."""
    if _BAD_NEWS.match(line):
        return Emotion("apologetic", 0.6)
    if _GOOD_NEWS.match(line):
        return Emotion("happy", 0.6)
    return Emotion("neutral", 0.5)


def _failed(phrases: Phrases, language: str) -> Sentence:
    return Sentence(phrases.failed, language, Emotion("apologetic", 0.6), Outcome.HANDOFF)


def _safe_sentence(engines: Engines, verdict: Verdict, language: str) -> Sentence:
    """Return the prepared line for a refused text."""
    escalated = verdict.action is Action.ESCALATE
    return Sentence(
        engines.guard.safe_line(verdict, language),
        language,
        Emotion("empathetic" if escalated else "neutral", 0.6),
        Outcome.HANDOFF if escalated else Outcome.REFUSED,
    )
