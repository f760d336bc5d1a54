"""Answering with a language model behind any OpenAI-compatible endpoint, through langchain.

What the model writes is data too: every sentence is held against the passages and the results of tools before
it goes on, and what they do not say is left out.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from agent.answerer import Question
from agent.errors import AnswererError
from agent.extractive import said_in_small_talk
from agent.grounding import ENOUGH, speaks_to_a_model, support
from agent.guarding import harmless
from agent.llm_chat import Chat
from agent.llm_gate import Gate
from agent.llm_prompt import HISTORY_TOKENS, conversation
from agent.llm_style import numbered_sentences, read_tags
from agent.llm_tools import Toolbox, Wish
from agent.sentence import Emotion, Outcome, Sentence
from agent.settings import Answering, Persona
from agent.slots import Errand, Stage
from agent.smalltalk import small_talk
from agent.threads import in_guard
from agent.tools import Tool
from agent.wording import confirmation
from knowledge.passage import Passage
from moderation import Guard

log = logging.getLogger(__name__)

_HANDS_OVER = re.compile(
    r"\b(?:i(?:'ll| will| am|'m)|we(?:'ll| will)|let me)\b[^.?!]{0,30}"
    r"\b(?:connect|transfer|pass|put|hand)(?:ing)? you\b"
    r"|(?<!可以)(?<!能)(?:帮|为|给)您转(?:接|到)",
    re.IGNORECASE,
)
"""A person is promised; what a model says it will do, the desk must do."""
_COMPLETE = re.compile(r"[.!?…。！？][\"'”’」）)\]\d\s\[]*$")


@dataclass(frozen=True, slots=True)
class Asking(Sentence):
    """A question whether to do something; what the visitor answers is about `errand`."""

    errand: Errand | None = None


class OpenAIAnswerer:
    """Streams an answer from a chat model.

    Args:
        settings: endpoint and model.
        persona: who answers.
        tools: the desk's actions; what changes something is only asked for, never run from here.
        confirms: whoever speaks the sentences follows `Asking.errand`; without, tools that change something
            are not offered to the model.
        state_dir: the desk's state folder, which tools may write to.
        guard: screens passages and results of tools once more; None: they were screened.
        policy: the desk's own rules for the model.
        enough: support (0..1) from which a sentence is said; 0 says everything.
        history_tokens: how much of what was said before the model is told.
    """

    def __init__(
        self,
        settings: Answering,
        persona: Persona,
        *,
        tools: Sequence[Tool] = (),
        confirms: bool = False,
        state_dir: Path | None = None,
        guard: Guard | None = None,
        policy: str = "",
        enough: float = ENOUGH,
        history_tokens: int = HISTORY_TOKENS,
    ) -> None:
        self._settings = settings
        self._persona = persona
        self._tools = tuple(tool for tool in tools if confirms or not tool.changes) if state_dir else ()
        self._state_dir = state_dir or Path()
        self._guard = guard
        self._policy = policy
        self._enough = enough
        self._history_tokens = history_tokens
        self.engine = f"openai/{settings.model}"

    def warm(self) -> None:
        """Load what the first question would otherwise wait for; seconds, once in a process."""
        for name in ("openai", "langchain_openai", "langchain_core.tools", "langchain_core.messages"):
            importlib.import_module(name)
        support("Hello.", (), asked="你好")

    async def answer(self, question: Question) -> AsyncGenerator[Sentence, None]:
        """Yield the reply's sentences as they are written, as far as passages and tools support them.

        Raises:
            AnswererError: the endpoint cannot be reached, refuses, is too slow, or breaks off.
        """
        talk = small_talk(question.text)
        if talk is not None:  # no model is needed for it, and none has a say in the desk's promises
            for sentence in said_in_small_talk(talk, question):
                yield sentence
            return
        question = replace(question, passages=await in_guard(self._trusted, question.passages))
        toolbox = Toolbox(
            self._tools,
            [question.text, question.standalone, *(one.question for one in question.history)],
            language=question.language,
            state_dir=self._state_dir,
            screened=self._screened,
        )
        messages = await asyncio.to_thread(
            conversation,
            question,
            self._persona,
            tools=bool(toolbox),
            policy=self._policy,
            history_tokens=self._history_tokens,
        )
        chat, gate = Chat(self._settings, self.engine), Gate(question, self._persona, toolbox, self._enough)
        emotion = Emotion("neutral", 0.5)
        pieces = chat.pieces(messages, toolbox, len(question.passages) + 1)
        async with aclosing(numbered_sentences(pieces)) as sentences:
            async for written in sentences:
                if chat.cut and not _COMPLETE.search(written):
                    continue
                marked = read_tags(written, emotion)
                emotion, outcome = marked.emotion, marked.outcome
                if outcome is Outcome.HANDOFF or _hands_over(marked.text):
                    yield _own_line(question, Outcome.HANDOFF)
                    return
                if outcome is Outcome.ABSTAINED and not gate.claimed:
                    yield _own_line(question, Outcome.ABSTAINED)
                    return
                passed = await asyncio.to_thread(gate.judge, marked)
                if gate.ignorant and not gate.claimed:
                    break
                if passed is not None:
                    yield passed
        for message in toolbox.failed:
            log.warning("%s", message)
        if toolbox.wish is not None:
            yield _confirmation(question, toolbox.wish)
        elif gate.needs_a_line or toolbox.failed and not gate.claimed:
            yield _own_line(
                question, Outcome.HANDOFF if toolbox.failed else Outcome.ABSTAINED, bool(toolbox.failed)
            )
        elif not gate.said:
            raise AnswererError(f"{self.engine} wrote nothing; try another model")

    def _trusted(self, passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
        """Leave out the passages that give orders to a model: they are no knowledge."""
        kept = [one for one in passages if not speaks_to_a_model(f"{one.title}\n{one.text}")]
        if self._guard is not None:
            kept = [one for one in kept if harmless(self._guard, one.text)]
        return tuple(kept)

    def _screened(self, text: str) -> str | None:
        """Return a tool's result as it may be used; None where it gives orders or may not be said."""
        if speaks_to_a_model(text):
            return None
        if self._guard is None:
            return text
        verdict = self._guard.screen(text, direction="tool")
        return verdict.text if verdict.passes else None


def endpoint_is_set(settings: Answering) -> bool:
    """Tell whether an OpenAI-compatible endpoint is configured: a key, or an address."""
    return bool(
        settings.base_url or os.environ.get(settings.api_key_env) or os.environ.get("OPENAI_BASE_URL")
    )


def _hands_over(text: str) -> bool:
    """Tell whether a sentence promises a person, rather than offering one."""
    return bool(_HANDS_OVER.search(text.replace("’", "'"))) and not text.endswith(("?", "？"))


def _own_line(question: Question, outcome: Outcome, failed: bool = False) -> Sentence:
    own = question.phrases
    line = own.failed if failed else own.unknown if outcome is Outcome.ABSTAINED else own.handoff
    return Sentence(line, question.language, Emotion("apologetic", 0.5), outcome)


def _confirmation(question: Question, wish: Wish) -> Asking:
    """Ask whether to do what the model wants done."""
    values = {name: str(value) for name, value in wish.values.items()}
    line = confirmation(question.phrases, question.language, wish.tool, values)
    errand = Errand(wish.tool.name, Stage.CONFIRM, question.language, time.monotonic(), values, question=line)
    return Asking(line, question.language, Emotion("thinking", 0.4), Outcome.CLARIFIED, errand=errand)
