"""Read one ticket again and turn what changed into events (lane `sync:<link>`)."""

from __future__ import annotations

from dataclasses import replace

from handoff_sync.contract.connector import TicketSnapshot
from handoff_sync.delivery.connections import ConnectionPool
from handoff_sync.delivery.lease import Lease
from handoff_sync.errors import HandoffError
from handoff_sync.service.sync import apply_reading
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import LinkRow
from handoff_sync.store.unit import UnitOfWork


class SyncLane:
    """Level-triggered: however many webhooks came, one reading tells all."""

    def __init__(self, connections: ConnectionPool, reads: Reads) -> None:
        self._connections = connections
        self._reads = reads

    def perform(self, lease: Lease) -> None:
        link = self._reads.link(lease.claim.destination.partition(":")[2])
        if link is None or link.remote_id is None:
            lease.settle({})
            return
        connector = self._connections.get(link.connection_id)
        lease.before_call()
        snapshot = connector.read(link.remote_id, link.cursor)
        target = None
        if snapshot.merged_into is not None:
            lease.before_call()
            target = connector.read(snapshot.merged_into, None)
        self._connections.worked(link.connection_id)
        number = lease.claim.token
        lease.settle({}, also=lambda uow: _take(uow, link.id, number, snapshot, target))

    def give_up(self, lease: Lease, error: HandoffError) -> None:
        """Nothing is lost: the next webhook or sweep reads again."""
        lease.settle({})


def _take(
    uow: UnitOfWork, link_id: str, number: int, snapshot: TicketSnapshot, target: TicketSnapshot | None
) -> None:
    link = uow.link(link_id)
    if link is None:
        return
    apply_reading(uow, link, number, snapshot)
    if target is not None:
        _take_target(uow, link, number, snapshot, target)


def _take_target(uow: UnitOfWork, link: LinkRow, number: int, source: TicketSnapshot, target: TicketSnapshot) -> None:
    """What stood in the target before the merge belongs to another talk: it is remembered, never relayed."""
    older = tuple(comment for comment in target.comments if comment.at <= source.updated_at)
    for comment in older:
        uow.link_message(link.id, comment.id, f"{link.id}:{comment.id}", "in", comment.marker)
    rebound = uow.link(link.id)
    if rebound is not None and rebound.remote_id == target.id:
        baseline = replace(target, comments=tuple(c for c in target.comments if c not in older))
        apply_reading(uow, replace(rebound, snapshot=None), number, baseline)
