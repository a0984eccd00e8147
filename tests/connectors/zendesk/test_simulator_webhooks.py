"""The simulated Zendesk's webhooks: envelope, signature, repeats, and what can go wrong with them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from handoff_connectors.zendesk.simulator import Limits, SimulatorSettings, ZendeskSimulator
from handoff_connectors.zendesk.simulator.hooks import TEST_SECRET, sign
from tests.connectors.zendesk.simulated import Client, Receiver, receiving, running, until

PREFIX = "zen:event-type:ticket."
EVENTS = ["created", "comment_added", "status_changed", "agent_assignment_changed", "merged", "soft_deleted",
          "undeleted", "marked_as_spam", "tags_changed", "comment_made_private", "priority_changed"]  # fmt: skip


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ZendeskSimulator, Client]]:
    with running() as pair:
        yield pair


@pytest.fixture
def desk(served: tuple[ZendeskSimulator, Client]) -> tuple[ZendeskSimulator, Client]:
    served[0].reset()
    return served


@pytest.fixture
def zendesk(desk: tuple[ZendeskSimulator, Client]) -> ZendeskSimulator:
    return desk[0]


@pytest.fixture
def client(desk: tuple[ZendeskSimulator, Client]) -> Client:
    return desk[1]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def hook(client: Client, endpoint: str, *events: str, **more: Any) -> str:
    """A new webhook's id."""
    given = {"name": "handoff-sync", "endpoint": endpoint, "http_method": "POST", "request_format": "json",
             "status": "active", "subscriptions": [PREFIX + event for event in events], **more}  # fmt: skip
    answer = client.post("/api/v2/webhooks", json={"webhook": given})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["webhook"]["id"])


def secret_of(client: Client, hook_id: str) -> str:
    return str(client.get(f"/api/v2/webhooks/{hook_id}/signing_secret").json()["signing_secret"]["secret"])


def test_the_signature_covers_the_time_and_the_raw_bytes(client: Client, receiver: Receiver) -> None:
    bearer = {"type": "bearer_token", "data": {"token": "t0"}, "add_position": "header"}
    hook_id = hook(client, receiver.url, "created", custom_headers={"x-hs-tenant": "acme"}, authentication=bearer)
    client.ticket()
    got = receiver.wait(1)[0]
    stamp = got.headers["x-zendesk-webhook-signature-timestamp"]
    key = secret_of(client, hook_id).encode()
    expected = base64.b64encode(hmac.new(key, stamp.encode() + got.body, hashlib.sha256).digest()).decode()
    assert got.headers["x-zendesk-webhook-signature"] == expected
    assert got.headers["x-zendesk-webhook-id"] == hook_id
    assert (got.headers["x-hs-tenant"], got.headers["authorization"]) == ("acme", "Bearer t0")
    assert got.headers["user-agent"] == "Zendesk Webhook"
    assert got.body.endswith(b"}\n")
    sent_at = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - sent_at).total_seconds()) < 30


def test_the_rule_of_signing_on_a_known_example() -> None:
    secret = "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA="
    assert sign(secret, "2021-07-25T10:00:00Z", b'{"say": "hello"}') == "Rry/4TtIdFyawtXXp8QdI6tlAUUQ/5kL1OTp5qo/ZIk="


def test_the_envelope_has_text_ids_capitals_and_nanoseconds(
    zendesk: ZendeskSimulator, client: Client, receiver: Receiver
) -> None:
    hook(client, receiver.url, "status_changed")
    ticket = client.ticket(external_id="hs:1", priority="high", tags=["a"])
    zendesk.set_status(ticket["id"], "solved")
    body = receiver.wait(1)[0].json
    assert isinstance(body["account_id"], int)
    assert (body["type"], body["subject"]) == (f"{PREFIX}status_changed", f"zen:ticket:{ticket['id']}")
    assert body["event"] == {"current": "SOLVED", "previous": "NEW"}
    detail = body["detail"]
    assert (detail["id"], detail["status"], detail["priority"]) == (str(ticket["id"]), "SOLVED", "HIGH")
    assert (detail["external_id"], detail["organization_id"], detail["tags"]) == ("hs:1", "0", ["a"])
    assert detail["actor_id"] == str(zendesk.account.agent("Dana").id)
    assert detail["via"] == {"channel": "web_service"}
    assert len(body["time"]) == len("2025-01-15T02:50:15.906323869Z")


