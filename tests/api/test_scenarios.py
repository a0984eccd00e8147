"""What the platform fetches for its AI: scenarios as they are for a team, in words, with an ETag."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from handoff_sync.core.policy import Mode, Scenario
from tests.api.conftest import POLICY, World

REFUND = Scenario(
    title='Refunds over "$200"', instruction="The customer wants\nmoney back.", enabled=True, tags=("vip",)
)
ANGRY = Scenario(title="Angry", instruction="They shout.", mode=Mode.SEMI_AUTOMATIC, team="care", enabled=True)
OFF = Scenario(title="Off", enabled=False)
PEOPLE = Scenario(title="People alone", mode=Mode.MANUAL_ONLY, enabled=True)


def given(world: World, *scenarios: Scenario, **settings: Any) -> None:
    world.admin.update_workspace("ws_1", policy=replace(POLICY, scenarios=scenarios, **settings))


def test_what_is_switched_on_comes_with_a_text_for_the_ai(any_world: World) -> None:
    world = any_world
    given(world, REFUND, ANGRY, OFF, PEOPLE)
    body = world.api.get("/v1/scenarios").json()
    assert [(one["title"], one["mode"], one["team"], one["tags"]) for one in body["items"]] == [
        (REFUND.title, "automatic", None, ["vip"]),
        ("Angry", "semi_automatic", "care", []),
    ]
    for one in body["items"]:
        assert one["prompt"] in body["instructions"]
    assert '"Refunds over \\"$200\\"": The customer wants money back.' in body["instructions"]
    assert 'trigger "scenario"' in body["instructions"] and "Off" not in body["instructions"]


def test_the_title_that_is_fetched_is_the_one_that_asks(world: World) -> None:
    given(world, ANGRY)
    title = world.api.get("/v1/scenarios").json()["items"][0]["title"]
    world.says()
    session = world.tell("handoff.requested", trigger="scenario", scenario=title).json()["session"]
    assert session["phase"] == "ai_deciding"


def test_a_team_has_its_own(world: World) -> None:
    given(world, REFUND)
    world.admin.update_workspace("ws_1", teams={"care": {"scenarios": [{"title": "Angry", "enabled": True}]}})
    assert [one["title"] for one in world.api.get("/v1/scenarios?team=care").json()["items"]] == ["Angry"]
    for other in ("", "?team=unknown"):
        assert [one["title"] for one in world.api.get(f"/v1/scenarios{other}").json()["items"]] == [REFUND.title]


def test_304_until_something_changes_for_the_team(world: World) -> None:
    given(world, REFUND)
    tag = world.api.get("/v1/scenarios").headers["etag"]
    known = {"If-None-Match": tag}
    world.admin.update_workspace("ws_1", name="Another name")
    same = world.api.get("/v1/scenarios", headers=known)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    given(world, REFUND, ANGRY)
    assert world.api.get("/v1/scenarios", headers=known).status_code == 200


def test_nothing_is_asked_in_vain(world: World) -> None:
    for settings in ({"handover_enabled": False}, {"handover_mode": Mode.MANUAL_ONLY}):
        given(world, REFUND, **settings)
        assert world.api.get("/v1/scenarios").json() == {"items": [], "instructions": ""}
