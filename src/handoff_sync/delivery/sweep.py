"""Ask a helpdesk what changed, for the webhooks that never came (lane `sweep` of a connection)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from handoff_sync.contract.connector import ChangedTickets
from handoff_sync.delivery.connections import ConnectionPool
from handoff_sync.delivery.lease import Lease
from handoff_sync.errors import HandoffError, NotFound
from handoff_sync.service.hooks import look_again
from handoff_sync.store.admin import Admin
from handoff_sync.store.committer import Committer, Job
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import ConnectionRow
from handoff_sync.store.unit import UnitOfWork

SWEEP = "sweep"


class SweepLane:
    """Reads the helpdesk's list of changes from a stored cursor, every `interval_s`."""

    def __init__(
        self, connections: ConnectionPool, reads: Reads, clock: Callable[[], datetime], interval_s: float
    ) -> None:
        self._connections = connections
        self._reads = reads
        self._clock = clock
        self._interval = timedelta(seconds=interval_s)

    def perform(self, lease: Lease) -> None:
        connection_id = lease.claim.connection_id
        assert connection_id is not None
        lease.before_call()
        changed = self._connections.get(connection_id).changed(self._reads.sweep_cursor(connection_id), self._clock())
        self._connections.worked(connection_id)
        due = self._clock() if changed.more else self._clock() + self._interval
        lease.settle({}, also=lambda uow: _mark(uow, connection_id, changed), next_due=due)

    def give_up(self, lease: Lease, error: HandoffError) -> None:
        """The cursor stays where it was; the next sweep asks again, unless the connection was removed."""
        gone = isinstance(error, NotFound)
        lease.settle({}, next_due=None if gone else self._clock() + self._interval)


def _mark(uow: UnitOfWork, connection_id: str, changed: ChangedTickets) -> None:
    look_again(uow, connection_id, changed.ids)
    uow.save_sweep(connection_id, changed.cursor)


class SweepPlan:
    """Sees to it that every connection is swept. Each process may run it; the lane is one and the same."""

    def __init__(self, committer: Committer, admin: Admin) -> None:
        self._committer = committer
        self._admin = admin
        self._planned: set[str] = set()

    def tick(self) -> None:
        """Plans the sweep of connections that this process has not seen before."""
        for row in self._admin.connections():
            if row.enabled and row.id not in self._planned:
                self._committer.run(Job(run=partial(_plan, row=row)))
                self._planned.add(row.id)


def _plan(uow: UnitOfWork, row: ConnectionRow) -> None:
    uow.wake(f"{row.id}/{SWEEP}", uow.now, workspace_id=row.workspace_id, destination=SWEEP, connection_id=row.id)
