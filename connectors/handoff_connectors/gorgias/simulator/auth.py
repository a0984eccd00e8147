"""Who calls: API keys, OAuth tokens and their scopes."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from handoff_connectors.gorgias.simulator import api_errors, seed
from handoff_connectors.gorgias.simulator.account import Account
from handoff_connectors.gorgias.simulator.api_errors import ApiError
from handoff_connectors.gorgias.simulator.model import User


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user. `scopes` None: an API key, which may do all that its user may."""

    user: User
    scopes: frozenset[str] | None = None

    @property
    def bucket(self) -> str:
        """Which rate limit counts its calls."""
        return "api_key" if self.scopes is None else "oauth"

    def require(self, resource: str, write: bool) -> None:
        """
        Raises:
            ApiError: 403 when no scope allows it.
        """
        wanted = {f"{resource}:write"} if write else {f"{resource}:read", f"{resource}:write"}
        if self.scopes is not None and not self.scopes & {*wanted, "write:all"}:
            raise api_errors.forbidden("The access token lacks a scope: " + sorted(wanted)[0] + ".")


@dataclass(slots=True)
class Token:
    access: str
    refresh: str | None
    scope: str
    expires_at: datetime


class Authenticator:
    """Knows the API key and the tokens of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.reset()

    def reset(self) -> None:
        """Forget all tokens but the first refresh token of the credentials; the API key is the first one again."""
        known = self._account.credentials
        self.api_key = known.api_key
        self._tokens: dict[str, Token] = {}
        self._codes: dict[str, str] = {}
        first = Token("", known.refresh_token, seed.FULL_SCOPE, self._account.clock.now())
        self._refresh: dict[str, Token] = {known.refresh_token: first}

    def reset_api_key(self) -> str:
        """Make a new API key, as an admin can; the old one is dead at once."""
        self.api_key = secrets.token_hex(32)
        return self.api_key

    def revoke_all(self) -> None:
        """Make every access token invalid at once."""
        self._tokens.clear()

    def identify(self, headers: Mapping[str, str]) -> Caller:
        """
        Raises:
            ApiError: 401.
        """
        kind, _, value = headers.get("authorization", "").partition(" ")
        match kind.lower():
            case "basic":
                return self._by_api_key(value)
            case "bearer":
                return self._by_access_token(value.strip())
            case _:
                raise api_errors.not_authenticated()

    def _by_api_key(self, value: str) -> Caller:
        email, key = _pair(value)
        user = self._account.user_by_email(email)
        if user is None or not user.active or not secrets.compare_digest(key.encode(), self.api_key.encode()):
            raise api_errors.not_authenticated()
        return Caller(user)

    def _by_access_token(self, access: str) -> Caller:
        token = self._tokens.get(access)
        if token is None or token.expires_at <= self._account.clock.now():
            raise api_errors.not_authenticated()
        return Caller(self._account.connector, frozenset(token.scope.split()))

    def authorize(self, scope: str) -> str:
        """A code, as if the merchant had agreed."""
        code = secrets.token_hex(16)
        self._codes[code] = scope or seed.FULL_SCOPE
        return code

    def grant(self, body: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
        """Answer of `POST /oauth/token`. The client signs in by Basic or in the body.

        Raises:
            ApiError: 400 or 401 in OAuth's words.
        """
        kind, _, value = headers.get("authorization", "").partition(" ")
        known = self._account.credentials
        client = _pair(value) if kind.lower() == "basic" else (body.get("client_id", ""), body.get("client_secret", ""))
        if client != (known.client_id, known.client_secret):
            raise _oauth_error(401, "invalid_client")
        match body.get("grant_type"):
            case "authorization_code":
                scope = self._codes.pop(body.get("code", ""), None)
            case "refresh_token":
                scope = self._use_refresh(body.get("refresh_token", ""))
            case _:
                raise _oauth_error(400, "unsupported_grant_type")
        if scope is None:
            raise _oauth_error(400, "invalid_grant")
        kept = None if self._account.settings.refresh_rotates else body.get("refresh_token")
        return self._issue(scope, kept)

    def _use_refresh(self, refresh: str) -> str | None:
        """The scope of a refresh token. One that rotates dies, together with its access token."""
        if not self._account.settings.refresh_rotates:
            kept = self._refresh.get(refresh)
            return kept.scope if kept else None
        old = self._refresh.pop(refresh, None)
        if old is None:
            return None
        self._tokens.pop(old.access, None)
        return old.scope

    def _issue(self, scope: str, kept_refresh: str | None) -> dict[str, Any]:
        life_s = self._account.settings.access_token_life_s
        refresh = (kept_refresh or secrets.token_hex(32)) if "offline" in scope.split() else None
        token = Token(secrets.token_hex(32), refresh, scope, self._account.clock.now() + timedelta(seconds=life_s))
        self._tokens[token.access] = token
        answer = {"access_token": token.access, "token_type": "Bearer", "scope": scope, "expires_in": life_s}
        if refresh:
            self._refresh[refresh] = token
            answer["refresh_token"] = refresh
        return answer


def _pair(value: str) -> tuple[str, str]:
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret


def _oauth_error(status: int, code: str) -> ApiError:
    return ApiError(status, {"error": code})
