"""Engines for tests of the conversation: scripted ones, and a guard and a knowledge of a few words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from agent.answerer import Answerer, Question
from agent.clock import MediaClock
from agent.conversation import Conversation
from agent.conversation_events import ConversationEvent
from agent.desk import Desk
from agent.ears import Ears
from agent.engines import Engines
from agent.painter import Easels, ThreadPainter
from agent.scripted import ScriptedAnswerer
from agent.sentence import Sentence
from agent.stage import LiveMoment, Stage
from agent.tools import Tool
from avatar import load_renderer, load_rig
from knowledge.passage import Passage
from moderation.screener import Finding
from moderation.verdict import Action, Direction, Verdict
from speech.scripted_voice import ScriptedSynthesizer
from speech.timeline import Pcm

DESK = 'name = "Test"\nlanguages = ["en", "zh"]\n[persona]\nname = "Ada"\ncompany = "Acme"\n'
PASSAGE = Passage("1", "en/returns.md", "Returns", "You have thirty days.", 0.9)


class WordGuard:
    """Refuses what holds "bad", escalates "sad", masks "4111"."""

    engine = "words"

    def quick(
        self,
        text: str,
        direction: str = "input",
        language: str | None = None,
        *,
        context: str = "",
        exempt: Callable[[Finding], bool] | None = None,
    ) -> Verdict:
        where = Direction(direction)
        if "bad" in text:
            return Verdict(Action.REFUSE, "test.bad", text, where, "abuse")
        if "sad" in text:
            return Verdict(Action.ESCALATE, "test.sad", text, where, "self_harm")
        at = text.find("4111")
        if at >= 0 and not (exempt is not None and exempt(Finding("pii.card", 1.0, at, at + 4))):
            return Verdict(Action.MASK, "test.card", text.replace("4111", "[card]"), where, "pii")
        return Verdict(Action.ALLOW, "", text, where)

    screen = quick

    def judges(self, direction: str) -> bool:
        return False

    def budget_s(self, direction: str) -> float:
        return 1.0

    def screen_many(self, texts: list[str], direction: str = "input") -> list[Verdict]:
        return [self.screen(text, direction) for text in texts]

    def safe_line(self, verdict: Verdict, language: str) -> str:
        return f"safe line for {verdict.rule}"


class OnePassage:
    """Finds the same passage for everything."""

    engine = "one passage"

    def __init__(self) -> None:
        self.queries: list[str] = []
        self.passage = PASSAGE

    def search(self, query: str, k: int = 5, language: str | None = None) -> list[Passage]:
        self.queries.append(query)
        return [self.passage]

    def answerable(self, query: str) -> float:
        return 0.9

    def close(self) -> None:
        pass


def scripted_engines(
    folder: Path, answerer: Answerer, *, fallback: Answerer | None = None, tools: tuple[Tool, ...] = ()
) -> Engines:
    """Return engines that answer with `answerer` and load nothing."""
    (folder / "desk.toml").write_text(DESK, encoding="utf-8")
    return Engines(
        desk=Desk.load(folder),
        guard=cast("Any", WordGuard()),
        knowledge=cast("Any", OnePassage()),
        answerer=answerer,
        fallback=fallback,
        synthesizer=ScriptedSynthesizer(),
        tools=tools,
    )


class Listening(ScriptedAnswerer):
    """Keeps the questions that it is asked."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(lines)
        self.asked: list[Question] = []

    async def answer(self, question: Question) -> AsyncGenerator[Sentence, None]:
        self.asked.append(question)
        async for sentence in super().answer(question):
            yield sentence


@asynccontextmanager
async def conversing(
    engines: Engines,
    watch: Callable[[LiveMoment], None],
    on_event: Callable[[ConversationEvent], None],
    *,
    turn_end: Callable[[Pcm], float] | None = None,
) -> AsyncIterator[Conversation]:
    """Run a live conversation, what it shows and says going to `watch`; the engines are closed after it."""
    with ThreadPoolExecutor(1) as pool:
        stage = Stage(ThreadPainter(Easels(load_renderer(load_rig(), size=128)), pool))
        ears = Ears(engines.recognizer, turn_end=turn_end)
        conversation = Conversation(engines, stage, ears=ears, on_event=on_event, language="en")
        watcher = SimpleNamespace(take=watch)
        clock = asyncio.create_task(MediaClock().run(stage, lambda: [watcher]))
        running = asyncio.create_task(conversation.run())
        try:
            yield conversation
        finally:
            await conversation.close()
            await running
            clock.cancel()
            await asyncio.gather(clock, return_exceptions=True)
            engines.close()
