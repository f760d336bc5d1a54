"""Figures of moderation for `visavis bench`: screening a sentence, and what the release gate adds to it."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import numpy as np

from agent.desk import Desk
from agent.engines import Engines
from agent.events import Heard, Spoken
from agent.reply import reply
from agent.splitter import split_sentences
from evals.figure import Figure
from moderation import Direction, Guard
from speech.recognizer import Transcript

MODERATION = "moderation"
"""Names these figures at once."""
QUESTIONS = ("heldout_questions.jsonl", "demo_questions.jsonl")
MOST = 400
"""Sentences of each kind: questions, and what the demo desk knows."""
ANSWERED = 300
"""Questions that are answered to see how long a first sentence waits."""

Text = tuple[str, Direction, str]
"""A text, where it comes from, and its language."""


def questions() -> list[tuple[str, str]]:
    """Return questions of visitors with their languages, English and Chinese by turns."""
    folder = Path(__file__).parent / "data"
    lines = [line for name in QUESTIONS for line in (folder / name).read_text(encoding="utf-8").splitlines()]
    asked = [json.loads(line) for line in lines if line.strip()]
    return _by_turns([(one["question"], one["language"]) for one in asked])


def sentences() -> list[Text]:
    """Return what visitors ask and what the demo desk knows, sentence by sentence."""
    desk = Desk.load()
    files = sorted(desk.knowledge_folder.rglob("*.md"))
    paragraphs = [line.lstrip("#-*> ") for file in files for line in file.read_text("utf-8").splitlines()]
    known = [one for text in paragraphs if text.strip() for one in split_sentences(text)]
    told = _by_turns([(one, desk.language_of(one)) for one in known])
    return [
        *((text, Direction.INPUT, language) for text, language in questions()[:MOST]),
        *((text, Direction.OUTPUT, language) for text, language in told[:MOST]),
    ]


def screen_rules_ms_p95() -> Figure:
    """Screening a sentence by rules."""
    guard = Desk.load().guard()
    return _screening(guard, guard.quick, "rules")


def screen_ms_p95() -> Figure:
    """Screening a sentence by all that judges it."""
    guard = Desk.load().guard()
    return _screening(guard, guard.screen, guard.engine)


def gate_wait_ms_p95() -> Figure:
    """How long a reply's first sentence is ready to sound before its verdict is there."""
    with _on_one_core() as cores:
        engines = Engines.open(Desk.load(), hearing=False)
        try:
            engines.warm(engines.desk.settings.languages)
            waits = asyncio.run(_waits(engines))
        finally:
            engines.close()
    late = sum(wait > 0 for wait in waits)
    note = (
        f"95th percentile on {cores}; {late} of {len(waits)} waited, at most {max(waits):.1f} ms; "
        f"{engines.guard.engine}, {engines.synthesizer.engine}"
    )
    return Figure(round(float(np.percentile(waits, 95)), 2), "ms", len(waits), note)


def _screening(guard: Guard, screen: Callable[..., object], engine: str) -> Figure:
    guard.warm()
    texts = sentences()
    for text, direction, language in texts[:20]:
        screen(text, direction, language)
    spent: dict[str, list[float]] = {"en": [], "zh": []}
    for text, direction, language in texts:
        began = time.process_time()
        screen(text, direction, language)
        spent[language].append((time.process_time() - began) * 1e3)
    every = [one for rows in spent.values() for one in rows]
    each = ", ".join(f"{name} {np.percentile(rows, 95):.2f}" for name, rows in spent.items() if rows)
    note = f"95th percentile of processor time ({each}), median {np.median(every):.2f}; {engine}"
    return Figure(round(float(np.percentile(every, 95)), 3), "ms", len(every), note)


async def _waits(engines: Engines) -> list[float]:
    """Return how many milliseconds the first sentence of each reply waited."""
    waits: list[float] = []
    for question, language in questions()[:ANSWERED]:
        heard = Heard(Transcript(question, language, 1.0, "typed"))
        async with aclosing(reply(heard, engines)) as events:
            async for event in events:
                if isinstance(event, Spoken):
                    waits.append(event.waited_ms)
                    break
    return waits


@contextmanager
def _on_one_core() -> Iterator[str]:
    """Keep this process, and those that it starts meanwhile, on one core; yields how that is called."""
    if not hasattr(os, "sched_setaffinity"):
        yield "all cores"
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield "one core"
    finally:
        os.sched_setaffinity(0, cores)


def _by_turns(texts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Mix texts so that languages take turns as long as both have some."""
    rows = [[one for one in dict.fromkeys(texts) if one[1] == language] for language in ("en", "zh")]
    mixed = [one for pair in zip(*rows, strict=False) for one in pair]
    return mixed + [one for row in rows for one in row[len(mixed) // 2 :]]


MODERATION_FIGURES: dict[str, Callable[[], Figure]] = {
    function.__name__: function for function in (screen_rules_ms_p95, screen_ms_p95, gate_wait_ms_p95)
}
