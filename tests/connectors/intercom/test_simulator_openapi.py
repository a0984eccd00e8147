"""The simulated Intercom does not drift from the real one: Intercom's own description judges what is said both ways."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from handoff_connectors.intercom import IntercomConnector
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_connectors.intercom.simulator import IntercomSimulator
from handoff_sync.contract.connector import CommentDraft, Requester, TicketDraft, WebhookRequest
from handoff_sync.core.model import Customer, TicketStatus
from handoff_sync.simulator.endpoints import Answer, Call
from tests.connectors.intercom import openapi
from tests.connectors.intercom.conftest import MemoryJournal, Spending, StoredSecrets
from tests.connectors.intercom.simulated import Client, Receiver, receiving, running

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
    with running() as (intercom, client):
        intercom.settings.search_lag_s = 0
        intercom.api.observers.append(listener(heard))
        _conversations(intercom, client)
        _tickets(client)
        _contacts(client)
        _workspace(client)
        yield heard


def _conversations(intercom: IntercomSimulator, client: Client) -> None:
    ana = client.contact(email="ana@example.com")
    bo = client.contact(external_id="acme:c-2", role="lead", name=None)
    one, two, three = (client.begin(who, created_at=1734537500) for who in (ana, ana, bo))
    client.ok("POST", "/conversations/attributes", {"name": "handoff", "data_type": "string", "description": "ours"})
    client.ok("PUT", f"/conversations/{one}", {"title": "t", "custom_attributes": {"handoff": "h1"}, "read": True})
    client.reply(one, message_type="note", body="<p>Hello</p>", skip_notifications=True)
    file = {"content_type": "text/plain", "name": "a.txt", "data": "eA=="}
    client.reply(one, intercom_user_id=ana["id"], body="Any news?", attachment_files=[file])
    client.reply(one, body="<p>Yes</p>")
    intercom.reply(one, "Sure"), intercom.quick_reply(one, "Yes", "No")
    client.manage(one, message_type="assignment", type="team", assignee_id=str(next(iter(intercom.workspace.teams))))
    client.manage(one, message_type="assignment", type="admin", assignee_id=client.admin_id)
    client.manage(one, message_type="snoozed", snoozed_until=int(intercom.clock.unix()) + 60)
    client.manage(one, message_type="open")
    client.manage(one, message_type="close", type="admin", body="Bye")
    tag = client.ok("POST", "/tags", {"name": "handoff"})["id"]
    client.ok("POST", f"/conversations/{one}/tags", {"id": tag, "admin_id": client.admin_id})
    client.conversation(one), client.conversation(one, display_as="plaintext")
    client.request("DELETE", f"/conversations/{one}/tags/{tag}", json={"admin_id": client.admin_id})
    given = {"admin_id": client.admin_id, "customer": {"intercom_user_id": bo["id"]}}
    client.ok("POST", f"/conversations/{one}/customers", given)
    client.request("DELETE", f"/conversations/{one}/customers/{bo['id']}", json={"admin_id": client.admin_id})
    part = client.parts(one)[2]["id"]
    wanted = {"type": "conversation_part", "conversation_id": one, "conversation_part_id": part}
    client.ok("POST", "/conversations/redact", wanted)
    by_contact = {"field": "contact_ids", "operator": "=", "value": ana["id"]}
    since = {"field": "created_at", "operator": ">", "value": 1734537000}
    assert client.found(by_contact, since, pagination={"per_page": 1})
    client.get("/conversations", params={"per_page": 1})
    client.ok("POST", f"/conversations/{two}/merge", {"merge_into_conversation_id": int(one)})
    client.delete(f"/conversations/{three}")
    client.get("/conversations/deleted")


def _tickets(client: Client) -> None:
    eva = client.contact(external_id="acme:c-9", email="eva@example.com")
    number = client.begin(eva)
    described = {"_default_title_": "Charged twice", "_default_description_": "I was charged twice."}
    wanted = {"ticket_type_id": "53", "attributes": described}
    ticket = client.ok("POST", f"/conversations/{number}/convert", wanted)["id"]
    state = client.ok("GET", "/ticket_states")["data"][2]["id"]
    changed = {"ticket_state_id": state, "assignee_id": client.admin_id, "admin_id": int(client.admin_id),
               "open": True, "skip_notifications": True}  # fmt: skip
    client.ok("PUT", f"/tickets/{ticket}", changed)
    said = {"message_type": "comment", "type": "user", "intercom_user_id": eva["id"], "body": "Any news?"}
    client.ok("POST", f"/tickets/{ticket}/reply", said)
    note = {"message_type": "note", "type": "admin", "admin_id": client.admin_id, "body": "<p>Refund</p>"}
    client.ok("POST", f"/tickets/{ticket}/reply", {**note, "skip_notifications": True})
    tag = client.ok("POST", "/tags", {"name": "refund"})["id"]
    client.ok("POST", f"/tickets/{ticket}/tags", {"id": tag, "admin_id": client.admin_id})
    client.request("DELETE", f"/tickets/{ticket}/tags/{tag}", json={"admin_id": client.admin_id})
    later = {"snoozed_until": 4_102_444_800, "admin_id": int(client.admin_id)}
    client.ok("PUT", f"/tickets/{ticket}", later)
    client.ok("PUT", f"/tickets/{ticket}", {"open": False, "admin_id": int(client.admin_id)})
    query = {"field": "description", "operator": "~", "value": "charged"}
    assert client.ok("POST", "/tickets/search", {"query": query, "pagination": {"per_page": 5}})["total_count"] == 1
    for path in (f"/tickets/{ticket}", "/ticket_types", "/ticket_types/53"):
        client.ok("GET", path)


def _contacts(client: Client) -> None:
    lead = client.contact(role="lead", external_id="acme:l-1", email="cleo@example.com")
    user = client.contact(external_id="acme:u-1", email="cleo@example.com")
    client.ok("PUT", f"/contacts/{user['id']}", {"name": "Cleo", "owner_id": client.admin_id})
    wanted = {"field": "external_id", "operator": "=", "value": "acme:u-1"}
    client.ok("POST", "/contacts/search", {"query": wanted})
    client.ok("POST", "/contacts/merge", {"from": lead["id"], "into": user["id"]})
    for path in ("", f"/{user['id']}", f"/{lead['id']}", "/find_by_external_id/acme:u-1"):
        client.get(f"/contacts{path}")
    for what in ("archive", "unarchive", "block"):
        client.ok("POST", f"/contacts/{user['id']}/{what}", {})
    client.delete(f"/contacts/{user['id']}")


def _workspace(client: Client) -> None:
    given = {"name": "chat_workspace", "model": "contact", "data_type": "string"}
    client.ok("POST", "/data_attributes", given)
    team = client.get("/teams").json()["teams"][0]["id"]
    for path in ("/me", "/admins", f"/admins/{client.admin_id}", "/teams", f"/teams/{team}", "/tags",
                 "/conversations/attributes", "/conversations/attributes/1", "/data_attributes",
                 "/subscription_types", "/admins/1", "/conversations/1", "/contacts/none"):  # fmt: skip
        client.get(path)
    client.get("/me", headers={"Authorization": "Bearer x"})


def test_answers_are_as_described(exchanges: list[Exchange]) -> None:
    wrong = {str(e): openapi.answer_mistakes(e.method, e.path, e.status, e.answered) for e in exchanges}
    assert {call: mistakes for call, mistakes in wrong.items() if mistakes} == {}


def test_requests_are_as_described(exchanges: list[Exchange]) -> None:
    wrong = {str(e): openapi.request_mistakes(e.method, e.path, e.sent) for e in exchanges}
    assert {call: mistakes for call, mistakes in wrong.items() if mistakes} == {}


def test_what_the_connector_says_is_as_described() -> None:
    heard: list[Exchange] = []
    with running() as (intercom, _), receiving() as receiver:
        intercom.settings.search_lag_s = 0
        intercom.api.observers.append(listener(heard))
        intercom.set_webhook(receiver.url)
        _work(intercom, receiver)
    wrong = {str(e): openapi.request_mistakes(e.method, e.path, e.sent) for e in heard}
    assert {call: mistakes for call, mistakes in wrong.items() if mistakes} == {}
    assert [str(e) for e in heard if e.status >= 400 or openapi.operation(e.method, e.path) is None] == []
    assert {e.method for e in heard} >= {"GET", "POST", "PUT", "DELETE"}


def _work(intercom: IntercomSimulator, receiver: Receiver, ticket_type_id: str | None = None) -> None:
    """One conversation's life through the connector."""
    known = intercom.credentials
    settings = IntercomSettings(base_url=intercom.base_url, reference_attribute="handoff", workspace_id=intercom.app_id,
                                ticket_type_id=ticket_type_id)  # fmt: skip
    secrets = StoredSecrets(access_token=known.access_token, client_secret=known.client_secret)
    with closing(IntercomConnector(settings, secrets, Spending())) as connector:
        _live(connector, intercom, receiver)


