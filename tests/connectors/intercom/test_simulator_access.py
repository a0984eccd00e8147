"""Who may call the simulated Intercom, in which version, how often, and in which form."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from handoff_connectors.intercom.simulator import IntercomSimulator, Limits
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


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic c2ltdWxhdGVkOg=="])
def test_a_token_is_needed_and_strangers_see_no_limits(client: Client, header: str) -> None:
    answer = client.get("/me", headers={"Authorization": header})
    assert error(answer) == (401, "unauthorized")
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


def test_me_tells_the_workspace(simulator: IntercomSimulator, client: Client) -> None:
    me = client.ok("GET", "/me")
    assert (me["id"], me["app"]["id_code"], me["app"]["region"]) == (client.admin_id, simulator.app_id, "US")


def test_a_revoked_token_says_so(simulator: IntercomSimulator, client: Client) -> None:
    simulator.auth.revoke()
    assert error(client.get("/me")) == (401, "token_revoked")


def test_scopes_and_plans(simulator: IntercomSimulator, client: Client) -> None:
    talk = client.begin()
    simulator.auth.set_scopes(frozenset({"read_conversations"}))
    assert client.get(f"/conversations/{talk}").status_code == 200
    assert error(client.reply(talk, body="x")) == (401, "token_unauthorized")
    simulator.settings.plan_restricted = True
    assert error(client.get(f"/conversations/{talk}")) == (403, "api_plan_restricted")


def test_a_code_becomes_a_token_once(simulator: IntercomSimulator) -> None:
    known = simulator.credentials
    simulator.settings.redirect_url = "https://acme.example.com/back?x=1"
    page = httpx.get(f"{simulator.base_url}/oauth", params={"client_id": known.client_id, "state": "s1"})
    assert page.status_code == 302
    given = parse_qs(urlsplit(page.headers["location"]).query)
    assert (given["state"], given["x"]) == (["s1"], ["1"])
    body = {"code": given["code"][0], "client_id": known.client_id, "client_secret": known.client_secret}
    exchange = f"{simulator.base_url}/auth/eagle/token"
    assert error(httpx.post(exchange, json={**body, "client_secret": "x"})) == (401, "unauthorized")
    token = httpx.post(exchange, json=body).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{simulator.base_url}/me", headers=headers).status_code == 200
    assert httpx.post(exchange, json=body).status_code == 401


def test_the_version_is_the_headers_else_the_apps(simulator: IntercomSimulator, client: Client) -> None:
    assert error(client.get("/me", headers={"Intercom-Version": "9.9"})) == (400, "intercom_version_invalid")
    assert client.get("/me").headers["intercom-version"] == "2.16"
    del client.headers["Intercom-Version"]
    try:
        simulator.settings.app_version = "2.15"
        assert client.get("/me").headers["intercom-version"] == "2.15"
        assert error(client.get("/conversations/deleted")) == (400, "intercom_version_invalid")
    finally:
        client.headers["Intercom-Version"] = "2.16"


def test_priority_has_other_words_in_older_versions(simulator: IntercomSimulator, client: Client) -> None:
    talk = client.begin()
    simulator.set_priority(talk, "high")
    assert client.conversation(talk)["priority"] == "high"
    assert client.get(f"/conversations/{talk}", headers={"Intercom-Version": "2.15"}).json()["priority"] == "priority"


def test_the_form_of_a_call(client: Client) -> None:
    assert client.get("/me", headers={"Accept": "text/html"}).status_code == 406
    assert client.get("/me", headers={"Accept": "application/json, text/plain"}).status_code == 200
    assert error(client.post("/contacts", content=b"{")) == (400, "bad_request")
    assert error(client.post("/contacts", json=[])) == (400, "bad_request")
    assert error(client.patch("/me")) == (404, "not_found")
    assert error(client.get("/nothing")) == (404, "not_found")


def test_a_minutes_limit_counts_in_windows_of_ten_seconds(simulator: IntercomSimulator, client: Client) -> None:
    simulator.settings.limits = Limits(app=12)
    _to_window_start(simulator)
    first = client.get("/me")
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("2", "1")
    reset = int(first.headers["x-ratelimit-reset"])
    assert reset % 10 == 0
    assert client.get("/me").headers["x-ratelimit-remaining"] == "0"
    refused = client.get("/me")
    assert error(refused) == (429, "rate_limit_exceeded")
    assert refused.json()["errors"][0]["message"] == "Exceeded rate limit of 2 in 10_seconds"
    assert (refused.headers["x-ratelimit-reset"], "retry-after" in refused.headers) == (str(reset), False)
    simulator.clock.advance(10)
    assert client.get("/me").status_code == 200


def test_an_odd_limit_is_rounded_up(simulator: IntercomSimulator, client: Client) -> None:
    simulator.settings.limits = Limits(app=1000)
    assert client.get("/me").headers["x-ratelimit-limit"] == "167"


def test_one_conversation_can_be_too_busy(simulator: IntercomSimulator, client: Client) -> None:
    talk, other = client.begin(), client.begin(client.contact(external_id="c-2"))
    simulator.settings.limits = Limits(app=None, per_conversation=6)
    _to_window_start(simulator)
    assert client.reply(talk, body="x").status_code == 200
    assert error(client.reply(talk, body="x")) == (429, "too_many_requests")
    assert client.reply(other, body="x").status_code == 200
    assert client.get(f"/conversations/{talk}").status_code == 200


def _to_window_start(simulator: IntercomSimulator) -> None:
    simulator.clock.advance(10 - simulator.clock.unix() % 10)


def test_teammates_and_teams(simulator: IntercomSimulator, client: Client) -> None:
    names = [a["name"] for a in client.ok("GET", "/admins")["admins"]]
    assert "Dana Miller" in names
    team = simulator.workspace.team("Billing")
    assert client.ok("GET", f"/teams/{team.id}")["admin_ids"] == [int(simulator.workspace.admin("Omar").id)]
    assert error(client.get("/admins/1")) == (404, "admin_not_found")
    assert error(client.get("/teams/1")) == (404, "team_not_found")
