"""Opening the database: SQLite and PostgreSQL made to behave alike."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from handoff_sync.errors import ConfigurationError

Dialect = Literal["sqlite", "postgresql"]

BUSY_TIMEOUT_S = 5
CHECKPOINT_PAGES = 8_000
"""32 MB of log. A checkpoint holds up whoever commits; SQLite's own 1,000 pages make that one request in fifteen."""
_SCHEMES = {"sqlite": "sqlite", "postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


class Database:
    """Two engines over one database: `write` for whoever commits, `read` for everybody.

    Engines are made when first used and belong to their process: after a fork the child makes its own.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.dialect: Dialect = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"
        self._lock = threading.Lock()
        self._pid = 0
        self._engines: dict[str, Engine] = {}
        os.register_at_fork(after_in_child=self._forget)

    def __repr__(self) -> str:
        return f"Database({self.url.render_as_string(hide_password=True)!r})"

    @property
    def write(self) -> Engine:
        return self._engine("write")

    @property
    def read(self) -> Engine:
        return self._engine("read")

    def dispose(self) -> None:
        """Closes every connection; the next use opens new ones."""
        with self._lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines = {}

    def _engine(self, role: str) -> Engine:
        found = self._engines.get(role)
        if found is not None:
            return found
        with self._lock:
            if role not in self._engines:
                make = _sqlite if self.dialect == "sqlite" else _postgresql
                self._engines[role] = make(self.url, role)
            return self._engines[role]

    def _forget(self) -> None:
        """Runs in a forked child: the parent's connections are not ours to use or to close."""
        self._lock = threading.Lock()
        for engine in self._engines.values():
            engine.dispose(close=False)
        self._engines = {}


def open_database(url: str) -> Database:
    """The database at `url` (sqlite:///path, postgresql://..., postgres://...). Connects when first used."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise _unusable("It is not a URL.") from error
    scheme = parsed.drivername.split("+")[0]
    if scheme not in _SCHEMES:
        raise _unusable(f"The scheme {scheme!r} is not supported.")
    if scheme == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise _unusable("SQLite needs a file: several connections share it, and its rows must survive.")
    return Database(parsed.set(drivername=_SCHEMES[scheme]))


def _unusable(what: str) -> ConfigurationError:
    # The URL itself is not repeated: it may hold a password.
    return ConfigurationError([f"The database URL cannot be used. {what} Use sqlite:///path or postgresql://..."])


def _sqlite(url: URL, role: str) -> Engine:
    pool: dict[str, Any] = {"pool_size": 1, "max_overflow": 0} if role == "write" else {"pool_size": 8}
    engine = create_engine(
        url,
        poolclass=QueuePool,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
        **pool,
    )
    reading = role == "read"

    def on_connect(connection: Any, _record: object) -> None:
        # Python's own transaction handling begins at the first write, too late for read-then-write.
        connection.isolation_level = None
        _into_wal(connection)
        for pragma in (
            "synchronous=FULL",
            "foreign_keys=ON",
            f"query_only={int(reading)}",
            f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", on_connect)
    if not reading:
        event.listen(engine, "begin", on_begin)
    return engine


def _into_wal(connection: Any) -> None:
    """The switch of a new file ignores the busy timeout: three at once failed in 7 of 100 tries without this loop."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _postgresql(url: URL, role: str) -> Engine:
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"} if role == "read" else {}
    return create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=8,
        max_overflow=24,
        connect_args={
            "connect_timeout": 5,
            "keepalives_idle": 30,
            "application_name": f"handoff-sync-{role}",
            "options": "-c lock_timeout=5s -c statement_timeout=30s -c timezone=UTC",
        },
        **options,
    )
