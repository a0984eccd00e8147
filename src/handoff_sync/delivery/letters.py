"""Which letter a mail effect is, made of what is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, assert_never

from handoff_sync.core.effects import AlertAdmin, AlertOps, MailAdmin, MailConnectionDown, MailCustomer, MailEffect
from handoff_sync.core.model import Decision, DecisionState, Handoff, Session
from handoff_sync.core.policy import MailKind, Recipient
from handoff_sync.core.redaction import redact
from handoff_sync.core.transcript import as_text, clock
from handoff_sync.delivery.conversations import Connections, Conversations, Helpdesks, handoff_of, session_url
from handoff_sync.delivery.conversations import waiting_since as since
from handoff_sync.emails.letters import (
    AdminJoined,
    Alert,
    ConnectionDown,
    Conversation,
    Decided,
    DecidedAs,
    DecisionNeeded,
    DigestItem,
    Handover,
    Letter,
    Reminder,
    TicketFailed,
)
from handoff_sync.emails.message import TextFile
from handoff_sync.errors import NotFound, VendorRejected
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import WorkspaceRow


class DecisionUrls(Protocol):
    """Makes a recipient's own link to a question, and the code that belongs beside it."""

    def decision_url(self, session: Session, handoff: int, recipient: Recipient) -> tuple[str, str]: ...


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

    def __init__(
        self,
        reads: Reads,
        alert_to: str,
        now: Callable[[], datetime],
        connections: Connections,
        links: DecisionUrls | None = None,
    ) -> None:
        self._reads = reads
        self._alert_to = alert_to
        self._now = now
        self._connections = connections
        self._links = links
        self._helpdesks = Helpdesks(connections)
        self._conversations = Conversations(reads, self._helpdesks.title)

    @property
    def alerts_are_mailed(self) -> bool:
        return bool(self._alert_to)

    def recipient(self, effect: MailEffect) -> Recipient | None:
        """Which person of the team is mailed; None for a customer and for nobody."""
        match effect:
            case AlertOps():
                return Recipient(email=self._alert_to) if self._alert_to else None
            case AlertAdmin(recipient=to) | MailConnectionDown(recipient=to) | MailAdmin(recipient=to):
                return to
            case MailCustomer():
                return None
            case _:
                assert_never(effect)

    def post(self, effect: MailEffect, session: Session | None, workspace: WorkspaceRow | None) -> Post | None:
        """The mail of `effect`; None where there is nobody to send it to.

        Raises:
            VendorRejected: The customer has no address that the platform vouches for.
            NotFound: The session does not exist any more.
        """
        company = workspace.name if workspace is not None else ""
        match effect:
            case AlertOps():
                return Post(letter=self._alert(effect, session), address=self._alert_to) if self._alert_to else None
            case AlertAdmin(recipient=to):
                return _to(to, self._alert(effect, session))
            case MailConnectionDown(recipient=to):
                return _to(to, self._connection_down(effect, company))
            case MailCustomer(human=human, handoff=number):
                return _to_customer(_there(session), human.name, number, company)
            case MailAdmin(recipient=to):
                return self._to_admin(effect, _there(session), to, company)
            case _:
                assert_never(effect)

    def item(self, effect: MailEffect, session: Session | None) -> DigestItem:
        """The same mail as a line among others."""
        match effect:
            case AlertOps() | AlertAdmin():
                alert = self._alert(effect, session)
                return DigestItem(kind="alert", title=alert.title, why=alert.detail, url=alert.url)
            case MailConnectionDown():
                title = self._helpdesks.title(effect.connection)
                began = clock(effect.since)
                return DigestItem(kind=MailKind.CONNECTION_DOWN, title=title, why=effect.said, waiting_since=began)
            case MailAdmin():
                return self._line(effect, _there(session))
            case MailCustomer():
                raise VendorRejected("A customer's mail is no line of a digest.")
            case _:
                assert_never(effect)

    # --- to admins about sessions -------------------------------------------------------------

    def _to_admin(self, effect: MailAdmin, session: Session, to: Recipient, company: str) -> Post:
        about = self._conversations.about(session, handoff_of(session, effect.handoff), company)
        files = (self._transcript(session),) if effect.kind is MailKind.TICKET_FAILED else ()
        return replace(_to(to, self._letter(effect, session, about)), files=files)

    def _letter(self, effect: MailAdmin, session: Session, about: Conversation) -> Letter:
        handoff = handoff_of(session, effect.handoff)
        match effect.kind:
            case MailKind.HANDOVER:
                return Handover(conversation=about)
            case MailKind.DECISION_NEEDED:
                return self._question(effect, session, handoff, about)
            case MailKind.DECIDED:
                return self._decided(effect, session, about)
            case MailKind.REMINDER:
                waiting = self._now() - (handoff.decided_at or handoff.requested_at)
                return Reminder(conversation=about, waiting_minutes=int(waiting.total_seconds() // 60))
            case MailKind.TICKET_FAILED:
                helpdesk = self._conversations.in_trouble(session)
                return TicketFailed(conversation=about, helpdesk=helpdesk, reason=redact(effect.detail))
            case MailKind.CONNECTION_DOWN:
                raise NotFound("A connection that is down is no matter of a session.")
            case _:
                assert_never(effect.kind)

    def _question(self, effect: MailAdmin, session: Session, handoff: Handoff, about: Conversation) -> DecisionNeeded:
        url, code = self._link(session, effect)
        expires = session.decision.expires_at if session.decision is not None else None
        return DecisionNeeded(
            conversation=about,
            decision_url=url,
            code=code,
            expires_at=clock(expires) if expires is not None else "",
            on_expiry=handoff.policy.on_decision_expiry,
            again=effect.again > 0,
        )

    def _decided(self, effect: MailAdmin, session: Session, about: Conversation) -> Decided:
        decision = effect.decision or session.decision
        outcome, by, at, via = _outcome(decision)
        url = self._link(session, effect)[0] if outcome is DecidedAs.UNDONE else ""
        return Decided(
            conversation=about, outcome=outcome, decided_by=by, decided_at=at, decided_via=via, decision_url=url
        )

    def _line(self, effect: MailAdmin, session: Session) -> DigestItem:
        handoff = handoff_of(session, effect.handoff)
        outcome, by = None, ""
        if effect.kind is MailKind.DECIDED:
            outcome, by, _, _ = _outcome(effect.decision or session.decision)
        asks = effect.kind is MailKind.DECISION_NEEDED or outcome is DecidedAs.UNDONE
        url, code = self._link(session, effect) if asks else ("", "")
        instead = redact(effect.detail) if effect.kind is MailKind.TICKET_FAILED else ""
        return DigestItem(
            kind=effect.kind,
            customer_name=redact(session.customer.name or ""),
            trigger=None if instead else handoff.trigger,
            why=instead,
            scenarios=() if instead else tuple(map(redact, handoff.scenarios)),
            outcome=outcome,
            by=by,
            code=code,
            waiting_since=since(handoff),
            url=url or session_url(session, handoff),
        )

    def _link(self, session: Session, effect: MailAdmin) -> tuple[str, str]:
        """The recipient's own way to the question and its code; nothing where the question is answered already."""
        asked = session.decision
        pending = asked is not None and asked.handoff == effect.handoff and asked.state is DecisionState.PENDING
        if self._links is None or not pending:
            return "", ""
        return self._links.decision_url(session, effect.handoff, effect.recipient)

    def _transcript(self, session: Session) -> TextFile:
        """The whole conversation: where no ticket can be made, the mail is all that people have."""
        return TextFile(name="transcript.txt", text=redact(as_text(self._reads.messages(session.id), session.customer)))

    # --- about what is broken -------------------------------------------------------------------

    def _alert(self, effect: AlertOps | AlertAdmin, session: Session | None) -> Alert:
        title, todo, url = effect.kind.replace("_", " "), "", ""
        if session is not None:
            todo = f"Look at `handoff-sync sessions show {session.id}`."
            url = session_url(session, session.handoffs[-1]) if session.handoffs else ""
        return Alert(title=title, detail=effect.detail, todo=todo, url=url)

    def _connection_down(self, effect: MailConnectionDown, company: str) -> ConnectionDown:
        row = self._connections.connection(effect.connection)
        return ConnectionDown(
            connection=row.name if row is not None else effect.connection,
            helpdesk=self._helpdesks.kind(row.kind) if row is not None else "",
            since=clock(effect.since),
            said=effect.said,
            waiting=self._reads.waiting_at(effect.connection),
            stopped=effect.stopped,
            todo=f"handoff-sync connect {row.kind}" if row is not None and effect.stopped else "",
            workspace_name=company,
        )


def _there(session: Session | None) -> Session:
    if session is None:
        raise NotFound("The session of this mail does not exist any more.")
    return session


def _to(recipient: Recipient, letter: Letter) -> Post:
    return Post(letter=letter, address=recipient.email, name=recipient.name, language=recipient.language)


def _to_customer(session: Session, human: str, number: int, company: str) -> Post:
    customer, policy = session.customer, handoff_of(session, number).policy
    if not customer.email or not customer.email_verified:
        raise VendorRejected("The platform does not vouch for an address of this customer.")
    letter = AdminJoined(
        customer_name=customer.name or "",
        human_name=human if policy.disclose_human else "",
        workspace_name=company,
    )
    return Post(letter=letter, address=customer.email, name=customer.name or "", language=customer.locale or "en")


_DECIDED = {
    DecisionState.UNDONE: DecidedAs.UNDONE,
    DecisionState.ACCEPTED: DecidedAs.ACCEPTED,
    DecisionState.SUPERSEDED: DecidedAs.ACCEPTED,
    DecisionState.DECLINED: DecidedAs.DECLINED,
}


def _outcome(decision: Decision | None) -> tuple[DecidedAs, str, str, str]:
    """How it was decided, by whom, when and which way."""
    if decision is None:
        return DecidedAs.EXPIRED, "", "", ""
    by, at = decision.decided_by, decision.decided_at
    outcome = _DECIDED.get(decision.state, DecidedAs.EXPIRED)
    return outcome, by.name if by is not None else "", clock(at) if at is not None else "", by.via if by else ""
