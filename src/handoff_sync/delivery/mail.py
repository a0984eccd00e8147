"""Send the mails to one person (lane `mail:<who>`), or to the customer of one session (lane `mail`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from typing import Final

import structlog

from handoff_sync.core.effects import AlertAdmin, AlertOps, MailAdmin, MailConnectionDown, MailCustomer, MailEffect
from handoff_sync.core.mails import MAIL
from handoff_sync.core.model import Session
from handoff_sync.delivery import digesting
from handoff_sync.delivery.connections import Held
from handoff_sync.delivery.lease import Lease
from handoff_sync.delivery.letters import Letters
from handoff_sync.delivery.mail_pacing import MailPacing
from handoff_sync.delivery.mail_server import MailServer
from handoff_sync.delivery.postage import Postage
from handoff_sync.delivery.refusals import tell_another
from handoff_sync.emails.letters import DigestItem
from handoff_sync.emails.transport import TOTAL_S
from handoff_sync.errors import HandoffError, OutcomeUnknown, UnrecognisedPayload, VendorDown, VendorRejected
from handoff_sync.store.admin import Admin
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import OutboxRow, WorkspaceRow
from handoff_sync.store.unit import UnitOfWork

log = structlog.get_logger(__name__)

MAIL_LEASE_S: Final = 360.0
"""A mail server may take five minutes to answer after DATA."""

SENT: Final = "sent"
UNCONFIRMED: Final = "sent twice, not confirmed"
"""A third copy would help nobody."""
NO_SERVER: Final = "No mail server is configured: set HANDOFF_SMTP_URL and HANDOFF_MAIL_FROM."


class MailLane:
    """Performs the first row of the lane, or all of them as a digest. Without a mail server mails are parked."""

    def __init__(
        self,
        admin: Admin,
        reads: Reads,
        letters: Letters,
        server: MailServer | None,
        postage: Postage,
        clock: Callable[[], datetime],
    ) -> None:
        self._admin = admin
        self._reads = reads
        self._letters = letters
        self._server = server
        self._postage = postage
        self._clock = clock

    def perform(self, lease: Lease) -> None:
        rows = lease.claim.rows
        if not rows:
            lease.settle({})
            return
        if self._alerts_only_logged(lease):
            return
        if self._server is None:
            lease.park(rows, NO_SERVER, block=False)
            return
        self._server.must_be_up()
        head, pacing = rows[0], MailPacing(lease.claim.recent, rows, self._clock())
        if lease.claim.destination == MAIL or "sent" in head.journal or "resent" in head.journal:
            self._send_one(lease, head, pacing, self._server)
        elif digesting.plan_of(head.journal) is not None:
            self._send_together(lease, pacing, self._server)
        elif (until := pacing.hold_until) is not None:
            raise Held(until, "This person has had many mails; it waits for its neighbours.")
        elif pacing.together and len(rows) > 1:
            self._send_together(lease, pacing, self._server)
        else:
            self._send_one(lease, head, pacing, self._server)

    def give_up(self, lease: Lease, error: HandoffError) -> None:
        """One recipient fails alone; what waits for others goes on. Whoever was refused, somebody else is told."""
        if not lease.claim.rows:
            lease.settle({})
            return
        head = lease.claim.rows[0]
        plan = digesting.plan_of(lease.noted(head))
        rows = digesting.left(self._reads.waiting(lease.claim.lane_id, digesting.MOST_ROWS), plan) if plan else (head,)
        workspace = lease.claim.workspace_id
        log.error("mail parked", lane=lease.claim.lane_id, mails=len(rows), error=str(error))

        def also(uow: UnitOfWork) -> None:
            if isinstance(error, VendorRejected):
                tell_another(uow, workspace, rows, error)

        if isinstance(head.effect, AlertAdmin) and len(rows) == 1:
            lease.cancel(rows, str(error), also)  # it is told elsewhere
        else:
            lease.park(rows, str(error), block=False, also=also)

    # --- one by one -------------------------------------------------------------------------------

    def _send_one(self, lease: Lease, row: OutboxRow, pacing: MailPacing, server: MailServer) -> None:
        effect, session = self._read(row)
        self._log_alert(row, effect)
        post = self._letters.post(effect, session, self._workspace(lease))
        if post is None:
            lease.settle({row.id: "logged"})
            return
        message = self._postage.single(post, row, lease.claim.workspace_id)
        result = self._hand_over(lease, row, message, server)
        lease.settle({row.id: result}, recent=pacing.spent(1))

    def _hand_over(
        self, lease: Lease, row: OutboxRow, message: Callable[[], EmailMessage], server: MailServer, number: str = ""
    ) -> str:
        """Sends it, once more where an earlier copy may have gone out, and never a third time."""
        noted = lease.noted(row)
        if noted.get(f"resent{number}"):
            return UNCONFIRMED  # the worker ended while it sent the second copy
        again = bool(noted.get(f"sent{number}"))
        made = message()
        mark = f"{'resent' if again else 'sent'}{number}"
        lease.note(row, {mark: self._clock().isoformat()})
        lease.before_call(TOTAL_S)
        try:
            server.send(made)
        except OutcomeUnknown:
            if not again:
                raise
            return UNCONFIRMED
        except (VendorRejected, VendorDown):
            lease.note(row, {mark: ""})  # it certainly did not go out, however often people retry it
            raise
        return SENT

    # --- together ---------------------------------------------------------------------------------

    def _send_together(self, lease: Lease, pacing: MailPacing, server: MailServer) -> None:
        """Every mail of the digest that has not gone out yet. What waits beyond it comes in the next."""
        head, workspace = lease.claim.rows[0], self._workspace(lease)
        waiting = self._reads.waiting(lease.claim.lane_id, digesting.MOST_ROWS)
        plan = digesting.plan_of(head.journal)
        chosen = digesting.left(waiting, plan) if plan is not None else digesting.fit(waiting)
        items = {row.id: self._item(row) for row in chosen}
        if plan is None:
            plan = digesting.new_plan(items)
            lease.note(head, {digesting.PLAN: plan.written()})
        to = self._letters.recipient(self._read(head)[0])
        assert to is not None  # nobody else has a lane of this kind
        done: dict[int, str] = {}
        sent = 0
        for part, ids in enumerate(plan.mails, 1):
            number = f" {part}"
            known = lease.noted(head).get(f"done{number}")
            if known is None:
                letter = digesting.mail(plan, part, items, len(plan.rows), workspace.name if workspace else "")
                message = self._postage.part(to, letter, head, lease.claim.workspace_id)
                known = self._hand_over(lease, head, message, server, number)
                lease.note(head, {f"done{number}": known})
                sent += 1
            done |= {id: f"digest, {known}" for id in ids if id in items}
        lease.settle(done, recent=pacing.spent(sent))

    def _item(self, row: OutboxRow) -> DigestItem:
        effect, session = self._read(row)
        self._log_alert(row, effect)
        return self._letters.item(effect, session)

    # --- what is stored ---------------------------------------------------------------------------

    def _alerts_only_logged(self, lease: Lease) -> bool:
        """Whether the lane holds alerts that have no address; they are in the log then."""
        alerts = [row for row in lease.claim.rows if isinstance(row.effect, AlertOps)]
        if self._letters.alerts_are_mailed or not alerts:
            return False
        for row in alerts:
            self._log_alert(row, self._read(row)[0])
        lease.settle({row.id: "logged" for row in alerts})
        return True

    def _log_alert(self, row: OutboxRow, effect: MailEffect) -> None:
        if isinstance(effect, AlertOps) and not row.attempts:
            log.error("alert", alert=effect.kind, detail=effect.detail, session=row.session_id)

    def _read(self, row: OutboxRow) -> tuple[MailEffect, Session | None]:
        effect = row.effect
        if not isinstance(effect, MailAdmin | MailConnectionDown | AlertAdmin | MailCustomer | AlertOps):
            raise UnrecognisedPayload("A newer version wrote this mail. Upgrade all processes.")
        about = row.session_id or (effect.session if isinstance(effect, AlertAdmin) else "")
        return effect, self._reads.session_by_id(about) if about else None

    def _workspace(self, lease: Lease) -> WorkspaceRow | None:
        return self._admin.workspace(lease.claim.workspace_id)
