"""An Intercom that answers what a test scripts, byte for byte, over a real socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from handoff_connectors.intercom import IntercomConnector
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_sync.contract.connector import CommentDraft, Requester, TicketDraft, WebhookRequest
from handoff_sync.contract.signatures import hmac_hex
from handoff_sync.core.model import Customer
from tests.contract.suite.parts import MemoryJournal, Spending, StoredSecrets

US, JOE, TEAM = "991267459", "274", "5017691"
ANA_ID = "6762f11b1bb69f9f2193bba3"
NOON = 1_734_537_600

Answered = bytes | Callable[[socket.socket], None]

ANA = Requester(
    external_id="acme:c-1", customer=Customer(name="Ana Example", email="ana@example.com", email_verified=True)
)
DRAFT = TicketDraft(
    external_id="hs:acme:1",
    subject="Customer needs your help: Ana Example",
    requester=ANA,
    html='<p dir="auto"><strong>Why</strong><br>words-canary</p>',
    tags=("handoff-sync",),
)
WORD = "HSOSIS33BXN5"
WORDS = CommentDraft(marker="m-1", html='<p dir="auto">Any news? words-canary</p>', public=True, author=ANA)
NOTE = CommentDraft(marker="m-2", html='<p dir="auto">words-canary of a note</p>', public=False)


@dataclass
class Heard:
    """One request as it came over the wire."""

    call: str
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


def problem(status: int, code: str, message: str = "words-canary", **headers: str) -> bytes:
    errors = [{"code": code, "message": message}]
    return answer(status, {"type": "error.list", "request_id": "1f8a-b", "errors": errors}, **headers)


@dataclass
class Script:
    """Answers by method and path (`*` stands for one id); of several scripted answers the last is repeated."""

    port: int
    answers: dict[str, list[Answered]] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on(self, call: str, *answers: object) -> None:
        """A JSON value stands for its 200."""
        self.answers[call] = [a if isinstance(a, bytes) or callable(a) else answer(200, a) for a in answers]

    def calls(self, start: str = "") -> list[Heard]:
        return [heard for heard in self.heard if heard.call.startswith(start)]

    def names(self) -> list[str]:
        return [heard.call for heard in self.heard]

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
        path = target.partition("?")[0]
        self.heard.append(Heard(f"{method} {path}", headers, body))
        said = self._said(method, path)
        if callable(said):
            said(connection)
        else:
            connection.sendall(said)

    def _said(self, method: str, path: str) -> Answered:
        pieces = path.split("/")
        names = [f"{method} {path}"]
        names += [f"{method} {'/'.join([*pieces[:2], '*', *pieces[3:]])}"] if len(pieces) > 2 else []
        for name in names:
            if waiting := self.answers.get(name):
                return waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return problem(404, "not_found", f"not scripted: {method} {path}")


# --- what Intercom says --------------------------------------------------------------------------------

ME = {"type": "admin", "id": US, "name": "Connector", "app": {"type": "app", "id_code": "acme1", "region": "US"}}
JOE_ADMIN = {"type": "admin", "id": JOE, "name": "Joe", "email": "joe@example.com", "avatar": "https://a.example/j.png"}
CONTACT = {"type": "contact", "id": ANA_ID, "external_id": "acme:c-1", "role": "user"}


def part(number: int, kind: str = "comment", by: str = "admin:274", **fields: Any) -> dict[str, Any]:
    who, _, whose = by.partition(":")
    return {
        "type": "conversation_part", "id": str(number), "part_type": kind, "body": None, "created_at": NOON + number,
        "updated_at": NOON + number, "author": {"type": who, "id": whose, "name": "Joe", "email": "joe@example.com"},
        "attachments": [], "redacted": False, "app_package_code": None, **fields,
    }  # fmt: skip


def conversation(*parts: dict[str, Any], id: str = "499", **fields: Any) -> dict[str, Any]:
    return {
        "type": "conversation", "id": id, "state": "open", "open": True, "created_at": NOON, "updated_at": NOON + 60,
        "snoozed_until": None, "admin_assignee_id": None, "team_assignee_id": 0,
        "source": {"type": "conversation", "id": "403", "body": f"<p>I would like …</p><p>Reference: {WORD}</p>",
                   "author": {"type": "user", "id": ANA_ID}},
        "contacts": {"type": "contact.list", "contacts": [{"id": ANA_ID, "external_id": "acme:c-1"}]},
        "tags": {"type": "tag.list", "tags": []}, "linked_objects": {"type": "list", "data": []},
        "conversation_parts": {"type": "conversation_part.list", "total_count": len(parts),
                               "conversation_parts": list(parts)},
        **fields,
    }  # fmt: skip


def tagged(*names: str) -> dict[str, Any]:
    return {"type": "tag.list", "tags": [{"type": "tag", "id": f"7{n}", "name": name} for n, name in enumerate(names)]}


def found(*conversations: dict[str, Any], after: str | None = None) -> dict[str, Any]:
    pages = {"type": "pages", "page": 1, "next": {"starting_after": after} if after else None}
    return {"type": "conversation.list", "conversations": list(conversations), "pages": pages}


@pytest.fixture
def intercom() -> Iterator[Script]:
    """Everything goes well, until a test says otherwise."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        script = Script(listening.getsockname()[1])
        script.on("GET /me", ME)
        script.on("GET /admins/*", JOE_ADMIN)
        script.on("POST /contacts", CONTACT)
        script.on("POST /conversations", {"type": "user_message", "id": "403", "conversation_id": "499"})
        script.on("PUT /conversations/*", conversation())
        script.on("POST /conversations/*/parts", conversation())
        script.on("POST /conversations/*/tags", {"type": "tag", "id": "70"})
        script.on("POST /tags", {"type": "tag", "id": "70", "name": "handoff-sync"})
        script.on("POST /conversations/*/reply", conversation(part(9, "note", f"admin:{US}", body="<p>ours</p>")))
        script.on("GET /conversations/*", conversation())
        script.on("POST /conversations/search", found())
        script.on("GET /conversations/deleted", found())
        thread = threading.Thread(target=script.serve, args=(listening,), daemon=True)
        thread.start()
        yield script
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.fixture
def secrets() -> StoredSecrets:
    return StoredSecrets(access_token="tok-canary", client_secret="sign-canary")


