"""Callback endpoints and API keys by HTTP: secrets are shown once, and a trial tells what arrives."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handoff_sync.api.auth import Scope
from handoff_sync.contract.signatures import verify
from tests.api.conftest import World
from tests.loopback import serve

PATH = "/v1/admin/callbacks"
KEYS = "/v1/admin/keys"
CHAT = "https://chat.example.com/callbacks"


def create(world: World, url: str = CHAT) -> tuple[str, str]:
    answer = world.api.post(PATH, {"url": url})
    assert answer.status_code == 201, answer.text
    return answer.json()["item"]["id"], answer.json()["secret"]


# --- callbacks ----------------------------------------------------------------------------------------------


def test_an_endpoint_is_made_switched_and_removed(any_world: World) -> None:
    world = any_world
    id, _ = create(world)
    assert world.api.get(PATH).json()["items"] == [
        {"id": id, "url": CHAT, "enabled": True, "disabled_reason": None, "failing_since": None}
    ]
    off = world.api.call("PATCH", f"{PATH}/{id}", json={"enabled": False}).json()
    assert not off["enabled"] and off["disabled_reason"] == "Switched off by an administrator."
    world.admin.endpoint_failing_since(id, datetime(2026, 3, 1, tzinfo=UTC))
    on = world.api.call("PATCH", f"{PATH}/{id}", json={"enabled": True}).json()
    assert (on["enabled"], on["disabled_reason"], on["failing_since"]) == (True, None, None)
    assert world.api.call("DELETE", f"{PATH}/{id}").status_code == 204
    assert world.api.get(PATH).json()["items"] == []


def test_a_secret_is_shown_once(world: World) -> None:
    id, secret = create(world)
    new = world.api.post(f"{PATH}/{id}/rotate").json()["secret"]
    assert world.admin.endpoint_secrets(id) == (new, secret)
    everything = world.api.get(PATH).text + world.api.get("/v1/admin/workspace").text
    assert secret not in everything and new not in everything


@pytest.mark.parametrize(
    "url",
    ["ftp://chat.example.com/", "https://", "https://user:word@chat.example.com/", "javascript:x", "https://a/#x"],
)
def test_an_address_that_cannot_be_called_is_refused(world: World, url: str) -> None:
    answer = world.api.post(PATH, {"url": url})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "url"
    assert world.admin.endpoints("ws_1") == ()


def test_a_trial_is_signed_and_says_what_the_endpoint_answered(world: World) -> None:
    with serve() as server:
        id, secret = create(world, server.url)
        told = world.api.post(f"{PATH}/{id}/test").json()
    assert (told["outcome"], told["status"]) == ("delivered", 200)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = (line.partition(": ") for line in head.decode().split("\r\n")[1:])
    sent = {name.lower(): value for name, _, value in lines}
    assert json.loads(body)["type"] == "callback.test"
    verify(sent, body, (secret,), datetime.now(UTC).timestamp())


def test_a_trial_that_fails_says_so(world: World) -> None:
    with serve(b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n") as server:
        id, _ = create(world, server.url)
        told = world.api.post(f"{PATH}/{id}/test").json()
    assert (told["outcome"], told["status"]) == ("failed", 500)
    nobody, _ = create(world, "http://127.0.0.1:9/callbacks")
    told = world.api.post(f"{PATH}/{nobody}/test").json()
    assert (told["outcome"], told["status"]) == ("failed", None)


def test_a_trial_never_reaches_a_private_network(world: World) -> None:
    id, _ = create(world, "https://10.1.2.3/callbacks")
    told = world.api.post(f"{PATH}/{id}/test").json()
    assert (told["outcome"], told["status"]) == ("failed", None)


# --- keys ----------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_works_until_it_is_revoked(any_world: World) -> None:
    world = any_world
    made = world.api.post(KEYS, {"name": "Chat platform"}).json()
    assert made["item"]["scopes"] == ["events", "gate", "sessions:read"]
    platform = world.api.with_key(made["key"])
    event = {"id": "e1", "type": "session.started", "conversation_id": "c1"}
    assert platform.post("/v1/events", event).status_code == 200
    assert platform.get(KEYS).status_code == 403
    assert made["key"] not in world.api.get(KEYS).text
    assert world.api.call("DELETE", f"{KEYS}/{made['item']['id']}").status_code == 204
    assert platform.post("/v1/events", event).status_code == 401
    assert world.api.call("DELETE", f"{KEYS}/{made['item']['id']}").status_code == 404
    (shown,) = [one for one in world.api.get(KEYS).json()["items"] if one["id"] == made["item"]["id"]]
    assert shown["revoked_at"] is not None


def test_a_key_does_not_cut_off_its_own_branch_unless_told_so(world: World) -> None:
    made = world.api.post(KEYS, {"name": "second", "scopes": ["admin"]}).json()
    second, path = world.api.with_key(made["key"]), f"{KEYS}/{made['item']['id']}"
    refused = second.call("DELETE", path)
    assert (refused.status_code, refused.json()["code"]) == (409, "own_key")
    assert second.call("DELETE", f"{path}?force=true").status_code == 204
    assert second.get(KEYS).status_code == 401


def test_a_key_ends_when_it_was_told_to(world: World) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert world.api.post(KEYS, {"name": "x", "expires_at": soon}).json()["item"]["expires_at"]
    past = world.api.post(KEYS, {"name": "x", "expires_at": "2020-01-01T00:00:00Z"})
    assert (past.status_code, past.json()["code"]) == (422, "already_expired")


def test_keys_come_in_pages(world: World) -> None:
    seen: list[str] = []
    cursor: Any = ""
    while cursor is not None:
        page = world.api.get(f"{KEYS}?limit=2" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert seen == [row.id for row in world.admin.api_keys("ws_1")] and len(seen) == len(set(seen)) == len(Scope) + 1


@pytest.mark.parametrize("body", [{"name": ""}, {"name": "x", "scopes": []}, {"name": "x", "scopes": ["root"]}, {}])
def test_a_key_needs_a_name_and_scopes_that_exist(world: World, body: dict[str, Any]) -> None:
    assert world.api.post(KEYS, body).status_code == 422
