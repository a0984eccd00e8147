"""The simulated Zendesk does not drift from the real one: Zendesk's own description judges what is said both ways."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from handoff_connectors.zendesk import ZendeskConnector
from handoff_connectors.zendesk.settings import ZendeskSettings
from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.contract.connector import CommentDraft, Requester, TicketDraft
from handoff_sync.core.model import Customer, TicketStatus
from handoff_sync.simulator.endpoints import Answer, Call
from tests.connectors.zendesk import openapi
from tests.connectors.zendesk.conftest import MemoryJournal, Spending, StoredSecrets
from tests.connectors.zendesk.simulated import Client, running

pytestmark = pytest.mark.skipif(not openapi.FILE.exists(), reason=f"needs {openapi.FILE}")


@dataclass(frozen=True)
class Exchange:
    """One call and its answer."""

    method: str
    path: str
    sent: bytes
    status: int
    answered: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


def listener(heard: list[Exchange]) -> Callable[[Call, Answer], None]:
    """An observer of the simulator that writes into `heard`."""

    def listen(call: Call, answer: Answer) -> None:
        heard.append(Exchange(call.method, call.path, call.raw, answer.status, answer.encoded()))

    return listen


@pytest.fixture(scope="module")
def exchanges() -> Iterator[list[Exchange]]:
    """Everything that the service does at a helpdesk, done once."""
    heard: list[Exchange] = []
    with running() as (zendesk, client):
        zendesk.settings.search_lag_s = zendesk.settings.export_withheld_s = 0
        zendesk.api.observers.append(listener(heard))
        _tickets(zendesk, client)
        _people_and_lists(client)
        yield heard


def _tickets(zendesk: ZendeskSimulator, client: Client) -> None:
    known = zendesk.credentials
    client.post("/oauth/tokens", json={"grant_type": "client_credentials", "client_id": known.client_id,
                                       "client_secret": known.client_secret, "scope": "read write"})  # fmt: skip
    note = {"html_body": "<p>Hello</p>", "public": False}
    first, second = (client.ticket(external_id=f"hs:{n}", tags=["a"], priority="high", comment=note) for n in (1, 2))
    one, two = first["id"], second["id"]
    said = {"body": "Me again", "public": True, "author_id": first["requester_id"]}
    client.change(one, comment=said, metadata={"hs_op": "m1"})
    zendesk.reply(one, "Hello")
    zendesk.assign(one, "Dana")
    client.change(one, status="pending", custom_fields=[{"id": zendesk.account.field_ids[0], "value": "745"}])
    for path in (one, f"show_many?ids={one},{two}", f"{one}/comments", f"{one}/comments?page[size]=1&include=users",
                 f"{one}/audits", f"{one}/audits?page[size]=100", f"{one}/tags"):  # fmt: skip
        client.get(f"/api/v2/tickets/{path}")
    client.get("/api/v2/tickets"), client.get("/api/v2/tickets?external_id=hs:1")
    client.post(f"/api/v2/tickets/{one}/tags", json={"tags": ["x"]})
    client.put(f"/api/v2/tickets/{one}/tags", json={"tags": ["y"]})
    client.request("DELETE", f"/api/v2/tickets/{one}/tags", json={"tags": ["y"]})
    client.delete(f"/api/v2/tickets/{two}")
    client.get("/api/v2/deleted_tickets")
    client.get("/api/v2/incremental/tickets/cursor?start_time=0")
    client.put(f"/api/v2/deleted_tickets/{two}/restore")
    client.post(f"/api/v2/tickets/{one}/merge", json={"ids": [two]})
    client.put(f"/api/v2/tickets/{one}/mark_as_spam")


def _people_and_lists(client: Client) -> None:
    for _ in range(2):
        user = {"name": "Bo", "external_id": "c2", "email": "bo@example.com"}
        user_id = client.post("/api/v2/users/create_or_update", json={"user": user}).json()["user"]["id"]
    client.put(f"/api/v2/users/{user_id}", json={"user": {"name": "Bo Li", "email": "bo@example.com"}})
    for path in (f"/users/{user_id}", "/users/me", "/users/search?external_id=c2", f"/users/show_many?ids={user_id}",
                 "/users", "/groups", "/custom_statuses", "/triggers", "/search?query=type:ticket"):  # fmt: skip
        client.get(f"/api/v2{path}")
    client.post("/api/v2/uploads?filename=a.txt", content=b"x", headers={"Content-Type": "text/plain"})
    conditions = {"all": [{"field": "status", "operator": "is", "value": "solved"}], "any": []}
    trigger = {"title": "t", "conditions": conditions, "actions": [{"field": "status", "value": "closed"}]}
    made = client.post("/api/v2/triggers", json={"trigger": {**trigger, "category_id": "1"}}).json()["trigger"]
    client.get(f"/api/v2/triggers/{made['id']}")
    client.delete(f"/api/v2/triggers/{made['id']}")


def test_answers_are_as_described(exchanges: list[Exchange]) -> None:
    wrong = {str(e): openapi.answer_mistakes(e.method, e.path, e.status, e.answered) for e in exchanges}
    assert {call: mistakes for call, mistakes in wrong.items() if mistakes} == {}


def test_requests_are_as_described(exchanges: list[Exchange]) -> None:
    wrong = {
        str(e): openapi.request_mistakes(e.method, e.path, e.sent) for e in exchanges if e.path != "/api/v2/uploads"
    }
    assert {call: mistakes for call, mistakes in wrong.items() if mistakes} == {}


def test_what_the_connector_says_is_as_described() -> None:
    heard: list[Exchange] = []
    with running() as (zendesk, _):
        zendesk.api.observers.append(listener(heard))
        _work(zendesk)
    wrong = {str(e): openapi.request_mistakes(e.method, e.path, e.sent) for e in heard}
    assert {call: mistakes for call, mistakes in wrong.items() if mistakes} == {}
    wrong = {str(e): openapi.answer_mistakes(e.method, e.path, e.status, e.answered) for e in heard}
    assert {call: mistakes for call, mistakes in wrong.items() if mistakes} == {}
    assert {e.method for e in heard if openapi.operation(e.method, e.path)} >= {"GET", "POST", "PUT"}


def _work(zendesk: ZendeskSimulator) -> None:
    """One ticket's life through the connector."""
    settings = ZendeskSettings(subdomain="acme", auth="api_token", email=zendesk.credentials.email,
                               base_url=zendesk.base_url)  # fmt: skip
    connector = ZendeskConnector(settings, StoredSecrets(token=zendesk.credentials.api_token), Spending())
    ana = Requester(external_id="acme:c-1", customer=Customer(name="Ana", email="ana@example.com", email_verified=True))
    wanted = TicketDraft(external_id="hs:acme:1", subject="Ana needs your help", requester=ana, html="<p>Hello</p>",
                         tags=("handoff-sync",), priority="high")  # fmt: skip
    ticket = connector.open(wanted, MemoryJournal()).id
    said = CommentDraft(marker="m1", html="<p>Is somebody there?</p>", public=True, author=ana)
    connector.append(ticket, said, MemoryJournal())
    zendesk.reply(ticket, "Yes")
    connector.set_tags(ticket, ("x",), ("handoff-sync",), "m2")
    connector.set_assignee(ticket, str(zendesk.account.agent("Dana").id), "m3")
    connector.set_status(ticket, TicketStatus.SOLVED, "m4")
    assert connector.find("hs:acme:1") is not None
    assert connector.find_appended(ticket, "m1") is not None
    assert connector.read(ticket, None).comments
    connector.changed(None, datetime.now(UTC))
    connector.check()
    connector.close()


