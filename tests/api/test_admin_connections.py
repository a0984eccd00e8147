"""Helpdesks by HTTP, at a simulated one: connect, check, change, switch; secrets never leave."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handoff_sync.simulator.desk import Desk, simulated
from handoff_sync.store.committer import Job
from handoff_sync.store.rows import ConnectionRow
from handoff_sync.store.unit import UnitOfWork
from tests.api.conftest import World

PATH = "/v1/admin/connections"
CANARY = "c4n4ry-secret-of-the-helpdesk"


@pytest.fixture(scope="module")
def running() -> Iterator[Desk]:
    desk = simulated("zendesk")
    desk.start()
    yield desk
    desk.stop()


@pytest.fixture
def desk(running: Desk) -> Desk:
    running.simulator.reset()
    running.calm()
    return running


def body(desk: Desk, **more: Any) -> dict[str, Any]:
    access = desk.access
    return {
        "kind": desk.kind,
        "name": "Acme",
        "settings": dict(access.settings),
        "secrets": dict(access.secrets),
    } | more


def connect(world: World, desk: Desk) -> ConnectionRow:
    answer = world.api.post(PATH, body(desk))
    assert answer.status_code == 201, answer.text
    row = world.admin.connection(answer.json()["item"]["id"])
    assert row is not None
    return row


def patch(world: World, id: str, **body: Any) -> Any:
    return world.api.call("PATCH", f"{PATH}/{id}", json=body)


def wrong(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["message"] for error in answer.json()["errors"]}


def test_a_helpdesk_is_connected_with_its_webhook_and_checked(any_world: World, desk: Desk) -> None:
    world = any_world
    answer = world.api.post(PATH, body(desk)).json()
    assert all(one["ok"] for one in answer["findings"] if one["name"] in ("credentials", "webhook"))
    shown = answer["item"]
    assert (shown["kind"], shown["name"], shown["enabled"], shown["stopped_reason"]) == ("zendesk", "Acme", True, None)
    assert set(desk.access.secrets) <= set(shown["secrets"])
    assert world.api.get(f"{PATH}/{shown['id']}").json() == shown
    assert shown in world.api.get(PATH).json()["items"]
    again = world.api.post(PATH, body(desk))
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")


def test_no_answer_holds_a_secret_or_the_webhooks_address(world: World, desk: Desk) -> None:
    row = connect(world, desk)
    texts = [world.api.get(path).text for path in (PATH, f"{PATH}/{row.id}", "/v1/admin/workspace")]
    texts += [world.api.post(f"{PATH}/{row.id}/{what}").text for what in ("check", "webhook")]
    texts.append(patch(world, row.id, secrets={"token": CANARY}).text)
    hidden = [value for value in world.admin.connection_secrets(row.id).values() if value]
    for secret in (*hidden, row.hook_token, CANARY):
        assert not any(secret in text for text in texts)


def test_credentials_that_do_not_work_leave_nothing(world: World, desk: Desk) -> None:
    secrets = dict.fromkeys(desk.access.secrets, CANARY)
    answer = world.api.post(PATH, body(desk, secrets=secrets))
    assert (answer.status_code, answer.json()["code"]) == (422, "credentials_refused")
    assert "credentials" in wrong(answer) and CANARY not in answer.text
    assert [row.name for row in world.admin.connections("ws_1")] == ["Helpdesk"]


def test_a_helpdesk_that_is_away_leaves_nothing(world: World, desk: Desk) -> None:
    away = {**desk.access.settings, "base_url": "http://127.0.0.1:9"}
    answer = world.api.post(PATH, body(desk, settings=away))
    assert answer.status_code in (422, 502), answer.text
    assert [row.name for row in world.admin.connections("ws_1")] == ["Helpdesk"]


def test_what_does_not_fit_is_named_with_its_place(world: World, desk: Desk) -> None:
    assert set(wrong(world.api.post(PATH, {"kind": "magic", "name": "x"}))) == {"kind"}
    found = wrong(
        world.api.post(PATH, body(desk, settings={"subdomain": "acme", "client_secret": CANARY, "webhook_url": "x"}))
    )
    assert set(found) == {"settings.client_secret", "settings.webhook_url"}
    found = wrong(world.api.post(PATH, body(desk, settings={"subdomain": "https://acme", "subdomian": "x"})))
    assert {"settings.subdomain", "settings.subdomian"} <= set(found)
    assert set(wrong(world.api.post(PATH, body(desk, secrets={"password": CANARY})))) == {"secrets.password"}


@pytest.mark.parametrize(
    "settings", [{"base_url": "http://10.1.2.3"}, {"base_url": "https://inside.example.com"}, {"allow_private": True}]
)
def test_a_workspace_cannot_lead_calls_into_private_networks(world: World, desk: Desk, settings: Any) -> None:
    given = {"subdomain": "acme", "client_id": "x", **settings}
    assert set(wrong(world.api.post(PATH, body(desk, settings=given)))) == {f"settings.{name}" for name in settings}
    row = connect(world, desk)
    assert wrong(patch(world, row.id, settings=settings))
    assert world.admin.connection(row.id) == row


def test_settings_and_secrets_change_one_by_one(world: World, desk: Desk) -> None:
    row = connect(world, desk)
    before = world.admin.connection_secrets(row.id)
    shown = patch(world, row.id, settings={"agent_url": "https://help.example.com"}, secrets={"token": CANARY}).json()
    assert shown["settings"]["agent_url"] == "https://help.example.com"
    assert world.admin.connection_secrets(row.id) == before | {"token": CANARY}
    shown = patch(world, row.id, settings={"agent_url": None}, secrets={"token": None}).json()
    assert "agent_url" not in shown["settings"] and "token" not in shown["secrets"]
    assert world.admin.connection_secrets(row.id) == before
    assert wrong(patch(world, row.id, settings={"subdomain": "no name!"})).keys() == {"settings.subdomain"}


def waiting(world: World) -> str:
    """A lane of the connection that waits for its time."""
    lane, at = f"{world.connection.id}/sweep", datetime.now(UTC) + timedelta(days=1)

    def wake(uow: UnitOfWork) -> None:
        uow.wake(lane, at, workspace_id="ws_1", destination="sweep", connection_id=world.connection.id)

    world.committer.run(Job(wake))
    assert lane not in world.reads.due_lanes(10)
    return lane


def test_switching_on_ends_a_stop_and_wakes_what_waited(any_world: World) -> None:
    world = any_world
    lane, id = waiting(world), world.connection.id
    world.admin.stop_connection(id, "The token was refused.")
    assert world.api.get(f"{PATH}/{id}").json()["stopped_reason"] == "The token was refused."
    assert not patch(world, id, enabled=False).json()["enabled"]
    assert lane not in world.reads.due_lanes(10)
    shown = patch(world, id, enabled=True).json()
    assert (shown["enabled"], shown["stopped_reason"], shown["paused_until"]) == (True, None, None)
    assert lane in world.reads.due_lanes(10)


def test_a_new_secret_ends_a_stop_but_switches_nothing_on(world: World, desk: Desk) -> None:
    row = connect(world, desk)
    world.admin.stop_connection(row.id, "The token was refused.")
    assert patch(world, row.id, secrets={"token": "new"}).json()["stopped_reason"] is None
    patch(world, row.id, enabled=False)
    assert not patch(world, row.id, secrets={"token": "newer"}).json()["enabled"]


def test_a_connection_that_the_policy_names_is_taken_out_there_first(world: World) -> None:
    id, rule = world.connection.id, [{"connection": world.connection.id}]
    world.api.call("PATCH", "/v1/admin/workspace", json={"policy": {"connections": rule}})
    refused = world.api.call("DELETE", f"{PATH}/{id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "connection_in_use")
    assert "policy.connections" in refused.json()["detail"]
    world.api.call("PATCH", "/v1/admin/workspace", json={"policy": {"connections": []}})
    assert world.api.call("DELETE", f"{PATH}/{id}").status_code == 204
    assert world.api.get(PATH).json()["items"] == []
