"""What is asked of the event tables, and what is erased from them; every function within a transaction."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from server.live.records import EventRecord, Row, SessionRecord
from server.live.tables import erased, events, sessions

DAY_S = 86_400.0
SERVER_LOST = "server_lost"
"""Why a session ended whose server was killed."""
PURGED_AT_ONCE = 100
"""Sessions that one transaction deletes: writers wait for it."""


def write(connection: sa.Connection, rows: Iterable[Row], changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Insert events and the changes of sessions, except of those that were erased.

    Args:
        connection: in a transaction.
        rows: events.
        changes: session → columns of `sessions` with their new values.
    """
    rows = list(rows)
    names = {row.session_id for row in rows} | set(changes)
    gone = set(connection.scalars(sa.select(erased.c.session_id).where(erased.c.session_id.in_(names))))
    for name, values in changes.items():
        if name not in gone:
            _upsert(connection, sessions, {"id": name, **values}, update=values)
    kept = [asdict(row) for row in rows if row.session_id not in gone]
    if kept:
        connection.execute(events.insert(), kept)


def sessions_of(
    connection: sa.Connection,
    desk: str | None,
    since: float | None,
    until: float | None,
    limit: int,
    offset: int,
) -> list[SessionRecord]:
    """Return sessions, the latest first."""
    query = _known()
    if desk is not None:
        query = query.where(sessions.c.desk == desk)
    if since is not None:
        query = query.where(sessions.c.opened_at >= since)
    if until is not None:
        query = query.where(sessions.c.opened_at < until)
    query = query.order_by(sessions.c.opened_at.desc(), sessions.c.id).limit(limit).offset(offset)
    return [SessionRecord(**row) for row in connection.execute(query).mappings()]


def session_of(connection: sa.Connection, session_id: str) -> SessionRecord | None:
    """Return one session; None where nothing is kept of it."""
    row = connection.execute(_known().where(sessions.c.id == session_id)).mappings().first()
    return SessionRecord(**row) if row is not None else None


def desks_of(connection: sa.Connection, session_ids: Iterable[str]) -> dict[str, str]:
    """Return session → desk, of those that are kept."""
    query = sa.select(sessions.c.id, sessions.c.desk).where(sessions.c.id.in_(list(session_ids)))
    return {row.id: row.desk for row in connection.execute(query)}


def desks_in(connection: sa.Connection) -> list[str]:
    """Return the desks of which sessions are kept."""
    return sorted(connection.scalars(sa.select(sessions.c.desk).distinct()))


def sessions_with(connection: sa.Connection, contacts: Iterable[str], desk: str | None) -> list[str]:
    """Return the sessions whose visitors told one of these contacts, the latest first.

    Args:
        connection: in a transaction.
        contacts: as `contacts.hash_of` makes them.
        desk: this one alone.
    """
    there = sa.or_(sa.false(), *(sessions.c.contacts.contains(each, autoescape=True) for each in contacts))
    query = sa.select(sessions.c.id).where(there)
    if desk is not None:
        query = query.where(sessions.c.desk == desk)
    return list(connection.scalars(query.order_by(sessions.c.opened_at.desc())))


def _known() -> sa.Select[Any]:
    """Select sessions with what may be told of them, and how many turns they had."""
    turns = (
        sa.select(sa.func.count())
        .where(events.c.session_id == sessions.c.id, events.c.kind == "turn")
        .scalar_subquery()
    )
    hidden = ("handoff", "handoff_state", "contacts")
    return sa.select(*(each for each in sessions.c if each.name not in hidden), turns.label("turns"))


def events_of(
    connection: sa.Connection, session_id: str, kinds: Sequence[str], after_id: int, limit: int
) -> list[EventRecord]:
    """Return a session's events in the order of their writing."""
    query = sa.select(events).where(events.c.session_id == session_id, events.c.id > after_id)
    if kinds:
        query = query.where(events.c.kind.in_(kinds))
    found = connection.execute(query.order_by(events.c.id).limit(limit)).mappings()
    return [EventRecord(**{**row, "data": json.loads(row["data"])}) for row in found]


def turns_of(connection: sa.Connection, desk: str, before_id: int | None, limit: int) -> list[EventRecord]:
    """Return turns of a desk, the latest first."""
    # Asked this way round, databases walk back along the events instead of sorting all of a desk.
    there = sa.exists().where(sessions.c.id == events.c.session_id, sessions.c.desk == desk)
    query = sa.select(events).where(events.c.kind == "turn", there)
    if before_id is not None:
        query = query.where(events.c.id < before_id)
    found = connection.execute(query.order_by(events.c.id.desc()).limit(limit)).mappings()
    return [EventRecord(**{**row, "data": json.loads(row["data"])}) for row in found]


