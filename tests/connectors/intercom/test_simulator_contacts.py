"""Contacts at the simulated Intercom: who is unique, who is gone, and where the merged ones went."""

from __future__ import annotations

import re
from collections.abc import Iterator

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


def test_a_second_contact_with_the_same_details_is_refused_by_the_id_of_the_first(client: Client) -> None:
    first = client.contact(email="ana@example.com")
    assert re.fullmatch("[0-9a-f]{24}", first["id"])
    for same in ({"external_id": "acme:c-1"}, {"email": "ANA@example.com"}):
        answer = client.post("/contacts", json={"role": "user", **same})
        assert error(answer) == (409, "conflict")
        said = answer.json()["errors"][0]["message"]
        assert said == f"A contact matching those details already exists with id={first['id']}"
    assert client.put(f"/contacts/{client.contact(external_id='b')['id']}",
                      json={"external_id": "acme:c-1"}).status_code == 409  # fmt: skip


def test_leads_may_share_an_address(client: Client) -> None:
    client.contact(external_id=None, role="lead", email="ana@example.com")
    client.contact(external_id=None, role="lead", email="ana@example.com")
    client.contact(external_id="u", email="ana@example.com")


@pytest.mark.parametrize(
    "given",
    [{}, {"role": "admin"}, {"role": "user", "email_verified": True}, {"role": "user", "custom_attributes": {"x": 1}}],
)
def test_what_cannot_be_a_contact(client: Client, given: dict[str, object]) -> None:
    assert error(client.post("/contacts", json=given))[0] == 400


def test_custom_attributes_must_exist_first(client: Client) -> None:
    client.ok("POST", "/data_attributes", {"name": "x", "model": "contact", "data_type": "string"})
    assert client.contact(custom_attributes={"x": "1"})["custom_attributes"] == {"x": "1"}


def test_an_archived_contact_keeps_its_details_until_it_is_restored(client: Client) -> None:
    ana = client.contact()["id"]
    assert client.ok("POST", f"/contacts/{ana}/archive")["archived"] is True
    answer = client.post("/contacts", json={"role": "user", "external_id": "acme:c-1"})
    assert answer.status_code == 409
    said = answer.json()["errors"][0]["message"]
    assert said == f"An archived contact matching those details already exists with id={ana}"
    assert client.post("/conversations", json={"from": {"type": "user", "id": ana}, "body": "x"}).status_code == 404
    assert client.ok("POST", f"/contacts/{ana}/unarchive")["archived"] is False
    client.begin({"id": ana, "role": "user"})


def test_whether_an_archived_contact_can_be_read(simulator: IntercomSimulator, client: Client) -> None:
    ana = client.contact()["id"]
    simulator.archive_contact(ana)
    assert client.get(f"/contacts/{ana}").status_code == 200
    simulator.settings.archived_contacts_readable = False
    assert error(client.get(f"/contacts/{ana}")) == (404, "not_found")


def test_a_merged_contact_points_to_the_survivor_over_several_merges(
    simulator: IntercomSimulator, client: Client
) -> None:
    lead = client.contact(external_id="l", role="lead", email="a@example.com")["id"]
    user = client.contact(external_id="u", email="a@example.com")["id"]
    talk = client.begin({"id": lead, "role": "lead"})
    client.ok("POST", "/contacts/merge", {"from": lead, "into": user})
    for path in (lead, "find_by_external_id/l"):
        answer = client.get(f"/contacts/{path}")
        assert error(answer) == (410, "contact_merged")
        assert answer.headers["link"] == f'</contacts/{user}>; rel="canonical"'
    assert [c["id"] for c in client.conversation(talk)["contacts"]["contacts"]] == [user]
    answer = client.post("/contacts", json={"role": "user", "external_id": "l"})
    assert answer.json()["errors"][0]["message"].startswith("An archived contact")
    restored = client.post(f"/contacts/{lead}/unarchive")
    assert error(restored) == (400, "bad_request")
    assert restored.json()["errors"][0]["message"] == "User has been merged and is not restorable"


