"""What follows when a ticket was told something, or could not be: settle the rows and tell the session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from handoff_sync.contract.connector import TicketRef
from handoff_sync.core.effects import AppendToTicket, OpenTicket, Outcome, SetTicketStatus, Verdict
from handoff_sync.core.events import Event, HandoffRequested, TicketCreated, TicketCreateFailed, TicketStatusChanged
from handoff_sync.core.model import AuthorClass, EndReason, LinkState, Session, TicketLink, TicketStatus, Trigger
from handoff_sync.core.policy import Mode
from handoff_sync.delivery.lease import Also, Lease
from handoff_sync.errors import HandoffError, TicketFull, VendorRejected
from handoff_sync.service.apply import step
from handoff_sync.service.hooks import wake_sync
from handoff_sync.store.rows import OutboxRow
from handoff_sync.store.unit import UnitOfWork

_ENDED_BY_TICKET = frozenset({EndReason.TICKET_SOLVED, EndReason.TICKET_CLOSED})


def opened(
    lease: Lease,
    done: Mapping[int, str],
    key: str,
    link: TicketLink,
    ref: TicketRef,
    comments: Sequence[str],
    recent: Sequence[datetime],
) -> None:
    """The ticket is there: bind it, and read it once for whatever happened to it before we knew its id."""

    def also(uow: UnitOfWork) -> None:
        created = TicketCreated(id=f"created:{link.id}", at=uow.now, link=link.id, remote_id=ref.id, url=ref.url)
        _tell(uow, lease, created)
        _remember(uow, link, comments, key)
        _read_again(uow, link)

    lease.settle(done, also, recent=recent)


def open_failed(lease: Lease, row: OutboxRow, link_id: str, error: HandoffError) -> None:
    """A ticket that cannot be made holds back all that follows it, until a person replays or skips it."""

    def also(uow: UnitOfWork) -> None:
        failed = TicketCreateFailed(
            id=f"failed:{link_id}:{lease.claim.token}",
            at=uow.now,
            link=link_id,
            permanent=isinstance(error, VendorRejected),
            reason=str(error),
        )
        _tell(uow, lease, failed)

    lease.park([row], str(error), block=True, also=also)


def ticket_waits(lease: Lease, reason: str) -> Also | None:
    """A ticket that is to be opened waits for a person: people hear of it once, for nobody else does anything."""
    first = lease.claim.rows[0].effect if lease.claim.rows else None
    if not isinstance(first, OpenTicket):
        return None
    link, name = first.link, f"waits:{first.link}"

    def also(uow: UnitOfWork) -> None:
        workspace = lease.claim.workspace_id
        if uow.inbox_result(workspace, name) is not None:
            return
        event = TicketCreateFailed(id=name, at=uow.now, link=link, permanent=False, waits=True, reason=reason)
        _tell(uow, lease, event)
        uow.record_inbox(workspace, name, event.type, lease.claim.session_id, "")

    return also


def said(
    lease: Lease, group: Sequence[OutboxRow], link: TicketLink, comments: Sequence[str], recent: Sequence[datetime]
) -> None:
    """The comment is there: its id tells our own words from others' when the ticket is read."""
    done = {row.id: ",".join(comments) for row in group}
    lease.settle(done, lambda uow: _remember(uow, link, comments, group[0].key), recent=recent)


def in_doubt(lease: Lease, link: TicketLink, at: datetime, error: HandoffError) -> None:
    """The ticket refused as closed or gone: was it closed, merged or deleted, and by whom? Only a reading tells.

    The rows wait until `at` and are then performed under what was read: on the ticket that ours was merged into, on a
    follow-up, or not at all.
    """
    lease.retry(at, str(error), forget=lease.undone, also=lambda uow: _read_again(uow, link))


def full(lease: Lease, group: Sequence[OutboxRow], link: TicketLink, error: TicketFull) -> None:
    """The ticket holds no more comments, which no reading tells. It counts as closed when a customer goes unheard."""
    if not any(_by_customer(row) for row in group):
        lease.cancel(group, str(error))
        return

    def also(uow: UnitOfWork) -> None:
        name = f"full:{link.id}:{group[0].id}"
        _tell(uow, lease, TicketStatusChanged(id=name, at=uow.now, link=link.id, status=TicketStatus.CLOSED))
        _follow_up(uow, lease, group, link, str(error))

    lease.settle({}, also)


def unsayable(lease: Lease, rows: Sequence[OutboxRow], link: TicketLink) -> None:
    """The link takes no more writes. Our own remarks are dropped; a customer's words never are.

    After a merge within the session its other ticket has them. Where the ticket was closed while they were on their
    way, people are asked again. Else they stay visible.
    """
    reason = f"The ticket link is {link.state}."
    words = [row for row in rows if _by_customer(row)] if link.state is not LinkState.MERGED else []
    rest = [row for row in rows if row not in words]

    def also(uow: UnitOfWork) -> None:
        if words and link.state is LinkState.CLOSED:
            _follow_up(uow, lease, words, link, reason)
        elif words:
            uow.park(lease.claim, [row.id for row in words], reason, block=False)

    lease.cancel(rest, reason, also)


def _follow_up(uow: UnitOfWork, lease: Lease, words: Sequence[OutboxRow], link: TicketLink, reason: str) -> None:
    """The follow-up ticket opens with the whole talk, these words included. Where none comes, they are parked."""
    ids = [row.id for row in words]
    session = _session(uow, lease)
    again = HandoffRequested(
        id=f"follow-up:{link.id}:{words[0].id}",
        at=uow.now,
        trigger=Trigger.REOPEN,
        mode=Mode.AUTOMATIC,
        reason="The customer wrote while the ticket was being closed.",
    )
    asked = _tell(uow, lease, again) if session is not None and _left_unheard(session) else None
    if asked is not None and asked.verdict is Verdict.APPLIED:
        uow.cancel(lease.claim, ids, f"{reason} A follow-up ticket says it.")
    else:
        uow.park(lease.claim, ids, reason, block=False)


def _left_unheard(session: Session) -> bool:
    """Not where a person has ended the handoff since: they saw the words, or could have."""
    last = session.handoff
    return session.human_handoff or (last is not None and last.end_reason in _ENDED_BY_TICKET)


def _session(uow: UnitOfWork, lease: Lease) -> Session | None:
    assert lease.claim.session_id is not None
    return uow.session(lease.claim.session_id)


def _tell(uow: UnitOfWork, lease: Lease, event: Event) -> Outcome | None:
    session = _session(uow, lease)
    return step(uow, session, event) if session is not None else None


def reading_due(row: OutboxRow, link: TicketLink) -> Also | None:
    """After a status of ours the ticket is read: an agent who undoes it before anybody looked would not be noticed."""
    if not isinstance(row.effect, SetTicketStatus):
        return None
    return lambda uow: _read_again(uow, link)


def _read_again(uow: UnitOfWork, link: TicketLink) -> None:
    if (bound := uow.link(link.id)) is not None:
        wake_sync(uow, bound)


def _remember(uow: UnitOfWork, link: TicketLink, comments: Sequence[str], marker: str) -> None:
    for comment in comments:
        uow.link_message(link.id, comment, marker, "out", marker)


def _by_customer(row: OutboxRow) -> bool:
    return isinstance(row.effect, AppendToTicket) and row.effect.message.author_class is AuthorClass.CUSTOMER