def _live(connector: IntercomConnector, intercom: IntercomSimulator, receiver: Receiver) -> None:
    connector.install_webhook("https://chat.example.com/hooks/1")
    ana = Requester(external_id="acme:c-1", customer=Customer(name="Ana", email="ana@example.com", email_verified=True))
    team = next(iter(intercom.workspace.teams))
    wanted = TicketDraft(external_id="hs:acme:1", subject="Ana needs your help", requester=ana, html="<p>Hello</p>",
                         tags=("handoff-sync",), group=team)  # fmt: skip
    ticket = connector.open(wanted, MemoryJournal()).id
    assert connector.find("hs:acme:1") is not None
    said = CommentDraft(marker="m1", html="<p>Is somebody there?</p>", public=True, author=ana)
    connector.append(ticket, said, MemoryJournal())
    assert connector.find_appended(ticket, "m1") is not None
    intercom.reply(ticket, "Yes")
    connector.set_tags(ticket, ("x",), ("handoff-sync",), "m2")
    connector.set_assignee(ticket, intercom.workspace.admin("Dana").id, "m3")
    for status in (TicketStatus.ON_HOLD, TicketStatus.OPEN, TicketStatus.SOLVED):
        connector.set_status(ticket, status, "m4")
    assert [comment.text for comment in connector.read(ticket, None).comments if comment.public][-1] == "Yes"
    assert ticket in connector.changed(None, datetime.now(UTC)).ids
    hook = receiver.wait(1)[0]
    assert connector.verify_webhook(WebhookRequest(hook.headers, hook.body, datetime.now(UTC))).tickets == (ticket,)
    assert all(finding.ok for finding in connector.check() if finding.name == "credentials")


