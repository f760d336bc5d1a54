"""People who are told what happens to visitors who were passed on."""

from __future__ import annotations

import asyncio

from server.live.handoff_documents import EntryDocument
from server.live.operators import Operator, Operators

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
        self.gone = False
        """Their key lets in no more."""
        self.events: asyncio.Queue[Event | None] = asyncio.Queue(EVENTS_WAITING)
        """None: that is all; too much waits, or the key holds no more."""

    def tell(self, event: Event) -> None:
        """Put an event to the others; never waits."""
        if self.events.full():
            self._end()
        else:
            self.events.put_nowait(event)

    def shut_out(self) -> None:
        """Tell them nothing more, nor what waits still: their key lets in no more."""
        self.gone = True
        self._end()

    def _end(self) -> None:
        while not self.events.empty():
            self.events.get_nowait()
        self.events.put_nowait(None)


class Watchers:
    """All who are told; used on the event loop.

    Args:
        operators: knows whose keys let in.
    """

    def __init__(self, operators: Operators) -> None:
        self._operators = operators
        self._all: set[Watcher] = set()

    def add(self, operator: Operator) -> Watcher:
        """Tell somebody what happens from now on, until `remove`."""
        watcher = Watcher(operator)
        self._all.add(watcher)
        return watcher

    def remove(self, watcher: Watcher) -> None:
        """Tell them no more."""
        self._all.discard(watcher)

    def announce(
        self, kind: str, entry: EntryDocument, more: Event | None = None, *, own: Event | None = None
    ) -> None:
        """Tell those who look after a visitor's desk, as the keys stand now, what happened to that visitor.

        Args:
            kind: what.
            entry: the visitor.
            more: what they are told besides.
            own: what the person who has the conversation is told in its place.
        """
        if not self._all:
            return
        self.look()
        told = {"type": kind, "entry": entry.model_dump(mode="json")}
        for watcher in self._all:
            if watcher.operator.serves(entry.desk):
                holds = entry.state == "taken" and watcher.operator.name == entry.by
                watcher.tell({**told, **((own if holds else None) or more or {})})

    def tell(self, desk: str, event: Event) -> None:
        """Tell those who look after a desk, as the keys stand now, of something that is no visitor's."""
        if self._all:
            self.look()
        for watcher in self._all:
            if watcher.operator.serves(desk):
                watcher.tell(event)

    def look(self) -> None:
        """Shut out whose keys let in no more, and look up anew for which desks the others' are."""
        for watcher in list(self._all):
            known = self._operators.still(watcher.operator)
            if known is None:
                self._all.discard(watcher)
                watcher.shut_out()
            else:
                watcher.operator = known

    def close(self) -> None:
        """Tell them that the server ends."""
        for watcher in self._all:
            watcher.tell({"type": "closing"})
