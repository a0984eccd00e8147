"""A client of the simulated Gorgias and a receiver of its webhooks, for the tests of the simulator."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from handoff_connectors.gorgias.simulator import GorgiasSimulator, Limits, SimulatorSettings

Desk = tuple[GorgiasSimulator, "Client"]


class Client(httpx.Client):
    """Signed in as the connector's admin by API key."""

    def __init__(self, gorgias: GorgiasSimulator) -> None:
        known = gorgias.credentials
        super().__init__(
            base_url=f"{gorgias.base_url}/api", auth=(known.email, known.api_key), timeout=10, verify=False
        )
        self.me = gorgias.account.connector.id

    def customer(self, name: str = "Jo", **more: Any) -> int:
        """A new customer's id."""
        answer = self.post("/customers", json={"name": name, **more})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def create(self, text: str = "I want a person", *, of: int | None = None, **ticket: Any) -> httpx.Response:
        """Post a ticket with one message of a customer; what is not named gets a harmless value."""
        if "messages" not in ticket:
            ticket["messages"] = [said(of or self.customer(), text)]
        return self.post("/tickets", json={"channel": "api", "via": "api", "from_agent": False, **ticket})

    def ticket(self, text: str = "I want a person", **ticket: Any) -> dict[str, Any]:
        """A new ticket as shown in the answer."""
        answer = self.create(text, **ticket)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def show(self, ticket_id: int) -> dict[str, Any]:
        return dict(self.get(f"/tickets/{ticket_id}").json())

    def change(self, ticket_id: int, **ticket: Any) -> httpx.Response:
        return self.put(f"/tickets/{ticket_id}", json=ticket)

    def say(self, ticket_id: int, **message: Any) -> httpx.Response:
        return self.post(f"/tickets/{ticket_id}/messages", json=message)

    def note(self, text: str) -> dict[str, Any]:
        """A note of ours, as a body."""
        return {"channel": "internal-note", "via": "api", "from_agent": True, "public": False,
                "sender": {"id": self.me}, "body_text": text}  # fmt: skip


def said(customer: int, text: str, **more: Any) -> dict[str, Any]:
    """A customer's message, as a body."""
    return {"channel": "api", "via": "api", "from_agent": False, "public": True, "sender": {"id": customer},
            "body_text": text, "sent_datetime": datetime.now(UTC).isoformat(), **more}  # fmt: skip


@contextmanager
def running(limits: Limits | None = None) -> Iterator[tuple[GorgiasSimulator, Client]]:
    """A simulator without limits, unless some are given, and without delays of its lists, and its client."""
    settings = SimulatorSettings(list_lag_s=0, event_lag_s=0)
    with GorgiasSimulator(limits=limits or Limits.off(), settings=settings) as gorgias, Client(gorgias) as client:
        yield gorgias, client


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Takes webhooks. `answers`: statuses for the next ones; when they are used up, `always`."""

    url: str = ""
    always: int = 200
    got: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def wait(self, count: int) -> list[Received]:
        """The webhooks, once there are at least `count`."""
        until(lambda: len(self.got) >= count)
        return self.got


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append(Received(self.command, self.path, headers, body))
            self.send_response(receiver.answers.pop(0) if receiver.answers else receiver.always)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_PUT = do_POST

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hooks"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


def until(true: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Wait for something to become true.

    Raises:
        AssertionError: it did not.
    """
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
