"""The invented teammates, teams and tags of a fresh workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CONNECTOR_EMAIL: Final = "connector@example.com"
TEAMS: Final = ("Support", "Billing")
PEOPLE: Final = (
    # name, e-mail, team
    ("Handoff Connector", CONNECTOR_EMAIL, "Support"),
    ("Dana Miller", "dana@example.com", "Support"),
    ("Omar Haddad", "omar@example.com", "Billing"),
    ("Yuki Tanaka", "yuki@example.com", "Support"),
)
TAGS: Final = ("VIP",)
BOT_NAME: Final = "Operator"
BOT_EMAIL: Final = "operator@example.com"
TICKET_STATES: Final = (
    # category, label
    ("submitted", "Submitted"),
    ("in_progress", "In progress"),
    ("in_progress", "With the bank"),
    ("waiting_on_customer", "Waiting on you"),
    ("resolved", "Resolved"),
)
TICKET_TYPES: Final = (
    # name, category, archived
    ("Support request", "Customer", False),
    ("Internal task", "Back-office", False),
    ("Old request", "Customer", True),
)
SCOPES: Final = frozenset({"read_admins", "read_users", "write_users", "read_conversations", "write_conversations",
                           "read_tags", "write_tags", "read_tickets", "write_tickets"})  # fmt: skip
DELETE_METRICS: Final = "delete_conversations_and_metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a client needs to talk to the workspace. Good for this simulator only."""

    access_token: str = "simulated-access-token"
    client_id: str = "simulated-client-id"
    client_secret: str = "simulated-client-secret"
    """Also signs the webhooks."""
