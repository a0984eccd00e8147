"""The contract between the service and one helpdesk. Adding a helpdesk is writing one class of this shape.

Every method may be called from several threads and blocks at most `CALL_DEADLINE_S`. It never sleeps: a limit raises
`RateLimited` at once. It never retries a write by itself. What it raises is from `handoff_sync.errors` only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from handoff_sync.contract.features import Feature
from handoff_sync.contract.files import LocalFile
from handoff_sync.core.model import Attachment, Customer, Message, TicketStatus

CALL_DEADLINE_S = 20.0
CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """The customer at the helpdesk. `external_id` is ours to choose and stable for one customer of a workspace."""

    external_id: str
    customer: Customer

    @property
    def display_name(self) -> str:
        return self.customer.name or self.customer.email or "Unknown customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDraft:
    """A ticket to be opened. `html` is escaped already and at most `capabilities.max_comment_bytes` long.

    `external_id` is unique per ticket link and is also the idempotency key. `follow_up_of` is the remote id of a
    closed ticket. `public` false keeps the first comment from being mailed to the requester.

    `said` is what customer and chat said so far, oldest first, as plain text that may leave; for helpdesks that show
    each message by itself. It stands in `html` as well, and may be empty.
    """

    external_id: str
    subject: str
    requester: Requester
    html: str
    public: bool = False
    tags: tuple[str, ...] = ()
    priority: str | None = None
    group: str | None = None
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    follow_up_of: str | None = None
    said: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentDraft:
    """A comment (public) or note to be appended. `marker` is found again in the helpdesk by `find_appended`.

    `author` set: the customer says it, which at most helpdesks reopens a solved ticket; None: we do. Only a connector
    that takes files (`contract.files`) gets any.
    """

    marker: str
    html: str
    public: bool
    author: Requester | None = None
    files: tuple[LocalFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRef:
    """A ticket at the helpdesk. `url` is for people."""

    id: str
    url: str | None = None
    comment_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentRef:
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpdeskAgent:
    id: str
    name: str
    email: str | None = None
    avatar: str | None = None


class CommentAuthor(StrEnum):
    """Who wrote a comment. UNKNOWN fails closed: it is stored for nobody and relayed to nobody."""

    AGENT = "agent"
    CUSTOMER = "customer"
    OURS = "ours"
    AUTOMATION = "automation"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketComment:
    """A comment as read. `public` is true only when the helpdesk said literally so."""

    id: str
    author: CommentAuthor
    agent: HelpdeskAgent | None
    text: str
    public: bool
    at: datetime
    marker: str | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketSnapshot:
    """A ticket as it is now, with the comments that are newer than the cursor given to `read`, oldest first.

    `changed_by` is the agent who made the newest change that a person made, else None: a status that an automation
    or we ourselves set has no agent. `cursor` is opaque and given back at the next read.
    """

    id: str
    status: TicketStatus
    raw_status: str
    updated_at: datetime
    cursor: str
    assignee: HelpdeskAgent | None = None
    tags: tuple[str, ...] = ()
    comments: tuple[TicketComment, ...] = ()
    changed_by: HelpdeskAgent | None = None
    merged_into: str | None = None
    deleted: bool = False
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedTickets:
    """Ids that may have changed since the cursor. `more`: ask again at once with the new cursor."""

    ids: tuple[str, ...]
    cursor: str
    more: bool


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A webhook as it came: the raw bytes are what was signed. Header names are lower case."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookHint:
    """What a verified webhook told us: look at these tickets. `delivery_id` is signed content and names the delivery.

    `ignored` says why there is nothing to look at (a topic that does not concern us, a test).
    """

    delivery_id: str
    tickets: tuple[str, ...] = ()
    topic: str = ""
    ignored: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a connection check. `todo` says what a person must do; empty when `ok`."""

    name: str
    ok: bool
    detail: str
    todo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledWebhook:
    """`changes` are settings of the connection to store (for example the signing secret)."""

    id: str
    changes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most `limit` calls of this `name` per `window_s` seconds and connection; "*" counts every call."""

    name: str
    limit: int
    window_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a helpdesk can do. `cannot` says why not, for people; what it does not name must work."""

    max_comment_bytes: int
    ticket_updates: Budget | None
    """The limit of writes to one ticket, if there is one."""
    settle_s: float
    """After an uncertain create: wait this long before a look-up by external id can be believed."""
    idempotency_s: float | None
    """How long the helpdesk remembers an idempotency key; None where it knows none."""
    cannot: Mapping[Feature, str] = field(default_factory=dict)

    def can(self, feature: Feature) -> bool:
        return feature not in self.cannot


