"""A Zendesk that answers what a test scripts, byte for byte, over a real socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from handoff_connectors.zendesk import ZendeskConnector
from handoff_connectors.zendesk.settings import ZendeskSettings
from handoff_sync.contract.connector import WebhookRequest
from tests.contract.suite.parts import MemoryJournal, Spending, StoredSecrets

ME = {"user": {"id": 900, "name": "Connector", "role": "admin"}}


@dataclass
class Heard:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def answer(status: int, body: object = None, *, kind: str = "application/json", **headers: str) -> bytes:
    """A whole HTTP answer; `retry_after="7"` becomes the header Retry-After."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@dataclass
class Script:
    """Answers requests in order; what is scripted last is repeated. `heard` are the requests."""

    port: int
    answers: list[bytes | Callable[[socket.socket], None]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def say(self, *answers: bytes | Callable[[socket.socket], None]) -> None:
        self.answers = list(answers)

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    self._answer(connection)
                except OSError:
                    continue

    def _answer(self, connection: socket.socket) -> None:
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += connection.recv(65_536)
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65_536)
        method, target, _ = first.split(" ")
        self.heard.append(Heard(method, target, headers, body))
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(said):
            said(connection)
        else:
            connection.sendall(said)


@pytest.fixture
def zendesk() -> Iterator[Script]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        script = Script(listening.getsockname()[1])
        thread = threading.Thread(target=script.serve, args=(listening,), daemon=True)
        thread.start()
        yield script
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.fixture
def secrets() -> StoredSecrets:
    return StoredSecrets(token="tok-canary", signing_secret="sign-canary")


@pytest.fixture
def spending() -> Spending:
    return Spending()


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def connector(zendesk: Script, secrets: StoredSecrets, spending: Spending) -> Iterator[ZendeskConnector]:
    settings = ZendeskSettings(subdomain="acme", auth="api_token", email="bot@example.com", base_url=zendesk.url)
    made = ZendeskConnector(settings, secrets, spending)
    yield made
    made.close()


@pytest.fixture
def hook() -> Iterator[tuple[str, list[WebhookRequest]]]:
    """An address that takes webhooks in, and what came."""
    came: list[WebhookRequest] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            came.append(WebhookRequest(headers, body, datetime.now(UTC)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks/1", came
    server.shutdown()
    server.server_close()
    thread.join(5)
