"""The database behind the event store: how SQLite and PostgreSQL are opened, read and written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from server.live.errors import LiveError
from server.live.tables import migrate

T = TypeVar("T")

_ASYNC_DRIVERS = {"sqlite+aiosqlite": "sqlite", "postgresql+asyncpg": "postgresql+psycopg"}
_ADVISORY_KEY = 0x56495341
"""PostgreSQL's lock of this name: shared by writers, exclusive for migration and erasure."""
_STATEMENT_MS = 10_000
"""A statement that takes longer on PostgreSQL counts as failed, and is tried again."""


class Database:
    """An open database. Its methods block, and may be called from any thread."""

    def __init__(self, url: sa.URL, busy_s: float) -> None:
        """Use `open`."""
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"hide_parameters": True}  # errors hold no visitor's words
        if self.is_sqlite:
            options["connect_args"] = {"timeout": busy_s}
        else:
            waits = f"-c lock_timeout={busy_s * 1e3:.0f} -c statement_timeout={_STATEMENT_MS}"
            options |= {"pool_pre_ping": True, "pool_size": 2}
            options["connect_args"] = {"connect_timeout": 5, "options": waits}
        self._writing = sa.create_engine(url, **options)
        self._reading = sa.create_engine(url, **options) if self.is_sqlite else self._writing
        if self.is_sqlite:
            sa.event.listen(self._writing, "connect", _prepare_writing)
            sa.event.listen(self._writing, "begin", _begin_writing)
            sa.event.listen(self._reading, "connect", _prepare_reading)

    @classmethod
    def open(cls, url: str, *, busy_s: float) -> Self:
        """Open a database and bring its tables to this version.

        Args:
            url: SQLAlchemy's, or the path of a SQLite file; asynchronous drivers are replaced by their
                synchronous equals.
            busy_s: how long to wait for another writer.

        Raises:
            LiveError: "bad_store_url", "store_unavailable" or "store_newer".
        """
        parsed = _parse(url)
        try:
            if parsed.get_backend_name() == "sqlite":
                _create_file(Path(parsed.database or ""))
            database = cls(parsed, busy_s)
        except (ImportError, NoSuchModuleError) as error:
            raise LiveError(
                "bad_store_url",
                f"no driver for {parsed.drivername} is installed",
                "pip install 'psycopg[binary]' for PostgreSQL, or name a SQLite file",
                status=500,
            ) from error
        except OSError as error:
            raise LiveError(
                "store_unavailable",
                f"{parsed.database} cannot be written ({(error.strerror or str(error)).lower()})",
                "name a place that this user may write to",
                status=500,
            ) from error
        try:
            database.write(migrate)
        except LiveError:
            database.close()
            raise
        return database

    @contextmanager
    def transaction(self, *, exclusive: bool = False) -> Iterator[sa.Connection]:
        """Write in one transaction; the driver's errors come as SQLAlchemy raises them.

        Args:
            exclusive: no other writer of any process is in between; SQLite has one writer anyway.
        """
        with self._writing.begin() as connection:
            if not self.is_sqlite:
                lock = sa.func.pg_advisory_xact_lock if exclusive else sa.func.pg_advisory_xact_lock_shared
                connection.execute(sa.select(lock(_ADVISORY_KEY)))
            yield connection

    def write(self, change: Callable[[sa.Connection], T]) -> T:
        """Change something in one transaction, alone.

        Raises:
            LiveError: "store_unavailable"; retryable.
        """
        with _worded(self.url), self.transaction(exclusive=True) as connection:
            return change(connection)

    def read(self, ask: Callable[[sa.Connection], T]) -> T:
        """Read something.

        Raises:
            LiveError: "store_unavailable"; retryable.
        """
        with _worded(self.url), self._reading.connect() as connection:
            return ask(connection)

    def forget(self) -> None:
        """Overwrite what SQLite's log still holds of deleted rows, unless somebody is reading just now."""
        if not self.is_sqlite:
            return
        with suppress(SQLAlchemyError):
            connection = self._writing.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.close()

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._reading.dispose()
        self._writing.dispose()


def complaint(error: BaseException) -> str:
    """Say in the driver's words what is wrong, without rows and statements."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200].lower()


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url) if "://" in url else sa.URL.create("sqlite", database=url)
    except ArgumentError as error:
        raise LiveError(
            "bad_store_url",
            "the event store's URL cannot be read",
            "write sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE",
            status=500,
        ) from error
    parsed = parsed.set(drivername=_ASYNC_DRIVERS.get(parsed.drivername, parsed.drivername))
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql") or (
        backend == "sqlite" and (parsed.database or ":memory:") == ":memory:"
    ):
        raise LiveError(
            "bad_store_url",
            f"{parsed.render_as_string()} is no place for the event store",
            "name a SQLite file or a PostgreSQL database",
            status=500,
        )
    return parsed


def _create_file(path: Path) -> None:
    """Make the file before SQLite does: it holds personal data, and is its owner's alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _prepare_writing(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy begins, see below; Python's driver would do it too late
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # Every commit is on the disk, also after a power cut; affordable at five commits a second.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _begin_writing(connection: sa.Connection) -> None:
    # With a plain BEGIN two writers can both begin to read, and one of them fails at once, without waiting.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare_reading(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")


@contextmanager
def _worded(url: sa.URL) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string()
        raise LiveError(
            "store_unavailable",
            f"the event database {where} does not answer ({complaint(error)})",
            "see that it runs, that its disk has space and that nobody holds it locked; then try again",
            status=503,
            retryable=isinstance(error, DBAPIError),
        ) from error
