"""Doing the next step of a visitor's errand: what is said of it, and tools run within bounds."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import suppress

from agent.beginning import Act, Say
from agent.confirming import ActionBook, Done, action_key
from agent.engines import Engines
from agent.errors import ToolError
from agent.events import ErrandMoved, Event, Noted, Written
from agent.history import Memory
from agent.phrases import Phrases
from agent.sentence import Citation, Emotion, Outcome, Sentence
from agent.slots import said_one_by_one
from agent.splitter import split_sentences
from agent.threads import in_tool
from agent.tools import run_tool
from moderation.verdict import Action, Verdict

TOOL_S = 5.0
"""How long a desk's tool may take before the visitor gets an apology instead."""

_NUMBER = re.compile(r"\+?[\d\s-]{3,}")
_BAD_NEWS = re.compile(
    r"(?:i am|i'm|we are|we're) (?:very )?sorry|sorry|unfortunately|很?抱歉|对不起|很遗憾", re.IGNORECASE
)
_GOOD_NEWS = re.compile(r"good news|great news|好消息", re.IGNORECASE)


class _NotBegunError(ToolError):
    """An action was not begun, so that it may be asked for again."""


async def do(
    step: Say | Act,
    engines: Engines,
    memory: Memory,
    language: str,
    phrases: Phrases,
    clock: Callable[[], float],
) -> AsyncGenerator[Event, None]:
    """Say or do the next step of what the visitor is having done."""
    if isinstance(step, Say):
        yield ErrandMoved(step.errand)
        feeling = Emotion("apologetic", 0.5) if step.outcome is Outcome.HANDOFF else Emotion("neutral", 0.5)
        values = step.errand.values.values() if step.errand is not None else ()
        lines = lines_of(step.line, language, feeling, step.outcome)
        for written in told(lines, values, clock):
            yield written
        return
    name = step.tool.name
    try:
        line = await _run(step, engines, memory, language)
    except (ToolError, TimeoutError) as error:
        yield ErrandMoved(None)
        yield Noted(str(error) or f"the desk's tool {name} took over {TOOL_S:g} s; see tools.py")
        begun = step.tool.changes and not isinstance(error, _NotBegunError)
        line = phrases.unsure if begun else phrases.failed
        apology = Sentence(line, language, Emotion("apologetic", 0.6), Outcome.HANDOFF)
        yield Written(apology, clock(), own=True)
        return
    yield ErrandMoved(step.errand)
    if isinstance(line, Done):
        if line.finished:
            before = Sentence(phrases.done_before, language, Emotion("neutral", 0.5), Outcome.ANSWERED)
            yield Written(before, clock(), own=True)
            return
        yield Noted(f"the desk's tool {name} was begun before and never came to an end; it is not run twice")
        yield ErrandMoved(None)
        apology = Sentence(phrases.unsure, language, Emotion("apologetic", 0.6), Outcome.HANDOFF)
        yield Written(apology, clock(), own=True)
        return
    citation = Citation(f"tool:{name}", step.tool.titled(language), line, 1.0)
    sentences = [
        *lines_of(step.first, language, Emotion("neutral", 0.5), Outcome.ANSWERED),
        *lines_of(line, language, None, Outcome.ANSWERED, (citation,)),
    ]
    for written in told(sentences, step.values.values(), clock):
        yield written


async def _run(step: Act, engines: Engines, memory: Memory, language: str) -> str | Done:
    """Run a tool; what changes something at most once in a conversation, also where it was given up on.

    Raises:
        ToolError, TimeoutError: it failed, is too slow, or its running cannot be written down.
    """
    tool, state_dir = step.tool, engines.desk.state_folder

    def run() -> str | Done:
        if not tool.changes:
            return run_tool(tool, step.values, language=language, state_dir=state_dir)
        book = ActionBook(state_dir)
        key = action_key(memory.key, tool.name, step.values)
        try:
            before = book.claim(key, tool.name)
        except (sqlite3.Error, OSError) as error:
            raise _NotBegunError(
                f"{tool.name} was not run: {state_dir} cannot be written ({error}); make room or allow it"
            ) from error
        if before is not None:
            return before
        line = run_tool(tool, step.values, language=language, state_dir=state_dir)
        with suppress(sqlite3.Error):  # it was done: at worst that is told as unsure when asked again
            book.finish(key)
        return line

    async with asyncio.timeout(TOOL_S):
        return await in_tool(run)


def told(
    sentences: Iterable[Sentence], values: Iterable[str], clock: Callable[[], float]
) -> Iterator[Written]:
    """Yield sentences as they are to be said; numbers that the visitor gave may be said back to them."""
    given = tuple(form for one in values if _NUMBER.fullmatch(one) for form in (said_one_by_one(one), one))
    for sentence in sentences:
        yield Written(sentence, clock(), given=given)


def lines_of(
    line: str, language: str, feeling: Emotion | None, outcome: Outcome, cited: tuple[Citation, ...] = ()
) -> list[Sentence]:
    """Return a line's sentences; a feeling of None is chosen by how each begins."""
    return [
        Sentence(text, language, feeling or _tone(text), outcome, cited) for text in split_sentences(line)
    ]


def _tone(line: str) -> Emotion:
    """Return how to say a tool's line, by how it begins."""
    if _BAD_NEWS.match(line):
        return Emotion("apologetic", 0.6)
    if _GOOD_NEWS.match(line):
        return Emotion("happy", 0.6)
    return Emotion("neutral", 0.5)


def safe_sentence(engines: Engines, verdict: Verdict, language: str) -> Sentence:
    """Return the prepared line for a refused text."""
    escalated = verdict.action is Action.ESCALATE
    return Sentence(
        engines.guard.safe_line(verdict, language),
        language,
        Emotion("empathetic" if escalated else "neutral", 0.6),
        Outcome.HANDOFF if escalated else Outcome.REFUSED,
    )
