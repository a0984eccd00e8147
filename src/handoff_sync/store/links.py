"""Ticket links, what was read of their tickets, and the ledger of comments that we know already."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from handoff_sync.core.model import Session
from handoff_sync.store.bulk import BulkInsert
from handoff_sync.store.engine import Dialect
from handoff_sync.store.rows import AnyRow, LinkRow
from handoff_sync.store.tables import message_links, ticket_links

_BY_ID = select(ticket_links).where(ticket_links.c.id.in_(bindparam("ids", expanding=True)))
_BY_REMOTE = (
    select(ticket_links)
    .where(
        ticket_links.c.connection_id == bindparam("connection"),
        ticket_links.c.remote_id.in_(bindparam("remote", expanding=True)),
    )
    .order_by(ticket_links.c.id)
)
_SAVE_READ = (
    update(ticket_links)
    .where(ticket_links.c.id == bindparam("b_id"))
    .values(cursor=bindparam("cursor"), snapshot=bindparam("snapshot"), read_at=bindparam("read_at"))
)
_KNOWN = select(message_links.c.comment_id).where(
    message_links.c.link_id == bindparam("link"),
    message_links.c.comment_id.in_(bindparam("comments", expanding=True)),
)


@cache
def _upsert(dialect: Dialect) -> BulkInsert:
    columns = ("id", "workspace_id", "session_id", "connection_id", "key", "remote_id", "state")
    return BulkInsert(
        dialect,
        ticket_links,
        columns,
        lambda new: new.on_conflict_do_update(
            index_elements=["id"], set_={"remote_id": new.excluded.remote_id, "state": new.excluded.state}
        ),
    )


@cache
def _link_messages(dialect: Dialect) -> BulkInsert:
    return BulkInsert(
        dialect,
        message_links,
        message_links.c.keys(),
        lambda new: new.on_conflict_do_nothing(index_elements=["link_id", "comment_id"]),
    )


def link_row(row: AnyRow) -> LinkRow:
    return LinkRow(**row._mapping)


class Links:
    """The ticket links of one transaction. Changes are staged; reading writes them first."""

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect: Dialect = dialect
        self._links: dict[str, dict[str, Any]] = {}
        self._messages: list[dict[str, Any]] = []

    def put(self, session: Session, stored: Session | None) -> None:
        """Stages the session's links that are new or changed; `stored` is the session as it was."""
        before = stored.links if stored is not None else ()
        for link in session.links:
            if link not in before:
                self._links[link.id] = {
                    "id": link.id,
                    "workspace_id": session.workspace,
                    "session_id": session.id,
                    "connection_id": link.connection,
                    "key": link.key,
                    "remote_id": link.remote_id,
                    "state": link.state.value,
                }

    @property
    def staged(self) -> bool:
        return bool(self._links or self._messages)

    def get(self, ids: Collection[str]) -> tuple[LinkRow, ...]:
        return tuple(link_row(row) for row in self._connection.execute(_BY_ID, {"ids": sorted(ids)}))

    def of_remote(self, connection_id: str, remote_ids: Sequence[str]) -> tuple[LinkRow, ...]:
        params = {"connection": connection_id, "remote": tuple(remote_ids)}
        return tuple(link_row(row) for row in self._connection.execute(_BY_REMOTE, params))

    def save_read(self, link_id: str, cursor: str | None, snapshot: str, now: datetime) -> None:
        params = {"b_id": link_id, "cursor": cursor, "snapshot": snapshot, "read_at": now}
        self._connection.execute(_SAVE_READ, params)

    def add_message(
        self, link_id: str, comment_id: str, message_id: str | None, direction: str, marker: str | None, now: datetime
    ) -> None:
        self._messages.append(
            {
                "link_id": link_id,
                "comment_id": comment_id,
                "message_id": message_id,
                "direction": direction,
                "marker": marker,
                "at": now,
            }
        )

    def known_comments(self, link_id: str, comment_ids: Collection[str]) -> frozenset[str]:
        params = {"link": link_id, "comments": sorted(comment_ids)}
        return frozenset(self._connection.execute(_KNOWN, params).scalars())

    def flush(self) -> None:
        if self._links:
            _upsert(self._dialect).execute(self._connection, [self._links[id] for id in sorted(self._links)])
            self._links = {}
        if self._messages:
            _link_messages(self._dialect).execute(self._connection, self._messages)
            self._messages = []
