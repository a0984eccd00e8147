"""The things of a simulated Zendesk account."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

STAFF_ROLES: Final = frozenset({"agent", "admin"})
API_VIA: Final = {"channel": "api", "source": {"from": {}, "to": {}, "rel": None}}
WEB_VIA: Final = {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}}


@dataclass(slots=True, kw_only=True)
class User:
    """A person. `external_id` is unique regardless of case; `emails[0]` is the primary address."""

    id: int
    name: str
    role: str
    created_at: datetime
    updated_at: datetime
    emails: list[str] = field(default_factory=list)
    external_id: str | None = None
    phone: str | None = None
    alias: str | None = None
    locale: str = "en-US"
    locale_id: int = 1
    verified: bool = False
    suspended: bool = False
    active: bool = True
    organization_id: int | None = None
    default_group_id: int | None = None
    tags: list[str] = field(default_factory=list)
    notes: str = ""
    details: str = ""
    time_zone: str = "UTC"

    @property
    def email(self) -> str | None:
        return self.emails[0] if self.emails else None

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES

    @property
    def shown_name(self) -> str:
        return self.alias or self.name


@dataclass(slots=True, kw_only=True)
class Comment:
    """`type` is Comment; a call that was recorded is a VoiceComment."""

    id: int
    audit_id: int
    author_id: int
    html_body: str
    plain_body: str
    public: bool
    via: dict[str, Any]
    created_at: datetime
    metadata: dict[str, Any]
    attachments: list[dict[str, Any]] = field(default_factory=list)
    type: str = "Comment"


@dataclass(slots=True, kw_only=True)
class Audit:
    """One update of a ticket. `events` are as the API shows them."""

    id: int
    ticket_id: int
    author_id: int
    created_at: datetime
    via: dict[str, Any]
    metadata: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Ticket:
    """A ticket. `changed_at` moves with every change that the export shows, `updated_at` only with ticket events."""

    id: int
    requester_id: int
    submitter_id: int
    created_at: datetime
    updated_at: datetime
    changed_at: datetime
    change_number: int = 0
    subject: str | None = None
    description: str = ""
    status: str = "new"
    custom_status_id: int = 0
    type: str | None = None
    priority: str | None = None
    external_id: str | None = None
    assignee_id: int | None = None
    group_id: int | None = None
    organization_id: int | None = None
    brand_id: int = 0
    ticket_form_id: int | None = None
    problem_id: int | None = None
    due_at: str | None = None
    recipient: str | None = None
    tags: list[str] = field(default_factory=list)
    custom_fields: dict[int, Any] = field(default_factory=dict)
    collaborator_ids: list[int] = field(default_factory=list)
    follower_ids: list[int] = field(default_factory=list)
    email_cc_ids: list[int] = field(default_factory=list)
    followup_ids: list[int] = field(default_factory=list)
    via: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(API_VIA))
    comments_public_by_default: bool = True
    deleted_at: datetime | None = None
    deleted_by: int | None = None
    scrubbed: bool = False
    comments: list[Comment] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)

    @property
    def is_public(self) -> bool:
        return any(comment.public for comment in self.comments)

    @property
    def shown_status(self) -> str:
        return "deleted" if self.deleted_at else self.status


TRACKED: Final = (
    "subject", "status", "custom_status_id", "type", "priority", "external_id", "assignee_id", "group_id",
    "organization_id", "requester_id", "submitter_id", "problem_id", "due_at", "ticket_form_id", "brand_id",
    "tags", "custom_fields", "follower_ids", "email_cc_ids",
)  # fmt: skip
"""The fields whose changes become audit events and webhooks."""


def tracked(ticket: Ticket) -> dict[str, Any]:
    """A copy of the tracked fields, to compare with later."""
    return {name: copy.copy(getattr(ticket, name)) for name in TRACKED}


@dataclass(slots=True, kw_only=True)
class Group:
    id: int
    name: str
    created_at: datetime
    default: bool = False
    deleted: bool = False


@dataclass(slots=True, kw_only=True)
class CustomStatus:
    id: int
    category: str
    label: str
    created_at: datetime
    end_user_label: str = ""
    default: bool = True
    active: bool = True


@dataclass(slots=True, kw_only=True)
class Trigger:
    id: int
    title: str
    conditions: dict[str, list[dict[str, Any]]]
    actions: list[dict[str, Any]]
    created_at: datetime
    updated_at: datetime
    active: bool = True
    position: int = 0
    description: str | None = None
    category_id: str = "1"
    stock: bool = False


@dataclass(slots=True, kw_only=True)
class Invocation:
    """One webhook event as the history shows it."""

    id: str
    status: str = "accepted"
    status_code: int | None = None
    completed_at: datetime | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Webhook:
    id: str
    name: str
    endpoint: str
    created_at: datetime
    created_by: int
    secret: str
    http_method: str = "POST"
    request_format: str = "json"
    status: str = "active"
    description: str | None = None
    subscriptions: list[str] = field(default_factory=list)
    authentication: dict[str, Any] | None = None
    custom_headers: dict[str, str] | None = None
    updated_at: datetime | None = None
    updated_by: int | None = None
    invocations: dict[str, Invocation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketChange:
    """What one update did to a ticket, for triggers and webhooks.

    `kind`: "created", "updated", "deleted", "restored", "spam", "purged" or "merged".
    """

    kind: str
    ticket: Ticket
    actor: User
    audit: Audit
    before: dict[str, Any]
    after: dict[str, Any]
    comment: Comment | None = None
    merged_into: int | None = None

    def changed(self, name: str) -> bool:
        return bool(self.before.get(name) != self.after.get(name))
