"""What each mail is about. A letter's fields are exactly the variables of its templates (templates/email/README.md).

Texts are plain and untrusted, times are written out for people, an empty text leaves its line out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final, Literal

from handoff_sync.core.effects import StoredMessage, Visibility
from handoff_sync.core.markup import one_line
from handoff_sync.core.model import AuthorClass, Trigger
from handoff_sync.core.policy import MailKind, OnDecisionExpiry
from handoff_sync.core.redaction import redact
from handoff_sync.core.transcript import author_of, clock

EXCERPT_MESSAGES: Final = 10
EXCERPT_CHARS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message of an excerpt. Where `named` is false, `author` only stands in for a name that nobody knows, and the
    templates use the word of their language for the `role`."""

    author: str
    at: str
    text: str
    role: AuthorClass | None = None
    named: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLine:
    """A ticket as a link: the connection's title, and its address once it is known."""

    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What every mail about a session shows.

    Attributes:
        session_url: The button: the live chat, else the ticket; empty: no button. `chat_url` is the live chat alone,
            shown as a link wherever it is not the button already.
        customer_address: Only where the platform vouches for it.
        trigger: Why a person is needed, in the words of the reader's language; `why` is used where it is None.
        waiting_since: When the customer was handed over or the question was asked.
    """

    session_url: str = ""
    chat_url: str = ""
    customer_name: str = ""
    customer_address: str = ""
    channel: str = ""
    trigger: Trigger | None = None
    why: str = ""
    scenarios: tuple[str, ...] = ()
    reason: str = ""
    summary: str = ""
    waiting_since: str = ""
    excerpt: tuple[Line, ...] = ()
    tickets: tuple[TicketLine, ...] = ()
    workspace_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    template: ClassVar[str] = "handover"
    conversation: Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionNeeded:
    """`decision_url` is this recipient's own link; `code` only in strict mode. An empty `expires_at` leaves the
    question open; `on_expiry` is what comes then. `again`: it was asked before and is still open, or open again."""

    template: ClassVar[str] = "decision_needed"
    conversation: Conversation
    decision_url: str = ""
    code: str = field(default="", repr=False)
    expires_at: str = ""
    on_expiry: OnDecisionExpiry | None = None
    again: bool = False


class DecidedAs(StrEnum):
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """To the recipients who did not decide themselves. `decided_via` is the actor's `via`; `decision_url` is the
    recipient's link where the question is open again."""

    template: ClassVar[str] = "decided"
    conversation: Conversation
    outcome: DecidedAs
    decided_by: str = ""
    decided_at: str = ""
    decided_via: str = ""
    decision_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    template: ClassVar[str] = "reminder"
    conversation: Conversation
    waiting_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFailed:
    """The transcript goes along as an attachment; `reason` is what the helpdesk or the network said. `helpdesk` is
    the connection's title; empty: "the helpdesk" in the reader's language."""

    template: ClassVar[str] = "ticket_failed"
    conversation: Conversation
    helpdesk: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """For operators; holds no customer words."""

    template: ClassVar[str] = "alert"
    title: str
    detail: str = ""
    todo: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminJoined:
    """To the customer. `human_name` is empty where the workspace does not disclose it."""

    template: ClassVar[str] = "admin_joined"
    customer_name: str = ""
    human_name: str = ""
    workspace_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestItem:
    """One mail that was not sent by itself, as a line.

    Attributes:
        kind: What the mail would have been, or `alert`. The lines are grouped by it.
        title: Stands where the customer's name would, for what is not about a customer: a connection, an alert.
        scenarios: Shown as the reason; without them the trigger, and without that `why`.
        outcome, by: Of a decision.
        code: What the decision page asks for in strict mode.
        url: The decision link, else the live chat, else the ticket.
    """

    kind: MailKind | Literal["alert"]
    customer_name: str = ""
    title: str = ""
    trigger: Trigger | None = None
    why: str = ""
    scenarios: tuple[str, ...] = ()
    outcome: DecidedAs | None = None
    by: str = ""
    code: str = field(default="", repr=False)
    waiting_since: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Many mails to one person in one: `digests` in emails/digest.py makes them. `total` counts the items of all
    `parts`."""

    template: ClassVar[str] = "digest"
    items: tuple[DigestItem, ...]
    total: int
    part: int = 1
    parts: int = 1
    workspace_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionDown:
    """To admins: a helpdesk takes no tickets.

    Attributes:
        connection: Its title. `helpdesk` is its kind by name, such as Zendesk.
        said: What the helpdesk or the network said.
        waiting: How many tickets and comments wait.
        stopped: Somebody has to act, for example because the login is refused; else we go on trying by ourselves.
        todo: The remedy, where the error names one.
        url: Where the connection is looked after; empty: no button.
    """

    template: ClassVar[str] = "connection_down"
    connection: str
    helpdesk: str = ""
    since: str = ""
    said: str = ""
    waiting: int = 0
    stopped: bool = False
    todo: str = ""
    url: str = ""
    workspace_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """Shows that mails arrive. `server` is the mail server's host name."""

    __test__: ClassVar[bool] = False  # pytest takes every class of this name for its own
    template: ClassVar[str] = "test"
    sent_at: str = ""
    server: str = ""
    workspace_name: str = ""


Letter = (
    Handover | DecisionNeeded | Decided | Reminder | TicketFailed | Alert | AdminJoined | Digest | ConnectionDown | Test
)


def excerpt(messages: Sequence[StoredMessage], customer: str | None = None) -> tuple[Line, ...]:
    """The last messages that the customer saw or wrote, redacted, each shortened."""
    seen = [item for item in messages if item.visibility is Visibility.PUBLIC and item.kind == "message"]
    return tuple(_line(item, customer) for item in seen[-EXCERPT_MESSAGES:])


def _line(item: StoredMessage, customer: str | None) -> Line:
    message = item.message
    known = message.author.name if message.author else ""
    if message.author_class is AuthorClass.CUSTOMER:
        known = known or customer or ""
    elif message.author_class is not AuthorClass.HUMAN:
        known = ""  # the AI and automations are called what they are
    return Line(
        author=author_of(item, customer),
        at=clock(message.at),
        text=_short(redact(message.text)),
        role=message.author_class,
        named=bool(one_line(known)),
    )


def _short(text: str) -> str:
    return text if len(text) <= EXCERPT_CHARS else text[: EXCERPT_CHARS - 1].rstrip() + "…"
