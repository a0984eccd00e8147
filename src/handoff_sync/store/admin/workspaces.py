"""Workspaces and their policies."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import bindparam, insert, select, update

from handoff_sync.core.policy import Policy
from handoff_sync.errors import NotFound, Refused
from handoff_sync.store.admin.desk import Desk, next_revision
from handoff_sync.store.codec import encode_object, encode_policy
from handoff_sync.store.configuration import workspace_row
from handoff_sync.store.ids import new_id
from handoff_sync.store.rows import WorkspaceRow
from handoff_sync.store.tables import workspaces
from handoff_sync.store.unit import UnitOfWork

_ONE = select(workspaces).where(workspaces.c.id == bindparam("id"))
_ALL = select(workspaces).order_by(workspaces.c.id)
_NEW = insert(workspaces)
_CHANGE = update(workspaces).where(workspaces.c.id == bindparam("b_id"))


class Workspaces(Desk):
    def create_workspace(
        self,
        name: str,
        policy: Policy | None = None,
        teams: Mapping[str, Mapping[str, object]] | None = None,
        id: str | None = None,
    ) -> WorkspaceRow:
        row = WorkspaceRow(
            id=id or new_id("ws"), name=name, policy=policy or Policy(), teams=dict(teams or {}), revision=1
        )
        columns = {"id": row.id, "name": name, "policy": encode_policy(row.policy), "teams": encode_object(row.teams)}

        def run(uow: UnitOfWork) -> None:
            uow.write(_NEW, columns | {"revision": 1, "created_at": uow.now})

        self._write(run)
        return row

    def update_workspace(
        self,
        workspace_id: str,
        *,
        name: str | None = None,
        policy: Policy | None = None,
        teams: Mapping[str, Mapping[str, object]] | None = None,
        revision: int | None = None,
    ) -> None:
        """Changes what is given. Handoffs that run keep the policy they started with. NotFound for an unknown one.

        With `revision`: Refused (`changed_meanwhile`) when somebody has changed the configuration since.
        """
        changes = {
            "name": name,
            "policy": None if policy is None else encode_policy(policy),
            "teams": None if teams is None else encode_object(teams),
        }
        changes = {column: value for column, value in changes.items() if value is not None}

        def run(uow: UnitOfWork) -> None:
            now = next_revision(uow, workspace_id)
            if not now:
                raise NotFound(f"There is no workspace {workspace_id!r}.")
            if revision is not None and now != revision + 1:
                raise Refused("changed_meanwhile", "The workspace was changed meanwhile. Read it again.")
            if changes:
                uow.write(_CHANGE.values(**changes), {"b_id": workspace_id})

        self._write(run)

    def workspace(self, workspace_id: str) -> WorkspaceRow | None:
        row = self._row(_ONE, {"id": workspace_id})
        return None if row is None else workspace_row(row)

    def workspaces(self) -> tuple[WorkspaceRow, ...]:
        return tuple(workspace_row(row) for row in self._rows(_ALL))
