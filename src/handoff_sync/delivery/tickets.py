"""Say to one ticket what its lane holds, in order, each thing once (lane `ticket:<link>`)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial

from handoff_sync.contract.connector import CommentDraft, Connector
from handoff_sync.core.backoff import next_attempt
from handoff_sync.core.effects import (
    AppendToTicket,
    AttachToTicket,
    NoteOnTicket,
    OpenTicket,
    SetTicketAssignee,
    SetTicketStatus,
    SetTicketTags,
)
from handoff_sync.core.model import Person, Session, TicketLink
from handoff_sync.core.transcript import note_parts
from handoff_sync.delivery import aftermath
from handoff_sync.delivery.appending import Appender
from handoff_sync.delivery.attaching import Attacher
from handoff_sync.delivery.connections import ConnectionPool, Held
from handoff_sync.delivery.drafts import Drafts, internal
from handoff_sync.delivery.grouping import comment_group
from handoff_sync.delivery.lease import Lease
from handoff_sync.delivery.opening import Opener
from handoff_sync.delivery.pacing import Pacing
from handoff_sync.errors import HandoffError, NotFound, TicketClosed, TicketFull, TicketGone, VendorRejected
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import OutboxRow

Checkpoint = Callable[[str], None]
"""Called with a name around every outside call; tests kill the process there."""


class TicketLane:
    """Performs the effects of one ticket link."""

    def __init__(
        self,
        connections: ConnectionPool,
        reads: Reads,
        drafts: Drafts,
        attacher: Attacher,
        clock: Callable[[], datetime],
        checkpoint: Checkpoint,
        settle_s: float | None = None,
    ) -> None:
        self._connections = connections
        self._reads = reads
        self._clock = clock
        self._checkpoint = checkpoint
        self._drafts = drafts
        self._attacher = attacher
        self._appender = Appender(checkpoint)
        self._opener = Opener(drafts, self._appender, clock, checkpoint, settle_s)

    def perform(self, lease: Lease) -> None:
        rows = lease.claim.rows
        if not rows:
            lease.settle({})
            return
        session, link = self._context(lease)
        connector = self._connections.get(link.connection)
        match rows[0].effect:
            case OpenTicket() as effect:
                self._opener.open(lease, rows[0], effect, session, link, connector)
            case _ if not link.is_live or link.remote_id is None:
                aftermath.unsayable(lease, rows, link)
                return
            case AttachToTicket() if self._attacher.rule(connector) is None:
                lease.settle({rows[0].id: "Files are not attached here."})
            case AppendToTicket() | NoteOnTicket() | AttachToTicket():
                self._say(lease, session, link, connector)
            case SetTicketAssignee(person=Person() as person) if not _works_at(person, link):
                self._say(lease, session, link, connector)
            case _:
                self._set(lease, rows[0], session, link, connector)
        self._connections.worked(link.connection)

    def give_up(self, lease: Lease, error: HandoffError) -> None:
        """Nothing more will be tried without a person. What was sent as one comment is parked as one."""
        rows = lease.claim.rows
        if not rows:
            lease.settle({})
        elif isinstance(rows[0].effect, OpenTicket):
            aftermath.open_failed(lease, rows[0], rows[0].effect.link, error)
        else:
            lease.park(comment_group(rows), str(error), block=False)

    def _context(self, lease: Lease) -> tuple[Session, TicketLink]:
        assert lease.claim.session_id is not None
        session = self._reads.session_by_id(lease.claim.session_id)
        if session is None:
            raise NotFound(f"Session {lease.claim.session_id} does not exist any more.")
        link_id = lease.claim.destination.partition(":")[2]
        return session, next(link for link in session.links if link.id == link_id)

    def _say(self, lease: Lease, session: Session, link: TicketLink, connector: Connector) -> None:
        """Appends the first rows as one comment. Under pressure they wait for their neighbours."""
        pacing = Pacing(connector.capabilities.ticket_updates, lease.claim.recent, self._clock())
        if (until := pacing.hold_until) is not None:
            raise Held(until, "The ticket has had many updates; this waits for its neighbours.")
        group = comment_group(lease.claim.rows)
        with ExitStack() as open_files:
            comments = self._comments(lease, session, group, connector, open_files)
            self._act(lease, link, group, connector, comments, pacing)

    def _comments(
        self,
        lease: Lease,
        session: Session,
        group: Sequence[OutboxRow],
        connector: Connector,
        open_files: ExitStack,
    ) -> tuple[CommentDraft, ...]:
        """What the group says, with its files as far as they can be had."""
        first, limit = group[0], connector.capabilities.max_comment_bytes
        prepare = partial(self._attacher.prepare, lease, first, connector, session, open_files)
        match first.effect:
            case SetTicketAssignee() as effect:
                return internal(first.key, note_parts(_taken_by(effect), [], limit))
            case NoteOnTicket() as note:
                said = self._drafts.said_while_resting(session, note)
                files = prepare([item.message for item in said])
                return files.on(self._drafts.notes(session, note, said, limit, files.shown))
            case AttachToTicket() as effect:
                rule = self._attacher.rule(connector)
                said = self._drafts.with_files(session, effect, rule.most if rule is not None else 0)
                files = prepare([item.message for item in said])
                return files.on(self._drafts.files(session, effect, said, limit, files.shown))
            case _:
                appends = [row.effect for row in group if isinstance(row.effect, AppendToTicket)]
                files = prepare([effect.message for effect in appends])
                return files.on(self._drafts.comments(session, appends, first.key, limit, files.shown))

    def _act(
        self,
        lease: Lease,
        link: TicketLink,
        group: Sequence[OutboxRow],
        connector: Connector,
        comments: Sequence[CommentDraft],
        pacing: Pacing,
    ) -> None:
        assert link.remote_id is not None
        try:
            made = self._appender.group(lease, group, connector, link.remote_id, comments)
        except TicketFull as error:
            aftermath.full(lease, group, link, error)
        except (TicketGone, TicketClosed) as error:
            self._look_again(lease, link, error)
        except VendorRejected as error:
            if not any(comment.files for comment in comments):
                raise
            self._attacher.refuse_all(lease, group[0])
            raise Held(self._clock(), f"It is said again without its files. {error}") from error
        else:
            self._checkpoint("append.settling")
            aftermath.said(lease, group, link, made, pacing.spent(len(made)))

    def _look_again(self, lease: Lease, link: TicketLink, error: VendorRejected) -> None:
        """At most as often as any other failure: a helpdesk that contradicts itself must not keep us busy."""
        attempts = lease.claim.rows[0].attempts + 1
        due = next_attempt(attempts, self._clock(), chance=random.random())
        if due is None:
            self.give_up(lease, error)
        else:
            aftermath.in_doubt(lease, link, due, error)

    def _set(self, lease: Lease, row: OutboxRow, session: Session, link: TicketLink, connector: Connector) -> None:
        """Status, assignee and tags may be said twice without harm, so they need no journal."""
        assert link.remote_id is not None
        pacing = Pacing(connector.capabilities.ticket_updates, lease.claim.recent, self._clock())
        lease.before_call()
        try:
            _set_field(connector, link.remote_id, row, self._drafts, session)
        except (TicketGone, TicketClosed) as error:
            self._look_again(lease, link, error)
        else:
            lease.settle({row.id: "set"}, aftermath.reading_due(row, link), recent=pacing.spent(1))


def _set_field(connector: Connector, ticket: str, row: OutboxRow, drafts: Drafts, session: Session) -> None:
    match row.effect:
        case SetTicketStatus(status=status):
            connector.set_status(ticket, status, row.key)
        case SetTicketAssignee(person=person):
            agent = person.id.partition(":")[2] if person is not None else None
            connector.set_assignee(ticket, agent, row.key)
        case SetTicketTags(add=add, remove=remove):
            connector.set_tags(ticket, drafts.tags(session, add), drafts.tags(session, remove), row.key)


def _works_at(person: Person, link: TicketLink) -> bool:
    """Whether the person is an agent of the link's own helpdesk, who can hold the ticket there."""
    return person.id.startswith(f"{link.connection}:")


def _taken_by(effect: SetTicketAssignee) -> str:
    person = effect.person
    return f"{person.name or person.id} has taken this conversation." if person is not None else "Nobody holds this."