def test_enough_was_judged(exchanges: list[Exchange]) -> None:
    judged = [e for e in exchanges if openapi.operation(e.method, e.path) is not None]
    assert len(judged) >= 35
    assert all(exchange.status < 400 for exchange in exchanges), [str(e) for e in exchanges if e.status >= 400]


@pytest.mark.parametrize(
    ("schema", "method", "end", "name"),
    [
        ("TicketObject", "POST", "/tickets", "ticket"),
        ("TicketObject", "PUT", "", "ticket"),
        ("TicketCommentObject", "GET", "/comments", "comments"),
        ("TicketAuditObject", "GET", "/audits", "audits"),
        ("UserForAdmin", "GET", "/users/me", "user"),
    ],
)
def test_things_have_the_described_fields_and_no_others(
    exchanges: list[Exchange], schema: str, method: str, end: str, name: str
) -> None:
    bodies = [json.loads(e.answered) for e in exchanges if e.method == method and e.path.endswith(end) and e.answered]
    shown = next(body[name] for body in bodies if name in body)
    fields = set(shown[0] if isinstance(shown, list) else shown)
    described = openapi.described_fields(schema)
    assert fields - described <= openapi.EXTRA.get(schema, set())
    assert described - fields <= openapi.MISSING_ON_PURPOSE.get(schema, set())


def test_the_judge_is_awake() -> None:
    """A wrong answer is found, so that silence means something."""
    assert openapi.answer_mistakes("GET", "/api/v2/users/me", 200, b'{"user":{"id":"7"}}')
    assert openapi.answer_mistakes("GET", "/api/v2/users/me", 204, b"")
    assert openapi.request_mistakes("PUT", "/api/v2/tickets/1", b'{"ticket":{"status":"done"}}')