def handoffs_of(
    connection: sa.Connection, session_id: str, states: Sequence[str], limit: int
) -> list[tuple[str, bool]]:
    """Return handoffs as they were kept, the latest first, and whether their sessions are over.

    Args:
        connection: in a transaction.
        session_id: of whom; empty: of all.
        states: those that count; none: all.
        limit: how many at most.
    """
    query = sa.select(sessions.c.handoff, sessions.c.closed_at).where(sessions.c.handoff_state != "")
    if session_id:
        query = query.where(sessions.c.id == session_id)
    if states:
        query = query.where(sessions.c.handoff_state.in_(states))
    found = connection.execute(query.order_by(sessions.c.opened_at.desc()).limit(limit))
    return [(text, closed_at is not None) for text, closed_at in found]


def orphaned_handoffs(connection: sa.Connection, states: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return session, desk and handoff of those whose server was killed in one of these states."""
    lost = sessions.c.reason == SERVER_LOST, sessions.c.closed_at.is_not(None)
    query = sa.select(sessions.c.id, sessions.c.desk, sessions.c.handoff)
    found = connection.execute(query.where(sessions.c.handoff_state.in_(states), *lost))
    return [(session, desk, text) for session, desk, text in found]


def change_handoff(connection: sa.Connection, session_id: str, state: str, document: str) -> None:
    """Put a handoff in the place of the one that is kept."""
    mine = sessions.update().where(sessions.c.id == session_id)
    connection.execute(mine.values(handoff_state=state, handoff=document))


def erase(connection: sa.Connection, session_id: str, at: float) -> bool:
    """Delete a session and its events, and turn away those that come later; False if none was there."""
    values = {"session_id": session_id, "at": at}
    _upsert(connection, erased, values, update={"at": at})
    known = connection.execute(sessions.delete().where(sessions.c.id == session_id)).rowcount
    told = connection.execute(events.delete().where(events.c.session_id == session_id)).rowcount
    return known + told > 0


@dataclass(frozen=True, slots=True)
class Purged:
    """What one transaction of `purge` did."""

    sessions: int
    """That were deleted, or emptied of what was said."""
    last: str = ""
    """Go on after this session; empty: none is left."""


def purge(
    connection: sa.Connection,
    now: float,
    older_than_s: float,
    desks: Mapping[str, float] | None = None,
    *,
    filmed: Collection[str] = (),
    after: str = "",
) -> Purged:
    """Delete some of the sessions that have been over for so long, with all that was said.

    Of one whose recording is still kept the row stays, without words: it says at which desk the recording was
    made, and whose it is.

    Args:
        connection: in a transaction that nobody else writes in.
        now: seconds since 1970.
        older_than_s: of the desks that are not named; infinite: theirs stay.
        desks: desk → the same for that one.
        filmed: sessions whose recordings are still kept.
        after: as the transaction before said.
    """
    desks = desks or {}
    # Rows whose server was killed get an end when the next one runs, but may stay in a file that none opens.
    ended = sa.func.coalesce(sessions.c.closed_at, sessions.c.opened_at + DAY_S)
    limits = [
        sa.and_(sessions.c.desk == name, ended < now - limit_s)
        for name, limit_s in desks.items()
        if math.isfinite(limit_s)
    ]
    if math.isfinite(older_than_s):
        limits.append(sa.and_(sessions.c.desk.not_in(list(desks)), ended < now - older_than_s))
    over = sa.select(sessions.c.id).where(sa.or_(sa.false(), *limits), sessions.c.id > after)
    old = list(connection.scalars(over.order_by(sessions.c.id).limit(PURGED_AT_ONCE)))
    if old:
        kept = [each for each in old if each in filmed]
        words = sa.or_(sessions.c.handoff != "", sa.exists().where(events.c.session_id == sessions.c.id))
        query = sa.select(sa.func.count()).select_from(sessions).where(sessions.c.id.in_(kept), words)
        emptied = connection.scalar(query) or 0
        connection.execute(events.delete().where(events.c.session_id.in_(old)))
        connection.execute(
            sessions.update().where(sessions.c.id.in_(kept)).values(handoff="", handoff_state="", client="")
        )
        connection.execute(sessions.delete().where(sessions.c.id.in_(set(old) - set(kept))))
        return Purged(len(old) - len(kept) + emptied, old[-1])
    # Events whose session is not known, and the names of what was erased, need no keeping either.
    if math.isfinite(older_than_s):
        orphans = events.c.session_id.not_in(sa.select(sessions.c.id))
        connection.execute(events.delete().where(events.c.at < now - older_than_s, orphans))
    connection.execute(erased.delete().where(erased.c.at < now - DAY_S))
    return Purged(0)


def _upsert(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, Any], *, update: Mapping[str, Any]
) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(**values)
    keys = list(table.primary_key.columns)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=dict(update)))
