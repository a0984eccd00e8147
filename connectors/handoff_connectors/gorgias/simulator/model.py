"""The things of a simulated Gorgias account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

NOTE: Final = "internal-note"


@dataclass(slots=True, kw_only=True)
class User:
    """Somebody who works in the helpdesk; role `bot` is a machine."""

    id: int
    firstname: str
    lastname: str
    email: str
    role: str
    created_at: datetime
    active: bool = True

    @property
    def name(self) -> str:
        return f"{self.firstname} {self.lastname}".strip()


@dataclass(slots=True, kw_only=True)
class Team:
    id: int
    name: str
    member_ids: tuple[int, ...]
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Contact:
    """An address of a customer on a channel."""

    id: int
    type: str
    address: str
    preferred: bool
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Customer:
    id: int
    created_at: datetime
    updated_at: datetime
    firstname: str = ""
    lastname: str = ""
    name: str = ""
    email: str | None = None
    external_id: str | None = None
    language: str | None = None
    timezone: str | None = None
    note: str | None = None
    meta: dict[str, Any] | None = None
    channels: list[Contact] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Tag:
    id: int
    name: str
    decoration: dict[str, Any] | None
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Message:
    """A message or a note. `sent_at` None: Gorgias has not sent it, or not yet."""

    id: int
    ticket_id: int
    channel: str
    via: str
    from_agent: bool
    public: bool
    created_at: datetime
    sender_id: int
    receiver_id: int | None = None
    external_id: str | None = None
    message_id: str | None = None
    source: dict[str, Any] = field(default_factory=dict)
    integration_id: int | None = None
    rule_id: int | None = None
    subject: str | None = None
    body_text: str = ""
    body_html: str = ""
    stripped_text: str | None = None
    stripped_html: str | None = None
    stripped_signature: str | None = None
    attachments: list[dict[str, Any]] = field(default_factory=list)
    actions: list[Any] | None = None
    macros: list[dict[str, Any]] | None = None
    headers: dict[str, Any] = field(default_factory=dict)
    meta: dict[str, Any] | None = None
    opened_at: datetime | None = None
    sent_at: datetime | None = None
    failed_at: datetime | None = None
    deleted_at: datetime | None = None
    sending_error: dict[str, Any] | None = None

    @property
    def is_note(self) -> bool:
        return self.channel == NOTE or not self.public


@dataclass(slots=True, kw_only=True)
class Ticket:
    """A ticket. `merged_into`: it lives on in that one. `made_at` is when it really came, `deleted_at` when it went."""

    id: int
    customer_id: int
    channel: str
    via: str
    from_agent: bool
    created_at: datetime
    updated_at: datetime
    made_at: datetime
    change_number: int = 0
    external_id: str | None = None
    status: str = "open"
    priority: str = "normal"
    spam: bool = False
    subject: str | None = None
    language: str | None = None
    meta: dict[str, Any] | None = None
    assignee_user_id: int | None = None
    assignee_team_id: int | None = None
    tags: list[int] = field(default_factory=list)
    custom_fields: dict[int, Any] = field(default_factory=dict)
    is_unread: bool = True
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    trashed_at: datetime | None = None
    snooze_at: datetime | None = None
    last_message_at: datetime | None = None
    last_received_at: datetime | None = None
    split_from: int | None = None
    merged_into: int | None = None
    deleted_at: datetime | None = None
    messages: list[Message] = field(default_factory=list)
    survey_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Event:
    """A line of the account's history."""

    id: int
    type: str
    object_type: str
    object_id: int
    user_id: int | None
    context: str
    created_at: datetime
    data: dict[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class Integration:
    """An HTTP integration. `http` is as it was written, `hmac_secret` apart; `failures`: failed calls in a row."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    http_id: int
    http: dict[str, Any]
    description: str | None = None
    business_hours_id: int | None = None
    deactivated_at: datetime | None = None
    failures: int = 0


@dataclass(slots=True, kw_only=True)
class Survey:
    id: int
    ticket_id: int
    customer_id: int
    created_at: datetime
    score: int | None = None
    body_text: str | None = None
    meta: dict[str, Any] | None = None
    sent_at: datetime | None = None
    scored_at: datetime | None = None
    should_send_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that was done to a ticket. `events` are the types of its lines in the history."""

    ticket: Ticket
    events: tuple[str, ...]
    triggers: frozenset[str]
    user_id: int | None
    context: str
    message: Message | None = None
