"""What one connection to a Gorgias account needs to know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from handoff_sync.contract.settings import ConnectionSettings

SECRET_FIELDS: Final = frozenset(
    {"api_key", "client_secret", "refresh_token", "access_token", "webhook_secret", "webhook_secret_previous"}
)
"""The settings that are kept encrypted; the connector reads them from its `Credentials`."""

_DOMAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Auth(StrEnum):
    """How we prove who we are (README, "Credentials")."""

    API_KEY = "api_key"
    OAUTH = "oauth"


class TranscriptMode(StrEnum):
    """How the talk before the handoff gets into the ticket (README, "Transcript")."""

    NOTE = "note"
    THREAD = "thread"


class GorgiasSettings(ConnectionSettings):
    """One Gorgias account. The fields in SECRET_FIELDS may be absent here: their values live in the credentials."""

    asked: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Auth.API_KEY: ("domain", "email", "api_key"),
        Auth.OAUTH: ("domain", "client_id", "client_secret", "refresh_token"),
    }

    domain: str = Field(description="The first part of the account's address: acme for https://acme.gorgias.com.")
    auth: Auth = Field(default=Auth.API_KEY, description="How to sign in.")
    email: str | None = Field(default=None, description="User behind the API key, for auth = api_key.")
    api_key: SecretStr | None = Field(default=None, description="API key, for auth = api_key.")
    client_id: str | None = Field(default=None, description="OAuth app, for auth = oauth.")
    client_secret: SecretStr | None = Field(default=None, description="Secret of the OAuth app.")
    refresh_token: SecretStr | None = Field(default=None, description="For auth = oauth.")
    access_token: SecretStr | None = Field(default=None, description="For auth = oauth; renewed by itself.")
    webhook_secret: SecretStr | None = Field(default=None, description="Proves webhooks; made by `install`.")
    webhook_secret_previous: SecretStr | None = Field(default=None, description="Also accepted during a rotation.")
    webhook_name: str = Field(default="handoff-sync", min_length=1, description="Start of our integrations' names.")
    webhook_url: str | None = Field(default=None, description="Where our webhooks should call; set by `install`.")
    attach_customer_email: bool = Field(
        default=False, description="Give a vouched address to Gorgias, which then may mail every reply too."
    )
    transcript_mode: TranscriptMode = Field(
        default=TranscriptMode.NOTE, description="note: one internal note; thread: one message per message."
    )
    merge_exclusion_tag: str = Field(
        default="handoff-sync",
        min_length=1,
        max_length=256,
        description="On every ticket; keeps it unmerged by a rule.",
    )
    merge_exclusion_rule: bool = Field(
        default=False, description="Set it when the rule for merge_exclusion_tag was made; only a person can see it."
    )
    reopened_by_wait_s: int = Field(
        default=10, ge=0, le=120, description="How long a reading waits to learn who reopened a ticket."
    )
    agent_url: str | None = Field(default=None, description="Start of links for people, if not the account's address.")

    @field_validator("domain")
    @classmethod
    def _is_domain(cls, value: str) -> str:
        name = value.strip().lower()
        if not _DOMAIN.fullmatch(name):
            raise ValueError("must be the account's name alone: acme for https://acme.gorgias.com")
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.auth is Auth.API_KEY and not self.email:
            raise ValueError("auth = api_key needs `email`: the user in whose name the key acts")
        if self.auth is Auth.OAUTH and not self.client_id:
            raise ValueError("auth = oauth needs `client_id`: the one of your Gorgias app")
        return self

    @property
    def host(self) -> str:
        return f"{self.domain}.gorgias.com"

    @property
    def origin(self) -> str:
        """Where calls go, without a slash at the end."""
        return self.base_url or f"https://{self.host}"

    def ticket_url(self, ticket: str) -> str:
        """Where an agent reads the ticket."""
        return f"{self.agent_url or f'https://{self.host}'}/app/ticket/{ticket}"
