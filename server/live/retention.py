"""Looks after what is kept: completes recordings that broke off, forgets what was kept for long enough."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping
from pathlib import Path

from agent.privacy import Privacy
from server.live import archive
from server.live.audit import Deed
from server.live.errors import LiveError
from server.live.salvage import salvage
from server.live.shelf import purge_recordings, recordings_in, session_of
from server.live.store import EventStore

log = logging.getLogger("visavis.live")

EVERY_S = 6 * 3600.0
"""Between two looks; the first is at the start."""
DAY_S = 86_400.0
AUDIT_DAYS = 365.0
"""For which the audit trail is kept: longer than what it tells of."""


async def forget(
    store: EventStore | None,
    recordings: str,
    kept_days: float,
    desks: Mapping[str, Privacy] | None = None,
    *,
    audit_days: float = AUDIT_DAYS,
    now: float | None = None,
) -> tuple[int, int]:
    """Delete what is older once; returns how many sessions and how many files that were.

    Args:
        store: of sessions; None: there is none.
        recordings: folder; empty: there is none.
        kept_days: at desks that are not named, or say nothing themselves; infinite: for good.
        desks: desk → what it says.
        audit_days: for which the audit trail is kept.
        now: seconds since 1970, for recordings; None: the present.
    """
    desks = desks or {}
    sessions = files = 0
    try:
        # First: the store knows whose they are.
        if recordings:
            files = await _forget_recordings(store, Path(recordings), kept_days, desks, now)
        if store is not None:
            limits = {name: one.transcripts_for(kept_days) * DAY_S for name, one in desks.items()}
            found = await asyncio.to_thread(recordings_in, Path(recordings)) if recordings else []
            sessions = await store.purge(kept_days * DAY_S, limits, {session_of(path) for path in found})
            await store.purge_audit(audit_days * DAY_S)
            if sessions or files:
                await store.note(Deed("server", "purge", detail={"sessions": sessions, "files": files}))
    except (LiveError, OSError) as error:
        log.error("what was kept for long enough could not all be deleted: %s", error)
    if sessions or files:
        log.info("deleted %d sessions and %d files that were kept for long enough", sessions, files)
    return sessions, files


async def _forget_recordings(
    store: EventStore | None,
    folder: Path,
    kept_days: float,
    desks: Mapping[str, Privacy],
    now: float | None,
) -> int:
    days = {name: one.recordings_for(kept_days) for name, one in desks.items()}
    names = {session_of(path) for path in await asyncio.to_thread(recordings_in, folder)}
    known = await store.ask(lambda each: archive.desks_of(each, names)) if store is not None else {}
    limits = {name: days.get(desk, kept_days) * DAY_S for name, desk in known.items()}
    # Of whom nothing else is kept: no longer than any desk here keeps its own.
    others = max(days.values(), default=kept_days) if math.isfinite(kept_days) else math.inf
    return await asyncio.to_thread(purge_recordings, folder, others * DAY_S, limits, now=now)


async def mend(recordings: str) -> None:
    """Complete the recordings that killed servers have left; whatever goes wrong, it is only told."""
    try:
        await asyncio.to_thread(salvage, Path(recordings))
    except OSError as error:
        log.error("the recordings in %s could not be looked through: %s", recordings, error)


async def forget_daily(
    store: EventStore | None, recordings: str, kept_days: float, desks: Mapping[str, Privacy] | None = None
) -> None:
    """Complete what a killed server has left and delete what is older, now and every few hours.

    Until cancelled; see `forget`.
    """
    while True:
        if recordings:
            await mend(recordings)
        await forget(store, recordings, kept_days, desks)
        await asyncio.sleep(EVERY_S)
