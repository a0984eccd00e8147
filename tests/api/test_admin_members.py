"""Members by HTTP, and what being one means for who acts in a session."""

from __future__ import annotations

from typing import Any

import pytest

from handoff_sync.core.policy import Mode, Policy, Recipient
from handoff_sync.store.rows import Role
from tests.api.conftest import MONA, World

PATH = "/v1/admin/members"
SEMI = Policy(handover_mode=Mode.SEMI_AUTOMATIC, recipients=(Recipient(email="admin@example.com"),))


def put(world: World, email: str, **body: Any) -> Any:
    return world.api.call("PUT", f"{PATH}/{email}", json={"name": "Mona Member"} | body)


# --- the list -----------------------------------------------------------------------------------------------


def test_a_member_is_added_read_replaced_and_removed(any_world: World) -> None:
    world = any_world
    world.admin.update_workspace("ws_1", teams={"sales": {}})
    made = put(world, "Mona@Example.com", role="admin", teams=["sales"], language="pt-BR").json()
    assert made | {"id": ""} == {
        "id": "",
        "email": "mona@example.com",
        "name": "Mona Member",
        "role": "admin",
        "teams": ["sales"],
        "language": "pt-BR",
    }
    assert world.api.get(f"{PATH}/MONA@example.com").json() == made
    again = put(world, "mona@example.com", name="Mona").json()
    assert (again["id"], again["name"], again["role"], again["teams"]) == (made["id"], "Mona", "agent", [])
    assert world.api.call("DELETE", f"{PATH}/mona@example.com").status_code == 204
    assert world.api.call("DELETE", f"{PATH}/mona@example.com").status_code == 404
    assert world.api.get(f"{PATH}/mona@example.com").status_code == 404


def test_members_come_in_pages(any_world: World) -> None:
    world = any_world
    for name in "cab":
        put(world, f"{name}@example.com")
    first = world.api.get(f"{PATH}?limit=2").json()
    rest = world.api.get(f"{PATH}?limit=2&cursor={first['next']}").json()
    assert [one["email"][0] for one in (*first["items"], *rest["items"])] == ["a", "b", "c"]
    assert rest["next"] is None
    assert world.api.get(f"{PATH}?cursor=bm90IG91cnMB").status_code in (200, 422)


def test_a_member_of_a_team_that_is_not_there_is_refused_with_every_reason(world: World) -> None:
    answer = put(world, "mona@example.com", teams=["nobody"], language="klingon!")
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"teams[0]", "language"}
    assert put(world, "mona@example.com", role="boss").status_code == 422
    assert put(world, "no-address").status_code == 422
    assert put(world, "a@b<script>").status_code == 422
    assert world.admin.members("ws_1") == ()


def test_an_outdated_etag_is_refused(world: World) -> None:
    tag = world.api.get(PATH).headers["etag"]
    put(world, "a@example.com")
    late = world.api.call("PUT", f"{PATH}/b@example.com", json={"name": "B"}, headers={"If-Match": tag})
    assert late.status_code == 412
    assert world.api.call("DELETE", f"{PATH}/a@example.com", headers={"If-Match": tag}).status_code == 412


# --- who acts ------------------------------------------------------------------------------------------------


def asked(world: World) -> str:
    """A session whose decision is open."""
    world.admin.update_workspace("ws_1", policy=SEMI)
    world.says()
    session = world.tell("handoff.requested", trigger="customer_request").json()["session"]
    assert session["phase"] == "ai_deciding"
    return str(session["id"])


def test_without_members_everybody_is_who_they_say(world: World) -> None:
    session = asked(world)
    assert world.act(session, "decline").status_code == 200


def test_with_members_a_stranger_cannot_act(world: World) -> None:
    session = asked(world)
    world.admin.put_member("ws_1", "ana@example.com", name="Ana")
    for name in ("claim", "accept", "note"):
        answer = world.act(session, name, **({"text": "x"} if name == "note" else {}))
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_member")
    said = world.tell("human.message", message={"id": "h1", "text": "Hi", "author": MONA})
    assert (said.status_code, said.json()["code"]) == (422, "unknown_member")
    assert world.api.get(f"/v1/sessions/{session}").json()["phase"] == "ai_deciding"


def test_the_platform_itself_goes_on_acting(world: World) -> None:
    session = asked(world)
    world.admin.put_member("ws_1", "ana@example.com", name="Ana")
    assert world.api.post(f"/v1/sessions/{session}/actions/pause", {}).status_code == 200
    rule = {"id": "h1", "text": "We are closed."}
    assert world.tell("human.message", author_class="automation", message=rule).status_code == 200


@pytest.mark.parametrize("by", ["id", "email"])
def test_a_member_is_named_by_id_or_address_and_called_by_the_name_we_know(any_world: World, by: str) -> None:
    world = any_world
    session = asked(world)
    ana = world.admin.put_member("ws_1", "ana@example.com", name="Ana Admin", role=Role.ADMIN)
    actor = {"id": ana.id if by == "id" else "Ana@Example.com", "name": "Somebody Else"}
    answer = world.api.post(f"/v1/sessions/{session}/actions/accept", {"actor": actor, "claim": True})
    assert answer.status_code == 200
    assignee = answer.json()["session"]["assignee"]
    assert (assignee["id"], assignee["name"]) == (ana.id, "Ana Admin")
    said = world.tell("human.message", message={"id": "h1", "text": "Hi", "author": actor})
    last = said.json()["session"]["last_responder"]
    assert (last["id"], last["name"]) == (ana.id, "Ana Admin")


def test_an_agent_handles_sessions_and_does_not_decide(world: World) -> None:
    session = asked(world)
    world.admin.put_member("ws_1", "ben@example.com", name="Ben")
    ben = {"id": "ben@example.com"}
    for action in ("accept", "decline", "undo"):
        answer = world.api.post(f"/v1/sessions/{session}/actions/{action}", {"actor": ben})
        assert (answer.status_code, answer.json()["code"]) == (403, "role_forbidden")
    assert world.api.get(f"/v1/sessions/{session}").json()["phase"] == "ai_deciding"
    assert world.api.post(f"/v1/sessions/{session}/actions/claim", {"actor": ben}).status_code == 200


def test_in_a_batch_only_the_strangers_event_is_refused(any_world: World) -> None:
    world = any_world
    world.says()
    world.admin.put_member("ws_1", "ana@example.com", name="Ana")
    events = [
        {"id": f"b{number}", "type": "note.added", "conversation_id": "c1", "text": "x", "actor": {"id": who}}
        for number, who in enumerate(("ana@example.com", "stranger", "ana@example.com"))
    ]
    results = world.api.post("/v1/events", {"events": events}).json()["results"]
    assert [one["status"] for one in results] == ["accepted", "rejected", "accepted"]
    assert results[1]["error"]["code"] == "unknown_member"
