"""What one simulated Gorgias account is like: as documented, and where nothing is known, as the harder of two."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from handoff_sync.simulator.remote import RateLimits

WINDOW_S: Final = {"standard": 20.0, "enterprise": 10.0}
"""Seconds in which a full bucket drains, by plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(RateLimits):
    """Leaky buckets of the account, in calls per `window_s`; None means no limit."""

    api_key: int | None = 40
    oauth: int | None = 80
    window_s: float = WINDOW_S["standard"]

    @classmethod
    def plan(cls, name: str) -> Limits:
        """The limits of a plan: standard or enterprise."""
        return cls(window_s=WINDOW_S[name])

    @classmethod
    def off(cls) -> Limits:
        return cls(api_key=None, oauth=None)


@dataclass(slots=True, kw_only=True)
class SimulatorSettings:
    """May be changed while the simulator runs (`/_simulator/settings`). Times in seconds.

    Most of these are questions that nobody without a live account can answer; a connector must work either way.
    """

    domain: str = "acme"
    limits: Limits = field(default_factory=Limits)
    list_lag_s: float = 2.0
    """How long `GET /api/tickets` does not list a new ticket, whatever the filter. Delay not documented."""
    event_lag_s: float = 5.0
    """How long `GET /api/events` does not list what happened. Delay not documented."""
    embedded_messages: int | None = None
    """How many of its newest messages a ticket shows; None: all. All were shown wherever it was measured."""
    user_zero: bool = True
    """Whether `/api/users/0` is whoever calls. Known from public code only."""
    send_delay_s: float = 1.0
    """How long after its creation a message is mailed, or fails."""
    api_message_reopens: bool = False
    """Whether a customer's message added through the API reopens the ticket, as one on a real channel does."""
    reply_ends_snooze: bool = True
    snoozed_is_closed: bool = True
    """Whether a snooze sets `status` to closed, as the agent's screen does."""
    auto_assign_to_responder: bool = True
    mail_from_api_tickets: bool = True
    """Whether an agent answers by mail on an `api` ticket whose customer has an address: the customer gets both."""
    auto_merge: bool = False
    """Whether a new ticket is folded into an older open one of the same customer."""
    merging_window_days: int = 5
    auto_merge_delay_s: float = 1.0
    auto_merge_channels: tuple[str, ...] = ("api", "email", "chat", "contact_form", "sms")
    auto_merge_excluded_tags: tuple[str, ...] = ()
    """Tags that a rule of the merchant keeps out of auto-merge; only when the new ticket is made with one."""
    merge_location: str = "absolute"
    """Form of the address in a 301: absolute, relative, or slash (relative, with a slash at the end)."""
    app_channels: tuple[str, ...] = ()
    """Slugs of channels that apps registered."""
    message_event_object: str = "Ticket"
    """`object_type` of `ticket-message-created` events: Ticket or TicketMessage."""
    legacy_variables: bool = True
    """Whether templates know `message.*`, `event.*` and the whole context, beside the documented `ticket.*`."""
    null_renders: str = ""
    """What a missing value becomes in a template: nothing, or None."""
    webhook_timeout_s: float = 5.0
    webhook_retry_waits_s: tuple[float, ...] = (1.0, 5.0, 30.0)
    deactivate_after: int = 100
    """Failed calls in a row after which an integration is switched off."""
    max_request_bytes: int = 1_000_000
    access_token_life_s: int = 86_400
    refresh_rotates: bool = True
