"""Faults that are planted into a desk's engines, to see that a suite finds them."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

from agent.answerer import Question
from agent.engines import Engines
from agent.line import sliced
from agent.scripted import ScriptedAnswerer
from agent.sentence import Sentence
from agent.stage import Stage
from moderation.verdict import Action, Direction, Verdict

WRONG = "You have ninety days to return an item."
UNSAFE = "You are a stupid bitch, get lost."


def wrong_answer(engines: Engines) -> None:
    engines.answerer = ScriptedAnswerer([WRONG])


class _Slow:
    engine = "slow"

    def __init__(self, inner: Any, wait_s: float, *, blocking: bool) -> None:
        self._inner, self._wait_s, self._blocking = inner, wait_s, blocking

    async def answer(self, question: Question) -> AsyncGenerator[Sentence, None]:
        if self._blocking:
            time.sleep(self._wait_s)  # noqa: ASYNC251 - the fault
        else:
            await asyncio.sleep(self._wait_s)
        async for sentence in self._inner.answer(question):
            yield sentence


def late_answer(engines: Engines) -> None:
    engines.answerer = _Slow(engines.answerer, 4.0, blocking=False)


def busy_answer(engines: Engines) -> None:
    engines.answerer = _Slow(engines.answerer, 2.0, blocking=True)


def never_answers(engines: Engines) -> None:
    engines.answerer = _Slow(engines.answerer, 1e9, blocking=False)


class _GoesOn:
    """Says what the desk says, and then comes to no end."""

    engine = "goes-on"

    def __init__(self, inner: Any, wait_s: float) -> None:
        self._inner, self._wait_s = inner, wait_s

    async def answer(self, question: Question) -> AsyncGenerator[Sentence, None]:
        async for sentence in self._inner.answer(question):
            yield sentence
        number = 0
        while True:
            await asyncio.sleep(self._wait_s)
            number += 1
            yield Sentence(f"You have thirty days, and once more {number}.", question.language)


def hangs_after_its_start(engines: Engines) -> None:
    engines.answerer = _GoesOn(engines.answerer, 1e9)


def endless_answer(engines: Engines) -> None:
    engines.answerer = _GoesOn(engines.answerer, 0.0)


def endless_slow_answer(engines: Engines) -> None:
    engines.answerer = _GoesOn(engines.answerer, 2.0)


class _Blind:
    """A guard that lets everything through."""

    def __init__(self, guard: Any) -> None:
        self._guard = guard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._guard, name)

    def quick(self, text: str, direction: str = "input", language: str | None = None, **_: Any) -> Any:
        return Verdict(Action.ALLOW, "", text, Direction(direction))

    screen = quick

    def judges(self, direction: str) -> bool:
        return False


def unsafe_answer(engines: Engines) -> None:
    engines.answerer = ScriptedAnswerer([UNSAFE])
    engines.guard = _Blind(engines.guard)  # type: ignore[assignment]


class _Dies:
    engine = "dies"

    def answer(self, question: Question) -> Any:
        if "warranty" in question.text:
            os._exit(7)
        return ScriptedAnswerer(["Thirty days."]).answer(question)


def dies_of_warranties(engines: Engines) -> None:
    engines.answerer = _Dies()


def prints(engines: Engines) -> None:
    print("printed by a tool")  # noqa: T201 - the fault
    subprocess.run([sys.executable, "-c", "print('printed by its program')"], check=True)


def prints_and_hangs(engines: Engines) -> None:
    print("printed by a tool")  # noqa: T201 - the fault
    engines.answerer = _Slow(engines.answerer, 60.0, blocking=True)


def begins_anew(stage: Stage) -> None:
    """Say the reply from its beginning where it was to go on."""
    for line in reversed(list(stage._lines)):
        stage._lines.remove(line)
        stage._lines.appendleft(replace(line, speech=line.spoken.speech, offset_s=0.0))
    stage._paused = False


def skips_words(stage: Stage) -> None:
    """Go on a second later than where it was."""
    if stage._paused and stage._lines:
        line = stage._lines.popleft()
        rest = sliced(line.speech, 1.0)
        stage._lines.appendleft(replace(line, speech=rest, offset_s=line.offset_s + 1.0))
    stage._paused = False
