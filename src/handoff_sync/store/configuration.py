"""What a workspace has configured, parsed once per revision and shared by all writers of a process."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, select

from handoff_sync.errors import NotFound
from handoff_sync.store.codec import decode_object, decode_policy
from handoff_sync.store.rows import AnyRow, ConnectionRow, EndpointRow, WorkspaceRow
from handoff_sync.store.tables import callback_endpoints, connections, workspaces

CONNECTION_COLUMNS = (
    connections.c.id,
    connections.c.workspace_id,
    connections.c.kind,
    connections.c.name,
    connections.c.settings,
    connections.c.hook_token,
    connections.c.enabled,
    connections.c.paused_until,
    connections.c.stopped_reason,
    connections.c.failing_since,
)
ENDPOINT_COLUMNS = (
    callback_endpoints.c.id,
    callback_endpoints.c.workspace_id,
    callback_endpoints.c.url,
    callback_endpoints.c.enabled,
    callback_endpoints.c.disabled_reason,
    callback_endpoints.c.failing_since,
)

_REVISION = select(workspaces.c.revision).where(workspaces.c.id == bindparam("id"))
_WORKSPACE = select(workspaces).where(workspaces.c.id == bindparam("id"))
_CONNECTIONS = (
    select(*CONNECTION_COLUMNS).where(connections.c.workspace_id == bindparam("id")).order_by(connections.c.id)
)
_ENDPOINTS = (
    select(*ENDPOINT_COLUMNS)
    .where(callback_endpoints.c.workspace_id == bindparam("id"))
    .order_by(callback_endpoints.c.id)
)


def connection_row(row: AnyRow) -> ConnectionRow:
    return ConnectionRow(**{**row._mapping, "settings": decode_object(row.settings)})


def endpoint_row(row: AnyRow) -> EndpointRow:
    return EndpointRow(**row._mapping)


def workspace_row(row: AnyRow) -> WorkspaceRow:
    return WorkspaceRow(
        id=row.id,
        name=row.name,
        policy=decode_policy(row.policy),
        teams=decode_object(row.teams),
        revision=row.revision,
    )


@dataclass(frozen=True, slots=True)
class Configured:
    """A workspace with its connections and callback endpoints as of one revision."""

    workspace: WorkspaceRow
    connections: tuple[ConnectionRow, ...]
    endpoints: tuple[EndpointRow, ...]

    @property
    def listening(self) -> tuple[str, ...]:
        """The endpoints that callbacks go to."""
        return tuple(endpoint.id for endpoint in self.endpoints if endpoint.enabled)


class ConfigurationCache:
    """Every change of a workspace, connection or endpoint raises the revision, so a stale entry is never used."""

    def __init__(self) -> None:
        self._known: dict[str, Configured] = {}

    def load(self, connection: Connection, workspace_id: str) -> Configured:
        """The configuration as this transaction sees it; NotFound for an unknown workspace."""
        revision = connection.execute(_REVISION, {"id": workspace_id}).scalar()
        known = self._known.get(workspace_id)
        if revision is None:
            raise NotFound(f"There is no workspace {workspace_id!r}.")
        if known is None or known.workspace.revision != revision:
            known = _read(connection, workspace_id, revision)
            self._known[workspace_id] = known
        return known


def _read(connection: Connection, workspace_id: str, revision: int) -> Configured:
    found = connection.execute(_WORKSPACE, {"id": workspace_id}).one()
    return Configured(
        # The revision that was read first: if another process changes things meanwhile, the next load reads again.
        replace(workspace_row(found), revision=revision),
        tuple(connection_row(row) for row in connection.execute(_CONNECTIONS, {"id": workspace_id})),
        tuple(endpoint_row(row) for row in connection.execute(_ENDPOINTS, {"id": workspace_id})),
    )
