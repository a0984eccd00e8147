"""Which letter an effect is, made of the stored session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from handoff_sync.core.effects import AlertOps, MailAdmin, MailCustomer, MailEffect
from handoff_sync.core.model import DecisionState, Handoff, Session
from handoff_sync.core.policy import MailKind
from handoff_sync.core.redaction import redact
from handoff_sync.core.transcript import WHY, as_text, clock, extract
from handoff_sync.delivery.drafts import chat_link
from handoff_sync.emails.letters import (
    AdminJoined,
    Alert,
    Conversation,
    Decided,
    DecidedAs,
    DecisionNeeded,
    Handover,
    Letter,
    Reminder,
    TicketFailed,
    TicketLine,
    excerpt,
)
from handoff_sync.emails.message import TextFile
from handoff_sync.errors import VendorRejected
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import WorkspaceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One mail to one person."""

    letter: Letter
    address: str
    name: str = ""
    language: str = "en"
    files: tuple[TextFile, ...] = ()


class Letters:
    """Writes letters. `alert_to` is the operators' address; empty: alerts are only logged."""

    def __init__(self, reads: Reads, alert_to: str, now: Callable[[], datetime]) -> None:
        self._reads = reads
        self._alert_to = alert_to
        self._now = now

    def post(self, effect: MailEffect, session: Session, workspace: WorkspaceRow | None) -> Post | None:
        """The mail of `effect`; None where there is nobody to send it to.

        Raises:
            VendorRejected: The customer has no address that the platform vouches for.
        """
        match effect:
            case AlertOps(kind=kind, detail=detail):
                title = kind.replace("_", " ")
                alert = Alert(title=title, detail=detail, todo=f"Look at `handoff-sync sessions show {session.id}`.")
                return Post(letter=alert, address=self._alert_to) if self._alert_to else None
            case MailCustomer(human=human, handoff=number):
                return self._to_customer(session, human.name, number, workspace)
            case MailAdmin():
                return self._to_admin(effect, session)

    def _to_customer(self, session: Session, human: str, number: int, workspace: WorkspaceRow | None) -> Post:
        customer, policy = session.customer, _handoff(session, number).policy
        if not customer.email or not customer.email_verified:
            raise VendorRejected("The platform does not vouch for an address of this customer.")
        letter = AdminJoined(
            customer_name=customer.name or "",
            human_name=human if policy.disclose_human else "",
            workspace_name=workspace.name if workspace is not None else "",
        )
        return Post(letter=letter, address=customer.email, name=customer.name or "", language=customer.locale or "en")

    def _to_admin(self, effect: MailAdmin, session: Session) -> Post:
        to, handoff = effect.recipient, _handoff(session, effect.handoff)
        letter = self._letter(effect, session, handoff)
        files = (self._transcript(session),) if effect.kind is MailKind.TICKET_FAILED else ()
        return Post(letter=letter, address=to.email, name=to.name, language=to.language, files=files)

    def _letter(self, effect: MailAdmin, session: Session, handoff: Handoff) -> Letter:
        about = self._about(session, handoff)
        match effect.kind:
            case MailKind.HANDOVER:
                return Handover(conversation=about)
            case MailKind.DECISION_NEEDED:
                expires = session.decision.expires_at if session.decision is not None else None
                return DecisionNeeded(conversation=about, expires_at=clock(expires) if expires else "")
            case MailKind.DECIDED:
                return _decided(about, session)
            case MailKind.REMINDER:
                waiting = self._now() - (handoff.decided_at or handoff.requested_at)
                return Reminder(conversation=about, waiting_minutes=int(waiting.total_seconds() // 60))
            case MailKind.TICKET_FAILED:
                return TicketFailed(conversation=about, helpdesk="the helpdesk", reason=redact(effect.detail))

    def _about(self, session: Session, handoff: Handoff) -> Conversation:
        messages = self._reads.messages(session.id)
        name = redact(session.customer.name or "")
        tickets = {f"Ticket {link.remote_id}": link.url for link in session.live_links if link.url}
        return Conversation(
            session_url=chat_link(handoff.policy, session) or next((url for url in tickets.values() if url), ""),
            customer_name=name,
            why=WHY[handoff.trigger],
            scenarios=tuple(map(redact, handoff.scenarios)),
            reason=redact(handoff.reason),
            summary=redact(handoff.summary or session.summary or extract(messages, name or None)),
            excerpt=excerpt(messages, name or None),
            tickets=tuple(TicketLine(title=title, url=url) for title, url in tickets.items()),
        )

    def _transcript(self, session: Session) -> TextFile:
        """The whole conversation: where no ticket can be made, the mail is all that people have."""
        return TextFile(name="transcript.txt", text=redact(as_text(self._reads.messages(session.id), session.customer)))


def _handoff(session: Session, number: int) -> Handoff:
    return next(handoff for handoff in session.handoffs if handoff.number == number)


_DECIDED = {
    DecisionState.ACCEPTED: DecidedAs.ACCEPTED,
    DecisionState.SUPERSEDED: DecidedAs.ACCEPTED,
    DecisionState.DECLINED: DecidedAs.DECLINED,
}


def _decided(about: Conversation, session: Session) -> Decided:
    decision = session.decision
    if decision is None:
        return Decided(conversation=about, outcome=DecidedAs.EXPIRED)
    return Decided(
        conversation=about,
        outcome=_DECIDED.get(decision.state, DecidedAs.EXPIRED),
        decided_by=decision.decided_by.name if decision.decided_by is not None else "",
        decided_at=clock(decision.decided_at) if decision.decided_at is not None else "",
    )
