"""The simulated Gorgias does not drift from the real one: its description and recorded examples are the judges."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from handoff_connectors.gorgias.simulator import GorgiasSimulator, schemas
from handoff_connectors.gorgias.simulator.fields import Schema
from handoff_sync.simulator.endpoints import Answer, Call
from tests.connectors.gorgias import openapi
from tests.connectors.gorgias.simulated import Client, receiving, running, said

pytestmark = pytest.mark.skipif(not openapi.FILE.exists(), reason=f"needs {openapi.FILE}")

OURS = {"CreateTicket": schemas.CREATE_TICKET, "UpdateTicket": schemas.UPDATE_TICKET, "CreateMessage": schemas.MESSAGE,
        "PersonRef": schemas.PERSON, "AttachmentWrite": schemas.ATTACHMENT, "CustomerWrite": schemas.CUSTOMER,
        "IntegrationWrite": schemas.INTEGRATION, "HttpConfig": schemas.HTTP}  # fmt: skip

OPTIONAL_IN_EXAMPLES = {
    # Fields that the simulator shows beside those of an example; each is in the description.
    "message": {"deleted_datetime", "macros"},
}


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
    """Everything that one can do at the helpdesk, done once."""
    heard: list[Exchange] = []
    with running() as (gorgias, client):
        gorgias.api.observers.append(listener(heard))
        ticket_id = _tickets(gorgias, client)
        _people(client, ticket_id)
        _integrations(client)
        _refusals(gorgias, client, ticket_id)
        yield heard


def _tickets(gorgias: GorgiasSimulator, client: Client) -> int:
    jo = client.customer("Jo", email="jo@example.com", channels=[{"type": "chat", "address": "7f3a"}])
    ticket = client.ticket(
        external_id="hs1:1", subject="Chat", customer={"id": jo}, tags=[{"name": "chat_handoff"}],
        meta={"handoff_sync": {"session": "c"}}, custom_fields=[{"id": 1, "value": "x"}],
        messages=[said(jo, "Hello", external_id="hs1:m1"), client.note("Transcript")],
    )  # fmt: skip
    path = f"/tickets/{ticket['id']}"
    (file,) = client.post(
        "/upload", params={"type": "attachment"}, files={"file": ("a.txt", b"x", "text/plain")}
    ).json()
    client.get(file["url"])
    note = client.say(ticket["id"], **client.note("n"), attachments=[file]).json()
    gorgias.reply(ticket["id"], "Hi")
    gorgias.assign_team(ticket["id"], "Billing")
    gorgias.clock.advance(2)
    client.put(f"{path}/messages/{note['id']}", json={"channel": "internal-note", "from_agent": True, "via": "api"})
    for name in ("", "/messages", f"/messages/{note['id']}", "/tags", "?relationships=custom_fields"):
        client.get(f"{path}{name}")
    client.delete(f"{path}/messages/{note['id']}")
    client.post(f"{path}/tags", json={"names": ["a"]}), client.put(f"{path}/tags", json={"names": ["a", "b"]})
    client.request("DELETE", f"{path}/tags", json={"names": ["b"]})
    client.change(ticket["id"], status="closed", snooze_datetime="2099-01-01T00:00:00Z")
    client.change(ticket["id"], status="open", snooze_datetime=None, assignee_user=None)
    for name in ("/tickets", "/tickets?external_id=hs1:1", "/messages", "/events", "/tags",
                 "/events?object_type=Ticket&object_id=" + str(ticket["id"])):  # fmt: skip
        client.get(name)
    client.get(f"/events/{client.get('/events').json()['data'][0]['id']}")
    client.delete(f"/tickets/{client.ticket()['id']}")
    return int(ticket["id"])


def _people(client: Client, ticket_id: int) -> None:
    bo, double = client.customer("Bo"), client.customer("Bo", note="twice")
    client.put(f"/customers/{bo}", json={"email": "bo@example.com"})
    client.put("/customers/merge", params={"source_id": double, "target_id": bo}, json={})
    for path in (f"/customers/{bo}", "/customers", "/users", "/users/0", "/teams", "/account", "/account/settings"):
        client.get(path)
    client.delete(f"/customers/{bo}")
    customer = client.show(ticket_id)["customer"]["id"]
    client.post("/satisfaction-surveys", json={"ticket_id": ticket_id, "customer_id": customer, "score": 4})
    client.get("/satisfaction-surveys"), client.show(ticket_id)


def _integrations(client: Client) -> None:
    for name in ("request_create_integration_full", "request_create_integration_short"):
        answer = client.post("/integrations", json=openapi.examples()[name])
        path = f"/integrations/{answer.json()['id']}"
        client.get(path), client.get("/integrations?type=http")
        client.put(path, json={"name": "x", "deactivated_datetime": None})
        client.delete(path)


def _refusals(gorgias: GorgiasSimulator, client: Client, ticket_id: int) -> None:
    (
        client.get("/tickets/1"),
        client.get("/tickets?limit=0"),
        client.post("/customers", json={"email": "jo@example.com"}),
    )
    client.get("/account", auth=("x", "y"))
    merged = client.ticket()["id"]
    gorgias.merge(merged, ticket_id)
    client.get(f"/tickets/{merged}"), client.change(merged, status="open")


def test_every_answer_is_as_described(exchanges: list[Exchange]) -> None:
    found = {
        str(e): wrong for e in exchanges if (wrong := openapi.answer_mistakes(e.method, e.path, e.status, e.answered))
    }
    assert found == {}


def test_what_was_sent_and_taken_is_as_described(exchanges: list[Exchange]) -> None:
    taken = [e for e in exchanges if e.status < 400 and e.sent.startswith(b"{")]
    assert len(taken) > 15
    assert {str(e): w for e in taken if (w := openapi.request_mistakes(e.method, e.path, e.sent))} == {}


def test_everything_described_is_simulated_but_what_is_named(exchanges: list[Exchange]) -> None:
    done = {(e.method, _template(e.path)) for e in exchanges if e.status < 400}
    described = {(method.upper(), path) for path, methods in openapi.description()["paths"].items()
                 for method in methods if method != "parameters"}  # fmt: skip
    missing = {pair for pair in described if (pair[0], re.sub(r"\{\w+\}", "{}", pair[1])) not in done}
    assert missing == set(openapi.NOT_SIMULATED)


def _template(path: str) -> str:
    return re.sub(r"/\d+", "/{}", path.rstrip("/"))


@pytest.mark.parametrize("name", OURS)
def test_bodies_may_hold_exactly_what_is_described(name: str) -> None:
    schema: Schema = OURS[name]
    assert set(schema) == openapi.described_fields(name)
    required = {field for field, rule in schema.items() if rule.required}
    assert required == openapi.required_fields(name)


def test_names_of_channels_ways_and_triggers_are_those_described() -> None:
    described = openapi.description()["components"]["schemas"]
    assert set(schemas.CHANNELS) == set(described["Channel"]["anyOf"][0]["enum"])
    assert set(schemas.VIAS) == set(described["ViaWrite"]["enum"])
    triggers = described["HttpConfig"]["properties"]["triggers"]["properties"]
    assert {*schemas.GROUP_A, *schemas.GROUP_B} == set(triggers)


# --- the examples --------------------------------------------------------------------------------


def shape(value: Any, path: str = "") -> set[str]:
    """The paths of all fields of a value; of a list, those of its items together."""
    if isinstance(value, dict):
        return {f"{path}.{key}" for key in value} | {p for k, v in value.items() for p in shape(v, f"{path}.{k}")}
    if isinstance(value, list):
        return {found for item in value for found in shape(item, f"{path}[]")}
    return set()


def replayed(client: Client, name: str, sender: int) -> dict[str, Any]:
    """A request of the examples with ids that exist here."""
    raw = json.dumps(openapi.examples()[name])
    loaded: dict[str, Any] = json.loads(raw.replace("91000412", str(sender)).replace("51200999", str(client.me)))
    return loaded


def test_the_example_ticket_is_answered_like_the_example() -> None:
    with running() as (_, client):
        jo = client.customer("Jo", external_id="chat-user:7f3a", channels=[{"type": "chat", "address": "7f3a"}])
        request = replayed(client, "request_create_ticket_note_mode", jo)
        given = client.post("/tickets", json=request).json()
        rows = client.get("/tickets", params={"external_id": given["external_id"]}).json()
        more = [client.post(f"/tickets/{given['id']}/messages", json=replayed(client, name, jo)).status_code
                for name in ("request_append_customer_message", "request_internal_note")]  # fmt: skip
    assert more == [201, 201]
    expected = openapi.examples()["response_create_ticket_201"]
    assert without_tag_colours(shape(expected)) - shape(given) == {".reply_options.email"} - shape(given)
    extra = {path.rsplit(".", 1)[1] for path in shape(given) - shape(expected) if path.startswith(".messages[]")}
    assert extra <= OPTIONAL_IN_EXAMPLES["message"]
    listed = openapi.examples()["response_list_by_external_id_200"]
    assert without_tag_colours(shape(listed)) ^ shape(rows) == set()
    for field in ("status", "channel", "via", "from_agent", "subject", "external_id", "meta", "spam", "priority"):
        assert given[field] == expected[field], field
    for mine, theirs in zip(given["messages"], expected["messages"], strict=True):
        for field in ("public", "channel", "body_text", "body_html", "stripped_text", "created_datetime",
                      "sent_datetime", "external_id", "from_agent"):  # fmt: skip
            assert mine[field] == theirs[field], field


def without_tag_colours(paths: set[str]) -> set[str]:
    """Colours are chosen by people; a tag made by the API has none."""
    return {path for path in paths if not path.endswith("decoration.color")}


def test_webhooks_are_shaped_like_the_examples() -> None:
    with running() as (gorgias, client), receiving() as full, receiving() as short:
        for receiver, trigger in ((full, "ticket-message-created"), (short, "ticket-status-updated")):
            http = {"url": receiver.url, "form": "{{context}}", "triggers": {trigger: True}}
            client.post("/integrations", json={"type": "http", "name": trigger, "http": http})
        jo = client.customer("Jo", external_id="c", channels=[{"type": "chat", "address": "7f3a"}])
        gorgias.webhook_faults.pause()
        ticket_id = client.ticket(of=jo, tags=[{"name": "a"}], external_id="hs1:1")["id"]
        gorgias.reply(ticket_id, "Hi", channel="email")
        gorgias.close(ticket_id)
        gorgias.webhook_faults.resume()
        body = next(r.json for r in full.wait(2) if r.json["message"]["from_agent"])
        closed = short.wait(1)[0].json
    example = openapi.examples()["webhook_context_agent_reply"]
    missing = without_tag_colours(shape(example)) - shape(body)
    # What a person wrote into one ticket's `meta`, and what the mail composer adds, is not part of the shape.
    assert {path for path in missing if ".meta.handoff_sync" not in path and ".source." not in path} == set()
    assert set(openapi.examples()["short_status_updated"]) == set(closed)


@pytest.mark.parametrize("kind", ["tickets", "messages", "events", "satisfaction_surveys"])
def test_lists_hold_every_field_that_was_seen_in_real_ones(exchanges: list[Exchange], kind: str) -> None:
    path = f"/api/{kind.replace('_', '-')}"
    pages = [json.loads(e.answered) for e in exchanges if (e.method, e.path, e.status) == ("GET", path, 200)]
    row = next(page["data"][0] for page in pages if page["data"])
    seen = set(openapi.observed()[kind]["properties"]) - openapi.OBSERVED_ELSEWHERE.get(kind, set())
    assert seen - set(row) == set()


def test_errors_are_worded_like_the_examples(exchanges: list[Exchange]) -> None:
    answers = {e.status: json.loads(e.answered) for e in exchanges if e.status in (404, 409)}
    assert answers == {status: openapi.examples()[f"error_{status}"]["body"] for status in (404, 409)}
    with running() as (_, client):
        wrong = client.post("/tickets", json={"messages": [{"channel": "api", "via": "api", "from_agent": False}]})
    assert wrong.json() == openapi.examples()["error_400"]["body"]


def test_the_judge_is_awake() -> None:
    """A wrong answer is found, so that silence means something."""
    assert openapi.answer_mistakes("GET", "/api/users/0", 200, b'{"id":"7"}')
    assert openapi.answer_mistakes("GET", "/api/users/0", 204, b"")
    assert openapi.answer_mistakes("GET", "/api/nonsense", 200, b"{}")
    assert openapi.request_mistakes("PUT", "/api/tickets/1", b'{"status":"done"}')
