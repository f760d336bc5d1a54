"""People who are told what happens to visitors who were passed on."""

from __future__ import annotations

import asyncio

from server.live.handoff_documents import EntryDocument
from server.live.operators import Operator

EVENTS_WAITING = 256
"""Events that wait for somebody who does not read."""
Event = dict[str, object]


class Watcher:
    """Somebody who is told what happens, over a WebSocket.

    Args:
        operator: who.
    """

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.events: asyncio.Queue[Event | None] = asyncio.Queue(EVENTS_WAITING)
        """None: too much waits; come again and ask for the whole."""

    def tell(self, event: Event) -> None:
        """Put an event to the others; never waits."""
        if self.events.full():
            while not self.events.empty():
                self.events.get_nowait()
            self.events.put_nowait(None)
        else:
            self.events.put_nowait(event)


class Watchers:
    """All who are told; used on the event loop."""

    def __init__(self) -> None:
        self._all: set[Watcher] = set()

    def add(self, operator: Operator) -> Watcher:
        """Tell somebody what happens from now on, until `remove`."""
        watcher = Watcher(operator)
        self._all.add(watcher)
        return watcher

    def remove(self, watcher: Watcher) -> None:
        """Tell them no more."""
        self._all.discard(watcher)

    def announce(self, kind: str, entry: EntryDocument, **more: object) -> None:
        """Tell those who look after a visitor's desk what happened to that visitor."""
        told = {"type": kind, "entry": entry.model_dump(mode="json"), **more} if self._all else {}
        for watcher in self._all:
            if watcher.operator.serves(entry.desk):
                watcher.tell(told)

    def close(self) -> None:
        """Tell them that the server ends."""
        for watcher in self._all:
            watcher.tell({"type": "closing"})
