"""Faults on demand at the simulated Zendesk, from Python and through the control API, and what its log proves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from tests.connectors.zendesk.simulated import Client, Receiver, receiving, running

BROKEN = (httpx.RemoteProtocolError, httpx.ReadError)
"""What a client sees of a cut connection, depending on what was in flight."""

CREATE = r"^/api/v2/tickets$"


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


def test_applied_but_the_answer_is_lost(zendesk: ZendeskSimulator, client: Client) -> None:
    zendesk.faults.lose_answer(method="POST", path=CREATE)
    with pytest.raises(BROKEN):
        client.create(external_id="hs:1", headers={"Idempotency-Key": "k"})
    assert client.create(external_id="hs:1", headers={"Idempotency-Key": "k"}).headers["x-idempotency-lookup"] == "hit"
    assert zendesk.state.creations["hs:1"] == 1
    lost, repeated = zendesk.state.requests("POST", "/tickets")
    assert (lost.status, lost.fault, lost.applied) == (None, "drop", True)
    assert (repeated.status, repeated.fault, repeated.applied) == (201, None, True)
    assert lost.headers["idempotency-key"] == repeated.headers["idempotency-key"] == "k"


def test_dropped_means_not_done(zendesk: ZendeskSimulator, client: Client) -> None:
    zendesk.faults.drop(method="POST")
    with pytest.raises(BROKEN):
        client.create()
    assert zendesk.state.tickets == []


@pytest.mark.parametrize("applied", [True, False])
def test_a_call_that_hangs(zendesk: ZendeskSimulator, client: Client, applied: bool) -> None:
    zendesk.faults.hang(method="POST", applied=applied)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/api/v2/tickets", json={"ticket": {"comment": {"body": "x"}}}, timeout=0.2)
    assert len(zendesk.state.tickets) == applied


def test_an_answer_that_breaks_off(zendesk: ZendeskSimulator, client: Client) -> None:
    zendesk.faults.cut(method="POST")
    with pytest.raises(BROKEN):
        client.create()
    assert len(zendesk.state.tickets) == 1


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("status", [409, 429, 500, 502, 503])
def test_an_error_answer_once(zendesk: ZendeskSimulator, client: Client, status: int, applied: bool) -> None:
    zendesk.faults.fail(status, method="POST", path=CREATE, applied=applied, retry_after_s=7)
    assert client.get("/api/v2/tickets").status_code == 200
    answer = client.create()
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
    assert len(zendesk.state.tickets) == applied
    assert client.create().status_code == 201


def test_count_and_skip(zendesk: ZendeskSimulator, client: Client) -> None:
    zendesk.faults.fail(500, path="users/me", count=2, skip=1)
    assert [client.get("/api/v2/users/me").status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    zendesk.faults.fail(503, count=None)
    assert {client.get("/api/v2/users/me").status_code for _ in range(5)} == {503}
    zendesk.faults.clear()
    assert client.get("/api/v2/users/me").status_code == 200


def test_pages_and_masses_instead_of_json(zendesk: ZendeskSimulator, client: Client) -> None:
    zendesk.faults.html()
    assert client.get("/api/v2/users/me").headers["content-type"].startswith("text/html")
    zendesk.faults.huge()
    assert len(client.get("/api/v2/users/me").content) > 5_000_000


def test_slow_answers_are_still_right(zendesk: ZendeskSimulator, client: Client) -> None:
    zendesk.faults.slow(0.15)
    answer = client.get("/api/v2/users/me")
    assert (answer.status_code, answer.elapsed.total_seconds() >= 0.15) == (200, True)
    zendesk.faults.latency_s = 0.1
    assert client.get("/api/v2/users/me").elapsed.total_seconds() >= 0.1


def test_stopped_and_started_again_it_is_the_same_helpdesk(zendesk: ZendeskSimulator, client: Client) -> None:
    ticket_id, address = client.ticket()["id"], zendesk.base_url
    zendesk.stop()
    with pytest.raises(httpx.ConnectError):
        client.get(f"/api/v2/tickets/{ticket_id}")
    zendesk.start()
    assert zendesk.base_url == address
    assert client.get(f"/api/v2/tickets/{ticket_id}").status_code == 200


# --- the control API ------------------------------------------------------------------------------


@pytest.fixture
def control(zendesk: ZendeskSimulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{zendesk.base_url}/_simulator", verify=False) as web:
        yield web


def test_faults_from_another_process(control: httpx.Client, client: Client) -> None:
    wanted = {"kind": "status", "status": 429, "method": "GET", "path": "users/me$", "headers": {"Retry-After": "3"}}
    assert control.post("/faults", json=wanted).status_code == 201
    assert [fault["kind"] for fault in control.get("/faults").json()["faults"]] == ["status"]
    assert client.get("/api/v2/users/me").headers["retry-after"] == "3"
    assert control.get("/faults").json()["faults"] == []
    control.post("/faults", json={"kind": "drop", "count": None})
    assert control.delete("/faults").status_code == 200
    assert client.get("/api/v2/users/me").status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/faults", {"kind": "explode"}, "kind must be one of"),
        ("/faults", {"kind": "drop", "when": "now"}, "Unknown fields when"),
        ("/faults", {"kind": "drop", "path": "("}, "regular expression"),
        ("/clock", {"advance_s": -5}, "only moves forward"),
        ("/clock", {}, "advance_s"),
        ("/webhooks", {"loose": 1}, "Unknown loose"),
        ("/settings", {"speed": 1}, "Unknown settings speed"),
        ("/settings", {"limits": {"speed": 1}}, "limits"),
        ("/agent", {"action": "dance"}, "Unknown action 'dance'"),
        ("/agent", {"action": "reply", "ticket_id": 1, "text": "x"}, "No ticket 1"),
        ("/agent", {"action": "reply"}, "reply"),
    ],
)
def test_mistakes_are_explained(control: httpx.Client, path: str, body: dict[str, Any], word: str) -> None:
    answer = control.post(path, json=body)
    assert answer.status_code == 422
    assert word in answer.json()["error"]


def test_a_web_page_cannot_send_a_control_form(control: httpx.Client) -> None:
    assert control.post("/faults", content=b"kind=drop", headers={"Content-Type": "text/plain"}).status_code == 415


def test_the_state_tells_everything(control: httpx.Client, client: Client) -> None:
    ticket_id = client.ticket(external_id="hs:1", metadata={"hs_op": "m1"})["id"]
    act = {"action": "reply", "ticket_id": ticket_id, "text": "Hello", "agent": "Omar"}
    assert control.post("/agent", json=act).json() == {"ok": True}
    state = control.get("/state").json()
    (ticket,) = state["tickets"]
    assert [(c["plain_body"], c["public"]) for c in ticket["comments"]] == [("Hello", False), ("Hello", True)]
    assert state["creations"] == [{"external_id": "hs:1", "count": 1}]
    assert state["markers"] == {"m1": 1}
    assert [(r["method"], r["path"], r["status"]) for r in state["requests"]] == [("POST", "/api/v2/tickets", 201)]
    assert "authorization" not in state["requests"][0]["headers"]


def test_settings_clock_and_reset(zendesk: ZendeskSimulator, control: httpx.Client, client: Client) -> None:
    control.post("/settings", json={"limits": {"account": 1}, "search_lag_s": 5})
    assert (zendesk.settings.limits.account, zendesk.settings.search_lag_s) == (1, 5)
    control.post("/settings", json={"limits": "off"})
    ticket = client.ticket(external_id="hs:1")
    before = zendesk.clock.now()
    control.post("/clock", json={"advance_s": 3600})
    assert (zendesk.clock.now() - before).total_seconds() >= 3600
    assert control.post("/reset").json() == {"ok": True}
    assert client.get(f"/api/v2/tickets/{ticket['id']}").status_code == 404
    assert (zendesk.clock.now() - before).total_seconds() < 3600


def test_webhook_faults_from_another_process(control: httpx.Client, client: Client) -> None:
    with receiving() as receiver:
        given = {"name": "n", "endpoint": receiver.url, "http_method": "POST", "request_format": "json",
                 "status": "active", "subscriptions": ["zen:event-type:ticket.created"]}  # fmt: skip
        client.post("/api/v2/webhooks", json={"webhook": given})
        _lose_then_hold(control, client, receiver)


def _lose_then_hold(control: httpx.Client, client: Client, receiver: Receiver) -> None:
    control.post("/webhooks", json={"lose": 1, "paused": True})
    client.ticket(), client.ticket()
    shown = control.get("/webhooks").json()
    assert (shown["paused"], shown["waiting"], len(shown["lost"])) == (True, 1, 1)
    control.post("/webhooks", json={"paused": False})
    receiver.wait(1)
