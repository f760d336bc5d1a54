"""What is behind the last sentence that a reply may have: a little more, or no end at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from agent.events import Noted
from agent.sentence import Sentence

ENDLESS = "endless_answer"
"""Code of what is told where an answer has no end."""
LINGERS_S = 3.0
"""From one sentence to the next, unheard; an answer that takes longer hangs."""


async def cut_off(answers: AsyncIterator[Sentence | Noted], most: int) -> Noted | None:
    """Look, once a reply is as long as it may be, how much of its answer is left out.

    Args:
        answers: the rest of it; nothing of it is said.
        most: sentences of a reply.

    Returns:
        What an operator should know; None: nothing is left out.
    """
    more = 0
    with suppress(Exception):  # how an engine fails with what nobody hears is of no interest
        try:
            async with asyncio.timeout(LINGERS_S) as waiting:
                async for item in answers:
                    waiting.reschedule(asyncio.get_running_loop().time() + LINGERS_S)
                    more += not isinstance(item, Noted)
                    if more > most:
                        break
                    await asyncio.sleep(0)  # time goes on, even where an engine never waits
        except TimeoutError:
            return Noted(
                f"the answer neither ended nor went on for {LINGERS_S:g} s behind a reply's last sentence; "
                "look at what answers",
                ENDLESS,
            )
    if more > most:
        return Noted(f"the answer had no end: {most} sentences were said; look at what answers", ENDLESS)
    if more:
        return Noted(f"{more} sentences were left out: a reply has {most} at most (limits.reply_sentences)")
    return None
