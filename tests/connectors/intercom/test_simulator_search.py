"""Search at the simulated Intercom: operators, limits, pages that move, and an index that lags behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from handoff_connectors.intercom.simulator import IntercomSimulator
from tests.connectors.intercom.simulated import Client, error, running


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[IntercomSimulator, Client]]:
    with running() as pair:
        yield pair


@pytest.fixture
def simulator(served: tuple[IntercomSimulator, Client]) -> IntercomSimulator:
    served[0].reset()
    return served[0]


@pytest.fixture
def client(served: tuple[IntercomSimulator, Client], simulator: IntercomSimulator) -> Client:
    return served[1]


def by(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def test_the_index_lags_behind_new_and_changed_things(simulator: IntercomSimulator, client: Client) -> None:
    talk = client.begin()
    assert client.found(by("id", "=", talk)) == []
    simulator.clock.advance(simulator.settings.search_lag_s)
    assert client.found(by("id", "=", talk)) == [talk]
    simulator.close(talk)
    assert client.found(by("state", "=", "closed")) == []
    (stale,) = client.ok("POST", "/conversations/search", {"query": by("state", "=", "open")})["conversations"]
    assert stale["state"] == "closed"
    simulator.clock.advance(simulator.settings.search_lag_s)
    assert client.found(by("state", "=", "closed")) == [talk]
    assert client.found(by("state", "=", "open")) == []


def test_operators(simulator: IntercomSimulator, client: Client) -> None:
    simulator.settings.search_lag_s = 0
    ana = client.contact(email="ana@example.com")
    talk = client.begin(ana, "I need support now", created_at=1000)
    fits = [
        by("contact_ids", "=", ana["id"]), by("contact_ids", "IN", [ana["id"], "x"]), by("contact_ids", "!=", "x"),
        by("source.author.email", "~", "example"), by("source.author.email", "^", "ana"), by("created_at", ">", 1000),
        by("source.author.email", "$", ".com"), by("source.author.email", "!~", "bo"), by("created_at", "<", "1000"),
        by("source.body", "=", "support"), by("source.body", "!=", "need support"), by("open", "=", True),
        by("admin_assignee_id", "=", 0), by("state", "NIN", ["closed", "snoozed"]), by("read", "=", "false"),
        by("snoozed_until", "=", None),
    ]  # fmt: skip
    assert [f for f in fits if client.found(f) != [talk]] == []
    misses = [by("contact_ids", "=", "x"), by("source.body", "=", "need support"), by("created_at", ">", 1001),
              by("created_at", "<", 999), by("state", "!=", "open"), by("snoozed_until", ">", 0)]  # fmt: skip
    assert [f for f in misses if client.found(f) != []] == []


def test_groups_nest_and_have_limits(simulator: IntercomSimulator, client: Client) -> None:
    simulator.settings.search_lag_s = 0
    talk = client.begin()
    either = {"operator": "OR", "value": [by("id", "=", "1"), by("id", "=", talk)]}
    assert client.found(either, either) == [talk]
    assert client.found(*[by("id", "=", talk)] * 15) == [talk]
    many = {"query": {"operator": "AND", "value": [by("id", "=", talk)] * 16}}
    assert error(client.post("/conversations/search", json=many))[0] == 400
    deep: dict[str, Any] = by("id", "=", talk)
    for _ in range(4):
        deep = {"operator": "AND", "value": [deep]}
    assert error(client.post("/conversations/search", json={"query": deep}))[0] == 400


@pytest.mark.parametrize(
    "query",
    [
        None,
        by("custom_attributes.ref", "=", "x"),
        by("colour", "=", "red"),
        by("state", ">", "open"),
        by("created_at", ">", "yesterday"),
        by("id", "IN", "1"),
        {"operator": "AND", "value": []},
    ],
)
def test_queries_that_are_refused(client: Client, query: Any) -> None:
    assert error(client.post("/conversations/search", json={"query": query})) == (400, "parameter_invalid")


def test_what_is_not_documented_can_be_tried_both_ways(simulator: IntercomSimulator, client: Client) -> None:
    simulator.settings.search_lag_s = 0
    client.ok("POST", "/conversations/attributes", {"name": "ref", "data_type": "string"})
    talk = client.begin(created_at=86_400)
    client.ok("PUT", f"/conversations/{talk}", {"custom_attributes": {"ref": "h1"}})
    simulator.settings.custom_attributes_searchable = True
    assert client.found(by("custom_attributes.ref", "=", "h1")) == [talk]
    assert client.found(by("created_at", ">", 86_000)) == [talk]
    simulator.settings.conversation_dates_by_day = True
    assert client.found(by("created_at", ">", 86_401)) == []
    assert client.found(by("created_at", ">", 86_000)) == [talk]


def test_items_have_the_source_and_no_parts(simulator: IntercomSimulator, client: Client) -> None:
    simulator.settings.search_lag_s = 0
    talk = client.begin(body="[ref K7]")
    client.reply(talk, body="x")
    (item,) = client.ok("POST", "/conversations/search", {"query": by("id", "=", talk)})["conversations"]
    assert (item["source"]["body"], "conversation_parts" in item) == ("<p>[ref K7]</p>", False)


def test_pages_end_without_next_and_items_move_while_paging(simulator: IntercomSimulator, client: Client) -> None:
    simulator.settings.search_lag_s = 0
    ana = client.contact()
    talks = [client.begin(ana, created_at=1000 + n) for n in range(4)]
    for talk in talks:
        simulator.clock.advance(2)
        simulator.note(talk, "n")
    query: dict[str, Any] = {"query": by("contact_ids", "=", ana["id"]), "pagination": {"per_page": 2}}
    first = client.ok("POST", "/conversations/search", query)
    assert [c["id"] for c in first["conversations"]] == [talks[3], talks[2]]
    assert (first["total_count"], first["pages"]["total_pages"], first["pages"]["page"]) == (4, 2, 1)
    simulator.clock.advance(2)
    simulator.note(talks[0], "moved to the front")
    query["pagination"] = {"per_page": 2, "starting_after": first["pages"]["next"]["starting_after"]}
    second = client.ok("POST", "/conversations/search", query)
    assert [c["id"] for c in second["conversations"]] == [talks[1]]
    assert second["pages"].get("next") is None


def test_page_sizes_and_cursors_are_checked(client: Client) -> None:
    def answer(**pagination: Any) -> tuple[int, str]:
        query = {"query": by("id", "=", "1"), "pagination": pagination}
        return error(client.post("/conversations/search", json=query))

    assert answer(per_page=151) == answer(per_page=0) == (400, "parameter_invalid")
    assert answer(starting_after="rubbish") == (400, "invalid_param")
