"""What one simulated Zendesk account is like: as a real one, unless a test says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from handoff_sync.simulator.remote import RateLimits

ACCOUNT_PER_MINUTE: Final = {
    "team": 200,
    "growth": 400,
    "professional": 400,
    "enterprise": 700,
    "enterprise_plus": 2500,
}
"""Calls per minute by plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(RateLimits):
    """Rate limits as calls per window; None means no limit. Windows are one minute unless the name says otherwise."""

    account: int | None = ACCOUNT_PER_MINUTE["professional"]
    ticket_create: int | None = 300
    ticket_update: int | None = 100
    updates_per_ticket_and_user_in_10_min: int | None = 30
    ticket_list: int | None = 100
    ticket_delete: int | None = 400
    deleted_tickets: int | None = 10
    audits: int | None = 500
    incremental: int | None = 10
    search: int | None = 2500
    user_upsert_per_user: int | None = 5
    user_upsert_per_second: int | None = 1
    webhooks: int | None = 100
    webhook_test: int | None = 20

    @classmethod
    def plan(cls, name: str) -> Limits:
        """The limits of a plan: team, growth, professional, enterprise or enterprise_plus (high volume)."""
        limits = cls(account=ACCOUNT_PER_MINUTE[name])
        if name == "enterprise_plus":
            limits = replace(limits, ticket_update=300, ticket_list=300, incremental=30)
        return limits

    @classmethod
    def off(cls) -> Limits:
        return cls(**dict.fromkeys(cls.__dataclass_fields__, None))


@dataclass(slots=True, kw_only=True)
class SimulatorSettings:
    """May be changed while the simulator runs (`/_simulator/settings`). Times in seconds."""

    subdomain: str = "acme"
    limits: Limits = field(default_factory=Limits)
    search_lag_s: float = 30.0
    """How long search and user search do not know of a new or changed thing."""
    list_lag_s: float = 0.0
    """How long `GET /tickets` does not list a new ticket. Not documented by Zendesk."""
    export_withheld_s: float = 60.0
    """The newest part of time that the incremental export keeps back."""
    idempotency_life_s: float = 7200.0
    max_comments: int = 5000
    max_body_bytes: int = 65_535
    access_token_life_s: int = 7200
    refresh_token_life_s: int = 2_592_000
    audits_sortable: bool = False
    """Whether the audits list obeys `sort`. Not documented, so nobody should need it."""
    first_comment_event: bool = True
    """Whether a new ticket also sends `comment_added`. Not documented; a receiver must cope with both."""
    webhook_timeout_s: float = 12.0
    merge_comments_public: bool = False
