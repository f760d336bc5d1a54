"""What answers where the answering engine cannot: the knowledge alone, or an apology."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from agent.errors import AnswererError
from agent.events import Noted
from agent.sentence import Emotion, Outcome, Sentence

if TYPE_CHECKING:
    from agent.answerer import Question
    from agent.engines import Engines


async def answered(question: Question, engines: Engines) -> AsyncGenerator[Sentence | Noted, None]:
    """Yield an answer from the answering engine, else from the knowledge alone.

    Raises:
        AnswererError: the engine failed, and there is nothing to fall back on.
    """
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
            sorry = Emotion("apologetic", 0.6)
            yield Sentence(question.phrases.failed, question.language, sorry, Outcome.HANDOFF)
            return
        yield Noted(f"{error}; answered from the knowledge alone")
    async for sentence in engines.fallback.answer(question):
        yield sentence
