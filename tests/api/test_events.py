"""Events: what was told is stored, once, in order, and answered truly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from handoff_sync.api.event_examples import EXAMPLES
from tests.api.conftest import MONA, World


def test_the_first_message_starts_a_session_in_charge_of_the_ai(world: World) -> None:
    session = world.says("Where is my order?")
    assert (session["phase"], session["ai_mode"], session["status"]) == ("ai", "auto", "open")
    transcript = world.api.get(f"/v1/sessions/{session['id']}/transcript").json()["items"]
    assert [(line["author_class"], line["text"]) for line in transcript] == [("customer", "Where is my order?")]


def test_the_customer_is_known_from_the_first_event(world: World) -> None:
    customer = {"external_id": "u_1", "name": "Ann Example", "email": "ann@example.com", "email_verified": True}
    answer = world.tell("session.started", channel="whatsapp", customer=customer, team="sales").json()
    session = answer["session"]
    assert session["customer"] == customer | {"phone": None, "locale": None}
    assert (session["channel"], session["team"]) == ("whatsapp", "sales")


def test_a_request_for_a_human_stops_the_ai_at_once(world: World) -> None:
    before = world.says()
    after = world.tell("handoff.requested", trigger="scenario", scenario="Refunds", summary="Order 7").json()["session"]
    assert (after["phase"], after["ai_mode"], after["human_handoff"]) == ("waiting", "paused", True)
    assert after["control_epoch"] > before["control_epoch"]
    assert (after["handoff"]["trigger"], after["handoff"]["scenarios"]) == ("scenario", ["Refunds"])


def test_a_human_message_takes_over_and_its_author_holds_the_session(world: World) -> None:
    world.says()
    session = world.tell("human.message", message={"id": "h1", "text": "Hi", "author": MONA}).json()["session"]
    assert (session["phase"], session["assignee"]["id"]) == ("human", "m_1")
    assert session["last_responder"]["author_class"] == "human"


def test_a_text_of_a_rule_takes_nothing_over(world: World) -> None:
    world.says()
    answer = world.tell("human.message", author_class="automation", message={"id": "r1", "text": "We got it."}).json()
    assert answer["session"]["phase"] == "ai"


def test_the_same_id_again_changes_nothing_and_gets_the_same_verdict(any_world: World) -> None:
    event = {"id": "e", "type": "handoff.requested", "conversation_id": "c1"}
    first, again = any_world.api.post("/v1/events", event).json(), any_world.api.post("/v1/events", event).json()
    assert (first["status"], again["status"]) == ("accepted", "duplicate")
    assert first["verdict"] == again["verdict"] == "applied"
    assert first["session"]["version"] == again["session"]["version"]


def test_the_same_event_many_times_at_once_is_one_event(any_world: World) -> None:
    event = {"id": "e", "type": "customer.message", "conversation_id": "c1", "message": {"id": "m", "text": "x"}}
    with ThreadPoolExecutor(8) as pool:
        answers = [answer.json() for answer in pool.map(lambda _: any_world.api.post("/v1/events", event), range(20))]
    assert sorted(answer["status"] for answer in answers) == ["accepted"] + ["duplicate"] * 19
    assert {answer["session"]["version"] for answer in answers} == {1}


def test_a_message_id_again_under_another_event_id_is_stored_once(any_world: World) -> None:
    message = {"id": "m_same", "text": "x"}
    any_world.tell("customer.message", message=message)
    session = any_world.tell("customer.message", message=message).json()["session"]
    assert len(any_world.api.get(f"/v1/sessions/{session['id']}/transcript").json()["items"]) == 1


def test_a_time_to_come_counts_as_now_and_a_past_one_is_kept(world: World) -> None:
    world.tell("customer.message", at="2099-01-01T00:00:00Z", message={"id": "m1", "text": "early"})
    session = world.tell("customer.message", at="2020-01-01T10:00:00+01:00", message={"id": "m2", "text": "late"})
    lines = world.api.get(f"/v1/sessions/{session.json()['session']['id']}/transcript").json()["items"]
    assert lines[0]["at"] < "2099" and lines[1]["at"] == "2020-01-01T09:00:00Z"


def test_absent_minutes_take_the_default_and_null_means_until_resumed(world: World) -> None:
    world.admin.update_workspace("ws_1", policy=_with_default_pause(30))
    for conversation, more, timed in (("absent", {}, True), ("null", {"minutes": None}, False)):
        session = world.tell("pause", conversation, **more).json()["session"]
        assert (session["paused_until"] is not None) is timed


def _with_default_pause(minutes: int) -> Any:
    from dataclasses import replace

    from tests.api.conftest import POLICY

    return replace(POLICY, default_pause_minutes=minutes)


def test_what_the_state_forbids_is_a_problem_for_a_single_event(world: World) -> None:
    world.says()
    answer = world.tell("extend", minutes=5)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_paused")


def test_what_the_plan_forbids_names_where_to_change_it(world: World) -> None:
    from dataclasses import replace

    from tests.api.conftest import POLICY

    world.admin.update_workspace("ws_1", policy=replace(POLICY, handover_enabled=False))
    answer = world.tell("handoff.requested", trigger="manual")
    assert (answer.status_code, answer.json()["code"]) == (403, "plan_required")
    assert answer.json()["upgrade_url"] == "https://example.com/plans"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_of_the_description_works(world: World, name: str) -> None:
    answer = world.api.post("/v1/events", EXAMPLES[name]["value"])
    assert answer.status_code == 200, answer.text
    results = answer.json().get("results", [answer.json()])
    assert {result["status"] for result in results} == {"accepted"}


# --- batches ---------------------------------------------------------------------------------------


def _message(number: int, conversation: str = "c1") -> dict[str, Any]:
    said = {"id": f"m{number}", "text": str(number)}
    return {"id": f"b{number}", "type": "customer.message", "conversation_id": conversation, "message": said}


def test_a_batch_is_applied_in_its_order(any_world: World) -> None:
    answer = any_world.api.post("/v1/events", {"events": [_message(number) for number in range(100)]}).json()
    assert [result["session"]["version"] for result in answer["results"]] == list(range(1, 101))
    session = answer["results"][0]["session"]["id"]
    lines = any_world.api.get(f"/v1/sessions/{session}/transcript?limit=200").json()["items"]
    assert [line["text"] for line in lines] == [str(number) for number in range(100)]


def test_one_bad_event_of_a_batch_rejects_only_itself(any_world: World) -> None:
    bad = _message(2) | {"message": {"id": "m2"}}
    refused = {"id": "b3", "type": "extend", "conversation_id": "c1", "minutes": 5}
    answer = any_world.api.post("/v1/events", {"events": [_message(1), bad, refused, _message(4), _message(1)]})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["accepted", "rejected", "rejected", "accepted", "duplicate"]
    assert results[1]["error"]["errors"] == [
        {"field": "events[1].message.text", "code": "missing", "message": "This field is required."}
    ]
    assert (results[2]["error"]["status"], results[2]["error"]["code"]) == (409, "not_paused")
    assert [result["id"] for result in results] == ["b1", "b2", "b3", "b4", "b1"]


@pytest.mark.parametrize("events", [[], [_message(n) for n in range(101)], {"0": 1}, None, "x"])
def test_a_batch_has_1_to_100_events(world: World, events: Any) -> None:
    answer = world.api.post("/v1/events", {"events": events})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_batch")


def test_while_the_disk_is_full_events_are_to_be_repeated_and_reading_works(world: World) -> None:
    session = world.says()
    world.switches.full = True
    answer = world.tell("customer.message", message={"id": "later", "text": "x"})
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (503, "10", "not_ready")
    assert world.api.get(f"/v1/sessions/{session['id']}").status_code == 200
    assert world.api.post("/v1/conversations/c1/gate", {}).json()["decision"] == "allow"
    world.switches.full = False
    assert world.tell("customer.message", message={"id": "later", "text": "x"}).status_code == 200
