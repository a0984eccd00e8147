"""A workspace never sees another's data (G16): every route × a foreign object. A new route needs a case here."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from handoff_sync.api.actions import ACTIONS, BEFOREHAND
from handoff_sync.core.policy import Scenario
from tests.api.conftest import MONA, POLICY, World
from tests.api.routes_of import routes

SECRET = "words of a foreign customer"
OPEN = {"/livez", "/readyz", "/metrics", "/hooks/{hook_token}"}
"""Routes that know no workspace, or get it from an unguessable address."""

BODIES: dict[str, dict[str, Any]] = {
    "extend": {"minutes": 5},
    "assign": {"person": MONA},
    "note": {"text": "x"},
    "label": {"add": ["x"]},
    "message": {"text": "x"},
    "copilot": {"on": True},
}


@dataclass(frozen=True)
class Foreign:
    """What exists in ws_1; ws_2 tries to get at it."""

    session: str
    delivery: int
    connection: str = "con"
    endpoint: str = "ep"
    key: str = "key"


MEMBER = "secret-member@example.com"
OWN_LISTS = ("/v1/admin/keys", "/v1/admin/presets", "/v1/admin/scenario-templates")
"""Lists that are not empty in a workspace where nothing was done yet."""


def _foreign_objects(world: World) -> Foreign:
    endpoint, _ = world.admin.create_endpoint("ws_1", "https://platform.example.com/callbacks")
    key = world.admin.create_api_key("ws_1", SECRET, ("events",))
    scenarios = (Scenario(title=SECRET, instruction=SECRET, enabled=True),)
    world.admin.update_workspace(
        "ws_1", name=SECRET, policy=replace(POLICY, scenarios=scenarios), teams={SECRET: {"redact": False}}
    )
    world.says(SECRET)
    session = world.tell("handoff.requested", reason=SECRET, summary=SECRET).json()["session"]["id"]
    world.act(session, "note", text=SECRET)
    delivery = world.api.get("/v1/deliveries").json()["items"][0]["id"]
    world.admin.put_member("ws_1", MEMBER, name=SECRET)
    return Foreign(session, delivery, world.connection.id, endpoint.id, key.row.id)


def _configured(world: World) -> Any:
    """Everything that is configured in ws_1."""
    admin = world.admin
    found = admin.workspace("ws_1"), admin.members("ws_1"), admin.connections("ws_1"), admin.endpoints("ws_1")
    return *found, admin.api_keys("ws_1"), admin.connection_secrets(world.connection.id)


def _cases(foreign: Foreign) -> dict[tuple[str, str], tuple[str, dict[str, Any] | None, int]]:
    """Route → path with the foreign object, body, expected status."""
    session = f"/v1/sessions/{foreign.session}"
    message = {"id": "m", "text": "x"}
    cases: dict[tuple[str, str], tuple[str, dict[str, Any] | None, int]] = {
        ("POST", "/v1/events"): (
            "/v1/events",
            {"id": "e1", "type": "customer.message", "conversation_id": "c1", "message": message},
            200,
        ),
        ("POST", "/v1/conversations/{conversation_id}/gate"): ("/v1/conversations/c1/gate", {"message": message}, 200),
        ("GET", "/v1/sessions"): (f"/v1/sessions?text={SECRET}", None, 200),
        ("GET", "/v1/sessions/{session_id}"): (session, None, 404),
        ("GET", "/v1/sessions/{session_id}/transcript"): (f"{session}/transcript", None, 404),
        ("GET", "/v1/sessions/{session_id}/timeline"): (f"{session}/timeline", None, 404),
        ("GET", "/v1/sessions/{session_id}/pause-log"): (f"{session}/pause-log", None, 404),
        ("GET", "/v1/sessions/{session_id}/explain"): (f"{session}/explain", None, 404),
        ("GET", "/v1/sessions/{session_id}/messages/{message_id}/attachments/{number}"): (
            f"{session}/messages/m1/attachments/0",
            None,
            404,
        ),
        ("GET", "/v1/pause-logs"): ("/v1/pause-logs?conversation_id=c1", None, 200),
        ("GET", "/v1/deliveries"): ("/v1/deliveries", None, 200),
        ("GET", "/v1/deliveries/{delivery_id}"): (f"/v1/deliveries/{foreign.delivery}", None, 404),
        ("POST", "/v1/deliveries/{delivery_id}/retry"): (f"/v1/deliveries/{foreign.delivery}/retry", {}, 404),
        ("POST", "/v1/deliveries/{delivery_id}/skip"): (f"/v1/deliveries/{foreign.delivery}/skip", {}, 404),
    }
    return cases | _admin_cases(foreign) | _action_cases(session)


def _admin_cases(foreign: Foreign) -> dict[tuple[str, str], tuple[str, dict[str, Any] | None, int]]:
    base = "/v1/admin"
    connection, endpoint = f"{base}/connections/{foreign.connection}", f"{base}/callbacks/{foreign.endpoint}"
    one, other = f"{base}/connections/{{connection_id}}", f"{base}/callbacks/{{endpoint_id}}"
    return {
        ("GET", "/v1/scenarios"): (f"/v1/scenarios?team={SECRET}", None, 200),
        ("GET", f"{base}/workspace"): (f"{base}/workspace", None, 200),
        ("PATCH", f"{base}/workspace"): (f"{base}/workspace", {"name": "Mine"}, 200),
        ("POST", f"{base}/workspace/preset"): (f"{base}/workspace/preset", {"preset": "pause-and-resume"}, 200),
        ("GET", f"{base}/presets"): (f"{base}/presets", None, 200),
        ("GET", f"{base}/scenario-templates"): (f"{base}/scenario-templates", None, 200),
        ("GET", f"{base}/members"): (f"{base}/members", None, 200),
        ("GET", f"{base}/members/{{email}}"): (f"{base}/members/{MEMBER}", None, 404),
        ("PUT", f"{base}/members/{{email}}"): (f"{base}/members/{MEMBER}", {"name": "Mine"}, 200),
        ("DELETE", f"{base}/members/{{email}}"): (f"{base}/members/{MEMBER}", None, 404),
        ("GET", f"{base}/connections"): (f"{base}/connections", None, 200),
        ("POST", f"{base}/connections"): (f"{base}/connections", {"kind": "zendesk", "name": "Helpdesk"}, 422),
        ("GET", one): (connection, None, 404),
        ("PATCH", one): (connection, {"enabled": False, "secrets": {"token": "mine"}}, 404),
        ("DELETE", one): (connection, None, 404),
        ("POST", f"{one}/check"): (f"{connection}/check", None, 404),
        ("POST", f"{one}/webhook"): (f"{connection}/webhook", None, 404),
        ("GET", f"{base}/callbacks"): (f"{base}/callbacks", None, 200),
        ("POST", f"{base}/callbacks"): (f"{base}/callbacks", {"url": "https://mine.example.com/"}, 201),
        ("PATCH", other): (endpoint, {"enabled": False}, 404),
        ("DELETE", other): (endpoint, None, 404),
        ("POST", f"{other}/rotate"): (f"{endpoint}/rotate", None, 404),
        ("POST", f"{other}/test"): (f"{endpoint}/test", None, 404),
        ("GET", f"{base}/keys"): (f"{base}/keys", None, 200),
        ("POST", f"{base}/keys"): (f"{base}/keys", {"name": "mine"}, 201),
        ("DELETE", f"{base}/keys/{{key_id}}"): (f"{base}/keys/{foreign.key}", None, 404),
    }


def _action_cases(session: str) -> dict[tuple[str, str], tuple[str, dict[str, Any] | None, int]]:
    cases: dict[tuple[str, str], tuple[str, dict[str, Any] | None, int]] = {}
    for action in ACTIONS:
        body = {"actor": MONA} | BODIES.get(action, {})
        cases["POST", f"/v1/sessions/{{session_id}}/actions/{action}"] = (f"{session}/actions/{action}", body, 404)
        cases["POST", f"/v1/conversations/{{conversation_id}}/actions/{action}"] = (
            f"/v1/conversations/{'own' if action in BEFOREHAND else 'c1'}/actions/{action}",
            body,
            200 if action in BEFOREHAND else 404,
        )
    return cases


def test_every_route_has_a_case(world: World) -> None:
    known = {(method, path) for method, path, _ in routes(world) if path not in OPEN}
    assert known == set(_cases(Foreign("s", 1)))


def test_no_route_tells_or_touches_what_is_foreign(any_world: World) -> None:
    world = any_world
    foreign = _foreign_objects(world)
    before, configured = world.api.get(f"/v1/sessions/{foreign.session}").json(), _configured(world)
    # The conversations of both workspaces have the same ids; the gate and reading must not mix them up, so they go
    # before the calls that start a session of ws_2's own.
    cases = sorted(
        _cases(foreign).items(), key=lambda item: (item[0][0] != "GET", "gate" not in item[0][1], item[1][2])
    )
    for (method, route), (path, body, expected) in cases:
        if route == "/v1/events" or method == "PUT" or (expected == 200 and "actions" in route):
            continue
        answer = world.foreign.call(method, path, **({"json": body} if body is not None else {}))
        assert answer.status_code == expected, (route, answer.text)
        assert SECRET not in answer.text and foreign.session not in json.dumps(answer.json()), route
        if route.startswith("/v1/conversations") and expected == 200:
            assert answer.json()["session_id"] is None
        if method == "GET" and expected == 200 and route not in OWN_LISTS:
            assert answer.json().get("items", []) == [], route
    own = world.foreign.post("/v1/events", _cases(foreign)["POST", "/v1/events"][1]).json()["session"]
    assert own["id"] != foreign.session and own["phase"] == "ai"
    assert world.api.get(f"/v1/sessions/{foreign.session}").json() == before
    assert _configured(world) == configured


def test_a_person_of_two_workspaces_is_two_members(world: World) -> None:
    _foreign_objects(world)
    before = _configured(world)
    answer = world.foreign.call("PUT", f"/v1/admin/members/{MEMBER}", json={"name": "Mine", "role": "owner"})
    assert answer.status_code == 200 and answer.json()["id"] != world.admin.members("ws_1")[0].id
    assert world.foreign.call("DELETE", f"/v1/admin/members/{MEMBER}").status_code == 204
    assert _configured(world) == before


def test_what_starts_a_session_starts_it_in_the_own_workspace(world: World) -> None:
    foreign = _foreign_objects(world)
    before = world.api.get(f"/v1/sessions/{foreign.session}").json()
    for (method, route), (path, body, expected) in _cases(foreign).items():
        if expected == 200 and "actions" in route:
            answer = world.foreign.call(method, path.replace("/own/", "/c1/"), json=body)
            assert answer.status_code == 200 and answer.json()["session"]["id"] != foreign.session, route
            assert SECRET not in answer.text
    assert world.api.get(f"/v1/sessions/{foreign.session}").json() == before


def test_event_ids_of_one_workspace_mean_nothing_in_another(world: World) -> None:
    event = {"id": "same", "type": "pause", "conversation_id": "c1"}
    assert world.api.post("/v1/events", event).json()["status"] == "accepted"
    assert world.foreign.post("/v1/events", event).json()["status"] == "accepted"


def test_a_cursor_of_one_workspace_shows_nothing_of_it_in_another(world: World) -> None:
    for number in range(3):
        world.says(conversation=f"c{number}")
    cursor = world.api.get("/v1/sessions?limit=1").json()["next"]
    assert world.foreign.get(f"/v1/sessions?cursor={cursor}").json() == {"items": [], "next": None}
