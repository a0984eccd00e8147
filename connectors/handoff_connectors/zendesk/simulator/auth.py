"""Who calls: API tokens, OAuth tokens and their scopes."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from handoff_connectors.zendesk.simulator import api_errors
from handoff_connectors.zendesk.simulator.account import Account
from handoff_connectors.zendesk.simulator.api_errors import ApiError
from handoff_connectors.zendesk.simulator.model import User

LIFE_S: Final = (300, 172_800)
REFRESH_LIFE_S: Final = (604_800, 7_776_000)


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user. `scopes` None: a token of the old kind, which may do all that its user may."""

    user: User
    scopes: frozenset[str] | None = None

    def require(self, resource: str, write: bool) -> None:
        """`resource` empty: only the scope for everything will do.

        Raises:
            ApiError: 403 when no scope allows it.
        """
        kind = "write" if write else "read"
        narrow = f"{resource}:{kind}" if resource else kind
        if self.scopes is not None and not self.scopes & {kind, narrow}:
            raise api_errors.missing_scope(narrow)


@dataclass(slots=True)
class Token:
    access: str
    refresh: str | None
    scope: str
    user_id: int
    expires_at: datetime
    refresh_expires_at: datetime


class Authenticator:
    """Knows the tokens of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.reset()

    def reset(self) -> None:
        """Forget all tokens but the first refresh token of the credentials."""
        now = self._account.clock.now()
        self._tokens: dict[str, Token] = {}
        first = Token("", self._account.credentials.refresh_token, "read write", self._account.connector.id, now,
                      now + timedelta(days=3650))  # fmt: skip
        self._refresh: dict[str, Token] = {first.refresh or "": first}

    def revoke_all(self) -> None:
        """Make every access token invalid at once, as an admin can."""
        self._tokens.clear()

    def identify(self, headers: Mapping[str, str]) -> Caller:
        """
        Raises:
            ApiError: 401.
        """
        kind, _, value = headers.get("authorization", "").partition(" ")
        match kind.lower():
            case "basic":
                return self._by_api_token(value)
            case "bearer":
                return self._by_access_token(value.strip())
            case _:
                raise api_errors.not_authenticated()

    def _by_api_token(self, value: str) -> Caller:
        try:
            name, _, token = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise api_errors.not_authenticated() from None
        user = self._account.user_by_email(name.removesuffix("/token"))
        known = secrets.compare_digest(token.encode(), self._account.credentials.api_token.encode())
        if not name.endswith("/token") or not known or user is None or not user.verified or user.suspended:
            raise api_errors.not_authenticated()
        return Caller(user)

    def _by_access_token(self, access: str) -> Caller:
        token = self._tokens.get(access)
        if token is None or token.expires_at <= self._account.clock.now():
            raise api_errors.invalid_token()
        return Caller(self._account.users[token.user_id], frozenset(token.scope.split()))

    def grant(self, body: Any) -> dict[str, Any]:
        """Answer of `POST /oauth/tokens`.

        Raises:
            ApiError: 400 or 401 in OAuth's words.
        """
        if not isinstance(body, dict):
            raise _oauth_error(400, "invalid_request", "The request is missing a required parameter.")
        wanted, known = self._account.credentials, (body.get("client_id"), body.get("client_secret"))
        if known != (wanted.client_id, wanted.client_secret):
            raise _oauth_error(401, "invalid_client", "Client authentication failed due to unknown client.")
        match body.get("grant_type"):
            case "client_credentials":
                return self._issue(self._account.connector.id, body, with_refresh=False)
            case "refresh_token":
                return self._issue(self._use_refresh(body), body, with_refresh=True)
            case _:
                text = "The authorization grant type is not supported by the authorization server."
                raise _oauth_error(400, "unsupported_grant_type", text)

    def _use_refresh(self, body: dict[str, Any]) -> int:
        """Use a refresh token up; it dies together with its access token."""
        old = self._refresh.pop(str(body.get("refresh_token")), None)
        if old is None or old.refresh_expires_at <= self._account.clock.now():
            raise _oauth_error(400, "invalid_grant", "The provided access grant is invalid, expired, or revoked.")
        self._tokens.pop(old.access, None)
        body.setdefault("scope", old.scope)
        return old.user_id

    def _issue(self, user_id: int, body: dict[str, Any], *, with_refresh: bool) -> dict[str, Any]:
        settings, now = self._account.settings, self._account.clock.now()
        life_s = _life(body, "expires_in", LIFE_S, settings.access_token_life_s)
        refresh_s = _life(body, "refresh_token_expires_in", REFRESH_LIFE_S, settings.refresh_token_life_s)
        token = Token(secrets.token_hex(32), secrets.token_hex(32) if with_refresh else None,
                      str(body.get("scope") or "read"), user_id, now + timedelta(seconds=life_s),
                      now + timedelta(seconds=refresh_s))  # fmt: skip
        self._tokens[token.access] = token
        answer = {"access_token": token.access, "token_type": "bearer", "scope": token.scope, "expires_in": life_s}
        if token.refresh:
            self._refresh[token.refresh] = token
            answer |= {"refresh_token": token.refresh, "refresh_token_expires_in": refresh_s}
        return answer


def _life(body: dict[str, Any], name: str, bounds: tuple[int, int], default: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if not str(value).isdigit() or not bounds[0] <= int(value) <= bounds[1]:
        raise _oauth_error(400, "invalid_request", f"{name} must be between {bounds[0]} and {bounds[1]} seconds.")
    return int(value)


def _oauth_error(status: int, error: str, text: str) -> ApiError:
    return ApiError(status, {"error": error, "error_description": text})
