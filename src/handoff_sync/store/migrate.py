"""Bringing the schema up to date, and knowing whether it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from handoff_sync.store.engine import Database
from handoff_sync.store.faults import in_our_words, is_missing_table, is_unavailable, not_ready

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0003"
"""The newest revision: known here so that a readiness check need not load alembic (0.8 s)."""

_LOCK = text("SELECT pg_advisory_xact_lock(7246331801)")
_PATIENCE = (text("SET LOCAL statement_timeout = 0"), text("SET LOCAL lock_timeout = 0"))
_VERSION = text("SELECT version_num FROM alembic_version")


def migrate(db: Database) -> None:
    """Creates or updates the schema. Several processes may do so at once: one does it, the others wait."""
    from alembic import command

    if db.dialect == "sqlite" and db.url.database is not None:
        Path(db.url.database).expanduser().absolute().parent.mkdir(parents=True, exist_ok=True)
    try:
        with db.write.begin() as connection:
            if db.dialect == "postgresql":
                for statement in (*_PATIENCE, _LOCK):
                    connection.execute(statement)
            command.upgrade(alembic_config(connection), "head")
    except SQLAlchemyError as error:
        raise (not_ready(error) if is_unavailable(error) else in_our_words(error)) from None


def pending_migrations(db: Database) -> bool:
    """Whether `migrate` has something to do. NotReady when the database does not answer."""
    try:
        with db.read.connect() as connection:
            return connection.execute(_VERSION).scalars().all() != [HEAD]
    except SQLAlchemyError as error:
        if is_missing_table(error):
            return True
        raise (not_ready(error) if is_unavailable(error) else in_our_words(error)) from None


def alembic_config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "handoff_sync.store:migrations")
    return config
