"""The things of the domain. Frozen values; only `decide` makes new ones out of old ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from handoff_sync.core.policy import Mode, Policy


class Phase(StrEnum):
    """Where a session is; status, control and `ai_mode` follow from it."""

    AI = "ai"
    AI_DECIDING = "ai_deciding"
    WAITING = "waiting"
    HUMAN = "human"
    STOPPED = "stopped"
    RESOLVED = "resolved"
    ARCHIVED = "archived"


class Status(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"
    ARCHIVED = "archived"


class Control(StrEnum):
    AI = "ai"
    HUMAN = "human"
    NONE = "none"


class AiMode(StrEnum):
    AUTO = "auto"
    AUTO_PENDING = "auto_pending"
    PAUSED = "paused"
    COPILOT = "copilot"
    STOPPED = "stopped"
    OFF = "off"


class Trigger(StrEnum):
    MANUAL = "manual"
    SCENARIO = "scenario"
    CUSTOMER_REQUEST = "customer_request"
    FLOW = "flow"
    AI_ERROR = "ai_error"
    PAUSE = "pause"
    HUMAN_REPLY = "human_reply"
    TICKET = "ticket"
    REOPEN = "reopen"
    AI_DOWN = "ai_down"
    API = "api"


class AuthorClass(StrEnum):
    CUSTOMER = "customer"
    AI = "ai"
    HUMAN = "human"
    AUTOMATION = "automation"


class HandoffState(StrEnum):
    DECIDING = "deciding"
    OPEN = "open"
    CLAIMED = "claimed"
    ENDED = "ended"


class EndReason(StrEnum):
    FORCE_RESUME = "force_resume"
    TIMER_EXPIRED = "timer_expired"
    TICKET_SOLVED = "ticket_solved"
    TICKET_CLOSED = "ticket_closed"
    RESOLVED = "resolved"
    ARCHIVED = "archived"
    RESET = "reset"
    STOPPED = "stopped"
    DECLINED = "declined"
    DECISION_EXPIRED = "decision_expired"
    CLAIM_TIMEOUT = "claim_timeout"
    CUSTOMER_ENDED = "customer_ended"
    SUPERSEDED = "superseded"
    ERROR = "error"


class DecisionState(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    UNDONE = "undone"  # only in what people are told: in the session a pending decision has taken its place


class LinkState(StrEnum):
    """INTENT until delivery has made the ticket; CLOSED, MERGED, DELETED, DETACHED and FAILED take no more writes."""

    INTENT = "intent"
    LINKED = "linked"
    SOLVED = "solved"
    CLOSED = "closed"
    FAILED = "failed"
    MERGED = "merged"
    DELETED = "deleted"
    DETACHED = "detached"


LIVE_LINKS = frozenset({LinkState.INTENT, LinkState.LINKED, LinkState.SOLVED})


class TicketStatus(StrEnum):
    """The normal status of a ticket, the same words for every helpdesk."""

    OPEN = "open"
    WAITING_CUSTOMER = "waiting_customer"
    ON_HOLD = "on_hold"
    SOLVED = "solved"
    CLOSED = "closed"


class LinkRole(StrEnum):
    PRIMARY = "primary"
    SECONDARY = "secondary"


class TimerKind(StrEnum):
    PAUSE = "pause"
    DECISION = "decision"
    DECISION_REMINDER = "decision_reminder"
    CLAIM_REMINDER = "claim_reminder"
    CLAIM_TIMEOUT = "claim_timeout"
    SOLVED_GRACE = "solved_grace"


class ActorKind(StrEnum):
    MEMBER = "member"  # a person of the workspace
    AGENT = "agent"  # a person working in the helpdesk
    CUSTOMER = "customer"
    AI = "ai"
    PLATFORM = "platform"  # the chat product itself, by API
    SYSTEM = "system"  # a timer or a rule of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did something. `via` is the way it came: api, console, mail, ticket, timer, rule, cli; `email` a member's."""

    kind: ActorKind
    id: str
    name: str = ""
    email: str = ""
    via: str = "api"

    @property
    def is_person(self) -> bool:
        """Whether a member or an agent stands behind it (persons may override health checks, rule T47)."""
        return self.kind in (ActorKind.MEMBER, ActorKind.AGENT)


