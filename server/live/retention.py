"""Looks after what is kept: completes recordings that broke off, forgets what was kept for long enough."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from server.live.errors import LiveError
from server.live.salvage import salvage
from server.live.shelf import purge_recordings
from server.live.store import EventStore

log = logging.getLogger("visavis.live")

EVERY_S = 6 * 3600.0
"""Between two looks; the first is at the start."""
DAY_S = 86_400.0


async def forget(store: EventStore | None, recordings: str, kept_days: float) -> tuple[int, int]:
    """Delete what is older once; returns how many sessions and how many files that were."""
    sessions = files = 0
    try:
        if store is not None:
            sessions = await store.purge(kept_days * DAY_S)
        if recordings:
            files = await asyncio.to_thread(purge_recordings, Path(recordings), kept_days * DAY_S)
    except (LiveError, OSError) as error:
        log.error("what is older than %g days could not all be deleted: %s", kept_days, error)
    if sessions or files:
        log.info("deleted %d sessions and %d files older than %g days", sessions, files, kept_days)
    return sessions, files


async def mend(recordings: str) -> None:
    """Complete the recordings that killed servers have left; whatever goes wrong, it is only told."""
    try:
        await asyncio.to_thread(salvage, Path(recordings))
    except OSError as error:
        log.error("the recordings in %s could not be looked through: %s", recordings, error)


async def forget_daily(store: EventStore | None, recordings: str, kept_days: float) -> None:
    """Complete what a killed server has left and delete what is older, now and every few hours.

    Until cancelled.
    """
    while True:
        if recordings:
            await mend(recordings)
        await forget(store, recordings, kept_days)
        await asyncio.sleep(EVERY_S)
