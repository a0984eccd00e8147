"""Keys: who may do what, and what others learn about it (nothing)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handoff_sync.api.auth import Scope
from tests.api.conftest import World
from tests.api.routes_of import keyed_routes

MESSAGE = {"id": "e1", "type": "customer.message", "conversation_id": "c1", "message": {"id": "m", "text": "x"}}


def _needed(operation: dict[str, Any]) -> Scope:
    return Scope(operation["security"][0]["apiKey"][0])


def test_every_route_with_a_key_refuses_those_who_have_none(world: World) -> None:
    for method, path, _ in keyed_routes(world):
        for api in (world.api.with_key(None), world.api.with_key("hsk_wrong")):
            answer = api.call(method, path)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path
            assert answer.headers["www-authenticate"].startswith('Bearer realm="handoff-sync"')


def test_every_route_refuses_a_key_without_its_scope_and_names_it(world: World) -> None:
    for method, path, operation in keyed_routes(world):
        needed = _needed(operation)
        for scope, api in world.scoped.items():
            answer = api.call(method, path)
            if scope in (needed, Scope.ADMIN):
                assert answer.status_code not in (401, 403), (scope, path)
            else:
                assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope"), (scope, path)
                assert f"'{needed}'" in answer.json()["detail"]


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic aHNrOng=", "hsk_x", "Bearer hsk_\u00e4", "Bearer " + "x" * 5_000, "bearer  \t"],
)
def test_a_header_that_holds_no_key_is_no_key(world: World, header: str) -> None:
    answer = world.api.with_key(None).get("/v1/sessions", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


def test_the_scheme_may_be_written_in_any_case(world: World) -> None:
    answer = world.api.with_key(None).get("/v1/sessions", headers={"Authorization": f"bearer {world.api.key}"})
    assert answer.status_code == 200


def test_a_revoked_key_is_dead(world: World) -> None:
    made = world.admin.create_api_key("ws_1", "temporary", ("sessions:read",))
    api = world.api.with_key(made.key)
    assert api.get("/v1/sessions").status_code == 200
    world.admin.revoke_api_key("ws_1", made.row.id)
    assert api.get("/v1/sessions").status_code == 401


def test_a_key_dies_at_its_time(world: World) -> None:
    for minutes, status in ((1, 200), (-1, 401)):
        end = datetime.now(UTC) + timedelta(minutes=minutes)
        key = world.admin.create_api_key("ws_1", "timed", ("sessions:read",), expires_at=end).key
        assert world.api.with_key(key).get("/v1/sessions").status_code == status


def test_who_has_no_key_does_not_get_us_to_read_a_body(world: World) -> None:
    answer = world.api.with_key(None).post("/v1/events", content=b"x" * 300_000)
    assert answer.status_code == 401


def test_without_a_person_the_key_is_the_actor(world: World) -> None:
    session = world.api.post("/v1/events", MESSAGE).json()["session"]
    world.scoped[Scope.SESSIONS_WRITE].post(f"/v1/sessions/{session['id']}/actions/note", {"text": "n"})
    timeline = world.api.get(f"/v1/sessions/{session['id']}/timeline").json()["items"]
    assert timeline[-1]["actor_name"] == "sessions:write"
