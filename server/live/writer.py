"""The thread that writes events: batches, waits out trouble, and loses the oldest when it must."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from agent.conversation_events import Notice
from server.live import archive
from server.live.database import Database, complaint
from server.live.heartbeat import Heartbeat
from server.live.records import Row

log = logging.getLogger("visavis.live")


@dataclass(frozen=True, slots=True)
class WriterSettings:
    """How events are written."""

    batch_s: float = 0.2
    """Events of this time share a transaction: at most five commits a second, whatever the load."""
    batch_rows: int = 500
    """Largest transaction: some milliseconds of SQLite's lock."""
    queue_rows: int = 20_000
    """Events that wait while the database cannot be written: half an hour of four lively sessions."""
    queue_bytes: int = 32 * 2**20
    """And what they may hold together."""
    busy_s: float = 1.0
    """How long to wait for another writer before a transaction counts as failed and is tried again."""
    retry_s: float = 0.25
    """Pause after a failure; doubles with each further one."""
    retry_max_s: float = 5.0


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How the store does; for health pages and metrics."""

    waiting: int
    """Events, and openings and ends of sessions, that are not committed yet."""
    written: int
    """Since the store was opened."""
    dropped: int
    """Lost, because the database could not be written for too long or did not take them."""
    trouble: str
    """What is wrong at the moment; empty when nothing is. Holds no content."""
    commit_ms: float
    """How long the last transaction took."""


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: list[tuple[int, Row]]
    """With the number of each."""
    changes: dict[str, tuple[int, dict[str, Any]]]
    """Session → number, columns."""

    def __len__(self) -> int:
        return len(self.rows) + len(self.changes)


class EventWriter:
    """Takes rows from any thread without waiting, and commits them in a thread of its own.

    Between them it gives this server's signs of life.
    """

    def __init__(
        self,
        database: Database,
        settings: WriterSettings,
        on_notice: Callable[[Notice], None] | None,
        heartbeat: Heartbeat,
    ) -> None:
        self._database, self._settings, self._on_notice = database, settings, on_notice
        self._heartbeat = heartbeat
        self._lock = threading.Condition()
        self._rows: deque[tuple[int, Row]] = deque()
        self._changes: dict[str, tuple[int, dict[str, Any]]] = {}
        self._bytes = self._number = self._in_hand = self._hurry_to = 0
        self._flushes: list[tuple[int, Future[None]]] = []
        self._written = self._dropped = 0
        self._trouble = ""
        self._commit_ms = 0.0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def add(self, row: Row) -> None:
        """Take an event; the oldest ones are dropped where too many wait."""
        with self._lock:
            if self._closing:
                self._dropped += 1
                return
            self._number += 1
            self._rows.append((self._number, row))
            self._bytes += len(row.data)
            self._trim()
            self._lock.notify_all()

    def change(self, session_id: str, values: Mapping[str, Any]) -> None:
        """Take new values of a session's columns; they outlive events where too much waits."""
        with self._lock:
            if self._closing:
                self._dropped += 1
                return
            self._number += 1
            number, before = self._changes.get(session_id, (self._number, {}))
            self._changes[session_id] = number, {**before, **values}
            self._trim()
            self._lock.notify_all()

    def refuse(self) -> None:
        """Count an event that could not even be written down."""
        with self._lock:
            self._dropped += 1

    def flush(self) -> Future[None]:
        """Hurry; the future ends when all that was taken before is committed or dropped."""
        done: Future[None] = Future()
        with self._lock:
            self._flushes.append((self._number, done))
            self._hurry_to = self._number
            self._tell()
            self._lock.notify_all()
        return done

    def close(self, timeout_s: float) -> bool:
        """Try a last time to write what waits, and end the thread; False if the database holds it up."""
        with self._lock:
            self._closing = True
            self._lock.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def status(self) -> StoreStatus:
        """Return how writing goes."""
        with self._lock:
            waiting = len(self._rows) + len(self._changes) + self._in_hand
            return StoreStatus(waiting, self._written, self._dropped, self._trouble, self._commit_ms)

    def _run(self) -> None:
        settings, pause_s = self._settings, 0.0
        while (batch := self._next(pause_s)) is not None:
            began = time.perf_counter()
            try:
                self._beat()  # first: others may take the sessions of who is not on the list for lost
                refused = self._write(batch) if batch else 0
            except Exception as error:
                pause_s = min(max(settings.retry_s, pause_s * 2), settings.retry_max_s)
                self._put_back(batch)
                self._report(complaint(error))
                with self._lock:
                    if self._closing:
                        self._dropped += len(self._rows) + len(self._changes)
                        self._rows.clear()
                        self._changes.clear()
                        self._tell()
                        return
                continue
            pause_s = 0.0
            with self._lock:
                self._in_hand = 0
                self._written += len(batch) - refused
                self._dropped += refused
                if batch:
                    self._commit_ms = (time.perf_counter() - began) * 1e3
                self._tell()
            self._report("")
        self._heartbeat.end()

    def _beat(self) -> None:
        if closed := self._heartbeat.beat():
            log.warning("closed %d sessions whose server was killed", closed)

    def _next(self, pause_s: float) -> _Batch | None:
        """Wait for the next transaction's content, or until a sign of life is due; None at the end."""
        settings = self._settings
        with self._lock:
            if pause_s:
                self._lock.wait_for(lambda: self._closing, pause_s)
            self._lock.wait_for(lambda: self._closing or self._rows or self._changes, self._heartbeat.due_s())
            if self._rows or self._changes:
                self._lock.wait_for(self._in_a_hurry, settings.batch_s)
            rows = [self._rows.popleft() for _ in range(min(len(self._rows), settings.batch_rows))]
            names = list(self._changes)[: settings.batch_rows]
            changes = {name: self._changes.pop(name) for name in names}
            self._bytes -= sum(len(row.data) for _, row in rows)
            batch = _Batch(rows, changes)
            self._in_hand = len(batch)
            return batch if batch or not self._closing else None

    def _in_a_hurry(self) -> bool:
        full = len(self._rows) >= self._settings.batch_rows
        return self._closing or full or self._first() <= self._hurry_to

    def _first(self) -> int:
        """Return the number of the oldest that waits; the next to come if nothing does."""
        first = self._rows[0][0] if self._rows else self._number + 1
        return min(first, min((number for number, _ in self._changes.values()), default=first))

    def _write(self, batch: _Batch) -> int:
        """Commit a batch; returns how many the database does not take for what they hold."""
        try:
            with self._database.transaction() as connection:
                rows = [row for _, row in batch.rows]
                archive.write(connection, rows, {name: v for name, (_, v) in batch.changes.items()})
            return 0
        except (IntegrityError, DataError):
            pass
        except (DBAPIError, OSError):
            raise
        except Exception:  # noqa: S110 - whatever is wrong with a row, the others are still to be written
            pass
        refused = 0
        with self._database.transaction() as connection:
            single: list[tuple[list[Row], dict[str, dict[str, Any]]]] = [([row], {}) for _, row in batch.rows]
            single += [([], {name: values}) for name, (_, values) in batch.changes.items()]
            for rows, changes in single:
                try:
                    with connection.begin_nested():
                        archive.write(connection, rows, changes)
                except (IntegrityError, DataError):
                    refused += 1
                except (DBAPIError, OSError):
                    raise
                except Exception:
                    refused += 1
        return refused

    def _put_back(self, batch: _Batch) -> None:
        with self._lock:
            self._in_hand = 0
            self._rows.extendleft(reversed(batch.rows))
            self._bytes += sum(len(row.data) for _, row in batch.rows)
            later, self._changes = self._changes, dict(batch.changes)
            for name, (number, values) in later.items():
                first, before = self._changes.get(name, (number, {}))
                self._changes[name] = first, {**before, **values}
            self._trim()

    def _trim(self) -> None:
        """Drop what is too much: the oldest events, and in the end the oldest news of sessions."""
        settings = self._settings
        before = self._dropped
        while self._rows and (len(self._rows) > settings.queue_rows or self._bytes > settings.queue_bytes):
            self._bytes -= len(self._rows.popleft()[1].data)
            self._dropped += 1
        while len(self._changes) > settings.queue_rows:
            del self._changes[next(iter(self._changes))]
            self._dropped += 1
        if self._dropped > before:
            self._tell()

    def _tell(self) -> None:
        """End the flushes whose events are all settled."""
        if not self._flushes or self._in_hand:
            return
        first = self._first()
        for number, done in self._flushes:
            if number < first:
                with suppress(InvalidStateError):  # nobody waits for it any more
                    done.set_result(None)
        self._flushes = [each for each in self._flushes if not each[1].done()]

    def _report(self, trouble: str) -> None:
        with self._lock:
            before, self._trouble = self._trouble, trouble
            dropped = self._dropped
        if self._on_notice is None or bool(before) == bool(trouble):
            return
        if trouble:
            notice = Notice("store_failed", f"events wait in memory: the database does not write ({trouble})")
        else:
            notice = Notice("store_recovered", f"events are written again; {dropped} were lost so far")
        with suppress(Exception):  # whoever is told, writing goes on
            self._on_notice(notice)