def test_a_comment_event_carries_notes_too(zendesk: ZendeskSimulator, client: Client, receiver: Receiver) -> None:
    ticket_id = client.ticket()["id"]
    hook(client, receiver.url, "comment_added")
    note = zendesk.note(ticket_id, "just us")
    event = receiver.wait(1)[0].json["event"]
    dana = {"id": str(note.author_id), "is_staff": True, "name": "Dana"}
    assert event["comment"] == {"id": str(note.id), "body": "just us", "is_public": False, "author": dana}


def test_what_happens_to_tickets_is_told(zendesk: ZendeskSimulator, client: Client, receiver: Receiver) -> None:
    hook(client, receiver.url, *EVENTS)

    def told(count: int) -> list[str]:
        kinds = sorted(r.kind for r in receiver.wait(count))
        receiver.got.clear()
        return kinds

    first, second = client.ticket()["id"], client.ticket()["id"]
    assert told(4) == ["comment_added", "comment_added", "created", "created"]
    zendesk.assign(first, "Dana")
    assert told(2) == ["agent_assignment_changed", "status_changed"]
    comment = zendesk.reply(first, "hi")
    assert told(1) == ["comment_added"]
    zendesk.make_private(first, comment.id)
    assert told(1) == ["comment_made_private"]
    zendesk.delete(first)
    assert told(2) == ["soft_deleted", "status_changed"]
    zendesk.restore(first)
    assert told(1) == ["undeleted"]
    zendesk.merge(first, second)
    assert told(5) == ["comment_added", "comment_added", "merged", "status_changed", "tags_changed"]
    zendesk.mark_as_spam(second)
    assert told(3) == ["marked_as_spam", "soft_deleted", "status_changed"]


def test_the_first_comment_may_go_without_its_own_event(
    zendesk: ZendeskSimulator, client: Client, receiver: Receiver
) -> None:
    zendesk.settings.first_comment_event = False
    hook(client, receiver.url, "created", "comment_added")
    client.ticket()
    assert zendesk.webhooks.wait_idle()
    assert receiver.kinds() == ["created"]


def test_a_merge_names_the_target_on_the_source(zendesk: ZendeskSimulator, client: Client, receiver: Receiver) -> None:
    hook(client, receiver.url, "merged")
    source, target = client.ticket()["id"], client.ticket()["id"]
    zendesk.merge(source, target)
    body = receiver.wait(1)[0].json
    assert (body["subject"], body["event"]) == (f"zen:ticket:{source}", {"target_ticket_id": str(target)})


# --- repeats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "sendings"),
    [(409, {}, 4), (429, {"Retry-After": "2"}, 4), (503, {"Retry-After": "2"}, 4), (503, {}, 1),
     (429, {"Retry-After": "120"}, 1), (500, {}, 1), (401, {}, 1), (404, {}, 1), (200, {}, 1),
     (302, {"Location": "/else"}, 1)],
)  # fmt: skip
def test_what_is_repeated(
    zendesk: ZendeskSimulator, client: Client, receiver: Receiver, status: int, headers: dict[str, str], sendings: int
) -> None:
    hook_id = hook(client, receiver.url, "created")
    receiver.answers = [(status, headers)] * 10
    client.ticket()
    for number in range(sendings):
        receiver.wait(number + 1)
        until(lambda: zendesk.webhooks.wait_idle(0.5))
        zendesk.clock.advance(5)
    assert zendesk.webhooks.wait_idle(retries_too=True)
    assert len(receiver.got) == sendings
    assert len({received.body for received in receiver.got}) == 1
    history = client.get(f"/api/v2/webhooks/{hook_id}/invocations").json()["invocations"]
    assert [(i["status"], i["status_code"]) for i in history] == [
        ("success" if status == 200 else "terminated", status)
    ]
    path = f"/api/v2/webhooks/{hook_id}/invocations/{history[0]['id']}/attempts"
    assert len(client.get(path).json()["attempts"]) == sendings


