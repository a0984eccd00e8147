"""Policy: the settings of domain.md section 7, their scope chain and the presets that a workspace starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """Who decides about a handoff: nobody needs to (automatic), an admin (semi), or only people start one."""

    AUTOMATIC = "automatic"
    SEMI_AUTOMATIC = "semi_automatic"
    MANUAL_ONLY = "manual_only"


class Outcome(StrEnum):
    """What a solved or closed ticket means for the session."""

    RETURN_TO_AI = "return_to_ai"
    RESOLVE = "resolve"
    KEEP = "keep"


class OnDecisionExpiry(StrEnum):
    KEEP_AI = "keep_ai"
    HAND_OVER = "hand_over"


class OnClaimTimeout(StrEnum):
    KEEP = "keep"
    RETURN_TO_AI = "return_to_ai"
    RESOLVE = "resolve"


class AfterResolve(StrEnum):
    REOPEN = "reopen"
    NEW_SESSION = "new_session"


class CloseRule(StrEnum):
    """Which of several tickets must be solved before the session follows."""

    PRIMARY = "primary"
    ANY = "any"
    ALL = "all"


class OnResolveTicket(StrEnum):
    SOLVED = "solved"
    LEAVE = "leave"


class LateReply(StrEnum):
    DELIVER = "deliver"
    DELIVER_AND_RETAKE = "deliver_and_retake"
    REFUSE_WITH_NOTE = "refuse_with_note"


class TicketOnPause(StrEnum):
    NEVER = "never"
    INDEFINITE_ONLY = "indefinite_only"
    ALWAYS = "always"


class BlockedText(StrEnum):
    DISCARD = "discard"
    KEEP_HASH = "keep_hash"
    KEEP_TEXT = "keep_text"


class MailKind(StrEnum):
    HANDOVER = "handover"
    DECISION_NEEDED = "decision_needed"
    DECIDED = "decided"
    REMINDER = "reminder"
    TICKET_FAILED = "ticket_failed"
    CONNECTION_DOWN = "connection_down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """When the AI should escalate; unset fields follow the policy around it."""

    title: str
    instruction: str = ""
    mode: Mode | None = None
    team: str | None = None
    priority: str | None = None
    tags: tuple[str, ...] = ()
    enabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRule:
    """How tickets are opened at one connection. The first rule's ticket is the primary one.

    `connection` is the connection's id; `subject` may use {name}.
    """

    connection: str
    group: str | None = None
    tags: tuple[str, ...] = ()
    priority: str | None = None
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    subject: str = "Customer needs your help: {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who is mailed about what; no `kinds` means all, no `team` means every team."""

    email: str
    name: str = ""
    language: str = "en"
    team: str | None = None
    kinds: tuple[MailKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerNotice:
    """Texts by language that the customer is sent at a turn; an empty mapping says nothing."""

    on_handover: Mapping[str, str] = field(default_factory=dict)
    on_join: Mapping[str, str] = field(default_factory=dict)
    on_return: Mapping[str, str] = field(default_factory=dict)
    on_resolve: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Every setting, with its default. Resolved once when a handoff starts and stored with it."""

    handover_mode: Mode = Mode.SEMI_AUTOMATIC
    scenarios: tuple[Scenario, ...] = ()
    handover_enabled: bool = True
    upgrade_url: str | None = None
    default_pause_minutes: int | None = None
    pause_presets: tuple[int | None, ...] = (15, 30, 60, 120, None)
    live_handback: bool = True
    decision_timeout_minutes: int = 30
    on_decision_expiry: OnDecisionExpiry = OnDecisionExpiry.KEEP_AI
    decision_code: bool = False
    """Strict mode: whoever decides by link also types a code printed in the mail."""
    decline_mute_minutes: int = 60
    claim_reminder_minutes: int | None = 5
    claim_timeout_minutes: int | None = None
    on_claim_timeout: OnClaimTimeout = OnClaimTimeout.KEEP
    resolve_requires_assignee: bool = False
    after_resolve: AfterResolve = AfterResolve.REOPEN
    reopen_window_hours: int = 72
    on_ticket_solved: Outcome = Outcome.RESOLVE
    on_ticket_closed: Outcome = Outcome.RESOLVE
    solved_grace_seconds: int = 60
    retake_window_hours: int = 72
    multi_ticket_close_rule: CloseRule = CloseRule.PRIMARY
    session_resolve_sets_ticket: OnResolveTicket = OnResolveTicket.SOLVED
    late_reply: LateReply = LateReply.DELIVER
    ticket_on_pause: TicketOnPause = TicketOnPause.INDEFINITE_ONLY
    connections: tuple[ConnectionRule, ...] = ()
    redact: bool = True
    recipients: tuple[Recipient, ...] = ()
    customer_notice: CustomerNotice = field(default_factory=CustomerNotice)
    customer_can_end: bool = True
    disclose_human: bool = True
    customer_email_on_join: bool = True
    blocked_text: BlockedText = BlockedText.KEEP_HASH
    chat_url: str | None = None
    """Where people of the team see the live talk: an address with {conversation_id} or {session_id} in it."""
    timezone: str = "UTC"
    """IANA name; used in the resolve marker."""
