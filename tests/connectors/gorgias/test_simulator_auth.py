"""Who may do what at the simulated Gorgias, and how often."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from handoff_connectors.gorgias.simulator import GorgiasSimulator, Limits
from handoff_connectors.gorgias.simulator.limits import HEADER
from tests.connectors.gorgias.simulated import Desk, running


@pytest.fixture(scope="module")
def served() -> Iterator[Desk]:
    with running() as pair:
        yield pair


@pytest.fixture
def desk(served: Desk) -> Desk:
    served[0].reset()
    return served


def token(gorgias: GorgiasSimulator, **form: str) -> httpx.Response:
    known = gorgias.credentials
    given = {"client_id": known.client_id, "client_secret": known.client_secret, **form}
    return httpx.post(f"{gorgias.base_url}/oauth/token", data=given, verify=False)


def refreshed(gorgias: GorgiasSimulator, refresh: str | None = None) -> httpx.Response:
    return token(gorgias, grant_type="refresh_token", refresh_token=refresh or gorgias.credentials.refresh_token)


def bearer(gorgias: GorgiasSimulator, access: str, path: str = "/users/0") -> httpx.Response:
    return httpx.get(f"{gorgias.base_url}/api{path}", headers={"Authorization": f"Bearer {access}"}, verify=False)


def test_the_key_acts_as_its_user(desk: Desk) -> None:
    _, client = desk
    me = client.get("/users/0").json()
    assert (me["id"], me["role"]["name"], me["email"]) == (client.me, "admin", "connector@example.com")


@pytest.mark.parametrize(
    "auth", [None, ("connector@example.com", "wrong"), ("nobody@example.com", "simulated-api-key")]
)
def test_a_stranger_is_refused(desk: Desk, auth: tuple[str, str] | None) -> None:
    gorgias, _ = desk
    answer = httpx.get(f"{gorgias.base_url}/api/account", auth=auth, verify=False)
    assert (answer.status_code, "msg" in answer.json()["error"]) == (401, True)


def test_a_new_key_kills_the_old_one(desk: Desk) -> None:
    gorgias, client = desk
    fresh = gorgias.auth.reset_api_key()
    assert client.get("/account").status_code == 401
    assert client.get("/account", auth=(gorgias.credentials.email, fresh)).status_code == 200


def test_only_an_admin_sets_up_integrations(desk: Desk) -> None:
    gorgias, client = desk
    agent = ("dana@example.com", gorgias.credentials.api_key)
    body = {"type": "http", "name": "x", "http": {"url": "http://example.com"}}
    assert client.post("/integrations", json=body, auth=agent).status_code == 403
    assert client.get("/integrations", auth=agent).status_code == 200


def test_a_refresh_token_is_used_up_and_replaced(desk: Desk) -> None:
    gorgias, _ = desk
    first = refreshed(gorgias).json()
    assert (first["token_type"], first["expires_in"]) == ("Bearer", 86_400)
    assert bearer(gorgias, first["access_token"]).status_code == 200
    assert refreshed(gorgias).json() == {"error": "invalid_grant"}
    second = refreshed(gorgias, first["refresh_token"]).json()
    assert bearer(gorgias, first["access_token"]).status_code == 401
    assert bearer(gorgias, second["access_token"]).status_code == 200


def test_refresh_tokens_may_also_live_on(desk: Desk) -> None:
    gorgias, _ = desk
    gorgias.settings.refresh_rotates = False
    for _ in range(2):
        answer = refreshed(gorgias).json()
        assert answer["refresh_token"] == gorgias.credentials.refresh_token
        assert bearer(gorgias, answer["access_token"]).status_code == 200


def test_access_tokens_end(desk: Desk) -> None:
    gorgias, _ = desk
    access = refreshed(gorgias).json()["access_token"]
    gorgias.clock.advance(86_401)
    assert bearer(gorgias, access).status_code == 401
    access = refreshed(gorgias, "no such").json()
    assert access == {"error": "invalid_grant"}


def test_a_merchant_connects_an_app(desk: Desk) -> None:
    gorgias, _ = desk
    query = {"client_id": "handoff_sync", "redirect_uri": "https://app.example.com/back", "state": "s 1",
             "scope": "tickets:read offline", "response_type": "code"}  # fmt: skip
    sent = httpx.get(f"{gorgias.base_url}/oauth/authorize", params=query, verify=False)
    back = httpx.URL(sent.headers["location"])
    assert (sent.status_code, back.host, back.params["state"]) == (302, "app.example.com", "s 1")
    granted = token(gorgias, grant_type="authorization_code", code=back.params["code"]).json()
    assert granted["scope"] == "tickets:read offline"
    assert "refresh_token" in granted
    assert token(gorgias, grant_type="authorization_code", code=back.params["code"]).status_code == 400
    assert bearer(gorgias, granted["access_token"], "/tickets").status_code == 200
    assert bearer(gorgias, granted["access_token"], "/customers").status_code == 403


@pytest.mark.parametrize(
    "form", [{"grant_type": "password"}, {"grant_type": "refresh_token", "client_secret": "wrong"}]
)
def test_a_wrong_grant_is_refused(desk: Desk, form: dict[str, str]) -> None:
    assert token(desk[0], **form).status_code in (400, 401)


def test_the_client_may_sign_in_by_basic(desk: Desk) -> None:
    gorgias, _ = desk
    known = gorgias.credentials
    form = {"grant_type": "refresh_token", "refresh_token": known.refresh_token}
    auth = (known.client_id, known.client_secret)
    assert httpx.post(f"{gorgias.base_url}/oauth/token", data=form, auth=auth, verify=False).status_code == 200


def test_the_bucket_leaks_evenly() -> None:
    """So slow a leak that the time of the test itself does not count."""
    with running(Limits(api_key=40, window_s=40_000)) as (gorgias, client):
        answers = [client.get("/account") for _ in range(40)]
        assert {answer.status_code for answer in answers} == {200}
        assert answers[9].headers[HEADER] == "10/40"
        refused = client.get("/account")
        assert (refused.status_code, refused.headers[HEADER], refused.content) == (429, "40/40", b"")
        assert 900 < int(refused.headers["retry-after"]) <= 1000
        gorgias.clock.advance(10_000)
        assert [client.get("/account").status_code for _ in range(11)] == [200] * 10 + [429]


def test_two_calls_a_second_and_four_with_a_token_are_the_rule() -> None:
    assert Limits() == Limits.plan("standard") == Limits(api_key=40, oauth=80, window_s=20)
    assert Limits.plan("enterprise").window_s == 10


def test_tokens_have_a_bucket_of_their_own() -> None:
    with running(Limits(api_key=1, oauth=80)) as (gorgias, client):
        client.get("/account")
        assert client.get("/account").status_code == 429
        answer = bearer(gorgias, refreshed(gorgias).json()["access_token"])
        assert (answer.status_code, answer.headers[HEADER]) == (200, "1/80")


def test_what_was_refused_was_not_done() -> None:
    with running(Limits(api_key=2, window_s=1000)) as (gorgias, client):
        jo = client.customer()
        client.ticket(of=jo)
        assert client.create(of=jo).status_code == 429
        assert len(gorgias.state.tickets) == 1
