"""The few places where SQLite and PostgreSQL are spoken to differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, case, func, literal_column
from sqlalchemy.dialects import postgresql, sqlite

from handoff_sync.store.columns import Moment
from handoff_sync.store.engine import Dialect
from handoff_sync.store.tables import lanes, outbox

# Written as literals: with a bound parameter neither database can prove that the partial index applies.
PENDING = outbox.c.status == literal_column("'pending'")
PARKED = outbox.c.status == literal_column("'parked'")


def insert(dialect: Dialect, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say ON CONFLICT."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def earlier(dialect: Dialect, *moments: ColumnElement[Any]) -> ColumnElement[Any]:
    """The earliest of moments that are not null."""
    return (func.min if dialect == "sqlite" else func.least)(*moments, type_=Moment())


def later(dialect: Dialect, *moments: ColumnElement[Any]) -> ColumnElement[Any]:
    """The latest of moments that are not null."""
    return (func.max if dialect == "sqlite" else func.greatest)(*moments, type_=Moment())


def moment(name: str) -> ColumnElement[Any]:
    """A parameter that is a time."""
    return bindparam(name, type_=Moment())


def not_while_blocked(due: ColumnElement[Any]) -> ColumnElement[Any]:
    """A due time for a lane; a blocked one has none."""
    return case((lanes.c.blocked.is_(True), literal_column("NULL")), else_=due)