class Journal(Protocol):
    """What one operation remembers across attempts and crashes. `put` is durable when it returns."""

    def get(self, name: str) -> str | None: ...

    def put(self, name: str, value: str) -> None: ...


class Credentials(Protocol):
    """The stored secrets of one connection. Only one caller at a time refreshes, across all processes."""

    def current(self) -> Mapping[str, str]: ...

    def refresh(self, renew: Callable[[Mapping[str, str]], Mapping[str, str]], stale: str) -> Mapping[str, str]:
        """Runs `renew` unless another process has already replaced the access token `stale`; stores what it returns."""
        ...


class Limiter(Protocol):
    """The shared rate budget of a connection."""

    def spend(self, name: str) -> None:
        """Counts one call against "*" and against `name`; RateLimited (with the wait) when a budget is used up."""
        ...


class Connector(Protocol):
    """One connection to a helpdesk. Made by `Connector(settings, credentials, limiter)`."""

    kind: ClassVar[str]
    title: ClassVar[str]
    settings_model: ClassVar[type[BaseModel]]
    capabilities: ClassVar[Capabilities]
    budgets: ClassVar[tuple[Budget, ...]]

    def open(self, draft: TicketDraft, journal: Journal) -> TicketRef:
        """Opens the ticket once, however often it is called with the same external id and journal.

        What it is about to send stands in the journal before it is sent: a journal without an entry means that nothing
        can have reached the helpdesk.

        An uncertain end raises OutcomeUnknown; the caller then waits `settle_s`, asks `find`, and calls again.
        """
        ...

    def find(self, external_id: str) -> TicketRef | None:
        """The ticket with our external id (the lowest id if there are several), or None if the helpdesk shows none."""
        ...

    def append(self, ticket: str, comment: CommentDraft, journal: Journal) -> CommentRef:
        """Adds a comment. Raises TicketClosed, TicketGone, TicketFull where nothing can be added."""
        ...

    def find_appended(self, ticket: str, marker: str) -> CommentRef | None:
        """The comment that an earlier `append` with this marker made, if it did."""
        ...

    def set_status(self, ticket: str, status: TicketStatus, marker: str) -> None: ...

    def set_assignee(self, ticket: str, agent_id: str | None, marker: str) -> None: ...

    def set_tags(self, ticket: str, add: tuple[str, ...], remove: tuple[str, ...], marker: str) -> None: ...

    def read(self, ticket: str, cursor: str | None) -> TicketSnapshot:
        """The ticket now. A deleted one is a snapshot with `deleted`, not an error. None reads from the start."""
        ...

    def changed(self, cursor: str | None, now: datetime) -> ChangedTickets:
        """Tickets changed since the cursor, from any source; None starts a little before `now`."""
        ...

    def verify_webhook(self, request: WebhookRequest) -> WebhookHint:
        """Raises WebhookRefused when it is not authentic, UnrecognisedPayload when it cannot be read."""
        ...

    def check(self) -> tuple[Finding, ...]:
        """Tries credentials, scopes and webhook without changing anything."""
        ...

    def install_webhook(self, url: str) -> InstalledWebhook:
        """Makes, or finds and corrects, the one webhook that tells us of changes."""
        ...

    def close(self) -> None: ...


ConnectorFactory = Callable[[Any, Credentials, Limiter], Connector]
