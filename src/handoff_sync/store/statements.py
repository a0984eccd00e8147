"""The few places where SQLite and PostgreSQL are spoken to differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Connection,
    CursorResult,
    Select,
    Table,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from handoff_sync.store.columns import Moment
from handoff_sync.store.engine import Dialect
from handoff_sync.store.tables import lanes, outbox

# Written as literals: with a bound parameter neither database can prove that the partial index applies.
PENDING = outbox.c.status == literal_column("'pending'")
PARKED = outbox.c.status == literal_column("'parked'")

_SPOKEN = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": make_url("postgresql+psycopg://").get_dialect()(),
}


class Prepared:
    """SQL made once from a statement that every batch runs; making it anew costs more than running it.

    Parameters and rows are what the driver takes and gives: no type of ours converts them.
    """

    def __init__(self, dialect: Dialect, statement: ClauseElement) -> None:
        self._sql = str(statement.compile(dialect=_SPOKEN[dialect]))

    def execute(
        self, connection: Connection, params: Mapping[str, object] | Sequence[Mapping[str, object]]
    ) -> CursorResult[*tuple[Any, ...]]:
        return connection.exec_driver_sql(self._sql, params)


def keys(dialect: Dialect, name: str, width: int) -> Select[*tuple[Any, ...]]:
    """The keys of the parameter `name`, a JSON list of lists: one statement for any number of them."""
    given = bindparam(name, type_=Text())
    if dialect == "sqlite":
        each = func.json_each(given).table_valued("value", name=name)
    else:
        each = func.json_array_elements(cast(given, postgresql.JSON())).table_valued("value").render_derived(name)
    return select(*(each.c.value.op("->>")(literal_column(str(place))) for place in range(width)))


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
