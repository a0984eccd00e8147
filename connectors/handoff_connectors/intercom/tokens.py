"""The access token. Intercom's do not expire; an OAuth code becomes one exactly once (quirk IC-1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from handoff_connectors.intercom.settings import Auth, IntercomSettings
from handoff_sync.contract.connector import Credentials
from handoff_sync.errors import VendorAuthError

Exchange = Callable[[Mapping[str, str]], str]
"""Turns `code`, `client_id` and `client_secret` into an access token; raises from `handoff_sync.errors`."""


_EXCHANGED: Final = "oauth_code_exchanged"
"""Stored beside the token: which code it came from."""


class Tokens:
    """Gives the token for a call."""

    def __init__(self, settings: IntercomSettings, credentials: Credentials, exchange: Exchange) -> None:
        self._settings = settings
        self._credentials = credentials
        self._exchange = exchange

    def bearer(self) -> str:
        token = self.secret("access_token")
        if self._settings.auth is Auth.OAUTH and (not token or self._has_new_code()):
            stale = self._credentials.current().get("access_token", "")
            token = self._credentials.refresh(self._token, stale).get("access_token", "")
        if not token:
            raise VendorAuthError(
                "The connection has no `access_token`. Store it (README, step 3), then switch the connection on again."
            )
        return f"Bearer {token}"

    def signing_secrets(self) -> tuple[str, ...]:
        """The app's client secret signs its webhooks; during a rotation the one before is good as well."""
        found = (self.secret("client_secret"), self.secret("client_secret_previous"))
        return tuple(secret for secret in found if secret)

    def secret(self, name: str) -> str:
        """A stored secret, or an empty text."""
        return self._settings.secret(name, self._credentials)

    def _has_new_code(self) -> bool:
        """Whether an admin has authorised us again since the token was fetched."""
        code = self.secret("oauth_code")
        return bool(code) and self._credentials.current().get(_EXCHANGED) != _digest(code)

    def _token(self, stored: Mapping[str, str]) -> Mapping[str, str]:
        """Called by one process at a time; a code that was used once never works again."""
        code, secret = (stored.get(name) or self.secret(name) for name in ("oauth_code", "client_secret"))
        if not code or not secret:
            raise VendorAuthError(
                "Signing in by OAuth needs `oauth_code` and `client_secret`. Send an admin to Intercom's authorisation "
                "page (README, step 3) and store the code it gives."
            )
        token = self._exchange({"code": code, "client_id": self._settings.client_id or "", "client_secret": secret})
        return {**stored, "access_token": token, _EXCHANGED: _digest(code)}


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()[:16]
