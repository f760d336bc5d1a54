"""Who may come in: places at desks and the queue before them. No clock and no I/O: time is an argument."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass

from server.live.errors import Busy

QUEUE_LENGTH = 50
"""Who would wait behind fifty others is better told to come back later."""
TICKET_S = 20.0
"""Seconds without a question about a ticket after which its holder has left: pages ask every few seconds."""
HELD_S = 20.0
"""Seconds for which a free place is held for the first in the queue."""


@dataclass(slots=True)
class _Ticket:
    desk: str
    seen_s: float
    held_since_s: float | None = None
    """Since when a place is held for it; None while there is none."""


class Admission:
    """Counts places, in all and at each desk, and keeps the queue in order.

    Args:
        places: how many sessions the server takes at once.
        at_desk: desk → how many it takes.
        queue_length: how many may wait.
    """

    def __init__(self, places: int, at_desk: dict[str, int], *, queue_length: int = QUEUE_LENGTH) -> None:
        self.places = places
        self._at_desk = at_desk
        self._queue_length = queue_length
        self._taken: Counter[str] = Counter()
        self._queue: dict[str, _Ticket] = {}  # in the order of arrival

    @property
    def taken(self) -> int:
        """Places in use."""
        return self._taken.total()

    @property
    def waiting(self) -> int:
        """Tickets in the queue."""
        return len(self._queue)

    def enter(self, desk: str, now_s: float, ticket: str | None = None) -> None:
        """Take a place; give it back with `leave`.

        Args:
            desk: at which.
            now_s: on any clock that only goes forward.
            ticket: of an earlier `Busy`, if any; an unknown one counts as none.

        Raises:
            Busy: there is none; it holds a ticket unless the queue is full too.
        """
        self._refresh(now_s)
        mine = self._queue.get(ticket or "")
        if mine is not None and mine.desk == desk:
            mine.seen_s = now_s
            if mine.held_since_s is None:
                raise self._busy(ticket or "")
            del self._queue[ticket or ""]
            self._taken[desk] += 1
            return
        if self._free(desk):
            self._taken[desk] += 1
            return
        if len(self._queue) >= self._queue_length:
            raise Busy("everybody is busy, and the queue is full", "come back in a few minutes")
        fresh = secrets.token_urlsafe(12)
        self._queue[fresh] = _Ticket(desk, now_s)
        raise self._busy(fresh)

    def leave(self, desk: str, now_s: float) -> None:
        """Give a place back; the first who waits for it may come."""
        if not self._taken[desk]:
            raise ValueError(f"no place at {desk} is taken")
        self._taken[desk] -= 1
        self._refresh(now_s)

    def place(self, ticket: str, now_s: float) -> tuple[int, bool] | None:
        """Look a ticket up, which keeps it alive: how many are ahead, and whether a place is held for it.

        None: there is no such ticket, or no longer.
        """
        self._refresh(now_s)
        mine = self._queue.get(ticket)
        if mine is None:
            return None
        mine.seen_s = now_s
        return self._ahead(ticket), mine.held_since_s is not None

    def _busy(self, ticket: str) -> Busy:
        ahead = self._ahead(ticket)
        who = {0: "you are the next", 1: "one visitor is ahead of you"}.get(
            ahead, f"{ahead} visitors are ahead of you"
        )
        return Busy(
            f"everybody is busy; {who}",
            f"ask /v1/queue/{ticket} every few seconds, then again with the ticket",
            ahead=ahead,
            ticket=ticket,
        )

    def _ahead(self, ticket: str) -> int:
        """Count those before it that wait for the same desk, or for any place where the server is full."""
        full = self._in_use() >= self.places
        desk, ahead = self._queue[ticket].desk, 0
        for other, entry in self._queue.items():
            if other == ticket:
                break
            ahead += full or entry.desk == desk
        return ahead

    def _in_use(self, desk: str | None = None) -> int:
        """Places taken or held, in all or at a desk."""
        held = sum(
            entry.held_since_s is not None and desk in (None, entry.desk) for entry in self._queue.values()
        )
        return held + (self.taken if desk is None else self._taken[desk])

    def _free(self, desk: str) -> bool:
        return self._in_use() < self.places and self._in_use(desk) < self._at_desk.get(desk, self.places)

    def _refresh(self, now_s: float) -> None:
        """Forget who has left, and hold what is free for who comes first."""
        for ticket, entry in list(self._queue.items()):
            unheld = entry.held_since_s is not None and now_s - entry.held_since_s > HELD_S
            if unheld or now_s - entry.seen_s > TICKET_S:
                del self._queue[ticket]
        for entry in self._queue.values():
            if entry.held_since_s is None and self._free(entry.desk):
                entry.held_since_s = now_s