@pytest.fixture
def spending() -> Spending:
    return Spending()


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


Connect = Callable[..., IntercomConnector]


@pytest.fixture
def connect(intercom: Script, secrets: StoredSecrets, spending: Spending) -> Iterator[Connect]:
    """Makes connectors, each as a process of its own would."""
    made: list[IntercomConnector] = []

    def make(**settings: Any) -> IntercomConnector:
        chosen = {"base_url": intercom.url, "admin_id": US, "workspace_id": "acme1", **settings}
        made.append(IntercomConnector(IntercomSettings.model_validate(chosen), secrets, spending))
        return made[-1]

    yield make
    for connector in made:
        connector.close()


@pytest.fixture
def connector(connect: Connect) -> IntercomConnector:
    return connect()


Sign = Callable[..., WebhookRequest]


@pytest.fixture
def signed() -> Sign:
    """Webhooks as Intercom would send them."""

    def make(topic: str, item: object, secret: str = "sign-canary", **envelope: object) -> WebhookRequest:
        data = {"type": "notification_event_data", "item": item}
        whole = {"type": "notification_event", "app_id": "acme1", "id": "notif_1", "topic": topic, "data": data}
        return sign(json.dumps({**whole, **envelope}).encode(), secret)

    return make


def sign(body: bytes, secret: str = "sign-canary") -> WebhookRequest:
    mark = f"sha1={hmac_hex(secret.encode(), body, 'sha1')}"
    return WebhookRequest({"x-hub-signature": mark}, body, datetime.now(UTC))
