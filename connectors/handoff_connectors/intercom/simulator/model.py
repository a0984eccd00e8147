"""The things of a simulated Intercom workspace. Times are whole Unix seconds, as Intercom shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

STATES: Final = ("open", "closed", "snoozed")
PRIORITIES: Final = ("none", "low", "medium", "high", "urgent")


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote something. `type`: admin, bot, user or lead."""

    type: str
    id: str
    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and whether through the API."""

    author: Author
    via_api: bool = False


@dataclass(slots=True, kw_only=True)
class Contact:
    """A person outside. `usable_at`: from when on a conversation can be started for them, in Unix seconds."""

    id: str
    role: str
    created_at: int
    updated_at: int
    usable_at: float = 0.0
    changed_at: float = 0.0
    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    avatar: str | None = None
    owner_id: str | None = None
    signed_up_at: int | None = None
    last_seen_at: int | None = None
    last_replied_at: int | None = None
    unsubscribed_from_emails: bool = False
    custom_attributes: dict[str, Any] = field(default_factory=dict)
    archived: bool = False
    blocked: bool = False
    deleted: bool = False
    merged_into: str | None = None

    @property
    def active(self) -> bool:
        return not (self.archived or self.deleted or self.merged_into)

    @property
    def author(self) -> Author:
        return Author(self.role, self.id, self.name, self.email)


@dataclass(slots=True, kw_only=True)
class Admin:
    """A teammate."""

    id: str
    name: str
    email: str
    team_ids: list[int] = field(default_factory=list)
    away: bool = False

    @property
    def author(self) -> Author:
        return Author("admin", self.id, self.name, self.email)


@dataclass(slots=True, kw_only=True)
class Team:
    id: str
    name: str
    admin_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tag:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Applied:
    """A tag on a conversation."""

    tag: Tag
    at: int
    by: Author


@dataclass(slots=True, kw_only=True)
class Attribute:
    """A custom attribute of conversations, or of contacts or companies (`model`)."""

    id: int
    name: str
    model: str
    data_type: str
    created_at: int
    description: str = ""
    archived: bool = False
    admin_id: str = ""


@dataclass(slots=True, kw_only=True)
class Part:
    """One entry of a conversation. `body` is HTML. `notified`: the customer was told of it. `by_ai`: an AI wrote it."""

    id: str
    part_type: str
    author: Author
    created_at: int
    updated_at: int
    state: str
    body: str | None = None
    assigned_to: tuple[str, str] | None = None
    attachments: list[dict[str, Any]] = field(default_factory=list)
    redacted: bool = False
    event_details: dict[str, Any] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    app_package_code: str | None = None
    notified: bool = False
    by_ai: bool = False
    ticket_state: str | None = None
    previous_ticket_state: str | None = None

    @property
    def shown_to_customer(self) -> bool:
        return self.part_type in ("comment", "open", "close", "quick_reply") and (
            self.body is not None or self.part_type == "quick_reply"
        )


@dataclass(slots=True, kw_only=True)
class Source:
    """The message that began a conversation; it is never among the parts."""

    id: str
    body: str
    author: Author
    text: str = ""
    attachments: list[dict[str, Any]] = field(default_factory=list)
    redacted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketState:
    """`category`: submitted, in_progress, waiting_on_customer or resolved; the label is the workspace's own."""

    id: str
    category: str
    label: str
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketType:
    """`category`: Customer, Back-office or Tracker. Conversations become tickets of the first alone."""

    id: str
    name: str
    category: str
    state_ids: tuple[str, ...]
    created_at: int
    archived: bool = False


@dataclass(slots=True, kw_only=True)
class Ticket:
    """What a conversation has beyond itself once it was made a ticket. `number` is what people see."""

    id: str
    number: str
    type: TicketType
    state: TicketState
    previous: TicketState | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Conversation:
    """`admin_assignee_id` and `team_assignee_id`: None was never assigned, 0 was taken off. `changed_at` in Unix
    seconds with fractions; `indexed`: what search knew since when, oldest first.
    """

    id: str
    source: Source
    contact_ids: list[str]
    created_at: int
    updated_at: int
    changed_at: float = 0.0
    change_number: int = 0
    state: str = "open"
    read: bool = False
    snoozed_until: int | None = None
    waiting_since: int | None = None
    first_contact_reply_at: int | None = None
    last_contact_reply_at: int | None = None
    last_admin_reply_at: int | None = None
    last_close_at: int | None = None
    last_closed_by_id: str | None = None
    count_reopens: int = 0
    count_assignments: int = 0
    priority: str = "none"
    title: str | None = None
    admin_assignee_id: int | None = None
    team_assignee_id: int | None = None
    teammate_ids: list[str] = field(default_factory=list)
    custom_attributes: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, Applied] = field(default_factory=dict)
    linked: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    merged_into: str | None = None
    deleted_at: int | None = None
    metrics_retained: bool = True
    ticket: Ticket | None = None
    indexed: list[tuple[float, dict[str, Any]]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Subscription:
    """The app's one webhook. `status`: live, disabled (answered 410) or suspended (failed for a week)."""

    url: str
    topics: frozenset[str]
    status: str = "live"
    failures: int = 0
    failing_since: float | None = None
    paused_until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something that a webhook tells of. `item` stands instead of a conversation where there is none."""

    topic: str
    conversation: Conversation | None = None
    parts: tuple[Part, ...] = ()
    item: dict[str, Any] | None = None
