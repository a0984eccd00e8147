"""Who may do what at the simulated Zendesk, and how its OAuth tokens live and die."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from handoff_connectors.zendesk.simulator import Limits, ZendeskSimulator


@pytest.fixture(scope="module")
def running() -> Iterator[ZendeskSimulator]:
    with ZendeskSimulator(limits=Limits.off()) as zendesk:
        yield zendesk


@pytest.fixture
def zendesk(running: ZendeskSimulator) -> ZendeskSimulator:
    running.reset()
    return running


@pytest.fixture
def web(zendesk: ZendeskSimulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=zendesk.base_url, verify=False) as client:
        yield client


def grant(web: httpx.Client, zendesk: ZendeskSimulator, **wanted: Any) -> httpx.Response:
    known = zendesk.credentials
    body = {"grant_type": "client_credentials", "client_id": known.client_id, "client_secret": known.client_secret,
            "scope": "read write"}  # fmt: skip
    return web.post("/oauth/tokens", json={**body, **wanted})


def me(web: httpx.Client, token: str) -> httpx.Response:
    return web.get("/api/v2/users/me", headers={"Authorization": f"Bearer {token}"})


def test_client_credentials_act_as_the_connector_and_bring_no_refresh_token(
    zendesk: ZendeskSimulator, web: httpx.Client
) -> None:
    token = grant(web, zendesk).json()
    assert set(token) == {"access_token", "token_type", "scope", "expires_in"}
    user = me(web, token["access_token"]).json()["user"]
    assert (user["email"], user["role"]) == (zendesk.credentials.email, "admin")


def test_a_token_may_be_asked_for_by_a_form(zendesk: ZendeskSimulator, web: httpx.Client) -> None:
    known = zendesk.credentials
    form = {"grant_type": "client_credentials", "client_id": known.client_id, "client_secret": known.client_secret}
    assert me(web, web.post("/oauth/tokens", data={**form, "scope": "read"}).json()["access_token"]).status_code == 200


def test_an_access_token_ends(zendesk: ZendeskSimulator, web: httpx.Client) -> None:
    token = grant(web, zendesk, expires_in=600).json()
    zendesk.clock.advance(599)
    assert me(web, token["access_token"]).status_code == 200
    zendesk.clock.advance(2)
    answer = me(web, token["access_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_a_refresh_token_works_once_and_ends_the_access_token_before_it(
    zendesk: ZendeskSimulator, web: httpx.Client
) -> None:
    start = zendesk.credentials.refresh_token
    first = grant(web, zendesk, grant_type="refresh_token", refresh_token=start).json()
    second = grant(web, zendesk, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert me(web, first["access_token"]).status_code == 401
    assert me(web, second["access_token"]).status_code == 200
    again = grant(web, zendesk, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("wanted", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"expires_in": 60}, 400, "invalid_request"),
        ({"expires_in": 10_000_000}, 400, "invalid_request"),
    ],
)
def test_bad_token_requests(
    zendesk: ZendeskSimulator, web: httpx.Client, wanted: dict[str, Any], status: int, error: str
) -> None:
    answer = grant(web, zendesk, **wanted)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    ("scope", "read_tickets", "write_tickets", "read_audits"),
    [
        ("read write", 200, 201, 200),
        ("read", 200, 403, 200),
        ("tickets:read tickets:write", 200, 201, 403),
        ("tickets:read auditlogs:read", 200, 403, 403),
        ("no_such_scope", 403, 403, 403),
    ],
)
def test_scopes_decide(
    zendesk: ZendeskSimulator, web: httpx.Client, scope: str, read_tickets: int, write_tickets: int, read_audits: int
) -> None:
    known = (zendesk.credentials.email + "/token", zendesk.credentials.api_token)
    body = {"ticket": {"comment": {"body": "x"}}}
    ticket_id = web.post("/api/v2/tickets", json=body, auth=known).json()["ticket"]["id"]
    token = grant(web, zendesk, scope=scope).json()["access_token"]
    web.headers["Authorization"] = f"Bearer {token}"
    assert web.get(f"/api/v2/tickets/{ticket_id}").status_code == read_tickets
    assert web.post("/api/v2/tickets", json=body).status_code == write_tickets
    assert web.get(f"/api/v2/tickets/{ticket_id}/audits").status_code == read_audits


def test_wrong_credentials_are_not_authenticated(zendesk: ZendeskSimulator, web: httpx.Client) -> None:
    known = zendesk.credentials
    for auth in (
        None,
        (known.email, "password"),
        (f"{known.email}/token", "x"),
        ("who@example.com/token", known.api_token),
    ):
        answer = web.get("/api/v2/users/me", auth=auth)
        assert (answer.status_code, answer.json()) == (401, {"error": "Couldn't authenticate you"})


def test_an_api_token_acts_as_whoever_is_named(zendesk: ZendeskSimulator, web: httpx.Client) -> None:
    auth = ("dana@example.com/token", zendesk.credentials.api_token)
    assert web.get("/api/v2/users/me", auth=auth).json()["user"]["name"] == "Dana Miller"


@pytest.mark.parametrize("path", ["/incremental/tickets/cursor?start_time=1", "/webhooks"])
def test_exports_and_webhooks_need_an_admin(zendesk: ZendeskSimulator, web: httpx.Client, path: str) -> None:
    token = zendesk.credentials.api_token
    answer = web.get(f"/api/v2{path}", auth=("dana@example.com/token", token))
    assert (answer.status_code, answer.json()["error"]["title"]) == (403, "Forbidden")
    assert web.get(f"/api/v2{path}", auth=("yuki@example.com/token", token)).status_code == 200
