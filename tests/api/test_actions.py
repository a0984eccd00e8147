"""Actions: each has its own body, can be repeated, and says why it did nothing."""

from __future__ import annotations

from typing import Any

import pytest

from handoff_sync.api.actions import ACTIONS
from tests.api.conftest import MONA, World


def test_the_story_of_a_session_told_by_actions(world: World) -> None:
    id = world.says()["id"]
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("handover", {"reason": "VIP"}, "waiting"),
        ("claim", {}, "human"),
        ("message", {"text": "Good morning"}, "human"),
        ("note", {"text": "Called them", "kind": "outcome"}, "human"),
        ("label", {"add": ["vip", "refund"]}, "human"),
        ("unassign", {}, "waiting"),
        ("assign", {"person": {"id": "m_2", "name": "Max Member"}}, "human"),
        ("copilot", {"on": True}, "human"),
        ("pause", {"minutes": 30}, "human"),
        ("extend", {"minutes": 15}, "human"),
        ("resume", {"summary": "Refunded."}, "ai"),
        ("stop", {"reason": "spam"}, "stopped"),
        ("reset", {}, "ai"),
        ("resolve", {"note": "done"}, "resolved"),
        ("archive", {}, "archived"),
    ]
    for action, body, phase in steps:
        answer = world.act(id, action, **body)
        assert (action, answer.status_code) == (action, 200), answer.text
        assert (action, answer.json()["session"]["phase"]) == (action, phase)
    assert {"vip", "refund"} <= set(world.api.get(f"/v1/sessions/{id}").json()["labels"])
    lines = world.api.get(f"/v1/sessions/{id}/transcript").json()["items"]
    assert [line["text"] for line in lines if line["author_class"] == "human"][:1] == ["Good morning"]


def test_semi_automatic_mode_asks_and_the_first_answer_counts(world: World) -> None:
    id = world.says()["id"]
    world.tell("handoff.requested", mode="semi_automatic")
    session = world.api.get(f"/v1/sessions/{id}").json()
    assert (session["phase"], session["decision"]["state"]) == ("ai_deciding", "pending")
    accepted = world.act(id, "accept", claim=True)
    assert accepted.json()["session"]["phase"] == "human"
    late = world.act(id, "decline")
    assert late.status_code == 409
    assert world.api.get(f"/v1/sessions/{id}").json()["phase"] == "human"


def test_a_decision_can_be_declined(world: World) -> None:
    id = world.says()["id"]
    world.tell("handoff.requested", mode="semi_automatic")
    assert world.act(id, "decline").json()["session"]["phase"] == "ai"


def test_whoever_decided_can_take_it_back(world: World) -> None:
    id = world.says()["id"]
    world.tell("handoff.requested", mode="semi_automatic")
    world.act(id, "accept")
    stranger = world.act(id, "undo", actor={"id": "m_2", "name": "Nils"})
    assert (stranger.status_code, stranger.json()["code"]) == (409, "not_the_decider")
    session = world.act(id, "undo").json()["session"]
    assert (session["phase"], session["decision"]["state"]) == ("ai_deciding", "pending")
    log = world.api.get(f"/v1/sessions/{id}/pause-log").json()["items"]
    assert "decision_undone" in {row["action"] for row in log}


def test_an_action_with_the_same_key_is_done_once(world: World) -> None:
    id = world.says()["id"]
    headers = {"Idempotency-Key": "k-1"}
    body = {"actor": MONA, "minutes": 30}
    first = world.api.post(f"/v1/sessions/{id}/actions/pause", body, headers=headers).json()
    again = world.api.post(f"/v1/sessions/{id}/actions/pause", body, headers=headers).json()
    assert (first["status"], again["status"]) == ("accepted", "duplicate")
    assert first["session"]["version"] == again["session"]["version"]
    assert first["id"] == again["id"]


