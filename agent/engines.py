"""The engines of one desk, opened together."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import numpy as np

from agent.answerer import Answerer, Question
from agent.confirming import BOOK, ActionBook
from agent.desk import Desk
from agent.emotion import detect_emotion
from agent.extractive import ExtractiveAnswerer
from agent.face import voice_of
from agent.library import open_knowledge
from agent.llm import OpenAIAnswerer, endpoint_is_set
from agent.mcp import McpTools
from agent.rereading import LOOKED_AT, reread
from agent.sayings import expected
from agent.sentence import Emotion
from agent.tools import Tool
from knowledge import KnowledgeBase
from knowledge.passage import Passage
from moderation import Guard
from speech.errors import EngineUnavailable
from speech.recognizer import Recognizer, load_recognizer
from speech.smart_turn import load_smart_turn
from speech.synthesizer import Synthesizer, load_synthesizer
from speech.timeline import Pcm

log = logging.getLogger(__name__)

GREETINGS = {"en": "Hello, when are you open?", "zh": "你好，请问几点开门？"}
"""What the engines are warmed with, in each language."""

Step = Callable[[str], None]
"""Called with a few words when a longer step of opening begins."""


@dataclass(slots=True)
class Engines:
    """Everything that a turn needs; open once, use for many turns, close at the end."""

    desk: Desk
    guard: Guard
    knowledge: KnowledgeBase
    answerer: Answerer
    fallback: Answerer | None
    """Answers when `answerer` cannot; None when there is nothing to fall back on."""
    synthesizer: Synthesizer
    tools: tuple[Tool, ...]
    recognizer: Recognizer | None = field(default=None)
    """None unless it was opened for hearing."""
    turn_end: Callable[[Pcm], float] | None = field(default=None)
    """Probability that a voice has finished, as `speech.smart_turn` hears it; None: words alone tell."""
    feels: Callable[[str], Emotion] = detect_emotion
    """Tells what a visitor's words tell of their feelings."""
    mcp: McpTools | None = field(default=None)
    """Connections to MCP servers, whose tools stand in `tools`."""
    problems: tuple[str, ...] = ()
    """What does not work though the desk does, with a remedy each."""

    @classmethod
    def open(
        cls,
        desk: Desk,
        *,
        hearing: bool,
        remind: bool = True,
        step: Step = lambda _: None,
        fetched: Callable[[float, float], None] | None = None,
        voice: Synthesizer | None = None,
        watched: Callable[[Tool], Tool] = lambda tool: tool,
    ) -> Engines:
        """Open the engines that the desk's settings and this machine allow.

        Args:
            desk: whose engines.
            hearing: open a recognizer too.
            remind: tell again what of the desk's documents was left out, though that was told before.
            step: told what is being done.
            fetched: told the bytes so far and in all, if a model is downloaded at first use.
            voice: speaks instead of the desk's own.
            watched: puts something around every tool, for replays.

        Raises:
            AgentError, KnowledgeError, ModerationError, SpeechError: an engine cannot be opened.
        """
        settings = desk.settings
        problems: list[str] = []

        def problem(what: str) -> None:
            log.warning("%s", what)
            problems.append(what)

        try:
            ActionBook(desk.state_folder).forget_lines()
        except sqlite3.Error as error:
            problem(f"what tools once said stays in {desk.state_folder / BOOK} ({error}): make it writable")
        with ExitStack() as opened, ThreadPoolExecutor(2, thread_name_prefix="open") as opener:
            guard = desk.guard()
            own_tools, rules = desk.tools(), desk.rules()
            connecting = opener.submit(_open_mcp, desk)
            opened.callback(_close_mcp, connecting)
            step("knowledge")
            knowledge = open_knowledge(desk, guard, remind=remind, problem=problem)
            opened.callback(knowledge.close)
            step("voice")
            speaking = opener.submit(lambda: voice or _open_voice(desk))
            recognizer = turn_end = None
            if hearing:
                step("hearing")
                recognizer = load_recognizer(
                    engine=settings.hearing.engine,
                    model=desk.beside(settings.hearing.model) or None,
                    languages=settings.languages,
                    texts=expected(knowledge.texts()),
                    state_dir=desk.state_folder,
                    progress=fetched,
                    word_times=settings.web.record and settings.privacy.mutes,
                )
                opened.callback(recognizer.close)
                turn_end = _open_turn_end() if settings.hearing.turn_end == "auto" else None
            synthesizer = speaking.result()
            opened.callback(synthesizer.close)
            if settings.tools.mcp:
                step("tools")
            mcp = connecting.result()
            tools = tuple(watched(one) for one in (*own_tools, *mcp.tools))
            problems += mcp.problems  # logged where they were found
            answerer, fallback = open_answerer(desk, tools, guard, rules)
            opened.pop_all()  # from here on `close` closes them
        return cls(
            desk=desk,
            guard=guard,
            knowledge=knowledge,
            answerer=answerer,
            fallback=fallback,
            synthesizer=synthesizer,
            tools=tools,
            recognizer=recognizer,
            turn_end=turn_end,
            mcp=mcp,
            problems=tuple(problems),
        )

    def warm(self, languages: Iterable[str]) -> None:
        """Load what the first question in each of these languages would otherwise wait for."""
        if self.recognizer is not None:
            self.recognizer.warm()
        if self.turn_end is not None:
            self.turn_end(np.zeros(0, np.float32))
        if isinstance(self.answerer, OpenAIAnswerer):
            self.answerer.warm()
        for language in languages:
            greeting = GREETINGS[language]
            self.feels(greeting)
            self.guard.screen(greeting, direction="input", language=language)
            self.synthesizer.speak(greeting, language=language)
            passages, answerable = self.look_up(greeting, language)
            phrases = self.desk.phrases(language)
            for _ in ExtractiveAnswerer().compose(
                Question(greeting, language, passages, answerable, phrases)
            ):
                pass

    def look_up(self, question: str, language: str, own: str = "") -> tuple[tuple[Passage, ...], float]:
        """Search the knowledge: passages, best first, and how likely they answer the question.

        Args:
            question: as it stands by itself.
            language: ISO 639-1, of the visitor.
            own: the visitor's words, where the question is made of more than these.
        """
        wanted = self.desk.settings.knowledge
        found = self.knowledge.search(question, k=max(wanted.passages, LOOKED_AT), language=language)
        passages = reread(question, found, language, wanted.answer_from, own)[: wanted.passages]
        return passages, passages[0].score if passages else 0.0

    def names(self) -> dict[str, str]:
        """Return which engine does what."""
        names = {
            "answering": self.answerer.engine,
            "speaking": self.synthesizer.engine,
            "knowledge": self.knowledge.engine,
            "moderation": self.guard.engine,
        }
        if self.recognizer is not None:
            names["recognition"] = self.recognizer.engine
        return names

    def close(self) -> None:
        """End the workers."""
        self.synthesizer.close()
        if self.recognizer is not None:
            self.recognizer.close()
        self.knowledge.close()
        if self.mcp is not None:
            self.mcp.close()


