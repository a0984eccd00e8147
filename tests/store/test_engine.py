"""Opening a database: what is accepted, and what every connection is like."""

from __future__ import annotations

import pytest

from handoff_sync.errors import ConfigurationError
from handoff_sync.store.engine import open_database


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_means_psycopg(scheme: str) -> None:
    db = open_database(f"{scheme}://user:secret@db.example.com/handoff")
    assert (db.dialect, db.url.drivername) == ("postgresql", "postgresql+psycopg")


@pytest.mark.parametrize("url", ["mysql://h/d", "sqlite://", "sqlite:///:memory:", "no url", ""])
def test_an_unusable_url_is_a_setting_to_correct(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"sqlite:///path or postgresql://"):
        open_database(url)


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(open_database("postgres://user:secret@db.example.com/handoff"))
    with pytest.raises(ConfigurationError) as caught:
        open_database("mysql://user:secret@db.example.com/handoff")
    assert "secret" not in str(caught.value)


def test_sqlite_connections_are_durable_and_checked(sqlite_url: str) -> None:
    db = open_database(sqlite_url)
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    for engine in (db.read, db.write):
        with engine.connect() as connection:
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
        assert found == wanted
    db.dispose()


def test_sqlite_reads_can_change_nothing_and_do_not_wait_for_a_writer(sqlite_url: str) -> None:
    db = open_database(sqlite_url)
    with db.write.begin() as writer:
        writer.exec_driver_sql("DELETE FROM workspaces")
        with db.read.connect() as reader:
            assert reader.exec_driver_sql("SELECT count(*) FROM workspaces").scalar() == 0
            assert reader.exec_driver_sql("PRAGMA query_only").scalar() == 1
    db.dispose()


def test_a_disposed_database_opens_again(database_url: str) -> None:
    db = open_database(database_url)
    for _ in range(2):
        with db.read.connect() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
        db.dispose()
