"""The schema: migrations and tables say the same, and several processes may migrate at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from handoff_sync.errors import NotReady
from handoff_sync.store.engine import Database, open_database
from handoff_sync.store.migrate import HEAD, alembic_config, migrate, pending_migrations


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new folder' / 'empty.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


def test_the_migrations_make_exactly_the_tables(database_url: str) -> None:
    db = open_database(database_url)
    with db.write.begin() as connection:
        command.check(alembic_config(connection))
    db.dispose()


def test_the_newest_revision_is_the_one_that_readiness_asks_for(database_url: str) -> None:
    db = open_database(database_url)
    with db.write.begin() as connection:
        assert ScriptDirectory.from_config(alembic_config(connection)).get_heads() == [HEAD]
    assert not pending_migrations(db)
    db.dispose()


def test_up_down_and_up_again(empty_url: str) -> None:
    db = open_database(empty_url)
    migrate(db)
    with db.write.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert pending_migrations(db)
    migrate(db)
    assert not pending_migrations(db)
    migrate(db)
    db.dispose()


def test_three_processes_worth_of_migrations_at_once(empty_url: str) -> None:
    def one(_number: int) -> bool:
        db = open_database(empty_url)
        migrate(db)
        pending = pending_migrations(db)
        db.dispose()
        return pending

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(one, range(3))) == [False, False, False]


def test_an_empty_postgresql_database_waits_for_its_migrations(empty_postgres_url: str) -> None:
    db = open_database(empty_postgres_url)
    assert pending_migrations(db)
    db.dispose()


def test_a_server_that_is_away_is_not_ready() -> None:
    away = open_database("postgresql://nobody@127.0.0.1:9/none")
    with pytest.raises(NotReady):
        pending_migrations(away)
    with pytest.raises(NotReady):
        migrate(away)


# --- a database with rows in it ---------------------------------------------------------------------

OLD_ROWS = (
    "INSERT INTO workspaces VALUES ('ws1', 'Acme', '{}', '{}', 1, :at)",
    "INSERT INTO sessions VALUES ('s1', 'ws1', 'c1', :yes, 'ai', 'open', :no, :yes, :yes, NULL, NULL, :no, NULL, 'web',"
    " '[]', 0, 1, NULL, '{}', :at, :at)",
    "INSERT INTO outbox (workspace_id, session_id, lane_id, key, kind, payload, status, attempts, error, created_at)"
    " VALUES ('ws1', 's1', 's1/mail', 'k1', 'mail.admin', '{}', 'pending', 3, 'down', :at)",
    "INSERT INTO outbox (workspace_id, session_id, lane_id, key, kind, payload, status, created_at)"
    " VALUES ('ws1', 's1', 's1/mail', 'k2', 'mail.admin', '{}', 'done', :at)",
)
NEW_ROW = (
    "INSERT INTO outbox (workspace_id, session_id, lane_id, key, kind, payload, status, created_at)"
    " VALUES ('ws1', {session}, 'ws1/mail:a@example.com', 'k1', 'mail.test', '{{}}', 'pending', :at)"
    " ON CONFLICT DO NOTHING"
)
OUTBOX = "SELECT id, session_id, key, status, attempts, journal, error FROM outbox ORDER BY id"


def _values(db: Database) -> dict[str, object]:
    at = 1_700_000_000_000_000 if db.dialect == "sqlite" else datetime(2026, 3, 1, tzinfo=UTC)
    return {"at": at, "yes": True, "no": False}


def _to(db: Database, revision: str) -> None:
    with db.write.begin() as connection:
        move = command.upgrade if revision > "0001" else command.downgrade
        move(alembic_config(connection), revision)


def _old(db: Database) -> None:
    """A database as the version before left it, with a session and two deliveries."""
    migrate(db)
    _to(db, "0001")
    with db.write.begin() as connection:
        for statement in OLD_ROWS:
            connection.execute(text(statement), _values(db))


def test_deliveries_survive_the_way_up_and_down(empty_url: str) -> None:
    db = open_database(empty_url)
    _old(db)
    with db.read.connect() as connection:
        before = connection.exec_driver_sql(OUTBOX).all()
    migrate(db)
    with db.write.begin() as connection:
        assert connection.exec_driver_sql(OUTBOX).all() == before
        for _ in range(2):
            connection.execute(text(NEW_ROW.format(session="NULL")), _values(db))
            connection.execute(text(NEW_ROW.format(session="'s1'")), _values(db))
        after = connection.exec_driver_sql(OUTBOX).all()
        assert [(row.session_id, row.key) for row in after] == [("s1", "k1"), ("s1", "k2"), (None, "k1")]
        assert after[-1].id > before[-1].id
        command.check(alembic_config(connection))
    _to(db, "0001")
    with db.write.begin() as connection:
        assert connection.exec_driver_sql(OUTBOX).all() == before
    db.dispose()


def test_the_copied_table_still_counts_on_and_belongs_to_its_sessions(empty_url: str) -> None:
    """Ids never come back, and what belongs to a session goes with it."""
    db = open_database(empty_url)
    _old(db)
    migrate(db)
    with db.write.begin() as connection:
        connection.execute(text(NEW_ROW.format(session="NULL")), _values(db))
        last = connection.exec_driver_sql(OUTBOX).all()[-1].id
        connection.execute(text("DELETE FROM outbox WHERE session_id IS NULL"))
        connection.execute(text(NEW_ROW.format(session="NULL")), _values(db))
        connection.execute(text("DELETE FROM sessions"))
        (left,) = connection.exec_driver_sql(OUTBOX).all()
    assert left.session_id is None and left.id > last
    db.dispose()
