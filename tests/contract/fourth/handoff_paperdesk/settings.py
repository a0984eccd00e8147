"""What one connection to Paperdesk needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, SecretStr

from handoff_sync.contract.settings import ConnectionSettings


class PaperdeskSettings(ConnectionSettings):
    asked: ClassVar[Mapping[str, tuple[str, ...]]] = {"token": ("account", "token")}
    installed: ClassVar[frozenset[str]] = frozenset({"webhook_url", "webhook_secret"})

    account: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="The account's name, as in NAME.paperdesk.example."
    )
    token: SecretStr | None = Field(default=None, description="Token of an API user, from Account > Programs.")
    webhook_url: str | None = Field(default=None, description="Where our webhook is sent to; set when it is installed.")
    webhook_secret: SecretStr | None = Field(default=None, description="Signs webhooks; set when one is installed.")
    webhook_secret_previous: SecretStr | None = Field(
        default=None, description="The secret before, good while it is being replaced."
    )

    @property
    def origin(self) -> str:
        return self.base_url or f"https://{self.account}.paperdesk.example"
