"""What the HTTP edge is made with, and how its endpoints wait for the sync core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import BinaryIO, ParamSpec, Protocol, TypeVar

from starlette.requests import Request

from handoff_sync.api.metrics import Backlog, Metrics
from handoff_sync.callbacks import CallbackResult
from handoff_sync.contract.connector import Finding, WebhookHint, WebhookRequest
from handoff_sync.core.model import Attachment, Message, Session
from handoff_sync.core.scope import Surroundings
from handoff_sync.errors import NotReady
from handoff_sync.service.decision_links import DecisionLinks
from handoff_sync.store.admin import Admin
from handoff_sync.store.committer import Committer, Job
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import ApiKeyRow, ConnectionRow, EndpointRow, MemberRow, WorkspaceRow

P = ParamSpec("P")
T = TypeVar("T")


class Verifier(Protocol):
    """The connectors, as far as webhooks need them. May build a connector, so it is called in a thread."""

    def verify(self, connection: ConnectionRow, request: WebhookRequest) -> WebhookHint:
        """WebhookRefused when it is not authentic, UnrecognisedPayload when it cannot be read."""
        ...


class Lookups(Protocol):
    """Who is calling: by the hash of a key, by the token of a webhook address. None: nobody that we know."""

    def api_key(self, hash: str, /) -> ApiKeyRow | None: ...

    def connection_by_hook_token(self, token: str, /) -> ConnectionRow | None: ...

    def workspace(self, workspace_id: str, /) -> WorkspaceRow | None: ...

    def members(self, workspace_id: str, /) -> tuple[MemberRow, ...]: ...


class Health(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part of readiness. DEGRADED is for people to see; DOWN takes the process out of service."""

    name: str
    health: Health
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    max_body_bytes: int = 1_000_000
    body_timeout_s: float = 10.0
    commit_timeout_s: float = 10.0
    key_cache_s: float = 5.0


class Files(Protocol):
    """The files of agents, as far as the API gives them out."""

    max_bytes: int

    def of_ticket(self, session: Session, message: Message, number: int, into: BinaryIO, max_bytes: int) -> Attachment:
        """Takes up to CALL_DEADLINE_S, so it is called in a thread."""
        ...


class Administration(Protocol):
    """What an administrator sets in motion elsewhere. It calls out, so it is called by `ApiDeps.outside`.

    ConfigurationError names what does not fit, a line for each: `settings.token: why`.
    """

    def surroundings(self, workspace: WorkspaceRow, /) -> Surroundings: ...

    def connect(
        self,
        workspace_id: str,
        kind: str,
        name: str,
        settings: Mapping[str, object],
        secrets: Mapping[str, str | None],
        /,
    ) -> tuple[ConnectionRow | None, tuple[Finding, ...]]: ...

    def change(
        self, row: ConnectionRow, settings: Mapping[str, object], secrets: Mapping[str, str | None], /
    ) -> ConnectionRow: ...

    def check(self, row: ConnectionRow, /) -> tuple[Finding, ...]: ...

    def install_webhook(self, row: ConnectionRow, /) -> tuple[Finding, ...]: ...

    def shown_settings(self, row: ConnectionRow, /) -> Mapping[str, object]: ...

    def must_be_callable(self, url: str, /) -> None: ...

    def try_callback(self, endpoint: EndpointRow, /) -> CallbackResult: ...


def _open() -> None:
    return None


_OUTSIDE = ThreadPoolExecutor(max_workers=4, thread_name_prefix="outside")
"""Threads of their own: a helpdesk that does not answer must not keep reads from running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDeps:
    """`intake` raises NotReady while no new work may come in (disk floor). `inline_reads`: short reads run on the
    event loop (SQLite: microseconds) instead of in a thread (PostgreSQL: a network round trip)."""

    committer: Committer
    reads: Reads
    lookups: Lookups
    verifier: Verifier
    admin: Admin
    administration: Administration
    metrics: Metrics
    readiness: Callable[[], Sequence[Check]]
    backlog: Callable[[], Backlog] = Backlog
    intake: Callable[[], None] = _open
    lifespan: Callable[[], AbstractAsyncContextManager[object]] = nullcontext
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    limits: Limits = Limits()
    public_url: str = "http://127.0.0.1:8000"
    files: Files | None = None
    decision_links: DecisionLinks | None = None
    inline_reads: bool = True

    async def commit(self, job: Job[T]) -> T:
        """What the job returned, after its transaction is durable.

        NotReady when that takes too long: it may still happen, and a repeat with the same id does no harm.
        """
        waiting = asyncio.wrap_future(self.committer.submit(job))
        try:
            async with asyncio.timeout(self.limits.commit_timeout_s):
                return await asyncio.shield(waiting)  # a caller who goes away must not cancel a job half way
        except TimeoutError:
            waiting.add_done_callback(_look_at)
            raise NotReady("The commit takes too long.") from None

    async def quick(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One indexed read."""
        if self.inline_reads:
            return read(*args, **kwargs)
        return await asyncio.to_thread(read, *args, **kwargs)

    async def read(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A read that may take its time."""
        return await asyncio.to_thread(read, *args, **kwargs)

    async def write(self, change: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A change of the configuration, durable when it returns."""
        self.intake()
        return await asyncio.to_thread(change, *args, **kwargs)

    async def outside(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What waits for a helpdesk or a platform."""
        return await asyncio.get_running_loop().run_in_executor(_OUTSIDE, partial(call, *args, **kwargs))


def _look_at(future: asyncio.Future[T]) -> None:
    """Nobody waits any more; without a look at the outcome asyncio would complain about it."""
    if not future.cancelled():
        future.exception()


def deps_of(request: Request) -> ApiDeps:
    deps = request.app.state.deps
    assert isinstance(deps, ApiDeps)
    return deps
