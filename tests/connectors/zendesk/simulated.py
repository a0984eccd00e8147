"""A client of the simulated Zendesk and a receiver of its webhooks, for the tests of the simulator."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from handoff_connectors.zendesk.simulator import Limits, ZendeskSimulator


class Client(httpx.Client):
    """Signed in as the connector's admin by API token."""

    def __init__(self, zendesk: ZendeskSimulator) -> None:
        known = zendesk.credentials
        super().__init__(
            base_url=zendesk.base_url, auth=(f"{known.email}/token", known.api_token), timeout=10, verify=False
        )

    def create(self, *, headers: dict[str, str] | None = None, **ticket: Any) -> httpx.Response:
        """Post a ticket; what is not named gets a harmless value."""
        ticket.setdefault("subject", "Refund")
        ticket.setdefault("requester", {"name": "Ana Ruiz", "email": "ana@example.com"})
        ticket.setdefault("comment", {"body": "Hello", "public": False})
        return self.post("/api/v2/tickets", json={"ticket": ticket}, headers=headers)

    def ticket(self, **ticket: Any) -> dict[str, Any]:
        """A new ticket as shown in the answer."""
        answer = self.create(**ticket)
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["ticket"])

    def change(self, ticket_id: int, **ticket: Any) -> httpx.Response:
        return self.put(f"/api/v2/tickets/{ticket_id}", json={"ticket": ticket})

    def comments(self, ticket_id: int, **query: Any) -> list[dict[str, Any]]:
        return list(self.get(f"/api/v2/tickets/{ticket_id}/comments", params=query).json()["comments"])


@contextmanager
def running(limits: Limits | None = None) -> Iterator[tuple[ZendeskSimulator, Client]]:
    """A simulator without limits, unless some are given, and its client."""
    with ZendeskSimulator(limits=limits or Limits.off()) as zendesk, Client(zendesk) as client:
        yield zendesk, client


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        return str(self.json["type"]).removeprefix("zen:event-type:ticket.")


@dataclass
class Receiver:
    """Takes webhooks. `answers`: status and headers for the next ones; when they are used up, 200."""

    url: str = ""
    got: list[Received] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    def kinds(self) -> list[str]:
        return [received.kind for received in self.got]

    def wait(self, count: int) -> list[Received]:
        """The webhooks, once there are at least `count`."""
        until(lambda: len(self.got) >= count)
        return self.got


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
            receiver.got.append(Received({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

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
