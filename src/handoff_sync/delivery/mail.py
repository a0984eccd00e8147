"""Send the mails of one session, one envelope per recipient (lane `mail`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from handoff_sync.core.effects import AlertOps, MailAdmin, MailCustomer
from handoff_sync.core.model import Session
from handoff_sync.delivery.lease import Lease
from handoff_sync.delivery.letters import Letters, Post
from handoff_sync.emails.message import Envelope, build_message
from handoff_sync.emails.render import render
from handoff_sync.emails.transport import Transport
from handoff_sync.errors import HandoffError, NotFound, OutcomeUnknown
from handoff_sync.store.admin import Admin
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import OutboxRow

log = structlog.get_logger(__name__)

MAIL_LEASE_S = 360.0
"""A mail server may take five minutes to answer after DATA."""

UNCONFIRMED = "sent twice, not confirmed"
"""A third copy would help nobody."""


class MailLane:
    """Performs the first row of the lane. Without a mail server mails are parked, where people see them."""

    def __init__(
        self,
        admin: Admin,
        reads: Reads,
        letters: Letters,
        transport: Transport | None,
        sender: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._admin = admin
        self._reads = reads
        self._letters = letters
        self._transport = transport
        self._sender = sender
        self._clock = clock

    def perform(self, lease: Lease) -> None:
        rows = lease.claim.rows
        if not rows:
            lease.settle({})
            return
        row = rows[0]
        session = self._reads.session_by_id(lease.claim.session_id or "")
        if session is None:
            raise NotFound("The session of this mail does not exist any more.")
        assert isinstance(row.effect, MailAdmin | MailCustomer | AlertOps)
        if isinstance(row.effect, AlertOps):
            log.error("alert", alert=row.effect.kind, detail=row.effect.detail, session=session.id)
        post = self._letters.post(row.effect, session, self._admin.workspace(session.workspace))
        if post is None:
            lease.settle({row.id: "logged"})
        elif self._transport is None:
            lease.park([row], "No mail server is configured: set HANDOFF_SMTP_URL and HANDOFF_MAIL_FROM.", block=False)
        else:
            self._send(lease, row, session, post, self._transport)

    def give_up(self, lease: Lease, error: HandoffError) -> None:
        """One recipient fails alone; the mails behind go on."""
        lease.park(lease.claim.rows[:1], str(error), block=False)

    def _send(self, lease: Lease, row: OutboxRow, session: Session, post: Post, transport: Transport) -> None:
        envelope = Envelope(
            key=f"{session.id}:{row.key}",
            sender=self._sender,
            recipient=post.address,
            recipient_name=post.name,
            workspace=session.workspace,
            thread=(session.id,),
        )
        message = build_message(render(post.letter, post.language), envelope, row.created_at, post.files)
        if "resent" in lease.noted(row):
            lease.settle({row.id: UNCONFIRMED})  # the worker ended while it sent the second copy
            return
        lease.note(row, {"resent" if lease.sent_before else "sent": self._clock().isoformat()})
        lease.before_call()
        try:
            transport.send(message)
        except OutcomeUnknown:
            if not lease.sent_before:
                raise
            lease.settle({row.id: UNCONFIRMED})
        else:
            lease.settle({row.id: "sent"})
