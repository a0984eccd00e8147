"""The invented people, groups, statuses and rules of a fresh account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

CONNECTOR_EMAIL: Final = "connector@example.com"
PEOPLE: Final = (
    # name, e-mail, role, public alias, group
    ("Handoff Connector", CONNECTOR_EMAIL, "admin", None, "Support"),
    ("Dana Miller", "dana@example.com", "agent", "Dana", "Support"),
    ("Omar Haddad", "omar@example.com", "agent", None, "Billing"),
    ("Yuki Tanaka", "yuki@example.com", "admin", None, "Support"),
)
GROUPS: Final = ("Support", "Billing")
STATUSES: Final = (
    # category, agent label, end user label, default of its category
    ("new", "New", "Open", True),
    ("open", "Open", "Open", True),
    ("pending", "Pending", "Awaiting your reply", True),
    ("hold", "On-hold", "Open", True),
    ("solved", "Solved", "Solved", True),
    ("pending", "Waiting for parts", "We wait for parts", False),
)
CUSTOM_FIELDS: Final = 2
"""How many custom ticket fields exist."""

STOCK_TRIGGERS: Final[tuple[dict[str, Any], ...]] = (
    {
        "title": "Notify requester of new proactive ticket",
        "conditions": {
            "all": [
                {"field": "update_type", "operator": "is", "value": "Create"},
                {"field": "role", "operator": "is", "value": "agent"},
                {"field": "comment_is_public", "operator": "is", "value": "true"},
            ],
            "any": [],
        },
        "actions": [{"field": "notification_user", "value": ["requester_id", "[{{ticket.account}}] {{ticket.title}}"]}],
    },
    {
        "title": "Notify requester and CCs of comment update",
        "conditions": {
            "all": [
                {"field": "update_type", "operator": "is", "value": "Change"},
                {"field": "role", "operator": "is", "value": "agent"},
                {"field": "comment_is_public", "operator": "is", "value": "true"},
            ],
            "any": [],
        },
        "actions": [{"field": "notification_user", "value": ["requester_and_ccs", "Re: {{ticket.title}}"]}],
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a client needs to talk to the account. Good for this simulator only."""

    email: str = CONNECTOR_EMAIL
    api_token: str = "simulated-api-token"
    client_id: str = "handoff_sync"
    client_secret: str = "simulated-client-secret"
    refresh_token: str = "simulated-first-refresh-token"
