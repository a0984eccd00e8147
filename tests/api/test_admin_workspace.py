"""Policy by HTTP: read, changed as a merge patch, judged as a whole; presets; nothing overwritten unseen."""

from __future__ import annotations

from typing import Any

import pytest

from handoff_sync.core.presets import PRESETS
from tests.api.conftest import World

PATH = "/v1/admin/workspace"


def patch(world: World, body: dict[str, Any], query: str = "", **more: Any) -> Any:
    return world.api.call("PATCH", f"{PATH}{query}", json=body, **more)


def policy(world: World) -> Any:
    return world.api.get(PATH).json()["policy"]


def wrong(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["message"] for error in answer.json()["errors"]}


def test_the_workspace_shows_every_setting_and_what_will_happen(world: World) -> None:
    shown = world.api.get(PATH).json()
    assert (shown["id"], shown["name"], shown["teams"]) == ("ws_1", "Shop 1", {})
    assert shown["policy"]["handover_mode"] == "automatic" and shown["policy"]["decision_timeout_minutes"] == 30
    assert any("it stops at once" in sentence for sentence in shown["explanation"])


def test_a_patch_changes_what_it_names_and_says_what_that_is(any_world: World) -> None:
    world = any_world
    answer = patch(world, {"name": "Acme", "policy": {"redact": False}, "teams": {"sales": {"redact": True}}}).json()
    assert [(one["key"], one["before"], one["after"]) for one in answer["changes"]] == [
        ("name", "Shop 1", "Acme"),
        ("policy.redact", True, False),
        ("teams.sales", None, {"redact": True}),
    ]
    shown = world.api.get(PATH).json()
    assert (shown["name"], shown["policy"]["redact"], shown["teams"]) == ("Acme", False, {"sales": {"redact": True}})
    assert shown["policy"]["recipients"][0]["email"] == "admin@example.com"
    assert answer["workspace"] == shown
    assert answer["workspace"]["revision"] == shown["revision"]


def test_null_takes_back_to_the_default_and_makes_none_what_may_be_none(world: World) -> None:
    patch(world, {"policy": {"decision_timeout_minutes": 5, "claim_reminder_minutes": 9}})
    patch(world, {"policy": {"decision_timeout_minutes": None, "claim_reminder_minutes": None}})
    assert (policy(world)["decision_timeout_minutes"], policy(world)["claim_reminder_minutes"]) == (30, None)


def test_null_takes_a_teams_setting_back_and_a_team_out(world: World) -> None:
    patch(world, {"teams": {"sales": {"redact": False, "decline_mute_minutes": 1}, "care": {"redact": False}}})
    patch(world, {"teams": {"sales": {"redact": None}, "care": None}})
    assert world.api.get(PATH).json()["teams"] == {"sales": {"decline_mute_minutes": 1}}


def test_notices_are_merged_turn_by_turn(world: World) -> None:
    patch(world, {"policy": {"customer_notice": {"on_join": {"en": "Hello"}, "on_return": {"en": "Bye"}}}})
    patch(world, {"policy": {"customer_notice": {"on_return": None}}})
    notice = policy(world)["customer_notice"]
    assert (notice["on_join"], notice["on_return"]) == ({"en": "Hello"}, {})


def test_a_dry_run_says_the_same_and_changes_nothing(world: World) -> None:
    before = world.api.get(PATH)
    dry = patch(world, {"policy": {"handover_mode": "semi_automatic"}}, "?dry_run=true").json()
    assert dry["dry_run"] and dry["workspace"]["policy"]["handover_mode"] == "semi_automatic"
    assert world.api.get(PATH).json() == before.json()
    real = patch(world, {"policy": {"handover_mode": "semi_automatic"}}).json()
    assert real["changes"] == dry["changes"] and not real["dry_run"]


def test_the_same_patch_twice_changes_nothing_the_second_time(world: World) -> None:
    body = {"policy": {"redact": False}}
    first = patch(world, body)
    again = patch(world, body)
    assert again.json()["changes"] == [] and again.headers["etag"] == first.headers["etag"]


# --- contradictions -----------------------------------------------------------------------------------------

CONTRADICTIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a mode without anybody who hears": ({"policy": {"recipients": []}}, "policy.handover_mode", "recipient"),
    "a team without anybody": ({"teams": {"sales": {"recipients": []}}}, "teams.sales.handover_mode", "recipient"),
    "no way back by ticket": (
        {"policy": {"live_handback": False, "on_ticket_solved": "return_to_ai"}},
        "policy.on_ticket_solved",
        "live_handback",
    ),
    "a team that is not there": (
        {"policy": {"scenarios": [{"title": "A", "team": "nobody"}]}},
        "policy.scenarios[0].team",
        "no team",
    ),
    "a connection that is not there": (
        {"policy": {"connections": [{"connection": "con_9"}]}},
        "policy.connections[0].connection",
        "Connect it first",
    ),
    "a foreign connection": ({"policy": {"connections": [{"connection": "FOREIGN"}]}}, "policy.connections[0]", ""),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_named_with_its_remedy_and_nothing_is_stored(world: World, name: str) -> None:
    body, key, remedy = CONTRADICTIONS[name]
    if key.startswith("policy.connections") and not remedy:
        foreign = world.admin.create_connection("ws_2", "zendesk", "Theirs", {}, {})
        body = {"policy": {"connections": [{"connection": foreign.id}]}}
    before = world.api.get(PATH).json()
    found = wrong(patch(world, body))
    (message,) = [text for field, text in found.items() if field.startswith(key)]
    assert remedy in message
    assert world.api.get(PATH).json() == before