def test_the_same_key_for_another_action_or_session_is_another_request(world: World) -> None:
    one, two = world.says(conversation="c1")["id"], world.says(conversation="c2")["id"]
    headers = {"Idempotency-Key": "k-1"}
    for id, action in ((one, "pause"), (one, "resume"), (two, "pause")):
        answer = world.api.post(f"/v1/sessions/{id}/actions/{action}", {}, headers=headers).json()
        assert (answer["status"], answer["session"]["id"]) == ("accepted", id)


@pytest.mark.parametrize("key", ["", "x" * 201, "with space", "smörgås"])
def test_a_key_that_could_be_misread_is_refused(world: World, key: str) -> None:
    id = world.says()["id"]
    answer = world.api.post(f"/v1/sessions/{id}/actions/pause", {}, headers={"Idempotency-Key": key.encode()})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_a_repeat_without_need_is_no_error(world: World) -> None:
    id = world.says()["id"]
    answer = world.act(id, "resume")
    assert (answer.status_code, answer.json()["verdict"]) == (200, "unchanged")


def test_what_does_not_apply_is_said(world: World) -> None:
    id = world.says()["id"]
    for action, body in (("unassign", {}), ("copilot", {"on": True}), ("extend", {"minutes": 1})):
        answer = world.act(id, action, **body)
        assert answer.status_code == 409 and answer.json()["detail"]


def test_two_people_cannot_hold_one_session(world: World) -> None:
    id = world.says()["id"]
    world.act(id, "claim")
    other = {"actor": {"id": "m_2", "name": "Max Member"}}
    answer = world.act(id, "claim", **other)
    assert answer.status_code == 409 and "Mona Member" in answer.json()["detail"]
    assert world.act(id, "claim", force=True, **other).json()["session"]["assignee"]["id"] == "m_2"


@pytest.mark.parametrize("action", ["claim", "message", "accept", "decline", "undo"])
def test_what_only_a_person_can_do_needs_a_name(world: World, action: str) -> None:
    id = world.says()["id"]
    answer = world.api.post(f"/v1/sessions/{id}/actions/{action}", {"text": "x"} if action == "message" else {})
    assert answer.status_code == 422
    assert {"field": "actor", "code": "missing", "message": "This field is required."} in answer.json()["errors"]


def test_an_assignment_goes_to_a_person_or_to_an_agent(world: World) -> None:
    id = world.says()["id"]
    for body in ({}, {"person": {"id": "m_2"}, "ai_agent_id": "a_1"}):
        answer = world.act(id, "assign", **body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "value_error")


def test_a_pause_can_be_made_before_anything_was_said(world: World) -> None:
    answer = world.api.post("/v1/conversations/new/actions/pause", {"actor": MONA})
    assert answer.json()["session"]["phase"] == "human"
    assert world.says(conversation="new")["phase"] == "human"


@pytest.mark.parametrize("action", ["resume", "claim", "resolve", "stop", "archive", "accept"])
def test_other_actions_need_a_conversation_that_we_know(world: World, action: str) -> None:
    answer = world.api.post(f"/v1/conversations/never/actions/{action}", {"actor": MONA})
    assert answer.status_code == 404
    assert world.api.get("/v1/sessions").json()["items"] == []


def test_every_action_works_by_conversation_as_by_session(world: World) -> None:
    paths = world.api.document["paths"]
    for action in ACTIONS:
        by_session = paths[f"/v1/sessions/{{session_id}}/actions/{action}"]["post"]
        by_conversation = paths[f"/v1/conversations/{{conversation_id}}/actions/{action}"]["post"]
        assert by_session["requestBody"] == by_conversation["requestBody"]


def test_the_actor_is_on_record(world: World) -> None:
    id = world.says()["id"]
    world.act(id, "pause", reason="lunch")
    world.api.post(f"/v1/sessions/{id}/actions/resume")
    log = world.api.get(f"/v1/sessions/{id}/pause-log").json()["items"]
    assert (log[0]["action"], log[0]["triggered_by"]) == ("pause_activated", "m_1")
    assert log[0]["reason"] == "lunch" and log[1]["triggered_by"] == "system"


def test_a_disk_that_is_full_refuses_actions_too(world: World) -> None:
    id = world.says()["id"]
    world.switches.full = True
    assert world.act(id, "pause").status_code == 503
