"""What each mail is about. A letter's fields are exactly the variables of its templates (templates/email/README.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from handoff_sync.core.effects import StoredMessage, Visibility
from handoff_sync.core.redaction import redact
from handoff_sync.core.transcript import author_of, clock

EXCERPT_MESSAGES: Final = 10
EXCERPT_CHARS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message of an excerpt."""

    author: str
    at: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLine:
    """A ticket as a link: the connection's title, and its address once it is known."""

    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What every mail about a session shows. An unknown customer has an empty name; `session_url` is the button,
    which is left out when it is empty."""

    session_url: str = ""
    customer_name: str = ""
    why: str = ""
    scenarios: tuple[str, ...] = ()
    reason: str = ""
    summary: str = ""
    excerpt: tuple[Line, ...] = ()
    tickets: tuple[TicketLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    template: ClassVar[str] = "handover"
    conversation: Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionNeeded:
    """`expires_at` is written out for people; empty when the question stays open."""

    template: ClassVar[str] = "decision_needed"
    conversation: Conversation
    expires_at: str = ""


class DecidedAs(StrEnum):
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """To the recipients who did not decide themselves."""

    template: ClassVar[str] = "decided"
    conversation: Conversation
    outcome: DecidedAs
    decided_by: str = ""
    decided_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    template: ClassVar[str] = "reminder"
    conversation: Conversation
    waiting_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFailed:
    """The transcript goes along as an attachment; `reason` is what the helpdesk or the network said."""

    template: ClassVar[str] = "ticket_failed"
    conversation: Conversation
    helpdesk: str
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


Letter = Handover | DecisionNeeded | Decided | Reminder | TicketFailed | Alert | AdminJoined


def excerpt(messages: Sequence[StoredMessage], customer: str | None = None) -> tuple[Line, ...]:
    """The last messages that the customer saw or wrote, redacted, each shortened."""
    seen = [item for item in messages if item.visibility is Visibility.PUBLIC and item.kind == "message"]
    return tuple(
        Line(author=author_of(item, customer), at=clock(item.message.at), text=_short(redact(item.message.text)))
        for item in seen[-EXCERPT_MESSAGES:]
    )


def _short(text: str) -> str:
    return text if len(text) <= EXCERPT_CHARS else text[: EXCERPT_CHARS - 1].rstrip() + "…"
