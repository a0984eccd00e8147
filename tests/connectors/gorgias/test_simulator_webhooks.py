"""HTTP integrations of the simulated Gorgias: who is told what, when, how often, and when it is switched off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.gorgias.simulated import Client, Desk, Receiver, receiving, running, said, until


@pytest.fixture(scope="module")
def served() -> Iterator[Desk]:
    with running() as pair:
        yield pair


@pytest.fixture
def desk(served: Desk) -> Desk:
    served[0].reset()
    return served


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


FORM = {
    "ticket_id": "{{ticket.id}}",
    "message_id": "{{message.id}}",
    "event_type": "{{event.type}}",
    "from_agent": "{{message.from_agent}}",
    "spam": "{{ticket.spam}}",
    "nothing": "{{ticket.assignee_user.id}}",
}
GROUP_A = ("ticket-created", "ticket-updated", "ticket-message-created", "ticket-self-unsnoozed",
           "ticket-message-failed")  # fmt: skip
GROUP_B = ("ticket-status-updated", "ticket-assignment-updated")


def integrate(client: Client, url: str, *triggers: str, **http: Any) -> dict[str, Any]:
    """A new integration."""
    config = {"url": url, "headers": {"X-Handoff-Secret": "s3cret"}, "form": FORM,
              "triggers": dict.fromkeys(triggers, True)} | http  # fmt: skip
    answer = client.post("/integrations", json={"type": "http", "name": "handoff-sync", "http": config})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def told(receiver: Receiver, name: str = "event_type") -> list[str]:
    return [received.json[name] for received in receiver.got]


def test_templates_become_text_whatever_they_were(desk: Desk, receiver: Receiver) -> None:
    gorgias, client = desk
    integrate(client, receiver.url, "ticket-message-created")
    ticket = client.ticket()
    message = gorgias.reply(ticket["id"], "Hi")
    first, second = receiver.wait(2)
    by_agent = {received.json["from_agent"]: received for received in (first, second)}
    assert by_agent["True"].json == {
        "ticket_id": str(ticket["id"]), "message_id": str(message.id), "event_type": "ticket-message-created",
        "from_agent": "True", "spam": "False", "nothing": str(gorgias.account.agent("Dana").id),
    }  # fmt: skip
    assert by_agent["False"].json["nothing"] == ""
    assert first.headers["x-handoff-secret"] == "s3cret"
    assert not [name for name in first.headers if "signature" in name or "hmac" in name]


def test_a_missing_value_may_become_none(desk: Desk, receiver: Receiver) -> None:
    gorgias, client = desk
    gorgias.settings.null_renders = "None"
    integrate(client, receiver.url, "ticket-created")
    client.ticket()
    assert receiver.wait(1)[0].json["nothing"] == "None"


def test_our_own_writes_and_notes_come_back(desk: Desk, receiver: Receiver) -> None:
    """quirk: nothing tells an echo from news but our key on the message."""
    gorgias, client = desk
    integrate(client, receiver.url, *GROUP_A)
    ticket = client.ticket(messages=[said(client.customer(), "a"), client.note("b")])
    client.say(ticket["id"], **said(ticket["customer"]["id"], "c"))
    client.change(ticket["id"], status="closed")
    gorgias.note(ticket["id"], "d")
    receiver.wait(6)
    assert gorgias.webhooks.wait_idle()
    assert sorted(told(receiver)) == [
        "ticket-created", *["ticket-message-created"] * 4, "ticket-updated",
    ]  # fmt: skip


def test_the_whole_context_holds_every_message_with_notes(desk: Desk, receiver: Receiver) -> None:
    gorgias, client = desk
    integrate(client, receiver.url, "ticket-message-created", form="{{context}}")
    gorgias.webhook_faults.pause()
    ticket_id = client.ticket()["id"]
    gorgias.note(ticket_id, "customer is lying")
    gorgias.reply(ticket_id, "Hi")
    gorgias.webhook_faults.resume()
    newest = max((received.json for received in receiver.wait(3)), key=lambda body: body["message"]["id"])
    assert [message["body_text"] for message in newest["ticket"]["messages"]][1:] == ["customer is lying", "Hi"]
    assert newest["message"]["sent_datetime"] is None
    assert newest["event"]["type"] == "ticket-message-created"
    assert newest["ticket"]["account"] == {"domain": "acme"}


def test_where_the_old_variables_are_gone_only_the_ticket_is_left(desk: Desk, receiver: Receiver) -> None:
    gorgias, client = desk
    gorgias.settings.legacy_variables = False
    integrate(client, receiver.url, "ticket-message-created")
    ticket_id = client.ticket()["id"]
    body = receiver.wait(1)[0].json
    assert (body["ticket_id"], body["message_id"], body["event_type"]) == (str(ticket_id), "", "")


def test_the_short_triggers_know_the_ticket_only(desk: Desk, receiver: Receiver) -> None:
    gorgias, client = desk
    integrate(client, receiver.url, *GROUP_B, form="{{context}}")
    ticket_id = client.ticket(external_id="hs1:1")["id"]
    gorgias.reply(ticket_id, "Hi", agent="Omar")
    gorgias.close(ticket_id)
    gorgias.note(ticket_id, "x")
    receiver.wait(2)
    assert gorgias.webhooks.wait_idle()
    assigned, closed = sorted((received.json for received in receiver.got), key=lambda body: body["updated_datetime"])
    assert "messages" not in assigned
    assert assigned["assignee_user_id"] == gorgias.account.agent("Omar").id
    assert (assigned["status"], closed["status"], closed["external_id"]) == ("open", "closed", "hs1:1")


def test_both_groups_in_one_integration_are_refused(desk: Desk) -> None:
    _, client = desk
    config = {"url": "http://example.com", "triggers": {"ticket-created": True, "ticket-status-updated": True}}
    answer = client.post("/integrations", json={"type": "http", "name": "x", "http": config})
    assert answer.status_code == 400
    assert "triggers" in answer.json()["error"]["data"]["http"]
    config["triggers"]["ticket-created"] = False
    assert client.post("/integrations", json={"type": "http", "name": "x", "http": config}).status_code == 201


@pytest.mark.parametrize("wrong", [{"name": None}, {"http": None}, {"type": "email"}, {"http": {"url": "ftp://a.b"}},
                                   {"http": {"url": "http://a.b", "extra": 1}},
                                   {"http": {"url": "http://a.b", "method": "CALL"}}])  # fmt: skip
def test_a_wrong_integration_is_refused(desk: Desk, wrong: dict[str, Any]) -> None:
    body = {"name": "x", "type": "http", "http": {"url": "http://a.b"}} | wrong
    assert desk[1].post("/integrations", json=body).status_code == 400


def test_a_snooze_that_ends_is_told(desk: Desk, receiver: Receiver) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    gorgias.snooze(ticket_id, 60)
    integrate(client, receiver.url, "ticket-self-unsnoozed")
    gorgias.clock.advance(61)
    assert receiver.wait(1)[0].json["event_type"] == "ticket-self-unsnoozed"


def test_a_message_that_fails_is_told(desk: Desk, receiver: Receiver) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    integrate(client, receiver.url, "ticket-message-failed")
    message = gorgias.reply(ticket_id, "Hi", channel="chat")
    gorgias.clock.advance(2)
    assert receiver.wait(1)[0].json["message_id"] == str(message.id)


@pytest.mark.parametrize("status", [500, 429, 503])
def test_a_failed_call_is_made_again(desk: Desk, receiver: Receiver, status: int) -> None:
    gorgias, client = desk
    receiver.answers = [status]
    integration = integrate(client, receiver.url, "ticket-created")
    client.ticket()
    receiver.wait(1)
    until(lambda: gorgias.webhooks.waiting == 1)
    gorgias.clock.advance(2)
    first, second = receiver.wait(2)
    assert first.body == second.body
    assert gorgias.webhooks.wait_idle()
    assert gorgias.state.integrations[0].failures == 0
    assert client.get(f"/integrations/{integration['id']}").json()["deactivated_datetime"] is None


def test_a_refused_call_is_not_made_again(desk: Desk, receiver: Receiver) -> None:
    gorgias, client = desk
    receiver.always = 404
    integrate(client, receiver.url, "ticket-created")
    client.ticket()
    receiver.wait(1)
    assert gorgias.webhooks.wait_idle(retries_too=True)
    assert (len(receiver.got), gorgias.state.integrations[0].failures) == (1, 1)


def test_too_many_failures_in_a_row_switch_it_off_until_somebody_switches_it_on(desk: Desk, receiver: Receiver) -> None:
    gorgias, client = desk
    gorgias.settings.deactivate_after = 3
    receiver.always = 404
    path = f"/integrations/{integrate(client, receiver.url, 'ticket-created')['id']}"
    for _ in range(3):
        client.ticket()
    until(lambda: client.get(path).json()["deactivated_datetime"] is not None)
    client.ticket()
    assert gorgias.webhooks.wait_idle()
    assert len(receiver.got) == 3
    assert [mail.ticket_id for mail in gorgias.state.mails] == [None]
    receiver.always = 200
    assert client.put(path, json={"deactivated_datetime": None}).status_code == 400
    answer = client.put(path, json={"name": "handoff-sync", "deactivated_datetime": None})
    assert (answer.status_code, answer.json()["deactivated_datetime"]) == (202, None)
    client.ticket()
    receiver.wait(4)


def test_an_integration_is_listed_changed_and_deleted(desk: Desk, receiver: Receiver) -> None:
    gorgias, client = desk
    made = integrate(client, receiver.url, "ticket-created", hmac_secret="hidden")
    path = f"/integrations/{made['id']}"
    assert client.get("/integrations", params={"type": "http"}).json()["data"] == [made]
    assert made["http"]["headers"] == {"X-Handoff-Secret": "s3cret"}
    assert "hidden" not in client.get(path).text
    changed = client.put(path, json={"name": "n", "http": {"headers": {"X-Handoff-Secret": "next"}}}).json()
    assert changed["http"]["headers"] == {"X-Handoff-Secret": "next"}
    assert changed["http"]["url"] == receiver.url
    client.ticket()
    assert receiver.wait(1)[0].headers["x-handoff-secret"] == "next"
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    client.ticket()
    assert gorgias.webhooks.wait_idle()
    assert len(receiver.got) == 1


def test_address_and_headers_are_templates_too_and_get_has_no_body(desk: Desk, receiver: Receiver) -> None:
    _, client = desk
    integrate(client, receiver.url + "/{{ticket.id}}", "ticket-created", method="GET", form={"s": "{{ticket.status}}"},
              headers={"X-Key": "{{ticket.external_id}}"})  # fmt: skip
    ticket_id = client.ticket(external_id="hs1:1")["id"]
    (received,) = receiver.wait(1)
    assert (received.method, received.path, received.body) == ("GET", f"/hooks/{ticket_id}?s=open", b"")
    assert received.headers["x-key"] == "hs1:1"


def test_a_form_may_be_sent_as_one(desk: Desk, receiver: Receiver) -> None:
    _, client = desk
    kind = "application/x-www-form-urlencoded"
    integrate(client, receiver.url, "ticket-created", request_content_type=kind, form={"s": "{{ticket.status}}"})
    client.ticket()
    (received,) = receiver.wait(1)
    assert (received.headers["content-type"], received.body) == (kind, b"s=open")


def test_calls_get_lost_doubled_and_mixed_up_on_demand(desk: Desk, receiver: Receiver) -> None:
    gorgias, client = desk
    integrate(client, receiver.url, "ticket-created")
    gorgias.webhook_faults.lose()
    client.ticket()
    gorgias.webhook_faults.double()
    doubled = client.ticket()["id"]
    assert {received.json["ticket_id"] for received in receiver.wait(2)} == {str(doubled)}
    gorgias.webhook_faults.reorder(2)
    one, two = client.ticket()["id"], client.ticket()["id"]
    assert [received.json["ticket_id"] for received in receiver.wait(4)[2:]] == [str(two), str(one)]
    assert len(gorgias.webhook_faults.lost) == 1
