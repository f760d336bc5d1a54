"""Who reads what visitors said: written into the audit trail, once in a while for who reads on and on."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from server.live.audit import Deed
from server.live.errors import LiveError

if TYPE_CHECKING:
    from server.live.store import EventStore

log = logging.getLogger("visavis.live")

AGAIN_S = 600.0
"""Who reads the same within so long is not written down again: programs ask every few seconds."""
REMEMBERED = 10_000


class Readings:
    """Notes who reads; used on the event loop, writes in the store's thread.

    Args:
        store: with the trail; None: nothing is noted.
        clock: seconds, monotonic.
    """

    def __init__(self, store: EventStore | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._latest: OrderedDict[tuple[str, str, str, str], float] = OrderedDict()

    async def noted(self, actor: str, action: str, session: str = "", desk: str = "") -> None:
        """Note that somebody reads; a trail that cannot be written to is told in the log, and stops nobody.

        Args:
            actor: who.
            action: "read", "list", "take" or "examine".
            session: whose words; empty: several.
            desk: of which desk; empty: all.
        """
        if self._store is None:
            return
        key, now = (actor, action, session, desk), self._clock()
        if now - self._latest.get(key, float("-inf")) < AGAIN_S:
            return
        self._latest[key] = now
        self._latest.move_to_end(key)
        while len(self._latest) > REMEMBERED:
            self._latest.popitem(last=False)
        try:
            await self._store.note(Deed(actor, action, session, desk))
        except LiveError as error:
            self._latest.pop(key, None)
            log.error("who read what could not be written into the audit trail: %s", error)
