"""Since when a connection fails, as all processes know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, update

from handoff_sync.store.statements import moment
from handoff_sync.store.tables import connections, workspaces
from handoff_sync.store.unit import UnitOfWork

_CHANGE = update(connections).where(connections.c.id == bindparam("b_id"))
_SINCE = func.coalesce(connections.c.failing_since, moment("at"))
_STOP = (
    _CHANGE.where(connections.c.stopped_reason.is_(None))
    .values(stopped_reason=bindparam("reason"), failing_since=_SINCE)
    .returning(connections.c.workspace_id, connections.c.failing_since)
)
_FAILS = _CHANGE.values(failing_since=_SINCE).returning(connections.c.workspace_id, connections.c.failing_since)
_WORKS = _CHANGE.where(connections.c.failing_since.is_not(None), connections.c.stopped_reason.is_(None)).values(
    failing_since=None
)
_TOUCH = (
    update(workspaces).where(workspaces.c.id == bindparam("b_workspace")).values(revision=workspaces.c.revision + 1)
)


@dataclass(frozen=True, slots=True)
class Outage:
    """One stretch of time in which nothing works; `since` names it."""

    workspace_id: str
    since: datetime


def stopped(uow: UnitOfWork, connection_id: str, reason: str) -> Outage | None:
    """Nothing is sent until a person starts the connection again. None when it was stopped before."""
    rows = uow.write(_STOP, {"b_id": connection_id, "reason": reason, "at": uow.now})
    if not rows:
        return None
    uow.write(_TOUCH, {"b_workspace": rows[0].workspace_id})
    return Outage(rows[0].workspace_id, rows[0].failing_since)


def failing(uow: UnitOfWork, connection_id: str, since: datetime) -> Outage | None:
    """Nothing has worked since then, or since another process has noticed it. None for a removed connection."""
    rows = uow.write(_FAILS, {"b_id": connection_id, "at": since})
    return Outage(rows[0].workspace_id, rows[0].failing_since) if rows else None


def working(uow: UnitOfWork, connection_id: str) -> None:
    """Something has worked. One that is stopped stays so until a person acts."""
    uow.write(_WORKS, {"b_id": connection_id})
