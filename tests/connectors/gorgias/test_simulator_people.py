"""Customers, users, teams and surveys of the simulated Gorgias."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.gorgias.simulated import Desk, running, said


@pytest.fixture(scope="module")
def served() -> Iterator[Desk]:
    with running() as pair:
        yield pair


@pytest.fixture
def desk(served: Desk) -> Desk:
    served[0].reset()
    return served


def test_a_customer_is_found_by_address_key_and_channel(desk: Desk) -> None:
    _, client = desk
    channels = [{"type": "chat", "address": "7f3a", "preferred": True}]
    jo = client.customer("Jo Park", email="Jo@Example.com", external_id="chat:7")
    bo = client.customer("Bo", external_id="chat:8", channels=channels)
    for query, found in (
        ({"email": "jo@example.com"}, jo), ({"email": "JO@EXAMPLE.COM"}, jo), ({"external_id": "chat:7"}, jo),
        ({"channel_type": "chat", "channel_address": "7f3a"}, bo), ({"name": "Bo"}, bo),
    ):  # fmt: skip
        assert [row["id"] for row in client.get("/customers", params=query).json()["data"]] == [found], query
    assert client.get("/customers", params={"email": "x@example.com"}).json()["data"] == []
    shown = client.get(f"/customers/{jo}").json()
    assert (shown["firstname"], shown["lastname"], shown["email"]) == ("Jo", "Park", "jo@example.com")


def test_an_address_belongs_to_one_customer_and_a_key_to_many(desk: Desk) -> None:
    _, client = desk
    client.customer(email="jo@example.com", external_id="k")
    for body in ({"email": "JO@example.com"}, {"channels": [{"type": "email", "address": "jo@example.com"}]}):
        answer = client.post("/customers", json=body)
        assert (answer.status_code, answer.json()) == (409, {"error": {"msg": "The resource already exists."}})
    bo = client.customer(external_id="k")
    assert client.put(f"/customers/{bo}", json={"email": "jo@example.com"}).status_code == 409
    assert client.put(f"/customers/{bo}", json={"email": "bo@example.com"}).status_code == 202
    assert client.put(f"/customers/{bo}", json={"email": "bo@example.com"}).status_code == 202


def test_a_change_is_partial_but_channels_are_replaced(desk: Desk) -> None:
    _, client = desk
    jo = client.customer(channels=[{"type": "chat", "address": "a"}], note="vip")
    answer = client.put(f"/customers/{jo}", json={"channels": [{"type": "sms", "address": "+1"}]})
    assert answer.status_code == 202
    assert [(c["type"], c["address"]) for c in answer.json()["channels"]] == [("sms", "+1")]
    assert (answer.json()["name"], answer.json()["note"]) == ("Jo", "vip")
    assert client.put(f"/customers/{jo}", json={"surprise": 1}).status_code == 400


@pytest.mark.parametrize("reference", [{"email": "new@example.com"}, {"email": "new@example.com", "name": "New"},
                                       {"external_id": "chat:9"}])  # fmt: skip
def test_an_unknown_person_in_a_ticket_becomes_a_customer_once(desk: Desk, reference: dict[str, Any]) -> None:
    gorgias, client = desk
    message = said(0, "x") | {"sender": reference}
    one, two = (client.ticket(messages=[message])["customer"]["id"] for _ in range(2))
    assert one == two
    assert len(gorgias.state.customers) == 1


def test_a_reference_with_more_than_an_id_renames_the_customer(desk: Desk) -> None:
    """quirk: what stands beside the id is written into the customer."""
    _, client = desk
    jo = client.customer("Jo Park")
    client.ticket(customer={"id": jo, "name": "Somebody Else"}, messages=[said(jo, "x")])
    assert client.get(f"/customers/{jo}").json()["name"] == "Somebody Else"


def test_merged_customers_are_one(desk: Desk) -> None:
    gorgias, client = desk
    jo, double = client.customer(email="jo@example.com"), client.customer(external_id="chat:7")
    ticket_id = client.ticket(of=double)["id"]
    answer = client.put("/customers/merge", params={"source_id": double, "target_id": jo})
    assert (answer.status_code, answer.json()["external_id"], answer.json()["email"]) == (
        202, "chat:7", "jo@example.com",
    )  # fmt: skip
    assert client.get(f"/customers/{double}").status_code == 404
    assert gorgias.state.ticket(ticket_id).customer_id == jo
    assert client.show(ticket_id)["messages"][0]["sender"]["id"] == jo


def test_a_customer_with_tickets_stays(desk: Desk) -> None:
    _, client = desk
    jo, bo = client.customer(), client.customer()
    client.ticket(of=jo)
    assert client.delete(f"/customers/{jo}").status_code == 400
    assert client.delete(f"/customers/{bo}").status_code == 204


def test_users_and_teams_are_listed(desk: Desk) -> None:
    gorgias, client = desk
    users = client.get("/users").json()["data"]
    assert {user["name"]: user["role"]["name"] for user in users}["Gorgias Bot"] == "bot"
    (dana,) = client.get("/users", params={"email": "dana@example.com"}).json()["data"]
    assert client.get(f"/users/{dana['id']}").json() == dana
    assert client.get("/users/1").status_code == 404
    gorgias.settings.user_zero = False
    assert client.get("/users/0").status_code == 404
    teams = {team["name"]: [m["id"] for m in team["members"]] for team in client.get("/teams").json()["data"]}
    assert dana["id"] in teams["Support"]
    assert gorgias.account.agent("dana").id == dana["id"]


def test_a_ticket_has_one_survey(desk: Desk) -> None:
    _, client = desk
    ticket = client.ticket()
    survey = {"ticket_id": ticket["id"], "customer_id": ticket["customer"]["id"], "score": 5, "body_text": "Great"}
    assert client.post("/satisfaction-surveys", json=survey | {"score": 6}).status_code == 400
    made = client.post("/satisfaction-surveys", json=survey)
    assert (made.status_code, made.json()["score"]) == (201, 5)
    assert client.post("/satisfaction-surveys", json=survey).status_code == 409
    assert client.show(ticket["id"])["satisfaction_survey"]["id"] == made.json()["id"]
    assert len(client.get("/satisfaction-surveys").json()["data"]) == 1
