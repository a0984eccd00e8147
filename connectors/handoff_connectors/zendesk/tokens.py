"""The Authorization header of a connection, and how a new token is had. No HTTP here: `fetch` asks /oauth/tokens."""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from handoff_connectors.zendesk.settings import Auth, ZendeskSettings
from handoff_sync.contract.connector import Credentials
from handoff_sync.errors import VendorAuthError

SCOPE: Final = "read tickets:write users:write webhooks:read webhooks:write"
"""Global `read` because ticket audits need it (quirk ZD-3)."""

_EXPIRES_IN_S: Final = 7200
_EARLY_S: Final = 60.0
_LONGEST_S: Final = 172_800
_REFRESH_EXPIRES_IN_S: Final = 2_592_000

Fetch = Callable[[Mapping[str, object]], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class _Token:
    header: str
    good_until: float


class Tokens:
    """Gives the header for a call. Thread-safe; one thread at a time asks Zendesk for a token."""

    def __init__(
        self, settings: ZendeskSettings, credentials: Credentials, fetch: Fetch, now: Callable[[], float] | None = None
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._fetch = fetch
        self._now = now or time.monotonic
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self.granted: str | None = None
        """The scopes that came with the newest token; None before the first, or where tokens have no scopes."""

    def header(self) -> str:
        """Raises VendorAuthError when a secret is missing or refused, VendorDown when no token can be had now."""
        match self._settings.auth:
            case Auth.API_TOKEN:
                return _basic(self._settings.email or "", self._secret("token"))
            case Auth.REFRESH_TOKEN:
                return _bearer(self._access_token())
            case Auth.CLIENT_CREDENTIALS:
                return self._client_token().header

    def renew(self, refused: str) -> bool:
        """After a 401 or 403 to a call with the header `refused`: whether there is a new one to try."""
        match self._settings.auth:
            case Auth.API_TOKEN:
                return False
            case Auth.REFRESH_TOKEN:
                self._credentials.refresh(self._next_pair, refused.removeprefix("Bearer "))
            case Auth.CLIENT_CREDENTIALS:
                with self._lock:
                    if self._token is not None and self._token.header == refused:
                        self._token = None
        return self.header() != refused

    def _client_token(self) -> _Token:
        with self._lock:
            if self._token is None or self._now() >= self._token.good_until:
                self._token = self._new_client_token()
            return self._token

    def _new_client_token(self) -> _Token:
        asked_at = self._now()
        answer = self._fetch(
            {
                "grant_type": "client_credentials",
                "client_id": self._settings.client_id,
                "client_secret": self._secret("client_secret"),
                "scope": SCOPE,
                "expires_in": _EXPIRES_IN_S,
            }
        )
        self._note_scopes(answer)
        return _Token(_bearer(_text(answer, "access_token")), asked_at + _lifetime(answer.get("expires_in")))

    def _access_token(self) -> str:
        """The stored access token; a first one is fetched when there is none yet."""
        stored = self._credentials.current().get("access_token")
        return stored or self._credentials.refresh(self._next_pair, "")["access_token"]

    def _next_pair(self, secrets: Mapping[str, str]) -> Mapping[str, str]:
        """A refresh token works once and ends the access token before it (quirk ZD-2): both are stored together."""
        answer = self._fetch(
            {
                "grant_type": "refresh_token",
                "refresh_token": secrets.get("refresh_token") or self._secret("refresh_token"),
                "client_id": self._settings.client_id,
                "client_secret": secrets.get("client_secret") or self._secret("client_secret"),
                "scope": SCOPE,
                "expires_in": _EXPIRES_IN_S,
                "refresh_token_expires_in": _REFRESH_EXPIRES_IN_S,
            }
        )
        self._note_scopes(answer)
        pair = {name: _text(answer, name) for name in ("access_token", "refresh_token")}
        return {**secrets, **pair}

    def _note_scopes(self, answer: Mapping[str, object]) -> None:
        scope = answer.get("scope")
        self.granted = scope if isinstance(scope, str) else None

    def _secret(self, name: str) -> str:
        return self._settings.needed_secret(name, self._credentials)


def missing_scopes(granted: str | None) -> frozenset[str]:
    """What we need and were not given. A global `read` or `write` covers every `…:read` or `…:write`."""
    if granted is None:
        return frozenset()
    given = set(granted.split())
    return frozenset(need for need in SCOPE.split() if need not in given and need.rpartition(":")[2] not in given)


def _basic(email: str, token: str) -> str:
    return "Basic " + b64encode(f"{email}/token:{token}".encode()).decode()


def _bearer(token: str) -> str:
    return f"Bearer {token}"


def _text(answer: Mapping[str, object], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise VendorAuthError(f"Zendesk's token answer has no `{name}`. Check the kind and scopes of the OAuth client.")
    return value


def _lifetime(expires_in: object) -> float:
    """Seconds until a token should be replaced. A value beyond two days can only be milliseconds (quirk ZD-2)."""
    if not isinstance(expires_in, int) or expires_in <= 0:
        return _EXPIRES_IN_S - _EARLY_S
    seconds = expires_in / 1000 if expires_in > _LONGEST_S else expires_in
    return max(seconds - _EARLY_S, seconds / 2)