def test_a_repeat_goes_through_once_it_is_taken(zendesk: ZendeskSimulator, client: Client, receiver: Receiver) -> None:
    hook(client, receiver.url, "created")
    receiver.answers = [(409, {})]
    client.ticket()
    assert zendesk.webhooks.wait_idle()
    zendesk.clock.advance(5)
    invocations = {received.headers["x-zendesk-webhook-invocation-id"] for received in receiver.wait(2)}
    assert len(invocations) == 1


def test_a_receiver_that_never_answers_is_tried_six_times() -> None:
    settings = SimulatorSettings(limits=Limits.off(), webhook_timeout_s=0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent, ZendeskSimulator(settings=settings) as zendesk, \
            Client(zendesk) as client:  # fmt: skip
        hook(client, f"http://127.0.0.1:{silent.getsockname()[1]}/", "created")
        client.ticket()
        for number in range(6):
            until(lambda number=number: len(zendesk.webhooks.attempts) > number)  # type: ignore[misc]
            until(lambda: zendesk.webhooks.wait_idle(0.5))
            zendesk.clock.advance(5)
        assert zendesk.webhooks.wait_idle(retries_too=True)
        assert [attempt.error for attempt in zendesk.webhooks.attempts] == ["timeout"] * 6


# --- faults ---------------------------------------------------------------------------------------


def test_lost_doubled_and_paused(zendesk: ZendeskSimulator, client: Client, receiver: Receiver) -> None:
    hook(client, receiver.url, "created")
    zendesk.webhook_faults.lose(1)
    client.ticket()
    assert zendesk.webhooks.wait_idle()
    assert (receiver.got, len(zendesk.webhook_faults.lost)) == ([], 1)
    zendesk.webhook_faults.double(1)
    client.ticket()
    assert len({received.json["id"] for received in receiver.wait(2)}) == 1
    zendesk.webhook_faults.pause()
    client.ticket()
    assert zendesk.webhooks.waiting == 1
    zendesk.webhook_faults.resume()
    receiver.wait(3)


def test_late_means_after_the_clock_moved(zendesk: ZendeskSimulator, client: Client, receiver: Receiver) -> None:
    hook(client, receiver.url, "created")
    zendesk.webhook_faults.delay(480)
    client.ticket()
    assert zendesk.webhooks.wait_idle()
    assert (receiver.got, zendesk.webhooks.waiting) == ([], 1)
    zendesk.clock.advance(481)
    receiver.wait(1)


def test_reordered_means_newest_first(zendesk: ZendeskSimulator, client: Client, receiver: Receiver) -> None:
    hook(client, receiver.url, "priority_changed")
    ticket_id = client.ticket()["id"]
    zendesk.webhook_faults.reorder(3)
    for priority in ("low", "high", "urgent"):
        client.change(ticket_id, priority=priority)
    assert [r.json["event"]["current"] for r in receiver.wait(3)] == ["URGENT", "HIGH", "LOW"]


# --- administration -------------------------------------------------------------------------------


def test_webhooks_are_administered(zendesk: ZendeskSimulator, client: Client, receiver: Receiver) -> None:
    first = hook(client, receiver.url, "created", authentication={"type": "bearer_token", "data": {"token": "x"}})
    hook(client, receiver.url, "created", name="other")
    listed = client.get("/api/v2/webhooks", params={"filter[name_contains]": "Handoff", "page[size]": 10}).json()
    assert [w["id"] for w in listed["webhooks"]] == [first]
    assert listed["meta"]["has_more"] is False
    assert "data" not in listed["webhooks"][0]["authentication"]
    path = f"/api/v2/webhooks/{first}"
    assert client.patch(path, json={"webhook": {"status": "inactive"}}).status_code == 204
    assert client.get(path).json()["webhook"]["status"] == "inactive"
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    client.ticket()
    assert len(receiver.wait(1)) == 1


def test_a_reset_secret_is_in_force_at_once(client: Client, receiver: Receiver) -> None:
    hook_id = hook(client, receiver.url, "created")
    old = secret_of(client, hook_id)
    reset = client.post(f"/api/v2/webhooks/{hook_id}/signing_secret")
    assert (reset.status_code, reset.json()["signing_secret"]["secret"] != old) == (201, True)
    client.ticket()
    got = receiver.wait(1)[0]
    stamp = got.headers["x-zendesk-webhook-signature-timestamp"]
    assert got.headers["x-zendesk-webhook-signature"] == sign(secret_of(client, hook_id), stamp, got.body)


@pytest.mark.parametrize(
    "change",
    [{"endpoint": "not a url"}, {"subscriptions": [f"{PREFIX}solved"]}, {"name": ""},
     {"subscriptions": ["conditional_ticket_events", f"{PREFIX}created"]}, {"http_method": "GET"}],
)  # fmt: skip
def test_impossible_webhooks_are_refused(client: Client, change: dict[str, Any]) -> None:
    given = {"name": "n", "endpoint": "https://hs.example.com", "http_method": "POST", "request_format": "json",
             "status": "active", "subscriptions": [f"{PREFIX}created"]}  # fmt: skip
    answer = client.post("/api/v2/webhooks", json={"webhook": {**given, **change}})
    assert (answer.status_code, "errors" in answer.json()) == (400, True)


def test_a_webhook_can_be_tried_before_it_exists(client: Client, receiver: Receiver) -> None:
    given = {"endpoint": receiver.url, "http_method": "POST", "request_format": "json", "payload": '{"hello":1}'}
    answer = client.post("/api/v2/webhooks/test", json={"request": given})
    assert answer.json()["response"]["status_code"] == 200
    got = receiver.wait(1)[0]
    stamp = got.headers["x-zendesk-webhook-signature-timestamp"]
    assert got.headers["x-zendesk-webhook-signature"] == sign(TEST_SECRET, stamp, b'{"hello":1}')


# --- triggers -------------------------------------------------------------------------------------


def trigger(client: Client, hook_id: str, template: str, **conditions: Any) -> int:
    given = {"title": "tell us", "conditions": conditions,
             "actions": [{"field": "notification_webhook", "value": [hook_id, template]}]}  # fmt: skip
    answer = client.post("/api/v2/triggers", json={"trigger": given})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["trigger"]["id"])


