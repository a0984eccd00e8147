"""A client of the simulated Intercom and a receiver of its webhooks, for the tests of the simulator."""

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

from handoff_connectors.intercom.simulator import IntercomSimulator, Limits

VERSION = "2.16"


class Client(httpx.Client):
    """Signed in with the app's token."""

    def __init__(self, intercom: IntercomSimulator) -> None:
        headers = {"Authorization": f"Bearer {intercom.credentials.access_token}", "Intercom-Version": VERSION,
                   "Accept": "application/json"}  # fmt: skip
        super().__init__(base_url=intercom.base_url, headers=headers, timeout=10, verify=False)
        self.admin_id = intercom.workspace.connector.id

    def ok(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The answer of a call that succeeds."""
        answer = self.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def contact(self, **given: Any) -> dict[str, Any]:
        """A new contact; what is not named gets a harmless value."""
        given.setdefault("role", "user")
        given.setdefault("external_id", "acme:c-1")
        given.setdefault("name", "Ana Ruiz")
        return self.ok("POST", "/contacts", given)

    def begin(self, contact: dict[str, Any] | None = None, body: str = "I was charged twice.", **more: Any) -> str:
        """A new conversation's id."""
        contact = contact or self.contact()
        sender = {"type": contact["role"], "id": contact["id"]}
        return str(self.ok("POST", "/conversations", {"from": sender, "body": body, **more})["conversation_id"])

    def conversation(self, conversation_id: str, **query: Any) -> dict[str, Any]:
        answer = self.get(f"/conversations/{conversation_id}", params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def parts(self, conversation_id: str) -> list[dict[str, Any]]:
        return list(self.conversation(conversation_id)["conversation_parts"]["conversation_parts"])

    def reply(self, conversation_id: str, **given: Any) -> httpx.Response:
        """As our teammate, unless a contact is named."""
        if {"intercom_user_id", "user_id", "email"} & set(given):
            given = {"message_type": "comment", "type": "user", **given}
        else:
            given = {"message_type": "comment", "type": "admin", "admin_id": self.admin_id, **given}
        return self.post(f"/conversations/{conversation_id}/reply", json=given)

    def manage(self, conversation_id: str, **given: Any) -> httpx.Response:
        given = {"admin_id": self.admin_id, **given}
        return self.post(f"/conversations/{conversation_id}/parts", json=given)

    def found(self, *filters: dict[str, Any], **more: Any) -> list[str]:
        """Ids of the conversations that fit all filters, in the order of the answer."""
        query = {"operator": "AND", "value": list(filters)}
        return [c["id"] for c in self.ok("POST", "/conversations/search", {"query": query, **more})["conversations"]]


def error(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error answer, whose shape is always the same."""
    body = answer.json()
    assert body["type"] == "error.list"
    assert body["request_id"]
    assert body["errors"][0]["message"]
    return answer.status_code, str(body["errors"][0]["code"])


@contextmanager
def running(limits: Limits | None = None) -> Iterator[tuple[IntercomSimulator, Client]]:
    """A simulator without limits, unless some are given, and its client."""
    with IntercomSimulator(limits=limits or Limits.off()) as intercom, Client(intercom) as client:
        yield intercom, client


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def topic(self) -> str:
        return str(self.json["topic"])

    @property
    def item(self) -> dict[str, Any]:
        return dict(self.json["data"]["item"])


@dataclass
class Receiver:
    """Takes webhooks. `answers`: statuses for the next ones; when they are used up, 200. `probe`: answer to HEAD."""

    url: str = ""
    got: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    probe: int = 200
    probed: int = 0

    def topics(self) -> list[str]:
        return sorted(received.topic for received in self.got)

    def wait(self, count: int) -> list[Received]:
        """The webhooks, once there are at least `count`."""
        until(lambda: len(self.got) >= count)
        return self.got


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            receiver.probed += 1
            self._answer(receiver.probe)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.answers.pop(0) if receiver.answers else 200
            receiver.got.append(Received({k.lower(): v for k, v in self.headers.items()}, body))
            self._answer(status)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
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
