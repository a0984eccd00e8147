"""Signing in: which header goes out, when a token is renewed, and what is stored."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs

import pytest

from handoff_connectors.gorgias import GorgiasConnector
from handoff_connectors.gorgias.tokens import missing_scopes
from handoff_sync.contract.connector import CommentDraft
from handoff_sync.errors import VendorAuthError, VendorDown
from tests.connectors.gorgias.conftest import Script, rows, scripted
from tests.connectors.zendesk.conftest import MemoryJournal, StoredSecrets, answer

TOKEN, FIND = "POST /oauth/token", "GET /api/tickets?"


def token(name: str, **more: object) -> bytes:
    return answer(200, {"access_token": name, "token_type": "Bearer", "expires_in": 86_400, **more})


@pytest.fixture
def kept() -> StoredSecrets:
    return StoredSecrets(client_secret="secret-canary", refresh_token="refresh-canary")


@pytest.fixture
def app(gorgias: Script, kept: StoredSecrets) -> Iterator[GorgiasConnector]:
    made = scripted(gorgias, kept, auth="oauth", client_id="app")
    yield made
    made.close()


def headers(gorgias: Script) -> list[str]:
    return [heard.headers["authorization"] for heard in gorgias.to("GET /api/tickets")]


def test_an_api_key_is_sent_with_the_address_of_its_user(gorgias: Script, connector: GorgiasConnector) -> None:
    gorgias.say(FIND, rows())
    connector.find("x")
    assert headers(gorgias) == ["Basic " + b64encode(b"bot@example.com:key-canary").decode()]


def test_the_first_token_is_fetched_with_the_refresh_token(
    gorgias: Script, app: GorgiasConnector, kept: StoredSecrets
) -> None:
    gorgias.say(TOKEN, token("one"))
    gorgias.say(FIND, rows())
    app.find("x")
    app.find("x")
    (asked,) = gorgias.to(TOKEN)
    assert parse_qs(asked.body.decode()) == {"grant_type": ["refresh_token"], "refresh_token": ["refresh-canary"]}
    assert asked.headers["authorization"] == "Basic " + b64encode(b"app:secret-canary").decode()
    assert headers(gorgias) == ["Bearer one"] * 2
    assert kept.secrets["refresh_token"] == "refresh-canary", "it lives on"


def test_a_new_refresh_token_takes_over(gorgias: Script, app: GorgiasConnector, kept: StoredSecrets) -> None:
    gorgias.say(TOKEN, token("one", refresh_token="next"))
    gorgias.say(FIND, rows())
    app.find("x")
    assert kept.secrets["refresh_token"] == "next"


def test_a_refused_token_is_renewed_once_and_the_call_made_again(gorgias: Script, app: GorgiasConnector) -> None:
    gorgias.say(TOKEN, token("one"), token("two"))
    gorgias.say(FIND, answer(401, {}), rows())
    assert app.find("x") is None
    assert headers(gorgias) == ["Bearer one", "Bearer two"]


def test_a_token_that_is_refused_again_needs_a_person(gorgias: Script, app: GorgiasConnector) -> None:
    gorgias.say(TOKEN, token("one"), token("two"))
    gorgias.say(FIND, answer(401, {}))
    with pytest.raises(VendorAuthError):
        app.find("x")
    assert len(headers(gorgias)) == 2


def test_a_refused_key_is_tried_once(gorgias: Script, connector: GorgiasConnector) -> None:
    gorgias.say(FIND, answer(401, {}))
    with pytest.raises(VendorAuthError):
        connector.find("x")
    assert len(headers(gorgias)) == 1


@pytest.mark.parametrize(
    "said",
    [answer(400, {"error": "invalid_grant"}), answer(401, {"error": "invalid_client"}), answer(200, {"token": "x"}),
     answer(200, [1])],
)  # fmt: skip
def test_a_refused_app_needs_a_person(said: bytes, gorgias: Script, app: GorgiasConnector) -> None:
    gorgias.say(TOKEN, said)
    with pytest.raises(VendorAuthError) as raised:
        app.find("x")
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("said", [answer(500, {}), answer(200, b"<html>", kind="text/html")])
def test_without_a_token_nothing_was_written(
    said: bytes, gorgias: Script, app: GorgiasConnector, journal: MemoryJournal
) -> None:
    """A token server that fails is no uncertain write."""
    gorgias.say(TOKEN, said)
    with pytest.raises(VendorDown):
        app.append("35", CommentDraft(marker="m", html="<p>x</p>", public=False), journal)
    assert {heard.target for heard in gorgias.heard} == {"/oauth/token"}


@pytest.mark.parametrize("missing", ["api_key", "client_secret", "refresh_token"])
def test_a_missing_secret_is_named(missing: str, gorgias: Script) -> None:
    every: Mapping[str, str] = {"client_secret": "s", "refresh_token": "r", "api_key": "k"}
    kept = StoredSecrets(**{name: value for name, value in every.items() if name != missing})
    made = scripted(gorgias, kept, auth="api_key" if missing == "api_key" else "oauth", client_id="app")
    with pytest.raises(VendorAuthError, match=missing):
        made.find("x")
    made.close()


def test_an_account_without_user_0_knows_us_by_our_address(gorgias: Script, connector: GorgiasConnector) -> None:
    gorgias.say("GET /api/users/0", answer(404, {}))
    gorgias.say("GET /api/users?", rows({"id": 901, "email": "Bot@example.com", "role": {"name": "admin"}}))
    gorgias.say("GET /api/account", answer(200, {"domain": "acme"}))
    gorgias.say("GET /api/account/settings", answer(200, {"data": []}))
    gorgias.say("GET /api/integrations", rows())
    assert {finding.name for finding in connector.check() if not finding.ok} == {"webhook"}


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        (None, set()),
        ("offline write:all", set()),
        ("openid offline account:read users:read customers:write tickets:write events:read integrations:write", set()),
        ("openid offline account:read users:read customers:write tickets:read events:read",
         {"tickets:write", "integrations:read", "integrations:write"}),
    ],
)  # fmt: skip
def test_what_a_token_may_not_do_is_named(granted: str | None, missing: set[str]) -> None:
    assert missing_scopes(granted) == missing
