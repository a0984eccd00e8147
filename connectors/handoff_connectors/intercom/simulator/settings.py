"""What one simulated Intercom workspace is like: as a real one, unless a test says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from handoff_sync.simulator.remote import RateLimits

VERSIONS: Final = ("1.0", "1.1", "1.2", "1.3", "1.4", *(f"2.{minor}" for minor in range(17)), "Preview")
"""What the header `Intercom-Version` may say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(RateLimits):
    """Calls per minute, spread over windows of 10 seconds; None means no limit."""

    app: int | None = 10_000
    per_conversation: int | None = None
    """Writes to one conversation. Intercom documents the error of such a limit but not the number."""

    @classmethod
    def off(cls) -> Limits:
        return cls(app=None, per_conversation=None)


@dataclass(slots=True, kw_only=True)
class SimulatorSettings:
    """May be changed while the simulator runs (`/_simulator/settings`). Times in seconds.

    Where Intercom documents nothing, a setting lets a test try both ways.
    """

    app_id: str = "simacme1"
    region: str = "US"
    timezone: str = "UTC"
    app_version: str = "2.16"
    """The app's own version: for calls without the version header, and for the text in webhooks."""
    limits: Limits = field(default_factory=Limits)
    search_lag_s: float = 30.0
    """How long search does not know of a new or changed thing."""
    contact_lag_s: float = 0.0
    """How long a new contact cannot start a conversation ("User Not Found")."""
    archived_contacts_readable: bool = True
    conversation_dates_by_day: bool = False
    """Whether conversation search compares dates by day, as contact search does. Not documented."""
    custom_attributes_searchable: bool = False
    duplicate_attribute_names: bool = False
    """Whether a second attribute of the same name can be made."""
    max_parts: int = 500
    app_package_code: str | None = "simulated-app"
    """Marks parts made through the API; the official examples show null."""
    plan_restricted: bool = False
    bot_greeting: str | None = None
    """What a bot answers at once in each new conversation, as workspace automations may."""
    merge_links: bool = False
    """Whether merged conversations name each other in `linked_objects`."""
    merge_sends_closed: bool = True
    """Whether the conversation that is merged away sends `conversation.admin.closed`. There is no merge topic."""
    ticket_keeps_id: bool = True
    """Whether a conversation that becomes a ticket keeps its number. Not documented, as all about this."""
    ticket_keeps_part_ids: bool = True
    ticket_is_conversation: bool = False
    """Whether a ticket can still be read, searched and called as the conversation it was."""
    conversation_names_ticket: bool = True
    """Whether `ticket` of such a conversation is filled."""
    ticket_tells_both: bool = False
    """Whether events of tickets come under the topics of conversations too."""
    contact_reply_reopens_ticket: bool = False
    open_wakes_ticket: bool = False
    """Whether setting `open` ends a snooze."""
    minimal_webhooks: bool = False
    """Whether webhooks of conversations come without source and parts."""
    null_id_topics: tuple[str, ...] = ("conversation.read",)
    null_id_every: int = 0
    """Each n-th webhook has the id null, whatever its topic; 0: none."""
    webhook_timeout_s: float = 5.0
    webhook_retry_s: float = 60.0
    redirect_url: str | None = None
    """Where the page that asks an admin for consent sends the browser back to."""
