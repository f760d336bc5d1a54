"""A reply that is begun before it is certain that the visitor has finished, and thrown away if not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from agent.ahead import ahead
from agent.events import Event
from agent.slots import Errand

AHEAD = 12
"""Events that may wait: about three sentences with their sound."""


class Prepared:
    """A reply under way in a task of its own, its events kept until they are asked for.

    Args:
        text: the question that it answers.
        source: the reply; it must change nothing but time.
        errand: what the visitor was having done when it was begun.
    """

    def __init__(self, text: str, source: AsyncGenerator[Event, None], errand: Errand | None = None) -> None:
        self._text, self._errand = text, errand
        self._events = ahead(source, depth=AHEAD)
        # asking for the first event is what makes the others begin
        self._first = asyncio.ensure_future(anext(self._events, None))

    def answers(self, text: str, errand: Errand | None) -> bool:
        """Tell whether it answers a question that was asked in the course of an errand."""
        return self._text == text and self._errand == errand

    async def events(self) -> AsyncGenerator[Event, None]:
        """Its events, those that waited first; closing it ends the reply.

        Raises:
            whatever the reply raises.
        """
        try:
            if (first := await self._first) is not None:
                yield first
            async for event in self._events:
                yield event
        finally:
            await self.close()

    async def close(self) -> None:
        """Throw the reply away."""
        self._first.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._first
        await self._events.aclose()
