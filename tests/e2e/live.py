"""The service behind real HTTP in this process, connected to a simulated Zendesk whose webhooks reach it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.bootstrap import App, build
from handoff_sync.core.policy import Policy
from handoff_sync.delivery.connecting import set_up
from handoff_sync.logs import configure_logs
from handoff_sync.secret_keys import new_key
from handoff_sync.settings import load_settings
from handoff_sync.simulator.server import LoopbackServer
from handoff_sync.store.migrate import migrate
from handoff_sync.web import make_app
from tests.e2e.stand import until
from tests.engines import free_port


class Live:
    """A running service and what a platform does with it."""

    def __init__(self, app: App, simulator: ZendeskSimulator, policy: Policy, url: str) -> None:
        self.app, self.simulator, self.url = app, simulator, url
        self.workspace = app.admin.create_workspace("Acme", policy=policy).id
        key = app.admin.create_api_key(self.workspace, "test", ["admin"]).key
        known = simulator.credentials
        given = {
            "subdomain": "acme",
            "client_id": known.client_id,
            "client_secret": known.client_secret,
            "base_url": simulator.base_url,
        }
        done = set_up(app.admin, app.connections, self.workspace, "zendesk", "acme", given, f"{url}/hooks")
        assert done.connection is not None, done.findings
        self.connection = done.connection
        self.hook_url = f"{url}/hooks/{done.connection.hook_token}"
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=20)

    def send(self, **event: Any) -> dict[str, Any]:
        answer = self.http.post("/v1/events", json=event)
        assert answer.status_code < 300, (answer.status_code, answer.text)
        return dict(answer.json())

    def say(self, number: int, talk: str = "talk") -> None:
        self.send(
            id=f"{talk}-say-{number}",
            type="customer.message",
            conversation_id=talk,
            customer={"external_id": talk, "name": "Ana Ruiz"},
            message={"id": f"m-{number}", "text": f"<<words {number}>>"},
        )

    def hand_over(self, talk: str = "talk") -> int:
        """Requests a handoff and waits for its ticket."""
        self.send(id=f"{talk}-please", type="handoff.requested", conversation_id=talk, trigger="customer_request")
        link = until("the ticket is linked", lambda: self.session(talk)["tickets"][0].get("remote_id"))
        return int(link)

    def session(self, talk: str = "talk") -> dict[str, Any]:
        (found,) = self.http.get("/v1/sessions", params={"conversation_id": talk}).json()["items"]
        return dict(self.http.get(f"/v1/sessions/{found['id']}").json())

    def transcript(self, talk: str = "talk") -> list[dict[str, Any]]:
        path = f"/v1/sessions/{self.session(talk)['id']}/transcript"
        return list(self.http.get(path).json()["items"])


@contextmanager
def live(folder: Path, simulator: ZendeskSimulator, policy: Policy, **settings: Any) -> Iterator[Live]:
    """Starts a service; settings overrule what suits a test."""
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
        service = Live(app, simulator, policy, url)
        yield service
    finally:
        if service is not None:
            service.http.close()
        server.stop()
        app.stop()
