"""Events: facts in the past tense, the only input that changes a session (domain.md section 4).

`id` is unique in the workspace; the same id twice has no further effect. `at` is when it happened, aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from handoff_sync.core.model import (
    SYSTEM,
    Actor,
    Customer,
    Message,
    Person,
    TicketStatus,
    TimerKind,
    Trigger,
)
from handoff_sync.core.policy import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    id: str
    at: datetime
    actor: Actor = SYSTEM


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(_Event):
    channel: str = "web"
    customer: Customer = field(default_factory=Customer)
    team: str | None = None
    type: Literal["session.started"] = "session.started"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSuperseded(_Event):
    """The conversation went on in another session (rules T6, T7); the caller that made it tells the old one."""

    next_session: str
    type: Literal["session.superseded"] = "session.superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMessage(_Event):
    message: Message
    type: Literal["customer.message"] = "customer.message"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEndedHuman(_Event):
    type: Literal["customer.end_human"] = "customer.end_human"


@dataclass(frozen=True, slots=True, kw_only=True)
class AiMessageProposed(_Event):
    """The AI wants to say `message`, generated under `epoch`."""

    message: Message
    epoch: int
    type: Literal["ai.message.proposed"] = "ai.message.proposed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AiMessageSent(_Event):
    """The AI has said it already; for the transcript only."""

    message: Message
    type: Literal["ai.message.sent"] = "ai.message.sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanMessage(_Event):
    """A person (or a rule: class `automation`) answered outside the ticket. `source` as in Actor.via."""

    message: Message
    source: str = "console"
    type: Literal["human.message"] = "human.message"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRequested(_Event):
    """`mode` overrules the policy for this request; `designated` is who should hold it; `claim`: the actor does."""

    trigger: Trigger
    scenario: str | None = None
    reason: str = ""
    mode: Mode | None = None
    designated: Person | None = None
    claim: bool = False
    team: str | None = None
    summary: str = ""
    type: Literal["handoff.requested"] = "handoff.requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionAccepted(_Event):
    """`version` names the decision that was shown; None decides the pending one, whichever it is.

    `origin` is where a decision by link came from: the browser's address, for the audit.
    """

    version: int | None = None
    claim: bool = False
    origin: str = ""
    type: Literal["decision.accepted"] = "decision.accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionDeclined(_Event):
    version: int | None = None
    origin: str = ""
    type: Literal["decision.declined"] = "decision.declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionUndone(_Event):
    """Whoever decided takes it back within moments; `version` names the decision that was taken."""

    version: int | None = None
    origin: str = ""
    type: Literal["decision.undone"] = "decision.undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused(_Event):
    """`minutes` None is indefinite; `use_default` takes the scoped default instead (absent is not null)."""

    minutes: int | None = None
    use_default: bool = False
    reason: str = ""
    type: Literal["pause"] = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended(_Event):
    minutes: int
    reason: str = ""
    type: Literal["extend"] = "extend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(_Event):
    ai_agent_id: str | None = None
    summary: str = ""
    type: Literal["resume"] = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(_Event):
    reason: str = ""
    type: Literal["stop"] = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class WasReset(_Event):
    reason: str = ""
    type: Literal["reset"] = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(_Event):
    """The actor takes the session; `force` takes it from another holder."""

    force: bool = False
    type: Literal["claim"] = "claim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned(_Event):
    """To a person, or (exactly one is set) back to a named AI agent."""

    person: Person | None = None
    ai_agent_id: str | None = None
    force: bool = False
    type: Literal["assign"] = "assign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassigned(_Event):
    type: Literal["unassign"] = "unassign"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopilotSet(_Event):
    on: bool
    type: Literal["copilot.set"] = "copilot.set"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded(_Event):
    """A private note; `kind` is free ("note", "outcome")."""

    text: str
    kind: str = "note"
    type: Literal["note.added"] = "note.added"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChanged(_Event):
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    type: Literal["label.changed"] = "label.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved(_Event):
    note: str = ""
    type: Literal["resolve"] = "resolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived(_Event):
    note: str = ""
    type: Literal["archive"] = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired(_Event):
    kind: TimerKind
    epoch: int
    type: Literal["timer.fired"] = "timer.fired"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCreated(_Event):
    link: str
    remote_id: str
    url: str | None = None
    type: Literal["ticket.created"] = "ticket.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCreateFailed(_Event):
    """The delivery was parked. `permanent`: the helpdesk refused; else attempts were spent.

    `waits`: it is not parked, but waits until somebody has set the connection right.
    """

    link: str
    permanent: bool
    waits: bool = False
    reason: str = ""
    type: Literal["ticket.create_failed"] = "ticket.create_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStatusChanged(_Event):
    """The actor says who changed it: an AGENT by hand, or SYSTEM for an automation or ourselves."""

    link: str
    status: TicketStatus
    raw_status: str = ""
    type: Literal["ticket.status"] = "ticket.status"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketAssigned(_Event):
    """`agent` None: nobody holds the ticket any more."""

    link: str
    agent: Person | None = None
    type: Literal["ticket.assigned"] = "ticket.assigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPublicReply(_Event):
    """A public comment that passed the relay's allow-list; class HUMAN, or AUTOMATION (stored, never delivered)."""

    link: str
    message: Message
    type: Literal["ticket.public_reply"] = "ticket.public_reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketNote(_Event):
    """An internal note of an agent. Never reaches the customer."""

    link: str
    comment_id: str
    text: str
    type: Literal["ticket.note"] = "ticket.note"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketTagged(_Event):
    link: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    type: Literal["ticket.tag"] = "ticket.tag"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMerged(_Event):
    """`owned_by` is the other session that already owns the target, if any."""

    link: str
    target_id: str
    target_url: str | None = None
    owned_by: str | None = None
    type: Literal["ticket.merged"] = "ticket.merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDeleted(_Event):
    """`restored` true: it came back."""

    link: str
    restored: bool = False
    type: Literal["ticket.deleted"] = "ticket.deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChanged(_Event):
    """None leaves a flag as it is."""

    agent_running: bool | None = None
    channel_running: bool | None = None
    type: Literal["health.changed"] = "health.changed"


Event = (
    SessionStarted
    | SessionSuperseded
    | CustomerMessage
    | CustomerEndedHuman
    | AiMessageProposed
    | AiMessageSent
    | HumanMessage
    | HandoffRequested
    | DecisionAccepted
    | DecisionDeclined
    | DecisionUndone
    | Paused
    | Extended
    | Resumed
    | Stopped
    | WasReset
    | Claimed
    | Assigned
    | Unassigned
    | CopilotSet
    | NoteAdded
    | LabelChanged
    | Resolved
    | Archived
    | TimerFired
    | TicketCreated
    | TicketCreateFailed
    | TicketStatusChanged
    | TicketAssigned
    | TicketPublicReply
    | TicketNote
    | TicketTagged
    | TicketMerged
    | TicketDeleted
    | HealthChanged
)
