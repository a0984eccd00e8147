"""The service behind real HTTP in this process, connected to a simulated helpdesk whose webhooks reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.bootstrap import App, build
from handoff_sync.core.policy import Policy
from handoff_sync.delivery.connecting import set_up
from handoff_sync.logs import configure_logs
from handoff_sync.secret_keys import new_key
from handoff_sync.settings import load_settings
from handoff_sync.simulator.desk import Desk, DeskAccess
from handoff_sync.simulator.server import LoopbackServer
from handoff_sync.store.migrate import migrate
from handoff_sync.web import make_app
from tests.e2e.stand import until
from tests.engines import free_port

S = TypeVar("S", bound="Service")


class Service:
    """A running service and what a platform does with it. The helpdesk answers already."""

    def __init__(self, app: App, policy: Policy, url: str, kind: str, access: DeskAccess) -> None:
        self.app, self.url = app, url
        self.workspace = app.admin.create_workspace("Acme", policy=policy).id
        key = app.admin.create_api_key(self.workspace, "test", ["admin"]).key
        given = {**access.settings, **access.secrets}
        done = set_up(app.admin, app.connections, self.workspace, kind, "acme", given, f"{url}/hooks")
        assert done.connection is not None, done.findings
        self.connection = done.connection
        self.hook_url = f"{url}/hooks/{done.connection.hook_token}"
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=20)

    def send(self, **event: Any) -> dict[str, Any]:
        answer = self.http.post("/v1/events", json=event)
        assert answer.status_code < 300, (answer.status_code, answer.text)
        return dict(answer.json())

    def say(self, number: int, talk: str = "talk", customer: str = "") -> None:
        """Words of a customer, who is somebody else in each talk unless they are named."""
        self.send(
            id=f"{talk}-say-{number}",
            type="customer.message",
            conversation_id=talk,
            customer={"external_id": customer or talk, "name": "Ana Ruiz"},
            message={"id": f"m-{number}", "text": f"<<words {number}>>"},
        )

    def handed_over(self, talk: str = "talk") -> str:
        """Requests a handoff and waits for its ticket."""
        self.send(id=f"{talk}-please", type="handoff.requested", conversation_id=talk, trigger="customer_request")
        return str(until("the ticket is linked", lambda: self.session(talk)["tickets"][0].get("remote_id")))

    def session(self, talk: str = "talk") -> dict[str, Any]:
        (found,) = self.http.get("/v1/sessions", params={"conversation_id": talk}).json()["items"]
        return dict(self.http.get(f"/v1/sessions/{found['id']}").json())

    def transcript(self, talk: str = "talk") -> list[dict[str, Any]]:
        path = f"/v1/sessions/{self.session(talk)['id']}/transcript"
        return list(self.http.get(path).json()["items"])


class Live(Service):
    """A service with a Zendesk, whose tickets have numbers."""

    def __init__(self, app: App, simulator: ZendeskSimulator, policy: Policy, url: str) -> None:
        self.simulator = simulator
        known = simulator.credentials
        settings = {"subdomain": "acme", "client_id": known.client_id, "base_url": simulator.base_url}
        access = DeskAccess(settings=settings, secrets={"client_secret": known.client_secret})
        super().__init__(app, policy, url, "zendesk", access)

    def hand_over(self, talk: str = "talk") -> int:
        return int(self.handed_over(talk))


@contextmanager
def live(folder: Path, simulator: ZendeskSimulator, policy: Policy, **settings: Any) -> Iterator[Live]:
    """Starts a service; settings overrule what suits a test."""
    with _running(folder, lambda app, url: Live(app, simulator, policy, url), settings) as service:
        yield service


@contextmanager
def live_at(desk: Desk, folder: Path, policy: Policy, **settings: Any) -> Iterator[Service]:
    """As `live`, at a helpdesk of any kind."""

    def connected(app: App, url: str) -> Service:
        service = Service(app, policy, url, desk.kind, desk.access)
        desk.set_webhook(service.hook_url)
        return service

    with _running(folder, connected, settings) as service:
        yield service


@contextmanager
def _running(folder: Path, connect: Callable[[App, str], S], settings: dict[str, Any]) -> Iterator[S]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    chosen: dict[str, Any] = {
        "data_dir": folder,
        "secret_keys": new_key(),
        "public_url": url,
        "private_destinations": ("127.0.0.0/8",),
        "sweep_interval_s": 0.1,
        "disk_floor_mb": 0,
    }
    configure_logs("error", "console")
    app = build(load_settings(**(chosen | settings)))
    migrate(app.db)
    app.start(workers=True)
    server = LoopbackServer(make_app(app, workers=True), port=port)
    server.start()
    service = None
    try:
        service = connect(app, url)
        yield service
    finally:
        if service is not None:
            service.http.close()
        server.stop()
        app.stop()
