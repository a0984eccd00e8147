"""Who calls: access tokens, what they may do, and how an app gets one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handoff_connectors.intercom.simulator import api_errors, seed
from handoff_connectors.intercom.simulator.model import Admin
from handoff_connectors.intercom.simulator.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Caller:
    """The teammate that a token belongs to, and its scopes."""

    admin: Admin
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """
        Raises:
            ApiError: 401 when the token does not have the scope.
        """
        if scope and scope not in self.scopes:
            raise api_errors.missing_scope()


class Authenticator:
    """Knows the tokens of one workspace. They do not expire; they can be revoked."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.reset()

    def reset(self) -> None:
        """Forget all tokens but the one of the credentials."""
        self._tokens = {self._workspace.credentials.access_token: seed.SCOPES}
        self._revoked: set[str] = set()
        self._codes: set[str] = set()

    def identify(self, headers: Mapping[str, str]) -> Caller:
        """
        Raises:
            ApiError: 401.
        """
        kind, _, token = headers.get("authorization", "").partition(" ")
        if token in self._revoked:
            raise api_errors.token_revoked()
        if kind.lower() != "bearer" or token not in self._tokens:
            raise api_errors.unauthorized()
        return Caller(self._workspace.connector, self._tokens[token])

    def new_code(self) -> str:
        """A code as an admin's consent gives it; good for one exchange."""
        code = secrets.token_urlsafe(24)
        self._codes.add(code)
        return code

    def exchange(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A token for a code.

        Raises:
            ApiError: 401 when the code or the client is not ours.
        """
        known = self._workspace.credentials
        client = (given.get("client_id"), given.get("client_secret"))
        if client != (known.client_id, known.client_secret) or given.get("code") not in self._codes:
            raise api_errors.unauthorized()
        self._codes.discard(given["code"])
        token = secrets.token_urlsafe(24)
        self._tokens[token] = seed.SCOPES
        return {"token_type": "Bearer", "access_token": token}

    def revoke(self, token: str | None = None) -> None:
        """Take a token back; without one, that of the credentials."""
        self._revoked.add(token or self._workspace.credentials.access_token)

    def set_scopes(self, scopes: frozenset[str], token: str | None = None) -> None:
        """What a token may do from now on; without a token, that of the credentials."""
        self._tokens[token or self._workspace.credentials.access_token] = scopes
