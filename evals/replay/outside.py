"""Answers from outside this process: while a language model is waited for, a replay's time is real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext

from agent.answerer import Answerer, Question
from agent.sentence import Sentence
from evals.replay.virtual_time import VirtualLoop


class Outside:
    """An answerer that is asked over the network.

    Args:
        answerer: does the asking.
    """

    def __init__(self, answerer: Answerer) -> None:
        self.engine = answerer.engine
        self._answerer = answerer

    async def answer(self, question: Question) -> AsyncGenerator[Sentence, None]:
        """Yield what it answers; see `agent.answerer.Answerer`."""
        loop = asyncio.get_running_loop()
        async with aclosing(self._answerer.answer(question)) as answers:  # type: ignore[type-var]
            while True:
                with loop.real() if isinstance(loop, VirtualLoop) else nullcontext():
                    try:
                        sentence = await anext(answers)
                    except StopAsyncIteration:
                        return
                yield sentence
