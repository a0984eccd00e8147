"""The Authorization header of a connection, and how a new token is had. No HTTP here: `fetch` asks /oauth/token."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Final

from handoff_connectors.gorgias.settings import Auth, GorgiasSettings
from handoff_sync.contract.connector import Credentials
from handoff_sync.errors import VendorAuthError

SCOPE: Final = (
    "openid offline account:read users:read customers:read customers:write tickets:read tickets:write "
    "events:read integrations:read integrations:write"
)
"""What the merchant is asked for when they connect the app."""

Fetch = Callable[[Mapping[str, str], str], Mapping[str, object]]
"""Sends a form to the token endpoint with an Authorization header; the answer, or one of `errors`."""


class Tokens:
    """Gives the header for a call. Thread-safe: what changes is kept in the credentials."""

    def __init__(self, settings: GorgiasSettings, credentials: Credentials, fetch: Fetch) -> None:
        self._settings = settings
        self._credentials = credentials
        self._fetch = fetch
        self.granted: str | None = None
        """The scopes that came with the newest token; None before the first, or where tokens have no scopes."""

    def header(self) -> str:
        """Raises VendorAuthError when a secret is missing or refused, VendorDown when no token can be had now."""
        match self._settings.auth:
            case Auth.API_KEY:
                return _basic(self._settings.email or "", self._secret("api_key"))
            case Auth.OAUTH:
                return f"Bearer {self._access_token()}"

    def renew(self, refused: str) -> bool:
        """After a 401 to a call with the header `refused`: whether there is a new one to try."""
        if self._settings.auth is Auth.API_KEY:
            return False
        self._credentials.refresh(self._next, refused.removeprefix("Bearer "))
        return self.header() != refused

    def _access_token(self) -> str:
        """The stored access token; a first one is fetched when there is none yet."""
        stored = self._credentials.current().get("access_token")
        return stored or self._credentials.refresh(self._next, "")["access_token"]

    def _next(self, secrets: Mapping[str, str]) -> Mapping[str, str]:
        """The refresh token usually lives on; where a new one comes with the answer it takes over (quirk GO-2)."""
        refresh = secrets.get("refresh_token") or self._secret("refresh_token")
        client = _basic(self._settings.client_id or "", secrets.get("client_secret") or self._secret("client_secret"))
        answer = self._fetch({"grant_type": "refresh_token", "refresh_token": refresh}, client)
        scope = answer.get("scope")
        self.granted = scope if isinstance(scope, str) else None
        following = answer.get("refresh_token")
        return {
            **secrets,
            "access_token": _text(answer, "access_token"),
            "refresh_token": following if isinstance(following, str) and following else refresh,
        }

    def _secret(self, name: str) -> str:
        return self._settings.needed_secret(name, self._credentials)


def missing_scopes(granted: str | None) -> frozenset[str]:
    """What we need and were not given. `…:write` covers `…:read`, and `write:all` of older apps covers everything."""
    if granted is None:
        return frozenset()
    given = set(granted.split())
    if "write:all" in given:
        return frozenset()
    given |= {f"{scope.removesuffix(':write')}:read" for scope in given if scope.endswith(":write")}
    return frozenset(SCOPE.split()) - given - {"openid"}


def _basic(name: str, secret: str) -> str:
    return "Basic " + b64encode(f"{name}:{secret}".encode()).decode()


def _text(answer: Mapping[str, object], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise VendorAuthError(f"Gorgias' token answer has no `{name}`. Connect the app once more.")
    return value
