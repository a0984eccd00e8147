"""Fixtures that everybody may use. Servers are real: see `tests/engines.py`.

One server of a kind per test run, also with several pytest-xdist workers; one migrated database per test.
Without a server the test is skipped, but in CI (variable `CI`) it fails: there nothing may be left out.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import redis
from psycopg import sql
from sqlalchemy import make_url

from handoff_sync.store.engine import open_database
from handoff_sync.store.migrate import migrate
from tests.engines import Engine, EngineMissing, start_postgres, start_redis

RUN_FOLDER = "HANDOFF_TEST_RUN"
"""Environment variable: the folder in which the workers of one run agree on their servers."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="handoff-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    folder = Path(os.environ.pop(RUN_FOLDER))
    for note in folder.glob("*.json"):
        engine = _read(note)
        if note.stem == "postgres" and engine.pid is None:  # somebody's own server goes on: leave nothing on it
            with _administering(engine.url) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {_template(folder)} WITH (FORCE)")
        engine.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _template(folder: Path) -> str:
    """The run's own database that all others are copies of."""
    return "template_" + "".join(letter for letter in folder.name if letter.isalnum()).lower()


def _shared(name: str, start: Callable[[], Engine]) -> Engine:
    """The run's server of this kind, started by whoever needs it first."""
    folder = Path(os.environ[RUN_FOLDER])
    note = folder / f"{name}.json"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            engine = _or_skip(start)
            note.write_text(json.dumps(asdict(engine), default=str))
        return _read(note)


def _read(note: Path) -> Engine:
    values = json.loads(note.read_text())
    return Engine(values["url"], values["pid"], Path(values["folder"]) if values["folder"] else None)


def _or_skip(start: Callable[[], Engine]) -> Engine:
    try:
        return start()
    except EngineMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


# --- PostgreSQL -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The address of a PostgreSQL whose user may create databases, with the migrated template in it."""

    def start() -> Engine:
        engine = start_postgres(stop_at_exit=False)
        _make_template(engine.url, _template(Path(os.environ[RUN_FOLDER])))
        return engine

    return _shared("postgres", start).url


def _make_template(server: str, name: str) -> None:
    with _administering(server) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    db = open_database(_database(server, name))
    migrate(db)
    db.dispose()


@contextlib.contextmanager
def _administering(server: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(server, autocommit=True) as connection:
        yield connection


def _database(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@contextlib.contextmanager
def _fresh_database(server: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex[:16]}"
    with _administering(server) as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    yield _database(server, name)
    with _administering(server) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[str]:
    """The migrated database of this process. Making one takes a third of a second: tests empty it instead."""
    with _fresh_database(postgres_server, _template(Path(os.environ[RUN_FOLDER]))) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_database: str) -> str:
    """A migrated and empty PostgreSQL database; what earlier tests left connected to it is cut off."""
    with _administering(postgres_database) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        _empty(connection)
    return postgres_database


def _empty(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    tables = [
        sql.Identifier(str(name))
        for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        if name != "alembic_version"
    ]
    looks = [sql.SQL("EXISTS (SELECT 1 FROM {})").format(table) for table in tables]
    filled = connection.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(looks))).fetchone() or ()
    used = [table for table, has_rows in zip(tables, filled, strict=True) if has_rows]
    if used:
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(sql.SQL(", ").join(used)))


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """A PostgreSQL database of this test's own without any table."""
    with _fresh_database(postgres_server, "template0") as url:
        yield url


# --- SQLite -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    db = open_database(f"sqlite:///{path}")
    migrate(db)
    db.dispose()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of this test's own."""
    path = tmp_path / "handoff.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


# --- both -------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own, once of each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


# --- Redis ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def redis_server() -> str:
    return _shared("redis", lambda: start_redis(stop_at_exit=False)).url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """An empty Redis database that no other worker of this run uses."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = make_url(redis_server).set(database=str(int(worker) % 16)).render_as_string(hide_password=False)
    with contextlib.closing(redis.Redis.from_url(url)) as client:
        client.flushdb()
    return url
