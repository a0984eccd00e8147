"""Reading: lists with filters and pages, and everything a session leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import MONA, World


def _ids(world: World, query: str) -> set[str]:
    answer = world.api.get(f"/v1/sessions?{query}")
    assert answer.status_code == 200, answer.text
    return {item["conversation_id"] for item in answer.json()["items"]}


@pytest.fixture
def shop(any_world: World) -> World:
    """Four conversations: with the AI, waiting, held by Mona, resolved."""
    world = any_world
    customer = {"name": "Ann Example", "external_id": "u_1"}
    world.tell("customer.message", "with_ai", customer=customer, message={"id": "a", "text": "Where is my parcel?"})
    world.tell("ai.message.sent", "with_ai", message={"id": "b", "text": "On its way."})
    world.tell("customer.message", "waiting", team="sales", message={"id": "a", "text": "Hello"})
    world.tell("handoff.requested", "waiting")
    world.says(conversation="held")
    world.tell("human.message", "held", message={"id": "h", "text": "Hi", "author": MONA})
    world.tell("label.changed", "held", add=["vip"])
    world.says(conversation="done")
    world.tell("resolve", "done", actor=MONA)
    return world


def test_filters_narrow_the_list(shop: World) -> None:
    expected: dict[str, set[str]] = {
        "": {"with_ai", "waiting", "held", "done"},
        "status=open": {"with_ai", "waiting", "held"},
        "status=resolved": {"done"},
        "phase=waiting": {"waiting"},
        "needs_human=true&unassigned=true": {"waiting"},
        "assignee_id=m_1": {"held"},
        "responded_by=human": {"held"},
        "responded_by=ai": {"with_ai"},
        "team=sales": {"waiting"},
        "label=vip": {"held"},
        "label=vi": set(),
        "conversation_id=held": {"held"},
        "text=parcel": {"with_ai"},
        "text=ann%20example": {"with_ai"},
        "text=nothing": set(),
        "status=open&label=vip&team=sales": set(),
    }
    assert {query: _ids(shop, query) for query in expected} == expected


def test_a_misspelt_filter_is_an_error(shop: World) -> None:
    answer = shop.api.get("/v1/sessions?asignee_id=m_1")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "asignee_id", "code": "extra_forbidden", "message": "There is no such field here."}
    ]


def test_pages_show_everything_once_newest_change_first(shop: World) -> None:
    seen: list[str] = []
    query = "limit=1"
    while True:
        page = shop.api.get(f"/v1/sessions?{query}").json()
        seen += [item["conversation_id"] for item in page["items"]]
        if page["next"] is None:
            break
        query = f"limit=1&cursor={page['next']}"
    assert seen == ["done", "held", "waiting", "with_ai"]


def _walk(world: World, path: str) -> list[Any]:
    items: list[Any] = []
    cursor = ""
    while True:
        page = world.api.get(f"{path}{'&' if '?' in path else '?'}limit=2{cursor}").json()
        assert len(page["items"]) <= 2
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = f"&cursor={page['next']}"


def test_what_a_session_leaves_behind_comes_in_pages_in_its_order(any_world: World) -> None:
    world = any_world
    id = world.says("1")["id"]
    for text in "2345":
        world.says(text)
    for minutes in (30, 60, 10):
        world.act(id, "pause", minutes=minutes)
    assert [line["text"] for line in _walk(world, f"/v1/sessions/{id}/transcript")] == list("12345")
    timeline = _walk(world, f"/v1/sessions/{id}/timeline")
    assert [entry["id"] for entry in timeline] == sorted({entry["id"] for entry in timeline})
    expected = ["pause_activated", "extend_pause", "pause_changed"]
    for path in (f"/v1/sessions/{id}/pause-log", "/v1/pause-logs", "/v1/pause-logs?conversation_id=c1"):
        assert [row["action"] for row in _walk(world, path)] == expected, path


def test_the_pause_log_of_a_conversation_spans_its_sessions(world: World) -> None:
    first = world.says()["id"]
    world.act(first, "pause", reason="first")
    world.act(first, "archive")
    second = world.says()["id"]
    assert second != first
    world.act(second, "pause", reason="second")
    world.says(conversation="other")
    rows = _walk(world, "/v1/pause-logs?conversation_id=c1")
    assert [row["reason"] for row in rows if row["action"] == "pause_activated"] == ["first", "second"]
    assert {row["conversation_id"] for row in rows} == {"c1"}


def test_the_pause_log_has_the_names_that_were_agreed(world: World) -> None:
    world.act(world.says()["id"], "pause", minutes=30, reason="lunch")
    row = world.api.get("/v1/pause-logs").json()["items"][0]
    agreed = ("conversation_id", "action", "reason", "duration_minutes", "triggered_by")
    assert tuple(row[name] for name in agreed) == ("c1", "pause_activated", "lunch", 30, "m_1")
    assert (row["previous_ai_mode"], row["new_ai_mode"]) == ("auto", "paused")


def test_notes_are_private(world: World) -> None:
    id = world.says()["id"]
    world.act(id, "note", text="Careful")
    lines = world.api.get(f"/v1/sessions/{id}/transcript").json()["items"]
    assert [(line["text"], line["visibility"]) for line in lines] == [("Hello", "public"), ("Careful", "private")]


def test_why_the_ai_is_silent_is_said_in_a_sentence(world: World) -> None:
    id = world.says()["id"]
    world.act(id, "claim")
    told = world.api.get(f"/v1/sessions/{id}/explain").json()
    assert "silent because Mona Member has the session" in told["sentence"]
    assert {"name": "phase", "value": "human"} in told["rows"]


@pytest.mark.parametrize("what", ["", "/transcript", "/timeline", "/pause-log", "/explain"])
def test_a_session_that_is_not_there_is_a_404(world: World, what: str) -> None:
    assert world.api.get(f"/v1/sessions/ses_nowhere{what}").status_code == 404
