"""The audit trail: who read, exported, erased or purged what and when. It holds no content.

Every row holds the SHA-256 of the one before, so that one that was changed or taken out of the middle shows.
What was deleted at the end shows to who has written down an earlier head (`visavis privacy audit` prints it).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from server.live.tables import audit

ACTOR_CHARS, ACTION_CHARS, SUBJECT_CHARS = 80, 32, 64
DETAIL_CHARS = 2000
READ_AT_ONCE = 1000
NOTED_CHARS = 16
"""Of a noted head: 64 bits, which nobody meets by trying."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that somebody did with visitors' data."""

    actor: str
    """"operator:Anna", "visitor", "command:USER" or "server"."""
    action: str
    """"read", "list", "take", "examine", "export", "erase", "purge" or "settings"."""
    subject: str = ""
    """A session's name, or a desk's; empty: several."""
    desk: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Figures and settings; never what was said."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A deed as it was kept."""

    id: int
    at: float
    """Seconds since 1970, UTC."""
    actor: str
    action: str
    subject: str
    desk: str
    detail: str
    """JSON"""
    before: str
    """SHA-256 of the row before; empty for the first."""

    @property
    def seal(self) -> str:
        """SHA-256 of this row, as the next one holds it."""
        fields = [self.id, repr(self.at), self.actor, self.action, self.subject, self.desk, self.detail]
        text = json.dumps([*fields, self.before], ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Verified:
    """What looking through the trail has shown."""

    rows: int
    head: str
    """Seal of the last row: write it down elsewhere, and a shortened trail shows."""
    broken: int | None
    """Number of the first row that does not follow from the one before; None: all do."""
    noted: int | None = None
    """Number of the row whose seal is the head that was noted earlier; None: there is no such row."""


def append(connection: sa.Connection, deed: Deed, at: float) -> None:
    """Write a deed down; in a transaction that nobody else writes in."""
    last = _rows(connection, sa.select(audit).order_by(audit.c.id.desc()).limit(1))
    detail = json.dumps(dict(deed.detail), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    row = AuditRow(
        id=last[0].id + 1 if last else 1,
        at=round(at, 3),
        actor=_plain(deed.actor)[:ACTOR_CHARS],
        action=deed.action[:ACTION_CHARS],
        subject=_plain(deed.subject)[:SUBJECT_CHARS],
        desk=_plain(deed.desk)[:SUBJECT_CHARS],
        detail=detail[:DETAIL_CHARS],
        before=last[0].seal if last else "",
    )
    connection.execute(audit.insert().values({name: getattr(row, name) for name in AuditRow.__slots__}))


def rows_of(
    connection: sa.Connection, *, desk: str = "", subject: str = "", limit: int = READ_AT_ONCE
) -> list[AuditRow]:
    """Return rows, the latest first; of one desk or one session where they are named."""
    query = sa.select(audit)
    if desk:
        query = query.where(audit.c.desk.in_((desk, "")))
    if subject:
        query = query.where(audit.c.subject == subject)
    return _rows(connection, query.order_by(audit.c.id.desc()).limit(limit))


def verify(connection: sa.Connection, noted: str = "") -> Verified:
    """Follow the trail from its first row to its last.

    Args:
        connection: to the store.
        noted: a head that was written down earlier; it may be cut to its first `NOTED_CHARS` signs or more.
    """
    count, before = 0, None
    at: int | None = None
    while True:
        after = before.id if before is not None else -1
        rows = _rows(
            connection, sa.select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(READ_AT_ONCE)
        )
        for row in rows:
            if before is not None and (row.before != before.seal or row.id != before.id + 1):
                return Verified(count, before.seal, row.id, at)
            if before is None and noted and row.before.startswith(noted):
                at = row.id - 1  # the row itself was purged; the next one still holds its seal
            before, count = row, count + 1
            if noted and row.seal.startswith(noted):
                at = row.id
        if not rows:
            return Verified(count, before.seal if before is not None else "", None, at)


def purge_audit(connection: sa.Connection, now: float, older_than_s: float) -> int:
    """Delete rows that are older, and write down that it was done; returns how many.

    The last row always stays, so that the trail goes on from it.
    """
    before = now - older_than_s
    last = connection.scalar(sa.select(sa.func.max(audit.c.id)))
    if last is None:
        return 0
    gone = connection.execute(audit.delete().where(audit.c.at < before, audit.c.id < last)).rowcount
    if gone:
        append(connection, Deed("server", "purge", detail={"audit_rows": gone}), now)
    return gone


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[AuditRow]:
    return [AuditRow(**row) for row in connection.execute(query).mappings()]


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "")
