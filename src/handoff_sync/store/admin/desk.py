"""What the parts of the administration share: one way to read, one way to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Executable, bindparam, update
from sqlalchemy.exc import SQLAlchemyError

from handoff_sync.store.committer import Committer, Job
from handoff_sync.store.engine import Database
from handoff_sync.store.faults import in_our_words, is_unavailable, not_ready
from handoff_sync.store.rows import AnyRow
from handoff_sync.store.tables import workspaces
from handoff_sync.store.unit import UnitOfWork
from handoff_sync.store.vault import Vault

T = TypeVar("T")

_TOUCH = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("b_id"))
    .values(revision=workspaces.c.revision + 1)
    .returning(workspaces.c.revision)
)


class Desk:
    """Reads committed rows; writes by jobs of the committer, which must be running."""

    def __init__(self, db: Database, committer: Committer, vault: Vault) -> None:
        self._db = db
        self._committer = committer
        self._vault = vault

    def _write(self, run: Callable[[UnitOfWork], T]) -> T:
        return self._committer.run(Job(run))

    def _rows(self, query: Executable, params: Mapping[str, object] | None = None) -> list[AnyRow]:
        try:
            with self._db.read.connect() as connection:
                return list(connection.execute(query, params))
        except SQLAlchemyError as error:
            raise (not_ready(error) if is_unavailable(error) else in_our_words(error)) from None

    def _row(self, query: Executable, params: Mapping[str, Any]) -> AnyRow | None:
        return next(iter(self._rows(query, params)), None)


def touch(uow: UnitOfWork, workspace_id: str) -> bool:
    """Raises the revision, so that no writer goes on with what it had read before. False: no such workspace."""
    return bool(next_revision(uow, workspace_id))


def next_revision(uow: UnitOfWork, workspace_id: str) -> int:
    """As `touch`, with the revision that it is now; 0: no such workspace."""
    return next((int(row.revision) for row in uow.write(_TOUCH, {"b_id": workspace_id})), 0)
