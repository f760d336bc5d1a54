"""Signs of life of the servers that share a database, and the end of sessions whose server gives none.

A server writes every few seconds that it lives. One that has not for `lost_s` was killed, or its machine was:
its sessions are closed by any server that lives, with the time of their last event. Who was only held up, or
cut off from the database, finds itself missing from the list, and takes its sessions back.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from server.live.archive import DAY_S, SERVER_LOST
from server.live.database import Database
from server.live.tables import events, servers, sessions


@dataclass(frozen=True, slots=True)
class HeartbeatSettings:
    """How servers know of each other."""

    every_s: float = 5.0
    """Between two signs of life."""
    lost_s: float = 20.0
    """A server of which nothing was heard for so long is lost: three signs may be missed, for instance while
    another one holds the lock."""


def first_server(connection: sa.Connection) -> str:
    """Return which of the servers that live speaks for all of them; empty where none does."""
    return connection.scalar(sa.select(sa.func.min(servers.c.id))) or ""


class Heartbeat:
    """The signs of life of one server; used in the writer's thread.

    Args:
        database: where.
        settings: how often.
        clock: seconds since 1970; used with SQLite, whose processes share a machine. PostgreSQL's own
            clock is used there, so that clocks of machines need not agree.
    """

    def __init__(self, database: Database, settings: HeartbeatSettings, clock: Callable[[], float]) -> None:
        self.server = secrets.token_hex(8)
        """Names this server, for as long as it runs."""
        self._database, self._settings, self._clock = database, settings, clock
        self._beaten_s = self._unbroken_s = self._looked_s = float("-inf")

    def due_s(self) -> float:
        """Seconds until the next sign of life."""
        return max(0.0, self._beaten_s + self._settings.every_s - time.monotonic())

    def beat(self) -> int:
        """Give a sign of life if it is time, and close what lost servers have left; returns how much.

        Others are judged only after `lost_s` in which every sign of our own was written: right after a start,
        or after the database was away, those that live may not have had the time for theirs.

        Raises:
            SQLAlchemyError: the database does not take it.
        """
        now_s = time.monotonic()
        if now_s < self._beaten_s + self._settings.every_s:
            return 0
        with self._database.transaction() as connection:
            self._sign(connection)
        if now_s - self._beaten_s > 2 * self._settings.every_s:
            self._unbroken_s = now_s
        self._beaten_s = time.monotonic()
        if now_s < max(self._unbroken_s, self._looked_s) + self._settings.lost_s:
            return 0
        with self._database.transaction(exclusive=True) as connection:
            closed = self._close_lost(connection)
        self._looked_s = now_s
        return closed

    def end(self) -> None:
        """Take this server from the list; what it has left open is closed by the others, or the next one."""
        with suppress(SQLAlchemyError), self._database.transaction() as connection:
            connection.execute(servers.delete().where(servers.c.id == self.server))

    def _sign(self, connection: sa.Connection) -> None:
        mine = servers.c.id == self.server
        now = self._now(connection)
        if connection.execute(servers.update().where(mine).values(beat_at=now)).rowcount:
            return
        connection.execute(servers.insert().values(id=self.server, beat_at=now))
        taken_for_lost = sessions.c.reason == SERVER_LOST, sessions.c.server == self.server
        connection.execute(sessions.update().where(*taken_for_lost).values(closed_at=None, reason=""))

    def _close_lost(self, connection: sa.Connection) -> int:
        now = self._now(connection)
        lost = servers.c.beat_at < now - self._settings.lost_s
        connection.execute(servers.delete().where(lost))
        nobodys = sessions.c.server.not_in(sa.select(servers.c.id))
        # Rows of a release that named no server, which may still run beside this one; no session lasts a day.
        named = (sessions.c.server != "") | (sessions.c.opened_at < now - DAY_S)
        last = sa.select(sa.func.max(events.c.at)).where(events.c.session_id == sessions.c.id)
        done = connection.execute(
            sessions.update()
            .where(sessions.c.closed_at.is_(None), nobodys, named)
            .values(
                closed_at=sa.func.coalesce(last.scalar_subquery(), sessions.c.opened_at, now),
                reason=SERVER_LOST,
            )
        )
        return done.rowcount

    def _now(self, connection: sa.Connection) -> float:
        if self._database.is_sqlite:
            return self._clock()
        return float(connection.scalar(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))) or 0.0)
