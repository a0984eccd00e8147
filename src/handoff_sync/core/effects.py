"""Effects: what must be done about an event, and the outcome of `decide` that carries them (domain.md section 5).

An effect's `key` makes it happen once within its session. Its `destination` names its lane: work for one
destination happens in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from handoff_sync.core.mails import MAIL as MAIL
from handoff_sync.core.mails import AlertAdmin as AlertAdmin
from handoff_sync.core.mails import AlertOps as AlertOps
from handoff_sync.core.mails import MailAdmin as MailAdmin
from handoff_sync.core.mails import MailConnectionDown as MailConnectionDown
from handoff_sync.core.mails import MailCustomer as MailCustomer
from handoff_sync.core.mails import MailEffect as MailEffect
from handoff_sync.core.model import AiMode, Message, Person, Session, TicketStatus

PLATFORM = "platform"


def ticket_lane(link: str) -> str:
    """The destination of everything that is said to one ticket."""
    return f"ticket:{link}"


# --- to the platform ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToPlatform:
    """What the platform is told."""

    @property
    def destination(self) -> str:
        return PLATFORM


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAiMode(_ToPlatform):
    """Tell the platform who may speak from now on. `human` is shown to the customer when the policy discloses it."""

    previous: AiMode
    new: AiMode
    epoch: int
    version: int
    human: Person | None = None
    ai_agent_id: str | None = None
    paused_until: datetime | None = None
    type: Literal["ai_mode.changed"] = "ai_mode.changed"

    @property
    def key(self) -> str:
        return f"mode:{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverToCustomer(_ToPlatform):
    message: Message
    type: Literal["message.deliver"] = "message.deliver"

    @property
    def key(self) -> str:
        return f"deliver:{self.message.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyCustomer(_ToPlatform):
    """A customer notice; `kind` is on_handover, on_join, on_return or on_resolve, `texts` by language."""

    kind: str
    texts: Mapping[str, str]
    handoff: int
    type: Literal["customer.notice"] = "customer.notice"

    @property
    def key(self) -> str:
        return f"notice:{self.handoff}:{self.kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandBack(_ToPlatform):
    """Context for the AI that takes over again: what was done, what is open."""

    handoff: int
    summary: str
    version: int = 0
    ai_agent_id: str | None = None
    type: Literal["handback.context"] = "handback.context"

    @property
    def key(self) -> str:
        return f"handback:{self.handoff}:{self.version}"


class SessionChange(StrEnum):
    CREATED = "created"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    ARCHIVED = "archived"
    ASSIGNED = "assigned"
    DECISION_NEEDED = "decision_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChanged(_ToPlatform):
    change: SessionChange
    version: int
    assignee: Person | None = None
    marker: str | None = None
    type: Literal["session.changed"] = "session.changed"

    @property
    def key(self) -> str:
        return f"session.{self.change}:{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaChanged(_ToPlatform):
    """`excluded`: a human was needed, do not count it. `corrected`: it was counted before; take it back."""

    change: Literal["excluded", "corrected"]
    version: int
    type: Literal["quota.changed"] = "quota.changed"

    @property
    def key(self) -> str:
        return f"quota:{self.change}:{self.version}"


# --- to a ticket -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToTicket:
    """What is said to one ticket."""

    link: str

    @property
    def destination(self) -> str:
        return ticket_lane(self.link)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket(_ToTicket):
    """Make the ticket of `link`, with the transcript up to message `through_seq`.

    `follow_up_of` is the link whose closed ticket this one follows.
    """

    connection: str
    handoff: int
    through_seq: int
    follow_up_of: str | None = None
    type: Literal["ticket.open"] = "ticket.open"

    @property
    def key(self) -> str:
        return f"open:{self.link}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendToTicket(_ToTicket):
    """Say one more message on the ticket. Neighbours coalesce into one comment."""

    seq: int
    message: Message
    public: bool
    type: Literal["ticket.append"] = "ticket.append"

    @property
    def key(self) -> str:
        return f"append:{self.link}:{self.message.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteOnTicket(_ToTicket):
    """An internal note of ours; `name` makes it unique on its ticket (for example `commands`, `handback:2`).

    When `through_seq` is greater than `after_seq`, the transcript of the messages in between (after_seq + 1 to
    through_seq) belongs below the text: what was said while the ticket rested.
    """

    name: str
    text: str
    after_seq: int = 0
    through_seq: int = 0
    type: Literal["ticket.note"] = "ticket.note"

    @property
    def key(self) -> str:
        return f"note:{self.link}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachToTicket(_ToTicket):
    """Put the newest files of the messages up to `through_seq` on a ticket that was opened with their words."""

    through_seq: int
    type: Literal["ticket.attach"] = "ticket.attach"

    @property
    def key(self) -> str:
        return f"attach:{self.link}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTicketStatus(_ToTicket):
    status: TicketStatus
    version: int
    type: Literal["ticket.set_status"] = "ticket.set_status"

    @property
    def key(self) -> str:
        return f"status:{self.link}:{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTicketAssignee(_ToTicket):
    """None takes the assignee away. A person whom the helpdesk does not know becomes an internal note."""

    person: Person | None
    version: int
    type: Literal["ticket.set_assignee"] = "ticket.set_assignee"

    @property
    def key(self) -> str:
        return f"assignee:{self.link}:{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTicketTags(_ToTicket):
    add: tuple[str, ...]
    remove: tuple[str, ...]
    version: int
    type: Literal["ticket.set_tags"] = "ticket.set_tags"

    @property
    def key(self) -> str:
        return f"tags:{self.link}:{self.version}"


PlatformEffect = SetAiMode | DeliverToCustomer | NotifyCustomer | HandBack | SessionChanged | QuotaChanged
TicketEffect = (
    OpenTicket | AppendToTicket | NoteOnTicket | AttachToTicket | SetTicketStatus | SetTicketAssignee | SetTicketTags
)
Effect = PlatformEffect | TicketEffect | MailEffect


# --- the outcome of one step --------------------------------------------------------------------


class Verdict(StrEnum):
    """What became of an event.

    APPLIED changed something. UNCHANGED: the wanted state was there already (an API call answers 200).
    IGNORED: no rule for it here, recorded with its cause. REFUSED: a caller asked for what the state forbids (409,
    or 403 for `plan_required`). ALLOW, DRAFT and BLOCK answer `ai.message.proposed`.
    NEW_SESSION: nothing was done; the event belongs to a new session of the conversation (rules T6, T7).
    """

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    REFUSED = "refused"
    ALLOW = "allow"
    DRAFT = "draft"
    BLOCK = "block"
    NEW_SESSION = "new_session"


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseLog:
    """One row of `ai_pause_logs`; the field names are fixed by contract (domain.md section 2)."""

    conversation_id: str
    action: str
    """pause_activated, pause_changed, extend_pause, auto_resume, force_resume, interaction_blocked, or the name of
    any other change of mode: stop, reset, decision_requested (or _declined, _expired, _undone), resolve, reopen,
    archive, copilot_on, copilot_off, ticket_return, customer_ended, claim, unassign."""
    reason: str
    duration_minutes: int | None
    triggered_by: str
    previous_ai_mode: AiMode
    new_ai_mode: AiMode
    via: str
    handoff: int | None
    at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line of a session's history. `rule` is the row of domain.md section 6 ("T11")."""

    kind: str
    """The event's type, or `note`, `label`, `assignment`, `marker` for what people look for."""
    rule: str
    text: str
    at: datetime
    actor_id: str
    actor_name: str = ""
    via: str = ""
    version: int = 0
    data: Mapping[str, str] = field(default_factory=dict)


class Visibility(StrEnum):
    """PUBLIC was or will be seen by the customer. PRIVATE never: notes, drafts, automation from the helpdesk."""

    PUBLIC = "public"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message as it stands in the transcript; `seq` counts from 1 within the session."""

    seq: int
    message: Message
    visibility: Visibility
    kind: str = "message"
    """message, note, draft, marker"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one event did: the session after it, and everything to store and to do.

    `rule` names the row of the table; `code` and `detail` explain IGNORED and REFUSED to a caller.
    """

    session: Session
    verdict: Verdict
    rule: str
    code: str = ""
    detail: str = ""
    effects: tuple[Effect, ...] = ()
    messages: tuple[StoredMessage, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    pause_log: tuple[PauseLog, ...] = ()
