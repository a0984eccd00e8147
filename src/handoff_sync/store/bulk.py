"""Writing many rows with one statement.

SQLite takes a list of parameters at little cost. PostgreSQL would be sent one message per row; it gets all rows as
one JSON text instead and unfolds them itself, in their order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    FromClause,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from handoff_sync.store.columns import Moment, microseconds
from handoff_sync.store.engine import Dialect
from handoff_sync.store.statements import Prepared, insert

Insert = sqlite.Insert | postgresql.Insert
Rows = Sequence[Mapping[str, Any]]


class BulkInsert:
    """INSERT of rows that give exactly these columns. `conflict` adds what happens to rows that are there."""

    def __init__(
        self,
        dialect: Dialect,
        table: Table,
        columns: Sequence[str],
        conflict: Callable[[Insert], Insert] = lambda statement: statement,
    ) -> None:
        self._unfold = dialect == "postgresql"
        new = insert(dialect, table)
        if self._unfold:
            rows = _unfolded(table, columns)
            new = new.from_select(list(columns), select(*(rows.c[name] for name in columns)))
        else:
            new = new.values({name: bindparam(name, type_=table.c[name].type) for name in columns})
        self._statement = Prepared(dialect, conflict(new))
        self._moments = _moments(table, columns)

    def execute(self, connection: Connection, rows: Rows) -> None:
        self._statement.execute(connection, {"rows": _folded(rows)} if self._unfold else _bound(rows, self._moments))


class BulkUpdate:
    """UPDATE of rows, found by their `id`, that give exactly these other columns."""

    def __init__(self, dialect: Dialect, table: Table, columns: Sequence[str]) -> None:
        self._unfold = dialect == "postgresql"
        key = table.c.id
        if self._unfold:
            rows = _unfolded(table, ["id", *columns])
            change = update(table).where(key == rows.c.id).values({name: rows.c[name] for name in columns})
        else:
            values = {name: bindparam(name, type_=table.c[name].type) for name in columns}
            change = update(table).where(key == bindparam("id")).values(values)
        self._statement = Prepared(dialect, change)
        self._moments = _moments(table, columns)

    def execute(self, connection: Connection, rows: Rows) -> None:
        self._statement.execute(connection, {"rows": _folded(rows)} if self._unfold else _bound(rows, self._moments))


def _unfolded(table: Table, columns: Sequence[str]) -> FromClause:
    """The rows in the parameter `rows`, with the types of the table."""
    given = cast(bindparam("rows", type_=Text()), postgresql.JSON())
    records = func.json_populate_recordset(literal_column(f"NULL::{table.name}"), given)
    return records.table_valued(*(column(name, table.c[name].type) for name in columns), name="new_rows")


def _moments(table: Table, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in columns if isinstance(table.c[name].type, Moment))


def _bound(rows: Rows, moments: Sequence[str]) -> list[dict[str, Any]]:
    """The rows as SQLite's driver takes them."""
    return [{**row, **{name: microseconds(row[name]) for name in moments}} for row in rows]


def _folded(rows: Rows) -> str:
    return _ENCODER.encode(list(rows))


def _plain(value: object) -> str:
    match value:
        case datetime():
            return value.isoformat()
        case bytes():
            return "\\x" + value.hex()
        case _:
            raise TypeError(f"A {type(value).__name__} cannot be stored.")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain)
