"""What callers see of a session. Field names are those of the domain; new ones may be added, none change meaning."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from handoff_sync.core.effects import StoredMessage, Visibility
from handoff_sync.core.files import addressed
from handoff_sync.core.model import (
    AiMode,
    AuthorClass,
    Control,
    DecisionState,
    EndReason,
    HandoffState,
    LinkRole,
    LinkState,
    Phase,
    Session,
    Status,
    TicketStatus,
    Trigger,
)
from handoff_sync.core.policy import Mode, Policy


class DeliveryStatus(StrEnum):
    """`parked`: it waits for a person."""

    PENDING = "pending"
    DONE = "done"
    PARKED = "parked"
    CANCELLED = "cancelled"


class View(BaseModel):
    """Read straight from the domain's values."""

    model_config = ConfigDict(from_attributes=True)


class PersonView(View):
    id: str
    name: str
    avatar: str | None


class CustomerView(View):
    external_id: str | None
    name: str | None
    email: str | None
    email_verified: bool
    phone: str | None
    locale: str | None


class ResponderView(View):
    author_class: AuthorClass
    id: str
    name: str
    avatar: str | None


class HandoffView(View):
    number: int
    trigger: Trigger
    mode: Mode
    state: HandoffState
    scenarios: tuple[str, ...]
    reason: str
    summary: str
    requested_at: datetime
    decided_at: datetime | None
    claimed_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason | None


class ActorView(View):
    id: str
    name: str
    via: str


class DecisionView(View):
    handoff: int
    state: DecisionState
    version: int
    expires_at: datetime | None
    decided_by: ActorView | None
    decided_at: datetime | None


class TicketView(View):
    id: str
    connection: str
    handoff: int
    state: LinkState
    role: LinkRole
    remote_id: str | None
    url: str | None
    status: TicketStatus


class SessionView(View):
    """One support session of a conversation."""

    model_config = ConfigDict(title="Session")

    id: str
    conversation_id: str
    previous_session_id: str | None
    channel: str
    team: str | None
    customer: CustomerView
    status: Status
    control: Control
    phase: Phase
    ai_mode: AiMode
    human_handoff: bool
    control_epoch: int = Field(description="The AI's licence: send it with what was generated under it.")
    version: int
    copilot: bool
    paused_until: datetime | None
    assignee: PersonView | None
    ai_agent_id: str | None
    last_responder: ResponderView | None
    labels: tuple[str, ...]
    summary: str
    counts_as_ai_resolution: bool | None
    agent_running: bool
    channel_running: bool
    return_pending: EndReason | None
    control_at_resolve: Phase | None
    resolved_at: datetime | None
    handoff: HandoffView | None = Field(description="The latest, running or ended.")
    decision: DecisionView | None
    tickets: list[TicketView] = Field(validation_alias="links")
    created_at: datetime


class SessionDetail(SessionView):
    """A session with what can be offered to people who look at it."""

    model_config = ConfigDict(title="SessionDetail", populate_by_name=True)

    pause_presets: tuple[int | None, ...] = Field(
        description="Lengths in minutes to offer beside a pause; null: without an end.", examples=[[15, 60, None]]
    )


class AttachmentView(View):
    name: str
    content_type: str
    size: int
    url: str


class MessageView(View):
    """One line of the transcript. `private`: the customer never saw it."""

    model_config = ConfigDict(title="Message")

    seq: int
    id: str
    author_class: AuthorClass
    author: PersonView | None
    text: str
    at: datetime
    visibility: Visibility
    kind: str
    attachments: list[AttachmentView]


class TimelineView(View):
    """One line of what happened. `rule` is the row of the rule table that decided it."""

    model_config = ConfigDict(title="TimelineEntry")

    id: int
    version: int
    kind: str
    rule: str
    text: str
    at: datetime
    actor_id: str
    actor_name: str
    via: str
    data: dict[str, str]


class PauseLogView(View):
    """One row of `ai_pause_logs`."""

    model_config = ConfigDict(title="PauseLog")

    conversation_id: str
    action: str
    reason: str
    duration_minutes: int | None
    triggered_by: str
    previous_ai_mode: AiMode
    new_ai_mode: AiMode
    via: str
    handoff: int | None
    at: datetime
    version: int


class DeliveryView(View):
    """One piece of work for a ticket, the platform or the mail; without its content."""

    model_config = ConfigDict(title="Delivery")

    id: int
    session_id: str | None
    destination: str
    kind: str
    key: str
    status: DeliveryStatus
    attempts: int
    error: str | None
    result: str | None
    created_at: datetime
    done_at: datetime | None


def session_view(session: Session) -> SessionView:
    return SessionView.model_validate(session)


def session_detail(session: Session, rules: Policy) -> SessionDetail:
    """`rules` is the policy in force for the session."""
    return SessionDetail(**dict(session_view(session)), pause_presets=rules.pause_presets)


def message_view(session: Session, stored: StoredMessage, public_url: str) -> MessageView:
    said = addressed(session, stored.message, public_url)
    return MessageView(
        seq=stored.seq,
        id=said.id,
        author_class=said.author_class,
        author=PersonView.model_validate(said.author) if said.author is not None else None,
        text=said.text,
        at=said.at,
        visibility=stored.visibility,
        kind=stored.kind,
        attachments=[AttachmentView.model_validate(file) for file in said.attachments],
    )
