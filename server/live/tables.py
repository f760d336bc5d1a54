"""The tables of the event store, and how an older database becomes one of this version.

The version stands in a table of one row and every step to a later one is a list of statements, applied in one
transaction: two tables and an index need no migration framework, and a server migrates its own database when
it starts.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import sqlalchemy as sa

from server.live.errors import LiveError

metadata = sa.MetaData()

SESSION_CHARS = 64
"""As the wire's `Id`."""
SERVER_CHARS = 16
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite numbers rows by itself only where the type is plain INTEGER."""

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.String(SESSION_CHARS), primary_key=True),
    sa.Column("desk", sa.String(64), nullable=False, server_default=""),
    sa.Column("language", sa.String(16), nullable=False, server_default=""),
    sa.Column("client", sa.String(200), nullable=False, server_default=""),
    sa.Column("recorded", sa.Boolean(), nullable=False, server_default=sa.false()),
    # Which of `servers` holds it.
    sa.Column("server", sa.String(SERVER_CHARS), nullable=False, server_default=""),
    # Seconds since 1970, UTC. A session without an end is going on, or its server was killed just now.
    sa.Column("opened_at", sa.Double(), nullable=True, index=True),
    sa.Column("closed_at", sa.Double(), nullable=True),
    sa.Column("reason", sa.String(64), nullable=False, server_default=""),
    # The last passing on to a person, if there was one: where it stands, and all of it as JSON.
    sa.Column("handoff_state", sa.String(16), nullable=False, server_default=""),
    sa.Column("handoff", sa.Text(), nullable=False, server_default=""),
    # Keyed hashes of telephone numbers and e-mail addresses that the visitor told, to be found again by.
    sa.Column("contacts", sa.Text(), nullable=False, server_default=""),
    sa.Index(
        "sessions_handoff",
        "opened_at",
        sqlite_where=sa.text("handoff_state <> ''"),
        postgresql_where=sa.text("handoff_state <> ''"),
    ),
    # Those without an end are few among many.
    sa.Index(
        "sessions_open",
        "server",
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    ),
)
servers = sa.Table(
    "servers",
    metadata,
    # Those that run; see `heartbeat`.
    sa.Column("id", sa.String(SERVER_CHARS), primary_key=True),
    sa.Column("beat_at", sa.Double(), nullable=False),
)
events = sa.Table(
    "events",
    metadata,
    sa.Column("id", _KEY, sa.Identity(), primary_key=True),
    # No foreign key: an event is worth keeping even where the news of its session was lost.
    sa.Column("session_id", sa.String(SESSION_CHARS), nullable=False),
    sa.Column("at", sa.Double(), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("turn", sa.Integer(), nullable=True),
    sa.Column("data", sa.Text(), nullable=False),  # JSON, serialised when the event happened
    sa.Index("events_session", "session_id", "id"),
    sqlite_autoincrement=True,
)
erased = sa.Table(
    "erased",
    metadata,
    # What was erased stays so: events that were still on their way to the disk are turned away by this.
    sa.Column("session_id", sa.String(SESSION_CHARS), primary_key=True),
    sa.Column("at", sa.Double(), nullable=False),
)
audit = sa.Table(
    "audit",
    metadata,
    # Numbered by hand: see `audit.append`.
    sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double(), nullable=False),
    sa.Column("actor", sa.String(80), nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False),
    sa.Column("desk", sa.String(64), nullable=False),
    sa.Column("detail", sa.Text(), nullable=False),
    sa.Column("before", sa.String(64), nullable=False),
)
schema_version = sa.Table(
    "schema_version",
    metadata,
    sa.Column("version", sa.Integer(), nullable=False),
    sa.Column("at", sa.Double(), nullable=False),
)

VERSION = 4
STEPS: dict[int, Sequence[str]] = {
    1: (
        f"ALTER TABLE sessions ADD COLUMN server VARCHAR({SERVER_CHARS}) NOT NULL DEFAULT ''",
        "CREATE INDEX sessions_open ON sessions (server) WHERE closed_at IS NULL",
        f"CREATE TABLE servers (id VARCHAR({SERVER_CHARS}) PRIMARY KEY, beat_at DOUBLE PRECISION NOT NULL)",
    ),
    2: (
        "ALTER TABLE sessions ADD COLUMN handoff_state VARCHAR(16) NOT NULL DEFAULT ''",
        "ALTER TABLE sessions ADD COLUMN handoff TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX sessions_handoff ON sessions (opened_at) WHERE handoff_state <> ''",
    ),
    3: (
        "ALTER TABLE sessions ADD COLUMN contacts TEXT NOT NULL DEFAULT ''",
        "CREATE TABLE audit (id BIGINT PRIMARY KEY, at DOUBLE PRECISION NOT NULL, "
        "actor VARCHAR(80) NOT NULL, action VARCHAR(32) NOT NULL, "
        "subject VARCHAR(64) NOT NULL, desk VARCHAR(64) NOT NULL, "
        "detail TEXT NOT NULL, before VARCHAR(64) NOT NULL)",
    ),
}
"""Version → the statements that make the next one of it."""


def migrate(connection: sa.Connection) -> None:
    """Create the tables, or bring them to this version; within the caller's transaction.

    Raises:
        LiveError: "store_newer": a later release has written the database.
    """
    if not sa.inspect(connection).has_table(schema_version.name):
        metadata.create_all(connection)
        _note(connection, VERSION)
        return
    found = connection.scalar(sa.select(sa.func.max(schema_version.c.version))) or 0
    if found > VERSION:
        raise LiveError(
            "store_newer",
            f"the event database has version {found}, this release knows {VERSION}",
            "install the release that wrote it, or name another database",
            status=500,
        )
    for version in range(found, VERSION):
        for statement in STEPS[version]:
            connection.execute(sa.text(statement))
        _note(connection, version + 1)


def _note(connection: sa.Connection, version: int) -> None:
    connection.execute(schema_version.insert().values(version=version, at=time.time()))
