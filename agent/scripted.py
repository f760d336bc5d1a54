"""A deterministic answerer for tests, evals and load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from agent.answerer import Question
from agent.errors import AnswererError
from agent.sentence import Sentence


class ScriptedAnswerer:
    """Says the lines it was given, one after the other; may pause between them, or break off."""

    engine = "scripted"

    def __init__(
        self, lines: Sequence[str | Sentence], *, pause_s: float = 0.0, breaks_after: int | None = None
    ) -> None:
        self._lines = lines
        self._pause_s = pause_s
        self._breaks_after = breaks_after
        self.said = 0
        """How many lines were asked of it so far."""
        self.closed = False
        """True once a reply has ended or was cancelled."""

    async def answer(self, question: Question) -> AsyncGenerator[Sentence, None]:
        """Yield the lines.

        Raises:
            AnswererError: after `breaks_after` lines, where that was given.
        """
        try:
            for number, line in enumerate(self._lines):
                if number == self._breaks_after:
                    raise AnswererError("the scripted answerer broke off, as it was told to")
                await asyncio.sleep(self._pause_s)
                self.said += 1
                yield Sentence(line, question.language) if isinstance(line, str) else line
        finally:
            self.closed = True
