"""The schema: migrations and tables say the same, and several processes may migrate at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from handoff_sync.errors import NotReady
from handoff_sync.store.engine import open_database
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
