"""The gate: no AI message after a takeover, whatever the order of things."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import World

MESSAGE = {"id": "ai_1", "text": "It is on its way."}


def ask(world: World, **body: Any) -> Any:
    answer = world.api.post("/v1/conversations/c1/gate", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def blocked(world: World, session_id: str) -> list[str]:
    """Reasons of the AI's attempts on record."""
    log = world.api.get(f"/v1/sessions/{session_id}/pause-log").json()["items"]
    return [row["reason"] for row in log if row["action"] == "interaction_blocked"]


def test_an_unknown_conversation_is_the_ais(world: World) -> None:
    assert ask(world, message=MESSAGE) == {
        "decision": "allow",
        "epoch": 0,
        "session_id": None,
        "phase": "ai",
        "ai_mode": "auto",
        "reason": "",
    }
    assert world.api.get("/v1/sessions").json()["items"] == []


def test_while_the_ai_is_in_charge_it_may_speak_and_nothing_is_written(world: World) -> None:
    session = world.says()
    answer = ask(world, message=MESSAGE, epoch=session["control_epoch"])
    assert (answer["decision"], answer["epoch"]) == ("allow", session["control_epoch"])
    assert world.api.get(f"/v1/sessions/{session['id']}").json()["version"] == session["version"]


def test_after_a_takeover_the_attempt_is_blocked_and_recorded(world: World) -> None:
    session = world.says()
    licence = ask(world)["epoch"]
    world.act(session["id"], "claim")
    answer = ask(world, message=MESSAGE, epoch=licence)
    assert (answer["decision"], answer["reason"]) == ("block", "stale_epoch")
    assert ask(world, message={"id": "ai_2", "text": "x"})["reason"] == "human"
    assert blocked(world, session["id"]) == ["stale_epoch", "human"]
    transcript = world.api.get(f"/v1/sessions/{session['id']}/transcript").json()["items"]
    assert [line["author_class"] for line in transcript] == ["customer"]


def test_a_message_from_before_the_takeover_is_blocked_after_the_ai_is_back(world: World) -> None:
    session = world.says()
    licence = ask(world)["epoch"]
    world.act(session["id"], "pause")
    world.act(session["id"], "resume")
    assert ask(world, message=MESSAGE, epoch=licence)["decision"] == "block"
    fresh = ask(world)["epoch"]
    assert ask(world, message=MESSAGE, epoch=fresh)["decision"] == "allow"


def test_a_licence_that_was_never_given_is_none(world: World) -> None:
    world.says()
    assert ask(world, epoch=99)["decision"] == "block"


def test_a_question_records_nothing(world: World) -> None:
    session = world.says()
    world.act(session["id"], "stop")
    before = world.api.get(f"/v1/sessions/{session['id']}").json()["version"]
    assert [ask(world)["decision"], ask(world, epoch=0)["decision"]] == ["block", "block"]
    assert world.api.post("/v1/conversations/c1/gate").json()["reason"] == "stopped"
    assert world.api.get(f"/v1/sessions/{session['id']}").json()["version"] == before
    assert blocked(world, session["id"]) == []


def test_the_same_attempt_twice_is_recorded_once(world: World) -> None:
    session = world.says()
    world.act(session["id"], "pause")
    assert ask(world, message=MESSAGE) == ask(world, message=MESSAGE)
    assert len(blocked(world, session["id"])) == 1


def test_the_same_message_is_allowed_once_the_ai_is_back(world: World) -> None:
    session = world.says()
    world.act(session["id"], "pause")
    assert ask(world, message=MESSAGE)["decision"] == "block"
    world.act(session["id"], "resume")
    assert ask(world, message=MESSAGE)["decision"] == "allow"


def test_with_copilot_the_ai_drafts_for_people_and_never_sends(world: World) -> None:
    session = world.says()
    world.act(session["id"], "claim")
    world.act(session["id"], "copilot", on=True)
    assert ask(world, message={"id": "ai_0"})["decision"] == "draft"
    assert ask(world, message=MESSAGE)["decision"] == "draft"
    lines = world.api.get(f"/v1/sessions/{session['id']}/transcript").json()["items"]
    assert [(line["kind"], line["visibility"]) for line in lines[1:]] == [("draft", "private")]


def test_an_agent_that_does_not_run_may_not_speak(world: World) -> None:
    session = world.says()
    world.tell("health.changed", agent_running=False)
    assert ask(world, message=MESSAGE)["reason"] == "agent_not_running"
    world.tell("health.changed", agent_running=True)
    assert ask(world, message=MESSAGE)["decision"] == "allow"
    assert blocked(world, session["id"]) == ["agent_not_running"]


@pytest.mark.parametrize("takeover", ["claim", "pause", "stop", "handover", "message", "resolve", "archive"])
def test_no_licence_from_before_outlives_a_takeover(world: World, takeover: str) -> None:
    """Asked, generated, taken over, asked again: the second answer is what counts."""
    session = world.says()
    licence = ask(world, message=MESSAGE)["epoch"]
    more = {"text": "I am here."} if takeover == "message" else {}
    assert world.act(session["id"], takeover, **more).status_code == 200
    assert ask(world, message=MESSAGE, epoch=licence)["decision"] == "block"
    assert world.tell("ai.message.proposed", message=MESSAGE, epoch=licence).json()["verdict"] == "block"


def test_a_conversation_id_may_hold_what_a_platform_puts_into_it(world: World) -> None:
    strange = "wa:+49 (30) 1/2/gate?"
    world.says(conversation=strange)
    answer = world.api.post(f"/v1/conversations/{'wa:+49%20(30)%201/2/gate%3F'}/gate", {})
    assert answer.json()["session_id"] is not None


@pytest.mark.parametrize("body", [{"epoch": -1}, {"epoch": "1"}, {"epoch": 1.5}, {"message": {}}, {"mesage": MESSAGE}])
def test_a_gate_question_that_makes_no_sense_is_refused(world: World, body: Any) -> None:
    assert world.api.post("/v1/conversations/c1/gate", body).status_code == 422
