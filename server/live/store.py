"""The event store: every session's events in a database, as they happen.

A thread writes, with SQLAlchemy's synchronous core. SQLite offers nothing asynchronous (its async driver is a
thread with a queue as well); a thread of our own takes events from any thread, goes on while the event loop
is busy, can be waited for when the loop has ended, and is the only writer of its process, so that sessions
do not fight for SQLite's lock. PostgreSQL is another URL.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Self, TypeVar

import sqlalchemy as sa

from agent.conversation_events import Notice
from server.live import archive, audit
from server.live.audit import Deed
from server.live.database import Database
from server.live.heartbeat import Heartbeat, HeartbeatSettings
from server.live.records import (
    EventRecord,
    NoWords,
    SessionClosed,
    SessionOpened,
    SessionRecord,
    StoredEvent,
    Words,
    row_of,
)
from server.live.tables import SESSION_CHARS
from server.live.writer import EventWriter, StoreStatus, WriterSettings

T = TypeVar("T")


class EventStore:
    """Writes events, and reads them again.

    `put` is called from any thread and never waits; what is committed survives `kill -9` and, SQLite syncing
    every commit, a power cut. While the database is locked, full or gone, events wait in a bounded queue, the
    oldest are dropped when it is full, and the conversation notices nothing.
    """

    def __init__(
        self,
        database: Database,
        writer: EventWriter,
        server: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Use `open`."""
        self.server = server
        """Names this server among those that share the database."""
        self._database, self._writer = database, writer
        self._clock = clock
        self._readers = ThreadPoolExecutor(1, "store-reader")

    @classmethod
    def open(
        cls,
        url: str,
        *,
        settings: WriterSettings | None = None,
        heartbeat: HeartbeatSettings | None = None,
        on_notice: Callable[[Notice], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Open the database, creating or migrating its tables; blocks for some milliseconds.

        Args:
            url: SQLAlchemy's, or the path of a SQLite file (created, readable by its owner alone).
            settings: how events are written.
            heartbeat: how servers that share the database know of each other.
            on_notice: told "store_failed" and "store_recovered", once each time; called in the writer's
                thread.
            clock: seconds since 1970.

        Raises:
            LiveError: "store_unavailable", "store_newer" or "bad_store_url".
        """
        settings = settings or WriterSettings()
        database = Database.open(url, busy_s=settings.busy_s)
        beats = Heartbeat(database, heartbeat or HeartbeatSettings(), clock)
        writer = EventWriter(database, settings, on_notice, beats)
        return cls(database, writer, beats.server, clock=clock)

    def put(self, session_id: str, event: StoredEvent, words: Words | None = None) -> None:
        """Take an event; it is committed within `batch_s` and a transaction's time. Never waits or raises.

        Args:
            session_id: whose.
            event: what happened.
            words: what of its words is kept; None: none of them.
        """
        at, session_id = self._clock(), session_id[:SESSION_CHARS]
        if isinstance(event, SessionOpened):
            opened: dict[str, object] = {
                "desk": event.desk[:64],
                "language": event.language[:16],
                "client": event.client[:200],
            }
            opened |= {"recorded": event.recorded, "opened_at": at, "server": self.server}
            self._writer.change(session_id, opened)
            return
        if isinstance(event, SessionClosed):
            self._writer.change(session_id, {"closed_at": at, "reason": event.reason[:64]})
            return
        try:
            row = row_of(session_id, event, at, words or NoWords())
        except Exception:
            # An event that cannot be written down must not end the conversation it tells of.
            self._writer.refuse()
            return
        if row is not None:
            self._writer.add(row)

    def put_handoff(self, session_id: str, state: str, document: str) -> None:
        """Take how passing a visitor on stands, and commit it now rather than soon. Never waits or raises.

        Args:
            session_id: whose.
            state: as `handoff_documents.State`.
            document: JSON; it takes the place of the one before.
        """
        values = {"handoff_state": state[:16], "handoff": document}
        self._writer.change(session_id[:SESSION_CHARS], values)
        self._writer.flush()

    async def handoffs(
        self, session_id: str = "", *, states: Sequence[str] = (), limit: int = 200
    ) -> list[tuple[str, bool]]:
        """Return handoffs as they were kept, the latest first, and whether their sessions are over.

        Args:
            session_id: of whom; empty: of all.
            states: those that count; none: all.
            limit: how many at most.

        Raises:
            LiveError: "store_unavailable".
        """
        return await self.ask(lambda each: archive.handoffs_of(each, session_id, states, limit))

    def put_contacts(self, session_id: str, hashes: Sequence[str]) -> None:
        """Take the keyed hashes by which a session is found again; they take the place of those before."""
        self._writer.change(session_id[:SESSION_CHARS], {"contacts": " ".join(hashes)})

    async def note(self, deed: Deed) -> None:
        """Write into the audit trail who did something.

        Raises:
            LiveError: "store_unavailable"; try again.
        """
        at = self._clock()
        await self.change(lambda each: audit.append(each, deed, at))

    async def ask(self, question: Callable[[sa.Connection], T]) -> T:
        """Read something, in the thread that reads.

        Args:
            question: a function of `archive` or `audit`, given a connection.

        Raises:
            LiveError: "store_unavailable".
        """
        return await self._in_thread(lambda: self._database.read(question))

    async def change(self, change: Callable[[sa.Connection], T]) -> T:
        """Change something in one transaction, alone, in the thread that reads.

        Raises:
            LiveError: "store_unavailable"; try again.
        """
        return await self._in_thread(lambda: self._database.write(change))

    async def purge_audit(self, older_than_s: float) -> int:
        """Delete what is older of the audit trail; returns how many rows.

        Raises:
            LiveError: "store_unavailable"; try again.
        """
        now = self._clock()
        return await self.change(lambda each: audit.purge_audit(each, now, older_than_s))

    async def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything that was put before is committed or dropped; False if the time ran out."""
        done = self._writer.flush()
        try:
            await asyncio.wait_for(asyncio.wrap_future(done), timeout_s)
        except TimeoutError:
            return False
        return True

    async def close(self, timeout_s: float = 5.0) -> int:
        """Write what waits and end the thread; returns how many events were lost in the store's life.

        Call it once, when no session is left; what is put afterwards is lost.
        """
        await self.flush(timeout_s)
        ended = await asyncio.to_thread(self._writer.close, timeout_s)
        self._readers.shutdown(wait=ended)
        if ended:
            self._database.close()
        status = self._writer.status()
        return status.dropped + status.waiting

    def status(self) -> StoreStatus:
        """Return how writing goes."""
        return self._writer.status()

    async def sessions(
        self,
        *,
        desk: str | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[SessionRecord]:
        """Return sessions, the latest first; `since` and `until` bound their opening, seconds since 1970.

        Raises:
            LiveError: "store_unavailable".
        """
        return await self.ask(lambda each: archive.sessions_of(each, desk, since, until, limit, offset))

    async def events(
        self, session_id: str, *, kinds: Sequence[str] = (), after_id: int = 0, limit: int = 10_000
    ) -> list[EventRecord]:
        """Return a session's events in the order of their writing; of all kinds if none is named.

        Raises:
            LiveError: "store_unavailable".
        """
        return await self.ask(lambda each: archive.events_of(each, session_id, kinds, after_id, limit))

    async def turns(self, desk: str, *, before_id: int | None = None, limit: int = 500) -> list[EventRecord]:
        """Return turns of a desk, the latest first, those before `before_id` where it is given.

        Raises:
            LiveError: "store_unavailable".
        """
        return await self.ask(lambda each: archive.turns_of(each, desk, before_id, limit))

    async def delete_session(self, session_id: str) -> bool:
        """Erase a session with all that was said, also what is still on its way; False if none was there.

        In a SQLite file and its log the bytes are overwritten. Recordings are files of their own: see
        `shelf.erase_recordings`.

        Raises:
            LiveError: "store_unavailable"; try again.
        """
        at = self._clock()

        def erase() -> bool:
            found = self._database.write(lambda each: archive.erase(each, session_id, at))
            self._database.forget()
            return found

        return await self._in_thread(erase)

    async def purge(
        self,
        older_than_s: float,
        desks: Mapping[str, float] | None = None,
        filmed: Collection[str] = (),
    ) -> int:
        """Delete the sessions that ended longer ago than this, with all that was said; returns how many.

        Args:
            older_than_s: of the desks that are not named; infinite: theirs stay.
            desks: desk → the same for that one.
            filmed: sessions whose recordings are still kept: they are emptied of words only.

        Raises:
            LiveError: "store_unavailable"; try again.
        """
        now = self._clock()

        def purge() -> int:
            ask = partial(
                archive.purge, now=now, older_than_s=older_than_s, desks=desks, filmed=frozenset(filmed)
            )
            total, done = 0, self._database.write(ask)
            while done.last:
                total += done.sessions
                done = self._database.write(partial(ask, after=done.last))
            self._database.forget()
            return total

        return await self._in_thread(purge)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, call)
