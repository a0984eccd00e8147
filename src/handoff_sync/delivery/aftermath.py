"""What follows when a ticket was told something, or could not be: settle the rows and tell the session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handoff_sync.contract.connector import TicketRef
from handoff_sync.core.effects import AppendToTicket, OpenTicket
from handoff_sync.core.events import Event, HandoffRequested, TicketCreated, TicketCreateFailed, TicketDeleted, TicketStatusChanged
from handoff_sync.core.model import AuthorClass, TicketLink, TicketStatus, Trigger
from handoff_sync.core.policy import Mode
from handoff_sync.delivery.lease import Lease
from handoff_sync.errors import HandoffError, VendorRejected
from handoff_sync.service.apply import step
from handoff_sync.service.hooks import wake_sync
from handoff_sync.store.rows import OutboxRow
from handoff_sync.store.unit import UnitOfWork


def opened(
    lease: Lease, row: OutboxRow, link: TicketLink, ref: TicketRef, comments: Sequence[str], recent: Sequence[datetime]
) -> None:
    """The ticket is there: bind it, and read it once for whatever happened to it before we knew its id."""

    def also(uow: UnitOfWork) -> None:
        _tell(
            uow,
            lease,
            TicketCreated(id=f"created:{link.id}", at=uow.now, link=link.id, remote_id=ref.id, url=ref.url),
        )
        _remember(uow, link, comments, row.key)
        if (bound := uow.link(link.id)) is not None:
            wake_sync(uow, bound)

    lease.settle({row.id: ref.id}, also, recent=recent)


def said(
    lease: Lease, group: Sequence[OutboxRow], link: TicketLink, comments: Sequence[str], recent: Sequence[datetime]
) -> None:
    """The comment is there: its id tells our own words from others' when the ticket is read."""
    done = {row.id: comments[0] for row in group}
    lease.settle(done, lambda uow: _remember(uow, link, comments, group[0].key), recent=recent)


def gone(lease: Lease, rows: Sequence[OutboxRow], link: TicketLink) -> None:
    """The ticket was deleted under us: what it should have been told stays visible."""

    def also(uow: UnitOfWork) -> None:
        _tell(uow, lease, TicketDeleted(id=f"gone:{link.id}:{rows[0].id}", at=uow.now, link=link.id))

    lease.park(rows, "The ticket is deleted at the helpdesk.", block=False, also=also)


def closed(lease: Lease, rows: Sequence[OutboxRow], link: TicketLink, error: HandoffError) -> None:
    """The ticket takes nothing more. Words of a customer that it missed go into a follow-up ticket."""
    missed = any(_by_customer(row) for row in rows)

    def also(uow: UnitOfWork) -> None:
        closing = TicketStatusChanged(
            id=f"closed:{link.id}:{rows[0].id}", at=uow.now, link=link.id, status=TicketStatus.CLOSED
        )
        _tell(uow, lease, closing)
        if missed:
            again = HandoffRequested(
                id=f"follow-up:{link.id}:{rows[0].id}",
                at=uow.now,
                trigger=Trigger.REOPEN,
                mode=Mode.AUTOMATIC,
                reason="The customer wrote while the ticket was being closed.",
            )
            _tell(uow, lease, again)

    lease.cancel(rows, str(error), also)


def unsayable(lease: Lease, rows: Sequence[OutboxRow], link: TicketLink) -> None:
    """The link takes no more writes: customer words stay visible, our own remarks are dropped."""
    words = [row for row in rows if _by_customer(row)]
    if words:
        lease.park(words, f"The ticket link is {link.state}.", block=False)
    else:
        lease.cancel(rows, f"The ticket link is {link.state}.")


def give_up(lease: Lease, error: HandoffError) -> None:
    """Nothing more will be tried without a person. A ticket that cannot be made holds back all that follows it."""
    rows = lease.claim.rows[:1]
    if not rows:
        lease.settle({})
        return
    effect = rows[0].effect
    if not isinstance(effect, OpenTicket):
        lease.park(rows, str(error), block=False)
        return

    def also(uow: UnitOfWork) -> None:
        failed = TicketCreateFailed(
            id=f"failed:{effect.link}:{lease.claim.token}",
            at=uow.now,
            link=effect.link,
            permanent=isinstance(error, VendorRejected),
            reason=str(error),
        )
        _tell(uow, lease, failed)

    lease.park(rows, str(error), block=True, also=also)


def _tell(uow: UnitOfWork, lease: Lease, event: Event) -> None:
    assert lease.claim.session_id is not None
    if (session := uow.session(lease.claim.session_id)) is not None:
        step(uow, session, event)


def _remember(uow: UnitOfWork, link: TicketLink, comments: Sequence[str], marker: str) -> None:
    for comment in comments:
        uow.link_message(link.id, comment, marker, "out", marker)


def _by_customer(row: OutboxRow) -> bool:
    return isinstance(row.effect, AppendToTicket) and row.effect.message.author_class is AuthorClass.CUSTOMER
