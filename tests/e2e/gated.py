"""The API behind real HTTP, with nothing that delivers: an AI that asks the gate, and people who take over."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from handoff_sync.bootstrap import build
from handoff_sync.core.policy import Policy
from handoff_sync.logs import configure_logs
from handoff_sync.secret_keys import new_key
from handoff_sync.settings import load_settings
from handoff_sync.simulator.server import LoopbackServer
from handoff_sync.store.migrate import migrate
from handoff_sync.web import make_app

MONA = {"id": "m_1", "name": "Mona Member"}


class Platform:
    """One conversation, seen by the AI and by people. Every call has ids of its own."""

    def __init__(self, http: httpx.Client, talk: str) -> None:
        self.http, self.talk = http, talk
        self._numbers = itertools.count()
        self.session = self.event("session.started")["session"]["id"]

    def event(self, type: str, **more: Any) -> dict[str, Any]:
        event = {"id": f"{self.talk}-{next(self._numbers)}", "type": type, "conversation_id": self.talk} | more
        answer = self.http.post("/v1/events", json=event)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def says(self, text: str) -> str:
        """The customer writes; who is in control afterwards."""
        message = {"id": f"m-{next(self._numbers)}", "text": text}
        return str(self.event("customer.message", message=message)["session"]["control"])

    def act(self, action: str, **body: Any) -> str:
        """Who is in control afterwards. What changes nothing is no failure."""
        answer = self.http.post(f"/v1/sessions/{self.session}/actions/{action}", json={"actor": MONA} | body)
        assert answer.status_code in (200, 409), answer.text
        found = answer.json() if answer.status_code == 200 else {"session": self.state()}
        return str(found["session"]["control"])

    def state(self) -> dict[str, Any]:
        return dict(self.http.get(f"/v1/sessions/{self.session}").json())

    def ask(self, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"/v1/conversations/{self.talk}/gate", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def blocked(self) -> list[str]:
        """Why the AI's attempts on record were blocked, in order."""
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.http.get(f"/v1/sessions/{self.session}/pause-log", params={"limit": 100, **cursor}).json()
            found += [row["reason"] for row in page["items"] if row["action"] == "interaction_blocked"]
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}

    def said_by_ai(self) -> list[str]:
        """Texts of the AI in the transcript."""
        lines = self.http.get(f"/v1/sessions/{self.session}/transcript", params={"limit": 200}).json()["items"]
        return [line["text"] for line in lines if line["author_class"] == "ai"]


@contextmanager
def gated(folder: Path, database_url: str, policy: Policy) -> Iterator[httpx.Client]:
    """A client of a running API whose workspace has this policy."""
    configure_logs("error", "console")
    app = build(load_settings(data_dir=folder, database_url=database_url, secret_keys=new_key(), disk_floor_mb=0))
    migrate(app.db)
    app.start(workers=False, sweeper=False)
    server = LoopbackServer(make_app(app, workers=False))
    server.start()
    workspace = app.admin.create_workspace("Acme", policy=policy).id
    key = app.admin.create_api_key(workspace, "test", ["admin"]).key
    try:
        with httpx.Client(base_url=server.base_url, headers={"Authorization": f"Bearer {key}"}, timeout=20) as http:
            yield http
    finally:
        server.stop()
        app.stop()
