"""Open a ticket once, whatever happens in between (reliability.md section 2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from handoff_sync.contract.connector import CommentDraft, Connector, TicketRef
from handoff_sync.core.effects import OpenTicket
from handoff_sync.core.model import Session, TicketLink
from handoff_sync.delivery import aftermath
from handoff_sync.delivery.appending import Appender
from handoff_sync.delivery.connections import Held
from handoff_sync.delivery.drafts import Drafts, Opening
from handoff_sync.delivery.grouping import opening_tags
from handoff_sync.delivery.lease import Lease, RowJournal
from handoff_sync.errors import TicketClosed, TicketFull, TicketGone
from handoff_sync.store.rows import OutboxRow


class Opener:
    """Opens the ticket and adds the parts of a long transcript, each remembered as it is done."""

    def __init__(
        self,
        drafts: Drafts,
        appender: Appender,
        clock: Callable[[], datetime],
        checkpoint: Callable[[str], None],
        settle_s: float | None,
    ) -> None:
        self._drafts = drafts
        self._appender = appender
        self._clock = clock
        self._checkpoint = checkpoint
        self._settle_s = settle_s

    def open(
        self,
        lease: Lease,
        row: OutboxRow,
        effect: OpenTicket,
        session: Session,
        link: TicketLink,
        connector: Connector,
    ) -> None:
        tags = opening_tags(lease.claim.rows)
        first_tags = tags[1].add if tags is not None else ()
        opening = self._drafts.opening(session, effect, connector.capabilities.max_comment_bytes, first_tags)
        resumed = "ticket" in lease.noted(row)
        ref = self._ticket(lease, row, opening, connector)
        rest = [
            CommentDraft(marker=f"{link.key}/{number}", html=html, public=False)
            for number, html in enumerate(opening.rest, start=2)
        ]
        try:
            made = self._appender.each(lease, row, connector, ref.id, rest, uncertain=resumed)
        except (TicketClosed, TicketGone, TicketFull):
            made = []  # an agent was faster; the first reading tells what became of it
        self._checkpoint("open.settling")
        comments = [ref.comment_id, *made] if ref.comment_id else made
        done = {row.id: ref.id} | ({tags[0].id: "The ticket was opened with them."} if tags is not None else {})
        aftermath.opened(lease, done, row.key, link, ref, comments, [self._clock()] * len(made))

    def _ticket(self, lease: Lease, row: OutboxRow, opening: Opening, connector: Connector) -> TicketRef:
        if (made := lease.noted(row).get("ticket")) is not None:
            return TicketRef(**json.loads(made))
        ref = self._adopted(lease, row, opening, connector)
        if ref is None:
            lease.before_call()
            self._checkpoint("open.before")
            ref = connector.open(opening.draft, self._journal(lease, row))
            self._checkpoint("open.answered")
        if opening.rest:
            kept = json.dumps({"id": ref.id, "url": ref.url, "comment_id": ref.comment_id})
            lease.note(row, {"ticket": kept})
        return ref

    def _journal(self, lease: Lease, row: OutboxRow) -> RowJournal:
        """A journal in which it stands that something may have been sent, before anything is.

        The connector notes its request before it sends it; on a first try our mark goes along, for it costs a commit.
        """
        if not lease.noted(row):
            return _FirstTry(lease, row, self._clock())
        lease.note(row, {"resent" if "sent" in lease.noted(row) else "sent": self._clock().isoformat()})
        return RowJournal(lease, row)

    def _adopted(self, lease: Lease, row: OutboxRow, opening: Opening, connector: Connector) -> TicketRef | None:
        """What an earlier, uncertain attempt made. None: nothing was sent, or the helpdesk will know its repeat."""
        if (sent := lease.noted(row).get("sent")) is None:
            return None
        first, last = datetime.fromisoformat(sent), datetime.fromisoformat(lease.noted(row).get("resent", sent))
        remembered, settle_s = connector.capabilities.idempotency_s, connector.capabilities.settle_s
        if remembered is not None and self._clock() - first < timedelta(seconds=remembered * 0.8):
            return None
        believable = last + timedelta(seconds=settle_s if self._settle_s is None else self._settle_s)
        if self._clock() < believable:
            raise Held(believable, "Waiting until a look-up can be believed.")
        lease.before_call()
        found = connector.find(opening.draft.external_id)
        if found is None:
            lease.note(row, {"sent": self._clock().isoformat()})
        return found


class _FirstTry(RowJournal):
    """Puts the mark of a possible sending beside the connector's first note."""

    def __init__(self, lease: Lease, row: OutboxRow, now: datetime) -> None:
        super().__init__(lease, row)
        self._mark = {"sent": now.isoformat()}

    def put(self, name: str, value: str) -> None:
        self._lease.note(self._row, {name: value} | self._mark)
        self._mark = {}
