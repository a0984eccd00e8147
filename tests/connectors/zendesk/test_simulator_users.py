"""Requesters and agents at the simulated Zendesk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from handoff_connectors.zendesk.simulator import Limits, ZendeskSimulator
from tests.connectors.zendesk.simulated import Client, running


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ZendeskSimulator, Client]]:
    with running() as pair:
        yield pair


@pytest.fixture
def desk(served: tuple[ZendeskSimulator, Client]) -> tuple[ZendeskSimulator, Client]:
    served[0].reset()
    return served


def upsert(client: Client, **user: Any) -> httpx.Response:
    return client.post("/api/v2/users/create_or_update", json={"user": user})


def test_a_user_is_made_once_and_then_updated(desk: tuple[ZendeskSimulator, Client]) -> None:
    _, client = desk
    first = upsert(client, name="Ana", external_id="Cust-1", email="ana@example.com")
    again = upsert(client, name="Ana Ruiz", external_id="cust-1", email="second@example.com")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["location"] == first.json()["user"]["url"]
    user = again.json()["user"]
    assert user["id"] == first.json()["user"]["id"]
    # The first address stays the primary one; the other becomes a further identity.
    assert (user["name"], user["email"]) == ("Ana Ruiz", "ana@example.com")
    assert client.ticket(requester={"name": "x", "email": "second@example.com"})["requester_id"] == user["id"]


def test_a_user_needs_a_name_and_an_external_id_of_its_own(desk: tuple[ZendeskSimulator, Client]) -> None:
    _, client = desk
    upsert(client, name="Ana", external_id="c1")
    assert "name" in upsert(client, email="new@example.com").json()["details"]
    taken = client.post("/api/v2/users", json={"user": {"name": "Bo", "external_id": "C1"}})
    assert (taken.status_code, "external_id" in taken.json()["details"]) == (422, True)


def test_upserts_are_limited_per_second_in_plain_text(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    zendesk.settings.limits = Limits()
    assert upsert(client, name="A", external_id="a").status_code == 201
    refused = upsert(client, name="B", external_id="b")
    assert refused.status_code == 429
    assert refused.headers["content-type"].startswith("text/plain")
    assert refused.headers["retry-after"] == "1"
    zendesk.clock.advance(1)
    assert upsert(client, name="B", external_id="b").status_code == 201


def test_one_user_can_be_upserted_five_times_a_minute(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    zendesk.settings.limits = Limits(user_upsert_per_second=None)
    upsert(client, name="A", external_id="a")
    statuses = [upsert(client, name="A", external_id="a").status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


def test_search_finds_a_new_user_only_after_a_while(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    upsert(client, name="Ana Ruiz", external_id="c1", email="ana@example.com")
    assert client.get("/api/v2/users/search", params={"external_id": "c1"}).json()["users"] == []
    zendesk.clock.advance(zendesk.settings.search_lag_s + 1)
    for query in ({"external_id": "C1"}, {"query": "email:ana@example.com"}, {"query": "ruiz"}):
        assert [u["name"] for u in client.get("/api/v2/users/search", params=query).json()["users"]] == ["Ana Ruiz"]


def test_many_users_at_once(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    ids = [user.id for user in zendesk.state.users]
    shown = client.get("/api/v2/users/show_many", params={"ids": ",".join(map(str, [*ids, 5]))}).json()["users"]
    assert [user["id"] for user in shown] == ids
    assert client.get("/api/v2/users/5").json()["error"] == "RecordNotFound"


def test_a_suspended_requester_gets_no_ticket(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    zendesk.mark_as_spam(client.ticket()["id"])
    answer = client.create()
    assert (answer.status_code, "requester" in answer.json()["details"]) == (422, True)