@pytest.fixture
def for_triggers(client: Client, receiver: Receiver) -> str:
    return hook(client, receiver.url, subscriptions=["conditional_ticket_events"])


def test_a_trigger_sends_its_own_body_for_tagged_tickets_only(
    zendesk: ZendeskSimulator, client: Client, receiver: Receiver, for_triggers: str
) -> None:
    tagged = {"field": "current_tags", "operator": "includes", "value": "ai_handoff"}
    template = '{"ticket":"{{ticket.id}}","by":"{{current_user.id}}","key":"{{ticket.external_id}}"}'
    trigger(client, for_triggers, template, all=[tagged])
    client.ticket()
    ticket_id = client.ticket(tags=["ai_handoff"], external_id="hs:1")["id"]
    assert zendesk.webhooks.wait_idle()
    me = str(zendesk.account.connector.id)
    assert [received.json for received in receiver.got] == [{"ticket": str(ticket_id), "by": me, "key": "hs:1"}]


def test_the_latest_comment_is_looked_up_when_the_webhook_is_sent(
    zendesk: ZendeskSimulator, client: Client, receiver: Receiver, for_triggers: str
) -> None:
    ticket_id = client.ticket()["id"]
    trigger(client, for_triggers, "{{ticket.latest_comment.id}}",
            all=[{"field": "comment_is_public", "operator": "is", "value": "true"}])  # fmt: skip
    zendesk.webhook_faults.pause()
    zendesk.reply(ticket_id, "first")
    last = zendesk.reply(ticket_id, "second")
    zendesk.webhook_faults.resume()
    assert [received.body.decode() for received in receiver.wait(2)] == [str(last.id)] * 2


