"""What one connection to a Zendesk account needs to know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from handoff_sync.contract.settings import ConnectionSettings

SECRET_FIELDS: Final = frozenset(
    {"client_secret", "refresh_token", "access_token", "token", "signing_secret", "signing_secret_previous"}
)
"""The settings that are kept encrypted; the connector reads them from its `Credentials`."""

_SUBDOMAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Auth(StrEnum):
    """How we prove who we are (README, "Credentials")."""

    CLIENT_CREDENTIALS = "client_credentials"
    REFRESH_TOKEN = "refresh_token"
    API_TOKEN = "api_token"


class ZendeskSettings(ConnectionSettings):
    """One Zendesk account. The fields in SECRET_FIELDS may be absent here: their values live in the credentials."""

    asked: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Auth.CLIENT_CREDENTIALS: ("subdomain", "client_id", "client_secret"),
        Auth.REFRESH_TOKEN: ("subdomain", "client_id", "client_secret", "refresh_token"),
        Auth.API_TOKEN: ("subdomain", "email", "token"),
    }

    subdomain: str = Field(description="The first part of the account's address: acme for https://acme.zendesk.com.")
    auth: Auth = Field(default=Auth.CLIENT_CREDENTIALS, description="How to sign in.")
    client_id: str | None = Field(default=None, description="OAuth client, for client_credentials and refresh_token.")
    client_secret: SecretStr | None = Field(default=None, description="Secret of the OAuth client.")
    refresh_token: SecretStr | None = Field(default=None, description="For auth = refresh_token.")
    access_token: SecretStr | None = Field(default=None, description="For auth = refresh_token; renewed by itself.")
    email: str | None = Field(default=None, description="User behind the API token, for auth = api_token.")
    token: SecretStr | None = Field(default=None, description="API token; Zendesk switches them off on 2027-04-30.")
    signing_secret: SecretStr | None = Field(default=None, description="Signs webhooks; `install` fetches it.")
    signing_secret_previous: SecretStr | None = Field(default=None, description="Also accepted during a rotation.")
    webhook_name: str = Field(default="handoff-sync", min_length=1, description="Name of our webhook at Zendesk.")
    webhook_url: str | None = Field(default=None, description="Where our webhook should call; set by `install`.")
    agent_url: str | None = Field(default=None, description="Start of links for people, if not the account's address.")

    @field_validator("subdomain")
    @classmethod
    def _is_subdomain(cls, value: str) -> str:
        name = value.strip().lower()
        if not _SUBDOMAIN.fullmatch(name):
            raise ValueError("must be the subdomain alone: acme for https://acme.zendesk.com")
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.auth is Auth.API_TOKEN and not self.email:
            raise ValueError("auth = api_token needs `email`: the user in whose name the token acts")
        if self.auth is not Auth.API_TOKEN and not self.client_id:
            raise ValueError(f"auth = {self.auth} needs `client_id`: create an OAuth client in Admin Center > APIs")
        return self

    @property
    def host(self) -> str:
        """The API host; never a host-mapped domain, which Zendesk does not serve the API on."""
        return f"{self.subdomain}.zendesk.com"

    def ticket_url(self, ticket: str) -> str:
        """Where an agent reads the ticket."""
        return f"{self.agent_url or f'https://{self.host}'}/agent/tickets/{ticket}"