def open_answerer(
    desk: Desk, tools: Sequence[Tool], guard: Guard, rules: str = ""
) -> tuple[Answerer, Answerer | None]:
    """Choose the answering engine and what it falls back on.

    Args:
        desk: whose.
        tools: what a language model may call.
        guard: screens what it reads.
        rules: the company's own rules for it.
    """
    settings = desk.settings.answering
    extractive = ExtractiveAnswerer(answer_from=desk.settings.knowledge.answer_from)
    wanted = settings.engine == "openai" or (settings.engine == "auto" and endpoint_is_set(settings))
    if not wanted:
        return extractive, None
    model = OpenAIAnswerer(
        settings,
        desk.settings.persona,
        tools=tools,
        confirms=True,  # `agent.reply` follows what is asked
        state_dir=desk.state_folder,
        guard=guard,
        policy=rules,
        enough=settings.support,
        history_tokens=settings.history_tokens,
    )
    return model, extractive if settings.fallback else None


def _open_mcp(desk: Desk) -> McpTools:
    return McpTools(desk.settings.tools.mcp, desk.folder)


def _close_mcp(connecting: Future[McpTools]) -> None:
    """Close what was opened beside something that failed."""
    with suppress(Exception):  # it may have failed itself; that is told elsewhere
        connecting.result().close()


def _open_turn_end() -> Callable[[Pcm], float] | None:
    try:
        return load_smart_turn()
    except EngineUnavailable as error:
        log.warning("turn ends are told by words alone: %s", error)
        return None


def _open_voice(desk: Desk) -> Synthesizer:
    settings = desk.settings.voice
    voice = load_synthesizer(
        engine=settings.engine,
        voice=voice_of(desk),
        languages=desk.settings.languages,
    )
    voice.warm()
    return voice