def test_every_wrong_value_is_named_at_once(world: World) -> None:
    body = {"handover_mod": "automatic", "redact": "yes", "decision_timeout_minutes": -1, "pause_presets": "none"}
    found = wrong(patch(world, {"policy": body}))
    assert set(found) == {f"policy.{name}" for name in body}
    assert "Did you mean handover_mode?" in found["policy.handover_mod"]


def test_what_only_surprises_is_told_and_stored(world: World) -> None:
    answer = patch(world, {"policy": {"claim_timeout_minutes": 10}}).json()
    assert [one["key"] for one in answer["warnings"]] == ["policy.claim_timeout_minutes"]
    assert policy(world)["claim_timeout_minutes"] == 10


def test_a_policy_that_would_fill_every_handoff_is_refused(world: World) -> None:
    scenarios = [{"title": f"t{number}", "instruction": "x" * 5_000} for number in range(30)]
    assert patch(world, {"policy": {"scenarios": scenarios}}).status_code == 200
    answer = patch(world, {"teams": {"sales": {"scenarios": scenarios}}})
    assert (answer.status_code, answer.json()["code"]) == (422, "too_large")
    assert world.api.get(PATH).json()["teams"] == {}


# --- nobody overwrites what they have not seen ------------------------------------------------------------


def test_an_etag_spares_reading_again(world: World) -> None:
    tag = world.api.get(PATH).headers["etag"]
    same = world.api.get(PATH, headers={"If-None-Match": tag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    patch(world, {"name": "Acme"})
    assert world.api.get(PATH, headers={"If-None-Match": tag}).status_code == 200


def test_an_outdated_etag_is_refused(world: World) -> None:
    tag = world.api.get(PATH).headers["etag"]
    assert patch(world, {"name": "First"}, headers={"If-Match": tag}).status_code == 200
    answer = patch(world, {"name": "Second"}, headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["code"]) == (412, "changed_meanwhile")
    assert patch(world, {"name": "Third"}, headers={"If-Match": "*"}).status_code == 200
    assert world.api.get(PATH).json()["name"] == "Third"


def test_every_change_of_the_configuration_makes_a_new_etag(world: World) -> None:
    def change(method: str, path: str, body: Any = None) -> str:
        answer = world.api.call(method, path, **({"json": body} if body is not None else {}))
        assert answer.status_code < 300, answer.text
        tag: str = world.api.get(PATH).headers["etag"]
        return tag

    tags = [
        world.api.get(PATH).headers["etag"],
        change("PUT", "/v1/admin/members/m@example.com", {"name": "M"}),
        change("POST", "/v1/admin/callbacks", {"url": "https://chat.example.com/"}),
        change("PATCH", f"/v1/admin/connections/{world.connection.id}", {"enabled": False}),
        change("DELETE", "/v1/admin/members/m@example.com"),
    ]
    assert len(set(tags)) == len(tags)


# --- starting points -----------------------------------------------------------------------------------------


def test_a_preset_keeps_people_and_texts_and_adds_its_scenarios(world: World) -> None:
    own = {"title": "Mine", "enabled": True}
    patch(world, {"policy": {"scenarios": [own], "timezone": "Europe/Lisbon", "redact": False}})
    answer = world.api.post(f"{PATH}/preset", {"preset": "handover"}).json()
    now = answer["workspace"]["policy"]
    assert now["recipients"][0]["email"] == "admin@example.com" and now["timezone"] == "Europe/Lisbon"
    assert now["redact"] is True and now["handover_mode"] == "semi_automatic"
    assert [one["title"] for one in now["scenarios"]][:2] == ["Mine", "Frustrated customers"]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_started_from(world: World, name: str) -> None:
    listed = {one["name"]: one for one in world.api.get("/v1/admin/presets").json()["items"]}
    dry = world.api.post(f"{PATH}/preset?dry_run=true", {"preset": name}).json()
    assert dry["workspace"]["policy"]["handover_mode"] == listed[name]["policy"]["handover_mode"]
    assert listed[name]["explanation"]
    assert policy(world)["handover_mode"] == "automatic"


def test_an_unknown_preset_is_refused(world: World) -> None:
    answer = world.api.post(f"{PATH}/preset", {"preset": "magic"})
    assert answer.status_code == 422 and "timed-takeover" in answer.json()["detail"]


def test_templates_can_be_switched_on(world: World) -> None:
    first = world.api.get("/v1/admin/scenario-templates").json()["items"][0]
    patch(world, {"policy": {"scenarios": [first | {"enabled": True}]}})
    assert policy(world)["scenarios"][0]["title"] == "Frustrated customers"


def test_a_running_handoff_keeps_its_policy(world: World) -> None:
    world.says()
    session = world.tell("handoff.requested").json()["session"]["id"]
    patch(world, {"policy": {"on_ticket_solved": "keep"}})
    stored = world.reads.session("ws_1", session)
    assert stored is not None and stored.handoffs[-1].policy.on_ticket_solved == "resolve"
