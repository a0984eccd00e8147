"""Read one ticket again and turn what changed into events (lane `sync:<link>`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from handoff_sync.contract.connector import Connector, TicketSnapshot
from handoff_sync.delivery.connections import ConnectionPool
from handoff_sync.delivery.lease import Lease
from handoff_sync.errors import HandoffError, NotReady, OutcomeUnknown, UnrecognisedPayload, VendorDown
from handoff_sync.service.sync import apply_reading
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import LinkRow
from handoff_sync.store.unit import UnitOfWork

SELDOM = timedelta(hours=1)
"""How often a ticket is tried again that could not be read for hours."""

MOST_MERGES = 5
"""How far merges are followed: longer chains end at a ticket that the next reading goes on from."""


class SyncLane:
    """Level-triggered: however many webhooks came, one reading tells all."""

    def __init__(self, connections: ConnectionPool, reads: Reads, clock: Callable[[], datetime]) -> None:
        self._connections = connections
        self._reads = reads
        self._clock = clock

    def perform(self, lease: Lease) -> None:
        link = self._reads.link(lease.claim.destination.partition(":")[2])
        if link is None or link.remote_id is None:
            lease.settle({})
            return
        connector = self._connections.get(link.connection_id)
        lease.before_call()
        snapshot = connector.read(link.remote_id, link.cursor)
        merges = _merges(lease, connector, snapshot)
        if merges:
            snapshot = replace(snapshot, merged_into=merges[-1].id)
        self._connections.worked(link.connection_id)
        number = lease.claim.token
        lease.settle({}, also=lambda uow: _take(uow, link.id, number, snapshot, merges))

    def give_up(self, lease: Lease, error: HandoffError) -> None:
        """The sweep has passed by already and nobody may ever say again that the ticket changed: ask now and then.

        What time cannot help is read at the ticket's next change.
        """
        hopeful = isinstance(error, VendorDown | OutcomeUnknown | UnrecognisedPayload | NotReady)
        lease.settle({}, next_due=self._clock() + SELDOM if hopeful else None)


def _merges(lease: Lease, connector: Connector, source: TicketSnapshot) -> list[TicketSnapshot]:
    """The tickets that merges lead through; the last is where they end. Empty where there was none."""
    through: list[TicketSnapshot] = []
    following, seen = source.merged_into, {source.id}
    while following is not None and following not in seen and len(seen) <= MOST_MERGES:
        lease.before_call()
        through.append(connector.read(following, None))
        seen.add(following)
        following = through[-1].merged_into
    return through


def _take(
    uow: UnitOfWork, link_id: str, number: int, snapshot: TicketSnapshot, merges: Sequence[TicketSnapshot]
) -> None:
    link = uow.link(link_id)
    if link is None:
        return
    apply_reading(uow, link, number, snapshot, [ticket.id for ticket in merges])
    if merges:
        _take_target(uow, link, number, snapshot, merges[-1])


def _take_target(uow: UnitOfWork, link: LinkRow, number: int, source: TicketSnapshot, target: TicketSnapshot) -> None:
    """What stood in the target before the merge belongs to another talk: it is remembered, never relayed."""
    older = tuple(comment for comment in target.comments if comment.at <= source.updated_at)
    for comment in older:
        uow.link_message(link.id, comment.id, f"{link.id}:{comment.id}", "in", comment.marker)
    rebound = uow.link(link.id)
    if rebound is not None and rebound.remote_id == target.id:
        baseline = replace(target, comments=tuple(c for c in target.comments if c not in older))
        apply_reading(uow, replace(rebound, snapshot=None), number, baseline)
