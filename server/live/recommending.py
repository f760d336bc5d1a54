"""Learns what visitors go on to ask from the event store, at the start and once a day."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from concurrent.futures import Executor

from agent.errors import AgentError
from agent.recommend import HABITS_FILE, Recommender
from agent.recommend_history import Asked, can_learn, learn
from agent.sentence import Outcome
from agent.suggestion import topic_of
from agent.workers import Workers
from server.live.desks import OpenDesk
from server.live.errors import LiveError
from server.live.store import EventStore

log = logging.getLogger("visavis.live")

EVERY_S = 24 * 3600.0
"""Between two lessons; the first is at the start."""
FRESH_S = 20 * 3600.0
"""What was learnt so lately, by whichever process, is taken as it is."""
MOST_TURNS = 60_000
"""Turns that are read, the latest first."""
AT_ONCE = 500
"""Turns of one query: some milliseconds."""
REST_S = 0.02
"""Between two queries: visitors go first."""
LEARN_S = 120.0
"""Longest time for the lesson itself; it takes seconds."""


async def asked_in(store: EventStore, desk: str, *, most: int = MOST_TURNS) -> list[Asked]:
    """Return what visitors of a desk asked about and were answered.

    Raises:
        LiveError: "store_unavailable".
    """
    asked: list[Asked] = []
    before, read = None, 0
    while read < most:
        turns = await store.turns(desk, before_id=before, limit=min(AT_ONCE, most - read))
        for turn in turns:
            if turn.data.get("outcome") != Outcome.ANSWERED.value:
                continue
            for cited in turn.data.get("citations", ())[:1]:
                source, title = str(cited.get("source", "")), str(cited.get("title", ""))
                if source and not source.startswith("tool:"):
                    asked.append(Asked(turn.session_id, topic_of(source, title), turn.at))
        if len(turns) < AT_ONCE:
            break
        before, read = turns[-1].id, read + len(turns)
        await asyncio.sleep(REST_S)
    return asked


async def learn_once(store: EventStore, opened: OpenDesk, pool: Executor | None = None) -> bool:
    """Learn what visitors of one desk go on to ask; False where it could not be done.

    Args:
        store: holds what they asked.
        opened: the desk; its `Recommender` knows it from then on.
        pool: where the lesson runs.
    """
    recommender = Recommender.of(opened.engines)
    settings = opened.desk.settings.recommending
    if not (settings.on and settings.visitors and can_learn()):
        return False
    if recommender.habits.topics and time.time() - recommender.habits.at_s < FRESH_S:
        return True
    try:
        asked = await asked_in(store, opened.id)
        lesson = asyncio.get_running_loop().run_in_executor(pool, learn, asked)
        habits = await asyncio.wait_for(lesson, LEARN_S)
        recommender.habits = habits
        await asyncio.to_thread(habits.save, opened.desk.state_folder / HABITS_FILE)
    except (AgentError, LiveError, OSError, TimeoutError) as error:
        log.warning("%s: what visitors go on to ask could not be learnt: %s", opened.id, error)
        return False
    learnt = habits.why or f"{len(habits.topics)} topics of {habits.visits} visits"
    log.info("%s: what visitors go on to ask: %s", opened.id, learnt)
    return True


async def learn_daily(store: EventStore | None, desks: Mapping[str, OpenDesk]) -> None:
    """Learn what visitors go on to ask, now and every day; until cancelled."""
    if store is None:
        return
    pool = Workers(1, "learn", polite=True)
    try:
        while True:
            for opened in desks.values():
                try:
                    await learn_once(store, opened, pool)
                except Exception:
                    log.exception("%s: what visitors go on to ask could not be learnt", opened.id)
            await asyncio.sleep(EVERY_S)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
