"""The inbox: what was taken in already, and what was answered then."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, func, select, tuple_

from handoff_sync.store.bulk import BulkInsert
from handoff_sync.store.codec import encode_keys
from handoff_sync.store.columns import Moment
from handoff_sync.store.engine import Dialect
from handoff_sync.store.statements import Prepared, keys
from handoff_sync.store.tables import inbox

InboxKey = tuple[str, str]
"""Workspace id and event id."""

_NEWEST = select(func.max(inbox.c.received_at, type_=Moment()))


@cache
def _results(dialect: Dialect) -> Prepared:
    key = tuple_(inbox.c.workspace_id, inbox.c.event_id)
    return Prepared(
        dialect,
        select(inbox.c.workspace_id, inbox.c.event_id, inbox.c.result).where(key.in_(keys(dialect, "wanted", 2))),
    )


@cache
def _insert(dialect: Dialect) -> BulkInsert:
    # Without ON CONFLICT on purpose: of two transactions with the same event one must fail, and finds the result
    # when it is repeated.
    return BulkInsert(dialect, inbox, inbox.c.keys())


class Inbox:
    """The inbox of one transaction."""

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect: Dialect = dialect
        self._results: dict[InboxKey, str | None] = {}
        self._new: dict[InboxKey, dict[str, Any]] = {}

    def prefetch(self, events: Collection[InboxKey]) -> None:
        wanted = sorted(set(events) - self._results.keys())
        if wanted:
            self._results |= dict.fromkeys(wanted)
            rows = _results(self._dialect).execute(self._connection, {"wanted": encode_keys(wanted)})
            for workspace, event_id, result in rows:
                self._results[(workspace, event_id)] = result

    def result(self, key: InboxKey) -> str | None:
        self.prefetch((key,))
        return self._results[key]

    def last_received(self) -> datetime | None:
        """When the newest event came, by the clock of that time."""
        newest: datetime | None = self._connection.execute(_NEWEST).scalar()
        return newest

    def record(self, key: InboxKey, result: str, columns: dict[str, Any]) -> None:
        self._results[key] = result
        self._new[key] = {"workspace_id": key[0], "event_id": key[1], "result": result, **columns}

    def flush(self) -> None:
        if self._new:
            _insert(self._dialect).execute(self._connection, [self._new[key] for key in sorted(self._new)])
            self._new = {}
