"""The invented people, teams and tags of a fresh account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CONNECTOR_EMAIL: Final = "connector@example.com"
PEOPLE: Final = (
    # first name, last name, e-mail, role
    ("Handoff", "Connector", CONNECTOR_EMAIL, "admin"),
    ("Dana", "", "dana@example.com", "agent"),
    ("Omar", "Haddad", "omar@example.com", "agent"),
    ("Yuki", "Tanaka", "yuki@example.com", "admin"),
    ("Gorgias", "Bot", "bot@example.com", "bot"),
)
BOT_EMAIL: Final = "bot@example.com"
TEAMS: Final = (("Support", ("dana@example.com", "yuki@example.com")), ("Billing", ("omar@example.com",)))
TAGS: Final = ("refund", "vip")
MAIL_INTEGRATION: Final = ("Acme Support", "acme@email.example.com")
"""Name and address that the account's mails come from."""

FULL_SCOPE: Final = (
    "openid email profile offline account:read users:read customers:read customers:write tickets:read tickets:write "
    "events:read integrations:read integrations:write"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a client needs to talk to the account. Good for this simulator only."""

    email: str = CONNECTOR_EMAIL
    api_key: str = "simulated-api-key"
    client_id: str = "handoff_sync"
    client_secret: str = "simulated-client-secret"
    refresh_token: str = "simulated-first-refresh-token"
