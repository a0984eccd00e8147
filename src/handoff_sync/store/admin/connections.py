"""Helpdesk connections: settings in the open, secrets sealed, and whether they may be used now."""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from handoff_sync.errors import NotFound, Refused
from handoff_sync.store.admin.desk import Desk, touch
from handoff_sync.store.codec import decode_object, encode_object
from handoff_sync.store.configuration import CONNECTION_COLUMNS, connection_row
from handoff_sync.store.ids import new_id
from handoff_sync.store.outages import stopped
from handoff_sync.store.rows import ConnectionRow
from handoff_sync.store.statements import later, moment
from handoff_sync.store.tables import connections
from handoff_sync.store.unit import UnitOfWork
from handoff_sync.store.vault import place

_SELECT = select(*CONNECTION_COLUMNS)
_ONE = _SELECT.where(connections.c.id == bindparam("id"))
_BY_HOOK = _SELECT.where(connections.c.hook_token == bindparam("token"))
_BY_NAME = _SELECT.where(connections.c.workspace_id == bindparam("workspace"), connections.c.name == bindparam("name"))
_OF_WORKSPACE = _SELECT.where(connections.c.workspace_id == bindparam("workspace")).order_by(connections.c.id)
_ALL = _SELECT.order_by(connections.c.id)
_SECRETS = select(connections.c.workspace_id, connections.c.secrets).where(connections.c.id == bindparam("id"))
_NEW = insert(connections)
_CHANGE = update(connections).where(connections.c.id == bindparam("b_id"))
_DELETE = delete(connections).where(connections.c.id == bindparam("b_id")).returning(connections.c.workspace_id)
_START = _CHANGE.values(stopped_reason=None, paused_until=None, enabled=True, failing_since=None).returning(
    connections.c.workspace_id
)


