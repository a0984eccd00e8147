"""What all connections have among their settings: secrets that may live elsewhere, and a simulator's address."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import ClassVar, Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from handoff_sync.contract.address import AddressGuard, networks
from handoff_sync.contract.connector import Credentials
from handoff_sync.errors import VendorAuthError

_THIS_MACHINE: Final = ("127.0.0.0/8", "::1/128")
_PRIVATE: Final = (*_THIS_MACHINE, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


class ConnectionSettings(BaseModel):
    """Base of a connector's settings. Those of type SecretStr may be absent: their values live in the credentials."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asked: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What a person is asked for, by way to sign in (the setting `auth`); the first way is the default."""

    installed: ClassVar[frozenset[str]] = frozenset({"webhook_url"})
    """What the installation of the webhook sets; nobody else should."""

    base_url: str | None = Field(default=None, description="Where a simulator listens, e.g. http://127.0.0.1:8001.")
    allow_private: bool = Field(default=False, description="Lets base_url be an address other than this machine.")

    @field_validator("base_url", "agent_url", "app_url", check_fields=False)
    @classmethod
    def _is_origin(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError("must be a plain http(s) address such as http://127.0.0.1:8001")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _stays_here(self) -> Self:
        if self.base_url is not None and not self.allow_private and not _is_loopback(self.base_url):
            raise ValueError("base_url may name only this machine (127.0.0.1) unless allow_private is on")
        return self

    @property
    def addresses(self) -> AddressGuard:
        """Where calls may go: anywhere public, or with `base_url` to a simulator. Never to a cloud's host agent."""
        if self.base_url is None:
            return AddressGuard()
        beyond = self.allow_private and urlsplit(self.base_url).scheme == "https"
        return AddressGuard(
            allowed=networks(_PRIVATE if self.allow_private else _THIS_MACHINE), only_allowed=not beyond
        )

    def secret(self, name: str, credentials: Credentials) -> str:
        """The stored secret, else the one given here, else an empty text."""
        configured = getattr(self, name)
        return credentials.current().get(name) or (configured.get_secret_value() if configured is not None else "")

    def needed_secret(self, name: str, credentials: Credentials) -> str:
        """As `secret`; VendorAuthError when there is none."""
        value = self.secret(name, credentials)
        if not value:
            raise VendorAuthError(f"The connection has no `{name}`. Store it, then switch the connection on again.")
        return value


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
