"""Screening anew: what is known is judged by the rules as they are now, and exchanged bit by bit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from knowledge.quarantine import Check, Rescreened, alone, compared, resting, screened, stale, together
from knowledge.record import Record
from knowledge.writer import Writer

EXCHANGE_AFTER = 1_000
"""Documents that are exchanged at the latest: what is forbidden now is not found until the end of a long run,
and what was judged before a power cut stays judged."""
EXCHANGE_S = 30.0
"""Time after which they are, few or many. Among 10,000 passages an exchange takes half a second."""


def rescreened(writer: Writer, check: Check, share: float, stop: Callable[[], bool]) -> Rescreened:
    """Judge the documents of an index anew; see `KnowledgeBase.rescreen`."""
    store = writer.store
    known = store.read()
    found = Rescreened()
    if known.embedder != writer.embedder.name or not stale(known, check):
        return found
    with alone(store.folder) as mine:
        if not mine:
            return replace(found, elsewhere=True)
        rest = resting(share, stop)
        judged: list[tuple[Record, Record]] = []
        due_s = time.monotonic() + EXCHANGE_S
        try:
            for before in stale(store.read(), check):
                after = screened(before, check, rest)
                judged.append((before, after))
                found = together(found, compared(before, after))
                if len(judged) >= EXCHANGE_AFTER or time.monotonic() >= due_s:
                    writer.exchange(judged)
                    judged, due_s = [], time.monotonic() + EXCHANGE_S
        finally:
            writer.exchange(judged)
    if found.came_back or found.went:
        writer.keep_version("screen")
    return found