class Connections(Desk):
    def create_connection(
        self,
        workspace_id: str,
        kind: str,
        name: str,
        settings: Mapping[str, object],
        secrets: Mapping[str, str],
        id: str | None = None,
    ) -> ConnectionRow:
        """NotFound for an unknown workspace; Refused when the workspace has a connection of that name."""
        connection_id = id or new_id("con")
        columns = {
            "id": connection_id,
            "workspace_id": workspace_id,
            "kind": kind,
            "name": name,
            "settings": encode_object(settings),
            "secrets": self._seal_connection(workspace_id, connection_id, secrets),
            "hook_token": random.token_urlsafe(24),
        }

        def run(uow: UnitOfWork) -> ConnectionRow:
            if not touch(uow, workspace_id):
                raise NotFound(f"There is no workspace {workspace_id!r}.")
            if uow.write(_BY_NAME, {"workspace": workspace_id, "name": name}):
                raise Refused("name_taken", f"There is a connection {name!r} already. Choose another name.")
            uow.write(_NEW, columns | {"created_at": uow.now})
            return connection_row(uow.write(_ONE, {"id": connection_id})[0])

        return self._write(run)

    def connection(self, connection_id: str) -> ConnectionRow | None:
        row = self._row(_ONE, {"id": connection_id})
        return None if row is None else connection_row(row)

    def connection_by_hook_token(self, token: str) -> ConnectionRow | None:
        row = self._row(_BY_HOOK, {"token": token})
        return None if row is None else connection_row(row)

    def connection_by_name(self, workspace_id: str, name: str) -> ConnectionRow | None:
        row = self._row(_BY_NAME, {"workspace": workspace_id, "name": name})
        return None if row is None else connection_row(row)

    def connections(self, workspace_id: str | None = None) -> tuple[ConnectionRow, ...]:
        """Of one workspace, or all there are."""
        query, params = (_ALL, None) if workspace_id is None else (_OF_WORKSPACE, {"workspace": workspace_id})
        return tuple(connection_row(row) for row in self._rows(query, params))

    def update_connection(
        self,
        connection_id: str,
        *,
        name: str | None = None,
        settings: Mapping[str, object] | None = None,
        enabled: bool | None = None,
    ) -> None:
        """Changes what is given."""
        given = {"name": name, "settings": None if settings is None else encode_object(settings), "enabled": enabled}
        self._change_connection(connection_id, {column: value for column, value in given.items() if value is not None})

    def delete_connection(self, connection_id: str) -> bool:
        """Forgets the connection and its secrets. Its tickets stay where they are; what waits for it is parked."""

        def run(uow: UnitOfWork) -> bool:
            return any(touch(uow, row.workspace_id) for row in uow.write(_DELETE, {"b_id": connection_id}))

        return self._write(run)

    # --- may it be used now -------------------------------------------------------------------

    def pause_connection(self, connection_id: str, until: datetime) -> None:
        """Nothing is sent before `until`; a longer pause stays as it is."""
        longest = later(self._db.dialect, func.coalesce(connections.c.paused_until, moment("until")), moment("until"))
        self._change_connection(connection_id, {"paused_until": longest}, {"until": until})

    def stop_connection(self, connection_id: str, reason: str) -> bool:
        """Nothing is sent until a person starts it again. False when it was stopped before: alert only once."""

        def run(uow: UnitOfWork) -> bool:
            return stopped(uow, connection_id, reason) is not None

        return self._write(run)

    def start_connection(self, connection_id: str) -> bool:
        """Ends stop and pause, and rings for everything that waited. False where there is no such connection."""

        def run(uow: UnitOfWork) -> bool:
            rows = uow.write(_START, {"b_id": connection_id})
            for row in rows:
                touch(uow, row.workspace_id)
                uow.release(connection_id)
            return bool(rows)

        return self._write(run)

    # --- secrets ------------------------------------------------------------------------------

    def connection_secrets(self, connection_id: str) -> dict[str, str]:
        """The secrets in the clear. NotFound for an unknown connection."""
        row = self._row(_SECRETS, {"id": connection_id})
        if row is None:
            raise NotFound(f"There is no connection {connection_id!r}.")
        return decode_object(self._vault.open(row.secrets, _place(row.workspace_id, connection_id)))

    def save_connection_secrets(self, connection_id: str, secrets: Mapping[str, str]) -> None:
        """Replaces all of them, and ends a refresh lease."""

        def run(uow: UnitOfWork) -> None:
            found = uow.write(_SECRETS, {"id": connection_id})
            if not found:
                raise NotFound(f"There is no connection {connection_id!r}.")
            sealed = self._seal_connection(found[0].workspace_id, connection_id, secrets)
            uow.write(_CHANGE.values(secrets=sealed, refresh_lease_until=None), {"b_id": connection_id})

        self._write(run)

    def take_refresh_lease(self, connection_id: str, seconds: float) -> bool:
        """Whether the caller, and nobody else in any process, may renew the credentials now."""

        def run(uow: UnitOfWork) -> bool:
            until = uow.now + timedelta(seconds=seconds)
            held = connections.c.refresh_lease_until
            # One that lies further ahead than a lease can was taken by a clock that has been set back since.
            free = or_(held.is_(None), held <= moment("now"), held > moment("until"))
            take = _CHANGE.where(free).values(refresh_lease_until=moment("until")).returning(connections.c.id)
            return bool(uow.write(take, {"b_id": connection_id, "now": uow.now, "until": until}))

        return self._write(run)

    # --- how ----------------------------------------------------------------------------------

    def _seal_connection(self, workspace_id: str, connection_id: str, secrets: Mapping[str, str]) -> str:
        return self._vault.seal(encode_object(secrets), _place(workspace_id, connection_id))

    def _change_connection(
        self, connection_id: str, values: Mapping[str, object], params: Mapping[str, object] | None = None
    ) -> None:
        change = _CHANGE.values(**values).returning(connections.c.workspace_id)

        def run(uow: UnitOfWork) -> None:
            for row in uow.write(change, {"b_id": connection_id, **(params or {})}) if values else ():
                touch(uow, row.workspace_id)

        self._write(run)


def _place(workspace_id: str, connection_id: str) -> str:
    return place(workspace_id, "connections", connection_id, "secrets")
