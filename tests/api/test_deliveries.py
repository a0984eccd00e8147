"""Deliveries: seen by admins, without content, and released when they are parked."""

from __future__ import annotations

from typing import Any

from handoff_sync.store.committer import Job
from handoff_sync.store.unit import UnitOfWork
from tests.api.conftest import World


def _parked(world: World) -> int:
    """A ticket that could not be opened."""
    world.says("my own words")
    world.tell("handoff.requested", summary="my own words")
    delivery = world.api.get("/v1/deliveries").json()["items"][-1]
    _in_database(world, lambda uow: _park(uow, world, delivery["id"]))
    return int(delivery["id"])


def _park(uow: UnitOfWork, world: World, id: int) -> None:
    row = world.reads.delivery("ws_1", id)
    assert row is not None
    claim = uow.claim(row.lane_id, 30)
    assert claim is not None
    assert uow.park(claim, [id], "The helpdesk refused it.", block=True)


def _in_database(world: World, run: Any) -> None:
    world.admin._committer.run(Job(run=run))


def test_a_parked_delivery_is_seen_and_tried_again(any_world: World) -> None:
    id = _parked(any_world)
    listed = any_world.api.get("/v1/deliveries?status=parked").json()["items"]
    assert [(item["id"], item["status"], item["error"]) for item in listed] == [
        (id, "parked", "The helpdesk refused it.")
    ]
    answer = any_world.api.post(f"/v1/deliveries/{id}/retry")
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    again = any_world.api.post(f"/v1/deliveries/{id}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "not_parked")


def test_a_parked_delivery_can_be_given_up(world: World) -> None:
    id = _parked(world)
    assert world.api.post(f"/v1/deliveries/{id}/skip").json()["status"] == "cancelled"


def test_the_list_shows_what_waits_but_not_what_it_says(world: World) -> None:
    id = _parked(world)
    assert "my own words" not in world.api.get("/v1/deliveries").text
    assert world.api.get(f"/v1/deliveries/{id}").json()["session_id"].startswith("ses_")


def test_pages_go_backwards_in_time(world: World) -> None:
    world.admin.create_endpoint("ws_1", "https://platform.example.com/callbacks")
    for number in range(3):
        world.tell("handoff.requested", f"c{number}")
    everything = [item["id"] for item in world.api.get("/v1/deliveries?limit=200").json()["items"]]
    seen: list[int] = []
    query = "limit=2"
    while True:
        page = world.api.get(f"/v1/deliveries?{query}").json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query = f"limit=2&cursor={page['next']}"
    assert seen == everything == sorted(everything, reverse=True)
