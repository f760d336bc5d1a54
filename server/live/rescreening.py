"""Screens the desks' knowledge anew at the start, where the policy, the weights or the rules have changed."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping

from agent.errors import AgentError
from agent.library import screen_anew
from agent.workers import Workers
from knowledge.errors import KnowledgeError
from moderation import Guard
from server.live.desks import OpenDesk

log = logging.getLogger("visavis.live")

SHARE = 0.25
"""Of one processor: 10,000 passages take some minutes, and visitors who speak meanwhile do not notice."""
AGAIN_S = 60.0
"""After which it is tried again where another server was screening: it may have been stopped, or be an older
one that judges by other rules."""


async def screened_anew(desks: Mapping[str, OpenDesk]) -> None:
    """Screen what other rules let in or kept out, one desk after the other; ends when all are done.

    Where another server is screening a desk's knowledge, that one comes again after a while.
    """
    pool, given_up = Workers(1, "screen", polite=True), threading.Event()
    loop = asyncio.get_running_loop()
    try:
        left = list(desks.values())
        while left:
            left = [one for one in left if await loop.run_in_executor(pool, _screen, one, given_up)]
            await asyncio.sleep(AGAIN_S if left else 0)
    finally:
        given_up.set()
        await asyncio.to_thread(pool.shutdown, cancel_futures=True)  # what was judged is being written


def _screen(opened: OpenDesk, given_up: threading.Event) -> bool:
    """Screen one desk's knowledge; returns whether that is to be tried again."""
    guard = opened.engines.guard
    if not isinstance(guard, Guard):
        return False
    try:
        found = screen_anew(opened.desk, guard, share=SHARE, stop=given_up.is_set)
    except InterruptedError as end:
        log.info("%s: %s", opened.id, end)
    except (AgentError, KnowledgeError, OSError) as error:
        log.warning("%s: the knowledge could not be screened anew: %s", opened.id, error)
    else:
        if found.passages:
            log.log(
                logging.WARNING if found.came_back or found.went else logging.INFO, "%s: %s", opened.id, found
            )
        return found.elsewhere
    return False