def test_only_a_lead_and_the_same_person_as_a_user_are_merged(client: Client) -> None:
    lead = client.contact(external_id="l", role="lead", email="a@example.com")["id"]
    user = client.contact(external_id="u", email="b@example.com")["id"]
    assert error(client.post("/contacts/merge", json={"from": lead, "into": user})) == (400, "invalid_merge")
    assert error(client.post("/contacts/merge", json={"from": user, "into": lead})) == (400, "invalid_merge")
    client.ok("POST", "/contacts/merge", {"from": lead, "into": user, "skip_duplicate_validation": True})


def test_a_blocked_contact_cannot_be_restored(simulator: IntercomSimulator, client: Client) -> None:
    ana = client.contact()
    talk = client.begin(ana)
    simulator.block_contact(ana["id"])
    assert client.conversation(talk)["state"] == "closed"
    assert error(client.post(f"/contacts/{ana['id']}/unarchive")) == (400, "not_restorable")


def test_a_deleted_contact_is_free_again(client: Client) -> None:
    ana = client.contact()["id"]
    assert client.delete(f"/contacts/{ana}").json()["deleted"] is True
    assert error(client.get(f"/contacts/{ana}")) == (404, "not_found")
    assert client.contact()["id"] != ana


def test_leads_are_not_found_by_external_id(client: Client) -> None:
    client.contact(external_id="with space/1", role="lead")
    assert error(client.get("/contacts/find_by_external_id/with%20space%2F1")) == (404, "not_found")
    user = client.contact(external_id="u/1")
    assert client.ok("GET", "/contacts/find_by_external_id/u%2F1")["id"] == user["id"]


def test_search_does_not_know_of_new_contacts_and_never_of_merged_ones(
    simulator: IntercomSimulator, client: Client
) -> None:
    ana = client.contact()["id"]
    query = {"query": {"field": "external_id", "operator": "=", "value": "acme:c-1"}}
    assert client.ok("POST", "/contacts/search", query)["total_count"] == 0
    simulator.clock.advance(simulator.settings.search_lag_s)
    assert [c["id"] for c in client.ok("POST", "/contacts/search", query)["data"]] == [ana]
    lead = client.contact(external_id="l", role="lead")["id"]
    simulator.merge_contacts(lead, ana)
    simulator.clock.advance(simulator.settings.search_lag_s)
    assert client.ok("POST", "/contacts/search", {"query": {"field": "role", "operator": "=", "value": "lead"}})[
        "data"] == []  # fmt: skip


def test_contact_dates_are_compared_by_day(simulator: IntercomSimulator, client: Client) -> None:
    made = client.contact()["created_at"]
    simulator.settings.search_lag_s = 0

    def count(operator: str, value: int) -> int:
        query = {"field": "created_at", "operator": operator, "value": value}
        return int(client.ok("POST", "/contacts/search", {"query": query})["total_count"])

    assert (count("=", made), count(">", made - 1), count("<", made + 1)) == (1, 0, 0)
    assert (count(">", made - 86_400), count("<", made + 86_400)) == (1, 1)
    query = {"query": {"field": "created_at", "operator": ">=", "value": made}}
    assert error(client.post("/contacts/search", json=query))[0] == 400


def test_a_new_contact_may_be_too_new_to_begin(simulator: IntercomSimulator, client: Client) -> None:
    simulator.settings.contact_lag_s = 20
    ana = client.contact()
    sender = {"from": {"type": "user", "id": ana["id"]}, "body": "x"}
    answer = client.post("/conversations", json=sender)
    assert error(answer) == (404, "not_found")
    assert answer.json()["errors"][0]["message"] == "User Not Found"
    simulator.clock.advance(20)
    assert client.post("/conversations", json=sender).status_code == 200


def test_lists_come_in_pages(client: Client) -> None:
    ids = {client.contact(external_id=f"c{n}")["id"] for n in range(5)}
    got: list[str] = []
    after: dict[str, str] = {}
    while True:
        body = client.get("/contacts", params={"per_page": 2, **after}).json()
        got += [c["id"] for c in body["data"]]
        if not body["pages"].get("next"):
            break
        after = {"starting_after": body["pages"]["next"]["starting_after"]}
    assert (sorted(got), body["total_count"], body["pages"]["total_pages"]) == (sorted(ids), 5, 3)
