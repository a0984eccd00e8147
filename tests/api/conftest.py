"""A whole API on a real database: two workspaces, keys with one scope each, a helpdesk whose webhooks are signed."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.testclient import TestClient

from handoff_sync.api.app import create_app
from handoff_sync.api.auth import Scope
from handoff_sync.api.deps import ApiDeps, Check, Health, Limits
from handoff_sync.api.metrics import Backlog, Metrics
from handoff_sync.callbacks import callback_client
from handoff_sync.contract.address import AddressGuard, networks
from handoff_sync.contract.connector import WebhookHint, WebhookRequest
from handoff_sync.core.policy import Mode, Policy, Recipient
from handoff_sync.delivery.administering import Administration
from handoff_sync.delivery.budgets import budget_storage
from handoff_sync.delivery.connections import ConnectionPool
from handoff_sync.delivery.outages import Outages
from handoff_sync.errors import NotReady, UnrecognisedPayload, WebhookRefused
from handoff_sync.store.admin import Admin
from handoff_sync.store.clock import system_clock
from handoff_sync.store.committer import Committer
from handoff_sync.store.engine import open_database
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import ConnectionRow
from handoff_sync.store.vault import Vault
from tests.api.described import Described

POLICY = Policy(
    handover_mode=Mode.AUTOMATIC,
    recipients=(Recipient(email="admin@example.com"),),
    upgrade_url="https://example.com/plans",
)
HOOKS = "https://handoff.example.com/hooks"
LIMITS = Limits(max_body_bytes=200_000, body_timeout_s=0.5, key_cache_s=0.0)


class SignedHelpdesk:
    """Believes bodies that carry their own HMAC, and understands JSON objects with an id."""

    def verify(self, connection: ConnectionRow, request: WebhookRequest) -> WebhookHint:
        if not hmac.compare_digest(request.headers.get("x-signature", ""), signature(request.body)):
            raise WebhookRefused("signature does not match")
        try:
            body = json.loads(request.body)
            return WebhookHint(delivery_id=body["id"], tickets=tuple(body["tickets"]), ignored=body.get("ignored", ""))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise UnrecognisedPayload("payload has no id.") from None


def signature(body: bytes) -> str:
    return hmac.new(b"secret of the helpdesk", body, "sha256").hexdigest()


@dataclass
class Switches:
    """What tests turn: intake closed, parts that are down, a fault that nobody foresaw."""

    full: bool = False
    fault: Exception | None = None
    checks: list[Check] = field(default_factory=lambda: [Check(name="database", health=Health.OK)])

    def intake(self) -> None:
        if self.full:
            raise NotReady("The disk is nearly full.", retry_after_s=10)

    def readiness(self) -> list[Check]:
        if self.fault is not None:
            raise self.fault
        return self.checks


@dataclass
class World:
    """`api` may do everything in workspace ws_1; `foreign` everything in ws_2."""

    api: Described
    foreign: Described
    scoped: dict[Scope, Described]
    committer: Committer
    admin: Admin
    reads: Reads
    switches: Switches
    connection: ConnectionRow

    def tell(self, type: str, conversation: str = "c1", **more: Any) -> Any:
        """Sends one event with an id of its own and returns its result."""
        self.count += 1
        event = {"id": f"e{self.count}", "type": type, "conversation_id": conversation} | more
        return self.api.post("/v1/events", event)

    def says(self, text: str = "Hello", conversation: str = "c1") -> Any:
        """The customer writes; returns the session."""
        answer = self.tell("customer.message", conversation, message={"id": f"m{self.count}", "text": text})
        assert answer.status_code == 200, answer.text
        return answer.json()["session"]

    def act(self, session_id: str, action: str, **body: Any) -> Any:
        return self.api.post(f"/v1/sessions/{session_id}/actions/{action}", {"actor": MONA} | body)

    count: int = 0


MONA = {"id": "m_1", "name": "Mona Member"}


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    with running(sqlite_url) as world:
        yield world


@pytest.fixture
def any_world(database_url: str) -> Iterator[World]:
    """As `world`, on each kind of database."""
    with running(database_url) as world:
        yield world


@contextmanager
def running(url: str) -> Iterator[World]:
    database = open_database(url)
    committer = Committer(database)
    admin = Admin(database, committer, Vault({"k1": bytes(32)}))
    reads = Reads(database)
    switches = Switches()
    outages = Outages(committer, system_clock)
    pool = ConnectionPool(admin, budget_storage("memory://"), system_clock, outages)
    http = callback_client(AddressGuard(allowed=networks(["127.0.0.0/8"])))

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        committer.start()
        yield
        committer.stop()
        pool.close()
        http.close()

    deps = ApiDeps(
        committer=committer,
        reads=reads,
        lookups=admin,
        verifier=SignedHelpdesk(),
        admin=admin,
        administration=Administration(admin, pool, http, system_clock, HOOKS, networks(["127.0.0.0/8"])),
        metrics=Metrics(),
        readiness=switches.readiness,
        backlog=lambda: Backlog(lanes_due=reads.backlog()[0], parked_deliveries=reads.backlog()[1]),
        intake=switches.intake,
        lifespan=lifespan,
        limits=LIMITS,
        public_url="https://handoff.example.com",
        inline_reads=database.dialect == "sqlite",
    )
    with TestClient(create_app(deps)) as client:
        for number in ("1", "2"):
            admin.create_workspace(f"Shop {number}", POLICY, id=f"ws_{number}")
        api = Described(client, admin.create_api_key("ws_1", "all", tuple(Scope)).key)
        yield World(
            api=api,
            foreign=api.with_key(admin.create_api_key("ws_2", "all", tuple(Scope)).key),
            scoped={scope: api.with_key(admin.create_api_key("ws_1", scope, (scope,)).key) for scope in Scope},
            committer=committer,
            admin=admin,
            reads=reads,
            switches=switches,
            connection=admin.create_connection("ws_1", "zendesk", "Helpdesk", {}, {"token": "t"}),
        )
    database.dispose()
