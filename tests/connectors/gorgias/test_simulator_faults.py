"""Faults on demand at the simulated Gorgias, from Python and through the control API, and what its log proves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.connectors.gorgias.simulated import Desk, receiving, running, said, until


@pytest.fixture(scope="module")
def served() -> Iterator[Desk]:
    with running() as pair:
        yield pair


@pytest.fixture
def desk(served: Desk) -> Desk:
    served[0].reset()
    return served


BROKEN = (httpx.RemoteProtocolError, httpx.ReadError)
"""What a client sees of a cut connection, depending on what was in flight."""

CREATE = r"^/api/tickets$"


def test_applied_but_the_answer_is_lost(desk: Desk) -> None:
    gorgias, client = desk
    jo = client.customer()
    gorgias.faults.lose_answer(method="POST", path=CREATE)
    with pytest.raises(BROKEN):
        client.create(of=jo, external_id="hs1:1")
    assert gorgias.state.creations["hs1:1"] == 1
    assert len(client.get("/tickets", params={"external_id": "hs1:1"}).json()["data"]) == 1
    (lost,) = gorgias.state.requests("POST", "/tickets")
    assert (lost.status, lost.fault, lost.applied) == (None, "drop", True)


def test_dropped_means_not_done(desk: Desk) -> None:
    gorgias, client = desk
    jo = client.customer()
    gorgias.faults.drop(method="POST")
    with pytest.raises(BROKEN):
        client.create(of=jo)
    assert gorgias.state.tickets == []


@pytest.mark.parametrize("applied", [True, False])
def test_a_message_that_hangs(desk: Desk, applied: bool) -> None:
    gorgias, client = desk
    ticket = client.ticket()
    gorgias.faults.hang(method="POST", path="/messages", applied=applied)
    with pytest.raises(httpx.ReadTimeout):
        client.post(
            f"/tickets/{ticket['id']}/messages", json=said(ticket["customer"]["id"], "x", external_id="m"), timeout=0.2
        )
    until(lambda: gorgias.state.markers["m"] == applied)


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("status", [408, 409, 429, 500, 502])
def test_an_error_answer_once(desk: Desk, status: int, applied: bool) -> None:
    gorgias, client = desk
    jo = client.customer()
    gorgias.faults.fail(status, method="POST", path=CREATE, applied=applied, retry_after_s=7)
    answer = client.create(of=jo)
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
    assert len(gorgias.state.tickets) == applied
    assert client.create(of=jo).status_code == 201


@pytest.mark.parametrize("kind", ["html", "huge", "cut"])
def test_answers_that_are_none(desk: Desk, kind: str) -> None:
    gorgias, client = desk
    getattr(gorgias.faults, kind)(path="/account")
    try:
        answer = client.get("/account")
    except BROKEN:
        assert kind == "cut"
    else:
        assert "domain" not in answer.text[:1000]
    assert client.get("/account").json()["domain"] == "acme"


def control(desk: Desk, path: str, body: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{desk[0].base_url}/_simulator/{path}", json=body, verify=False)


def test_another_process_can_do_it_too(desk: Desk) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    other = client.ticket()["id"]
    for body in (
        {"action": "reply", "ticket_id": ticket_id, "text": "Hi"},
        {"action": "note", "ticket_id": ticket_id, "text": "n"},
        {"action": "assign", "ticket_id": ticket_id, "to": "Omar"}, {"action": "close", "ticket_id": ticket_id},
        {"action": "reopen", "ticket_id": ticket_id}, {"action": "snooze", "ticket_id": ticket_id, "seconds": 60},
        {"action": "trash", "ticket_id": ticket_id}, {"action": "restore", "ticket_id": ticket_id},
        {"action": "spam", "ticket_id": ticket_id}, {"action": "unspam", "ticket_id": ticket_id},
        {"action": "customer_reply", "ticket_id": ticket_id, "text": "back"},
        {"action": "merge", "source": ticket_id, "target": other},
    ):  # fmt: skip
        assert control(desk, "agent", body).json() == {"ok": True}, body
    assert gorgias.state.texts(other) == ["I want a person", "I want a person", "Hi", "n", "back"]
    assert control(desk, "faults", {"kind": "status", "status": 500, "path": "/account"}).status_code == 201
    assert client.get("/account").status_code == 500
    control(desk, "clock", {"advance_s": 60})
    control(desk, "settings", {"list_lag_s": 9, "limits": {"api_key": 5}, "app_channels": ["a"]})
    assert (gorgias.settings.list_lag_s, gorgias.settings.limits.api_key) == (9, 5)
    assert gorgias.settings.app_channels == ("a",)
    state = httpx.get(f"{gorgias.base_url}/_simulator/state", verify=False).json()
    assert [ticket["merged_into"] for ticket in state["tickets"]] == [other, None]


@pytest.mark.parametrize(("path", "body"), [("agent", {"action": "dance"}), ("agent", {"action": "reply"}),
                                            ("agent", {"action": "close", "ticket_id": 1}),
                                            ("settings", {"domain": "x"}), ("settings", {"limits": {"x": 1}}),
                                            ("settings", {"limits": "gold"})])  # fmt: skip
def test_nonsense_is_explained(desk: Desk, path: str, body: dict[str, Any]) -> None:
    answer = control(desk, path, body)
    assert (answer.status_code, bool(answer.json()["error"])) == (422, True)


def test_a_reset_leaves_nothing(desk: Desk) -> None:
    gorgias, client = desk
    with receiving() as receiver:
        http = {"url": receiver.url, "triggers": {"ticket-created": True}}
        client.post("/integrations", json={"type": "http", "name": "x", "http": http})
        client.ticket()
        receiver.wait(1)
    gorgias.settings.auto_merge = True
    gorgias.clock.advance(1000)
    assert control(desk, "reset", {}).status_code == 200
    assert (gorgias.state.tickets, gorgias.state.integrations, gorgias.state.customers) == ([], [], [])
    assert (gorgias.settings.auto_merge, gorgias.state.events, gorgias.webhooks.attempts) == (False, [], [])


def test_it_comes_back_as_it_was(desk: Desk) -> None:
    gorgias, client = desk
    ticket_id, address = client.ticket()["id"], gorgias.base_url
    gorgias.stop()
    with pytest.raises(httpx.HTTPError):
        client.show(ticket_id)
    gorgias.start()
    assert gorgias.base_url == address
    assert client.show(ticket_id)["id"] == ticket_id