@pytest.mark.parametrize("still", [False, True])
def test_what_the_connector_says_of_tickets_is_as_described(still: bool) -> None:
    heard: list[Exchange] = []
    with running() as (intercom, _), receiving() as receiver:
        intercom.settings.search_lag_s, intercom.settings.ticket_is_conversation = 0, still
        intercom.api.observers.append(listener(heard))
        intercom.set_webhook(receiver.url)
        _work(intercom, receiver, ticket_type_id="53")
    wrong = {str(e): openapi.request_mistakes(e.method, e.path, e.sent) for e in heard}
    assert {call: mistakes for call, mistakes in wrong.items() if mistakes} == {}
    assert [str(e) for e in heard if openapi.operation(e.method, e.path) is None] == []
    refused = {str(e).partition(" -> ")[2] for e in heard if e.status >= 400}
    assert refused <= {"404"}, "a ticket is looked for as a conversation"


def test_enough_was_judged(exchanges: list[Exchange]) -> None:
    judged = {(e.method, id(openapi.operation(e.method, e.path))) for e in exchanges}
    assert len(judged) >= 43
    assert all(openapi.operation(e.method, e.path) for e in exchanges)
    failed = [(e.status, e.path) for e in exchanges if e.status >= 400]
    assert [status for status, _ in failed] == [410, 404, 404, 404, 401], failed


@pytest.mark.parametrize(
    ("schema", "method", "start"),
    [("conversation", "PUT", "/conversations/"), ("contact", "PUT", "/contacts/"), ("admin", "GET", "/admins/9"),
     ("team", "GET", "/teams/"), ("ticket", "PUT", "/tickets/"), ("ticket_type", "GET", "/ticket_types/")],
)  # fmt: skip
def test_things_have_the_described_fields_and_no_others(
    exchanges: list[Exchange], schema: str, method: str, start: str
) -> None:
    body = next(json.loads(e.answered) for e in exchanges if e.method == method and e.path.startswith(start))
    described = openapi.described_fields(schema)
    optional = openapi.MISSING_ON_PURPOSE.get(schema, {"admin_priority_level"})
    assert set(body) - described <= openapi.EXTRA.get(schema, set())
    assert described - set(body) - {"title"} <= optional


@pytest.mark.parametrize(
    ("method", "path", "name", "sent"),
    [
        ("get", "/conversations/{conversation_id}", "conversation found", "/conversations/2"),
        ("post", "/conversations/{conversation_id}/reply", "User reply", "/reply"),
        ("get", "/me", "Successful response", "/me"),
        ("post", "/contacts", "successful", "/contacts"),
        ("get", "/conversations", "successful", "/conversations"),
    ],
)
def test_answers_have_whatever_the_official_examples_have(
    exchanges: list[Exchange], method: str, path: str, name: str, sent: str
) -> None:
    same = [e for e in exchanges if e.method == method.upper() and e.status == 200
            and (e.path == sent or (sent.startswith("/conversations/") and e.path.startswith(sent))
                 or (sent == "/reply" and e.path.endswith(sent)))]  # fmt: skip
    assert missing(openapi.example(method, path, name), json.loads(same[0].answered), "") == []


def missing(wanted: object, given: object, place: str) -> list[str]:
    """The keys of `wanted` that `given` does not have, lists compared by their first entries."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        gone = [f"{place}/{key}" for key in wanted if key not in given]
        fixed = [key for key in wanted if key in given and key not in ("custom_attributes", "assigned_to")]
        return gone + [one for key in fixed for one in missing(wanted[key], given[key], f"{place}/{key}")]
    if isinstance(wanted, list) and isinstance(given, list) and wanted and given:
        return missing(wanted[0], given[0], f"{place}/0")
    return []


def test_the_judge_is_awake() -> None:
    """A wrong answer is found, so that silence means something."""
    assert openapi.answer_mistakes("GET", "/me", 200, b'{"id":7}')
    assert openapi.answer_mistakes("GET", "/me", 204, b"")
    assert openapi.answer_mistakes("GET", "/conversations/1", 200, b'{"state":"solved"}')
    assert openapi.request_mistakes("POST", "/conversations/1/parts", b'{"message_type":"solve","admin_id":"1"}')
    assert openapi.request_mistakes("PUT", "/conversations/1", b'{"titel":"t"}')
    assert openapi.request_mistakes("POST", "/conversations", b'{"from":{"type":"user","id":"7"},"body":"x"}')
