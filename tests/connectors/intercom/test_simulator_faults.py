"""Faults on demand at the simulated Intercom, and its control API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from handoff_connectors.intercom.simulator import IntercomSimulator
from tests.connectors.intercom.simulated import Client, error, receiving, running

BROKEN = (httpx.RemoteProtocolError, httpx.ReadError)
"""What a client sees of a cut connection, depending on what was in flight."""

BEGIN = r"^/conversations$"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[IntercomSimulator, Client]]:
    with running() as pair:
        yield pair


@pytest.fixture
def simulator(served: tuple[IntercomSimulator, Client]) -> IntercomSimulator:
    served[0].reset()
    return served[0]


@pytest.fixture
def client(served: tuple[IntercomSimulator, Client], simulator: IntercomSimulator) -> Client:
    return served[1]


@pytest.fixture
def control(simulator: IntercomSimulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{simulator.base_url}/_simulator", verify=False) as web:
        yield web


def test_applied_but_the_answer_is_lost_and_done_again_makes_two(simulator: IntercomSimulator, client: Client) -> None:
    ana = client.contact()
    simulator.faults.lose_answer(method="POST", path=BEGIN)
    with pytest.raises(BROKEN):
        client.begin(ana, "[ref K7]")
    client.begin(ana, "[ref K7]")
    assert len(simulator.state.begun_with("[ref K7]")) == 2
    lost, repeated = simulator.state.requests("POST", "/conversations")
    assert (lost.status, lost.applied, repeated.status) == (None, True, 200)


def test_dropped_means_not_done(simulator: IntercomSimulator, client: Client) -> None:
    ana = client.contact()
    simulator.faults.drop(method="POST", path=BEGIN)
    with pytest.raises(BROKEN):
        client.begin(ana)
    assert simulator.state.conversations == []


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "bad_request"), (401, "unauthorized"), (403, "forbidden"), (404, "not_found"), (408, "request_timeout"),
     (409, "resource_conflict"), (422, "client_error"), (429, "rate_limit_exceeded"), (500, "server_error")],
)  # fmt: skip
def test_errors_are_worded_as_intercom_words_them(
    simulator: IntercomSimulator, client: Client, status: int, code: str
) -> None:
    simulator.faults.fail(status)
    assert error(client.get("/me")) == (status, code)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_answers_with_a_page(simulator: IntercomSimulator, client: Client, status: int) -> None:
    simulator.faults.fail(status, applied=True, method="POST")
    answer = client.post("/contacts", json={"external_id": "c"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert len(simulator.state.contacts) == 1


def test_stopped_and_started_again_it_is_the_same_workspace(simulator: IntercomSimulator, client: Client) -> None:
    talk, address = client.begin(), simulator.base_url
    simulator.stop()
    with pytest.raises(httpx.ConnectError):
        client.get("/me")
    simulator.start()
    assert simulator.base_url == address
    assert client.get(f"/conversations/{talk}").status_code == 200


# --- the control API -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/faults", {"kind": "explode"}, "kind must be one of"),
        ("/clock", {"advance_s": -5}, "only moves forward"),
        ("/settings", {"speed": 1}, "Unknown settings speed"),
        ("/settings", {"limits": {"speed": 1}}, "limits"),
        ("/agent", {"action": "dance"}, "Unknown action 'dance'"),
        ("/agent", {"action": "reply", "ticket_id": 1, "text": "x"}, "No conversation 1"),
        ("/agent", {"action": "reply"}, "reply"),
        ("/agent", {"action": "assign", "ticket_id": 1, "to": "Nobody"}, "No teammate 'Nobody'"),
        ("/agent", {"action": "set_webhook", "url": "http://127.0.0.1:1/x"}, "HEAD"),
    ],
)
def test_mistakes_are_explained(control: httpx.Client, path: str, body: dict[str, Any], word: str) -> None:
    answer = control.post(path, json=body)
    assert answer.status_code == 422
    assert word in answer.json()["error"]


def test_what_intercom_refuses_is_explained(
    simulator: IntercomSimulator, control: httpx.Client, client: Client
) -> None:
    talk = client.begin()
    answer = control.post("/agent", json={"action": "merge", "source": talk, "target": talk})
    assert answer.json()["error"] == "merge: Cannot merge a conversation into itself"
    answer = control.post("/agent", json={"action": "set_status", "ticket_id": talk, "status": "asleep"})
    assert "open, closed, snoozed" in answer.json()["error"]


def test_everything_from_another_process(simulator: IntercomSimulator, control: httpx.Client, client: Client) -> None:
    with receiving() as receiver:
        control.post("/agent", json={"action": "set_webhook", "url": receiver.url})
        talk = client.begin()
        act = {"action": "reply", "ticket_id": talk, "text": "Hello", "agent": "Omar"}
        assert control.post("/agent", json=act).json() == {"ok": True}
        receiver.wait(2)
    state = control.get("/state").json()
    (shown,) = state["conversations"]
    assert [p["body"] for p in shown["conversation_parts"]["conversation_parts"]] == ["<p>Hello</p>"]
    assert (state["webhook"]["status"], len(state["contacts"])) == ("live", 1)
    assert ["authorization" in r["headers"] for r in state["requests"]] == [False] * 2


def test_settings_clock_and_reset(simulator: IntercomSimulator, control: httpx.Client, client: Client) -> None:
    control.post("/settings", json={"limits": {"app": 60}, "search_lag_s": 5})
    assert (simulator.settings.limits.app, simulator.settings.search_lag_s) == (60, 5)
    control.post("/settings", json={"limits": "off"})
    talk, before = client.begin(), simulator.clock.now()
    control.post("/clock", json={"advance_s": 3600})
    assert (simulator.clock.now() - before).total_seconds() >= 3600
    assert control.post("/reset").json() == {"ok": True}
    assert client.get(f"/conversations/{talk}").status_code == 404
    assert (simulator.settings.search_lag_s, simulator.state.webhook) == (30, None)
