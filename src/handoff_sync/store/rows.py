"""What the store hands out: rows as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from handoff_sync.core.effects import Effect
from handoff_sync.core.events import Event
from handoff_sync.core.policy import Policy

AnyRow = Row[*tuple[Any, ...]]
"""A row as SQLAlchemy gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceRow:
    """`teams` holds each team's overrides of the policy. `revision` grows with every change of the configuration."""

    id: str
    name: str
    policy: Policy
    teams: Mapping[str, Mapping[str, object]]
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """A helpdesk account without its secrets. `stopped_reason` says why nothing is sent until a person acts.

    `failing_since`: it is stopped, or nothing has worked since then.
    """

    id: str
    workspace_id: str
    kind: str
    name: str
    settings: Mapping[str, object]
    hook_token: str
    enabled: bool
    paused_until: datetime | None
    stopped_reason: str | None
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRow:
    """Where callbacks of a workspace go, without the secrets that sign them."""

    id: str
    workspace_id: str
    url: str
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRow:
    """An API key without the key: `prefix` is how people recognise it."""

    id: str
    workspace_id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class Role(StrEnum):
    """What a member may do: everything; everything but owning; handle sessions, neither decide nor administrate."""

    OWNER = "owner"
    ADMIN = "admin"
    AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """A person of the workspace. `email` is in lower case; no `teams` means every team."""

    id: str
    workspace_id: str
    email: str
    name: str
    role: Role
    teams: tuple[str, ...]
    language: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLinkRow:
    """One recipient's way to one decision: token and code are stored as hashes only. `tries` counts wrong codes."""

    token_hash: str
    workspace_id: str
    session_id: str
    handoff: int
    version: int
    recipient: str
    recipient_name: str
    language: str
    code_hash: str
    tries: int
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A ticket link with what the last read of its ticket saw; `snapshot` is the reader's own text."""

    id: str
    workspace_id: str
    session_id: str
    connection_id: str
    key: str
    remote_id: str | None
    state: str
    cursor: str | None
    snapshot: str | None
    read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableEffect:
    """What another version of this program wrote and this one cannot read; one that can may still perform it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One effect to be performed. `session_id` None: it concerns none. `journal`: what earlier attempts noted."""

    id: int
    session_id: str | None
    key: str
    effect: Effect | UnreadableEffect
    attempts: int
    journal: Mapping[str, str]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to work on a lane until the lease ends; `token` proves it.

    `attempts` counts claims since the lane last moved on, this one included. `expiries` counts leases in a row that
    ran out without a word. `recent` is whatever the last settle remembered. `rows` are the first pending ones.
    """

    lane_id: str
    token: int
    workspace_id: str
    session_id: str | None
    connection_id: str | None
    destination: str
    attempts: int
    expiries: int
    recent: tuple[datetime, ...]
    rows: tuple[OutboxRow, ...]
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """What decides whether the AI may speak."""

    session_id: str
    phase: str
    copilot: bool
    control_epoch: int
    agent_running: bool
    channel_running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """One line of a session's history as stored."""

    id: int
    version: int
    kind: str
    rule: str
    text: str
    at: datetime
    actor_id: str
    actor_name: str
    via: str
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event as it was decided, with the time that `decide` was given."""

    event: Event
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """An outbox row as people look at it. `result` is set when done, `error` after a failed try or when parked."""

    id: int
    workspace_id: str
    session_id: str | None
    lane_id: str
    destination: str
    key: str
    kind: str
    effect: Effect | UnreadableEffect
    status: str
    attempts: int
    error: str | None
    result: str | None
    created_at: datetime
    done_at: datetime | None