SYSTEM = Actor(kind=ActorKind.SYSTEM, id="system", name="handoff-sync", via="rule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """The customer as the platform knows them; every field may be missing.

    `email_verified` is true only when the platform vouches for the address; an address claimed in chat is not.
    """

    external_id: str | None = None
    name: str | None = None
    email: str | None = None
    email_verified: bool = False
    phone: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A human who can hold a session: a member, or an agent of a helpdesk (`id` then `<connection>:<agent id>`)."""

    id: str
    name: str = ""
    avatar: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder:
    """Who answered the customer last."""

    author_class: AuthorClass
    id: str
    name: str = ""
    avatar: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message; `url` is never fetched without the outbound guard."""

    name: str
    content_type: str
    size: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One utterance. `id` is unique in its session: the platform's, or `<link>:<comment>` from a ticket."""

    id: str
    author_class: AuthorClass
    text: str
    at: datetime
    author: Person | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """One numbered episode of human control, or of asking for it."""

    number: int
    trigger: Trigger
    mode: Mode
    state: HandoffState
    requested_at: datetime
    policy: Policy
    scenarios: tuple[str, ...] = ()
    reason: str = ""
    summary: str = ""
    ever_open: bool = False
    """Whether it ever left `deciding` for `open`: then the session is no AI resolution any more."""
    decided_at: datetime | None = None
    claimed_at: datetime | None = None
    relied_at: datetime | None = None
    """When people in charge were last relied on: one spoke to the customer, or another asked for it (T68)."""
    ended_at: datetime | None = None
    end_reason: EndReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The question of semi-automatic mode: should a human take over? `version` is the session's when asked."""

    handoff: int
    state: DecisionState
    version: int
    expires_at: datetime | None = None
    decided_by: Actor | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLink:
    """Binds a session to one ticket. `key` is our external id at the helpdesk and the idempotency key."""

    id: str
    connection: str
    handoff: int
    key: str
    state: LinkState
    role: LinkRole
    remote_id: str | None = None
    url: str | None = None
    status: TicketStatus = TicketStatus.OPEN
    serves: int = 0
    """The latest handoff that uses the ticket; its events reach no newer one (I13)."""
    through_seq: int = 0
    """The newest message that the ticket has or will have once its lane is empty."""

    @property
    def is_live(self) -> bool:
        """Whether the ticket can still be written to."""
        return self.state in LIVE_LINKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Fires once at `fires_at` unless the session's epoch has moved past `epoch`."""

    kind: TimerKind
    fires_at: datetime
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """A scenario that may not ask again before `until`, because someone declined it."""

    scenario: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One support session of a conversation. The aggregate: everything that `decide` needs to know."""

    id: str
    workspace: str
    conversation_id: str
    created_at: datetime
    channel: str = "web"
    customer: Customer = field(default_factory=Customer)
    team: str | None = None
    phase: Phase = Phase.AI
    copilot: bool = False
    control_epoch: int = 0
    version: int = 0
    """Counts applied events; 0 means that nothing is stored yet."""
    message_count: int = 0
    """Messages and private notes so far; the next one gets this + 1 as `seq`."""
    file_count: int = 0
    """Messages with files so far; a new ticket gets their newest files."""
    assignee: Person | None = None
    ai_agent_id: str | None = None
    paused_until: datetime | None = None
    control_at_resolve: Phase | None = None
    assignee_at_resolve: Person | None = None
    resolved_at: datetime | None = None
    last_responder: Responder | None = None
    previous_session_id: str | None = None
    next_session_id: str | None = None
    """The session that the conversation went on in; this one is never opened again."""
    labels: tuple[str, ...] = ()
    summary: str = ""
    counts_as_ai_resolution: bool | None = None
    """None until it is resolved or a handoff opened."""
    agent_running: bool = True
    channel_running: bool = True
    return_pending: EndReason | None = None
    """Why a return to the AI was due while agent or channel was not running (rule T47)."""
    solved_by: Actor | None = None
    """Who solved the ticket, while the solved grace runs."""
    handoffs: tuple[Handoff, ...] = ()
    decision: Decision | None = None
    links: tuple[TicketLink, ...] = ()
    timers: tuple[Timer, ...] = ()
    mutes: tuple[Mute, ...] = ()
    notices: tuple[str, ...] = ()
    """`<handoff>:<kind>` of customer notices already sent."""
    overrides: Mapping[str, object] = field(default_factory=dict)
    """Policy settings changed for this session alone; the innermost scope."""

    @property
    def status(self) -> Status:
        match self.phase:
            case Phase.RESOLVED:
                return Status.RESOLVED
            case Phase.ARCHIVED:
                return Status.ARCHIVED
            case _:
                return Status.OPEN

    @property
    def control(self) -> Control:
        match self.phase:
            case Phase.AI | Phase.AI_DECIDING:
                return Control.AI
            case Phase.RESOLVED | Phase.ARCHIVED:
                return Control.NONE
            case _:
                return Control.HUMAN

    @property
    def ai_mode(self) -> AiMode:
        match self.phase:
            case Phase.AI:
                return AiMode.AUTO
            case Phase.AI_DECIDING:
                return AiMode.AUTO_PENDING
            case Phase.WAITING | Phase.HUMAN:
                return AiMode.COPILOT if self.copilot else AiMode.PAUSED
            case Phase.STOPPED:
                return AiMode.STOPPED
            case Phase.RESOLVED | Phase.ARCHIVED:
                return AiMode.OFF

    @property
    def human_handoff(self) -> bool:
        return self.phase in (Phase.WAITING, Phase.HUMAN)

    @property
    def handoff(self) -> Handoff | None:
        """The latest handoff, running or ended."""
        return self.handoffs[-1] if self.handoffs else None

    @property
    def running_handoff(self) -> Handoff | None:
        last = self.handoff
        return last if last is not None and last.state is not HandoffState.ENDED else None

    @property
    def live_links(self) -> tuple[TicketLink, ...]:
        return tuple(link for link in self.links if link.is_live)
