"""Who is calling: a key of a workspace, and what it may do. The workspace comes from the key and from nowhere else."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from starlette.requests import Request

from handoff_sync.api.deps import ApiDeps
from handoff_sync.api.problems import ProblemError
from handoff_sync.core.model import Actor, ActorKind
from handoff_sync.store.admin.keys import key_hash
from handoff_sync.store.rows import ApiKeyRow

_REMEMBERED: Final = 2_000
"""Known and unknown keys kept in memory; more would let a guesser fill it."""


class Scope(StrEnum):
    EVENTS = "events"
    GATE = "gate"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    ADMIN = "admin"
    """Includes all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    workspace_id: str
    key_id: str
    key_name: str
    scopes: frozenset[str]

    @property
    def actor(self) -> Actor:
        """The platform itself, where a request names no person."""
        return Actor(kind=ActorKind.PLATFORM, id=self.key_id, name=self.key_name, via="api")

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes


class Keyring:
    """Finds keys by hash and remembers the answer for a few seconds, so that a revoked key dies that soon."""

    def __init__(self, deps: ApiDeps) -> None:
        self._deps = deps
        self._known: OrderedDict[str, tuple[float, ApiKeyRow | None]] = OrderedDict()

    async def find(self, token: str) -> ApiKeyRow | None:
        digest = key_hash(token)
        expires, row = self._known.get(digest, (0.0, None))
        if expires < time.monotonic():
            row = await self._deps.quick(self._deps.lookups.api_key, digest)
            self._remember(digest, row)
        return row if row is not None and _usable(row, self._deps.clock()) else None

    def _remember(self, digest: str, row: ApiKeyRow | None) -> None:
        self._known[digest] = (time.monotonic() + self._deps.limits.key_cache_s, row)
        self._known.move_to_end(digest)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _usable(row: ApiKeyRow, now: datetime) -> bool:
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > now)


async def authenticate(request: Request, scope: Scope) -> Caller:
    """The caller, who has this scope. 401 for an unknown key, 403 for one that lacks the scope."""
    token = _bearer(request.headers.get("authorization", ""))
    keyring: Keyring = request.app.state.keyring
    row = await keyring.find(token) if token else None
    if row is None:
        raise _unauthenticated(sent=bool(token))
    caller = Caller(workspace_id=row.workspace_id, key_id=row.id, key_name=row.name, scopes=frozenset(row.scopes))
    request.scope["handoff.caller"] = caller
    if not caller.may(scope):
        raise ProblemError(
            403,
            "missing_scope",
            f"This key lacks the scope {scope.value!r}. Use another key, or make one that has it.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope.value}"'},
        )
    return caller


def caller_of(request: Request) -> Caller:
    """Whom `authenticate` let in."""
    caller = request.scope["handoff.caller"]
    assert isinstance(caller, Caller)
    return caller


def _bearer(header: str) -> str:
    kind, _, token = header.partition(" ")
    token = token.strip()
    return token if kind.lower() == "bearer" and len(token) <= 200 and token.isascii() else ""


def _unauthenticated(sent: bool) -> ProblemError:
    challenge = 'Bearer realm="handoff-sync"' + (', error="invalid_token"' if sent else "")
    detail = "This key is unknown, expired or revoked." if sent else "Send a key: `Authorization: Bearer hsk_...`."
    return ProblemError(401, "unauthenticated", detail, headers={"WWW-Authenticate": challenge})


def needs(scope: Scope) -> dict[str, object]:
    """What a route declares; `KeyRoute` enforces it and OpenAPI shows it, so that the two cannot differ."""
    return {"security": [{"apiKey": [scope.value]}]}
