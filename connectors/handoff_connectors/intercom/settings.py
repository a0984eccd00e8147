"""What one connection to an Intercom workspace needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from handoff_sync.contract.settings import ConnectionSettings

SECRET_FIELDS: Final = frozenset({"access_token", "oauth_code", "client_secret", "client_secret_previous"})
"""The settings that are kept encrypted; the connector reads them from its `Credentials`."""


class Auth(StrEnum):
    """How we prove who we are."""

    ACCESS_TOKEN = "access_token"
    OAUTH = "oauth"


class Region(StrEnum):
    """Where Intercom keeps the workspace; a token works in its own region alone."""

    US = "us"
    EU = "eu"
    AU = "au"


API: Final[Mapping[Region, str]] = {
    Region.US: "https://api.intercom.io",
    Region.EU: "https://api.eu.intercom.io",
    Region.AU: "https://api.au.intercom.io",
}
APP: Final[Mapping[Region, str]] = {
    Region.US: "https://app.intercom.com",
    Region.EU: "https://app.eu.intercom.com",
    Region.AU: "https://app.au.intercom.com",
}


class IntercomSettings(ConnectionSettings):
    """One workspace. The fields in SECRET_FIELDS may be absent here: their values live in the credentials."""

    asked: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Auth.ACCESS_TOKEN: ("region", "access_token", "client_secret"),
        Auth.OAUTH: ("region", "client_id", "client_secret", "oauth_code"),
    }

    installed: ClassVar[frozenset[str]] = frozenset({"webhook_url", "workspace_id"})

    region: Region = Field(default=Region.US, description="Where the workspace is hosted: us, eu or au.")
    auth: Auth = Field(default=Auth.ACCESS_TOKEN, description="How to sign in.")
    access_token: SecretStr | None = Field(default=None, description="Of a private app; for oauth fetched by itself.")
    client_id: str | None = Field(default=None, description="Of the app, for auth = oauth.")
    client_secret: SecretStr | None = Field(default=None, description="Of the app; it also signs the webhooks.")
    client_secret_previous: SecretStr | None = Field(default=None, description="Also accepted during a rotation.")
    oauth_code: SecretStr | None = Field(default=None, description="What Intercom sent back; good once, for oauth.")
    admin_id: str | None = Field(default=None, description="The teammate who writes notes for us; else the token's.")
    workspace_id: str | None = Field(default=None, description="Intercom's id of the workspace; set by `install`.")
    webhook_url: str | None = Field(default=None, description="Where Intercom should call; set by `install`.")
    opening_text: str = Field(
        default="I would like to talk to a person.",
        min_length=1,
        max_length=2000,
        description="First words where the customer has said nothing yet; shown to the customer too.",
    )
    reference_attribute: str | None = Field(
        default=None, min_length=1, description="Conversation attribute (text) that gets our id of the ticket."
    )
    ticket_type_id: str | None = Field(
        default=None, description="Number of a customer ticket type: handoffs become tickets of it. Else conversations."
    )
    recreate_after_s: int = Field(
        default=300, ge=0, le=86_400, description="Seconds of searching before a lost conversation is opened again."
    )
    app_url: str | None = Field(default=None, description="Start of links for people, if not Intercom's own.")

    @field_validator("admin_id", "ticket_type_id")
    @classmethod
    def _is_number(cls, value: str | None) -> str | None:
        if value is not None and not (value.isascii() and value.isdigit()):
            raise ValueError(
                "must be a number: Intercom shows it in the address of the teammate's or ticket type's page"
            )
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.auth is Auth.OAUTH and not self.client_id:
            raise ValueError("auth = oauth needs `client_id`: see Basic information of the app in the Developer Hub")
        return self

    @property
    def api(self) -> str:
        """Start of every API address."""
        return self.base_url or API[self.region]

    @property
    def token_url(self) -> str:
        """Where OAuth codes become tokens: one address for all regions."""
        return f"{self.base_url or API[Region.US]}/auth/eagle/token"

    def ticket_url(self, conversation: str, workspace: str | None) -> str | None:
        """Where an agent reads the conversation; None while the workspace's id is not known."""
        start = self.app_url or APP[self.region]
        return f"{start}/a/inbox/{workspace}/inbox/conversation/{conversation}" if workspace else None