def test_a_quote_in_a_comment_breaks_the_templates_json(
    zendesk: ZendeskSimulator, client: Client, receiver: Receiver, for_triggers: str
) -> None:
    ticket_id = client.ticket()["id"]
    trigger(client, for_triggers, '{"text":"{{ticket.latest_comment}}"}',
            all=[{"field": "update_type", "operator": "is", "value": "Change"}])  # fmt: skip
    zendesk.reply(ticket_id, 'say "hi"')
    assert receiver.wait(1)[0].body == b'{"text":"say "hi""}'


@pytest.mark.parametrize(
    ("condition", "fires"),
    [
        ({"field": "status", "operator": "value", "value": "solved"}, True),
        ({"field": "status", "operator": "changed"}, True),
        ({"field": "status", "operator": "greater_than", "value": "pending"}, True),
        ({"field": "status", "operator": "less_than", "value": "solved"}, False),
        ({"field": "status", "operator": "value_previous", "value": "open"}, False),
        ({"field": "current_via_id", "operator": "is_not", "value": "5"}, True),
        ({"field": "current_via_id", "operator": "is", "value": "5"}, False),
        ({"field": "role", "operator": "is", "value": "agent"}, True),
        ({"field": "current_tags", "operator": "not_includes", "value": "x"}, True),
    ],
)
def test_conditions(
    zendesk: ZendeskSimulator,
    client: Client,
    receiver: Receiver,
    for_triggers: str,
    condition: dict[str, str],
    fires: bool,
) -> None:
    ticket_id = client.ticket()["id"]
    trigger(client, for_triggers, "{{ticket.id}}", all=[condition])
    zendesk.set_status(ticket_id, "solved")
    assert zendesk.webhooks.wait_idle()
    assert bool(receiver.got) is fires


def test_a_trigger_may_close_a_solved_ticket_at_once(
    zendesk: ZendeskSimulator, client: Client, receiver: Receiver
) -> None:
    hook(client, receiver.url, "status_changed")
    given = {"title": "close", "conditions": {"all": [{"field": "status", "operator": "is", "value": "solved"}]},
             "actions": [{"field": "status", "value": "closed"}]}  # fmt: skip
    client.post("/api/v2/triggers", json={"trigger": given})
    ticket_id = client.ticket()["id"]
    zendesk.set_status(ticket_id, "solved")
    assert client.get(f"/api/v2/tickets/{ticket_id}").json()["ticket"]["status"] == "closed"
    assert {r.json["event"]["current"] for r in receiver.wait(2)} == {"SOLVED", "CLOSED"}


def test_triggers_with_mistakes_are_refused_and_used_webhooks_stay(client: Client, for_triggers: str) -> None:
    for wrong in ({"title": "t"}, {"title": "t", "conditions": {"all": [{"field": "weather"}]}}):
        assert client.post("/api/v2/triggers", json={"trigger": wrong}).status_code == 422
    trigger_id = trigger(client, for_triggers, "x", all=[{"field": "update_type", "operator": "is", "value": "Create"}])
    assert client.delete(f"/api/v2/webhooks/{for_triggers}").status_code == 400
    assert client.delete(f"/api/v2/triggers/{trigger_id}").status_code == 204
    assert client.delete(f"/api/v2/webhooks/{for_triggers}").status_code == 204
