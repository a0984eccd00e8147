"""Tokens: asked for once, renewed once, and never half stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from handoff_connectors.zendesk import ZendeskConnector
from handoff_connectors.zendesk.settings import Auth, ZendeskSettings
from handoff_connectors.zendesk.tokens import Tokens, missing_scopes
from handoff_sync.errors import VendorAuthError, VendorDown
from tests.connectors.zendesk.conftest import ME, MemoryJournal, Script, Spending, StoredSecrets, answer

FOUND_NOTHING = answer(200, {"tickets": [], "meta": {"has_more": False}})


def _settings(auth: Auth, base_url: str | None = None) -> ZendeskSettings:
    return ZendeskSettings(subdomain="acme", auth=auth, client_id="hs", email="b@example.com", base_url=base_url)


class Office:
    """Gives numbered tokens."""

    def __init__(self, **more: object) -> None:
        self.asked: list[Mapping[str, object]] = []
        self.more = more

    def __call__(self, form: Mapping[str, object]) -> Mapping[str, object]:
        self.asked.append(form)
        n = len(self.asked)
        return {"access_token": f"access-{n}", "refresh_token": f"refresh-{n}", "expires_in": 7200, **self.more}


@pytest.mark.parametrize(("expires_in", "kept_s"), [(7200, 7140), (7_200_000, 7140), (300, 240), (60, 30)])
def test_a_client_token_is_kept_until_shortly_before_its_end(expires_in: int, kept_s: int) -> None:
    office, now = Office(expires_in=expires_in), [1000.0]
    secrets = StoredSecrets(client_secret="s")
    tokens = Tokens(_settings(Auth.CLIENT_CREDENTIALS), secrets, office, now=lambda: now[0])
    assert tokens.header() == tokens.header() == "Bearer access-1"
    now[0] += kept_s - 1
    assert tokens.header() == "Bearer access-1"
    now[0] += 1
    assert tokens.header() == "Bearer access-2"


def test_of_many_threads_that_were_refused_one_asks_for_a_new_token() -> None:
    office = Office()
    tokens = Tokens(_settings(Auth.CLIENT_CREDENTIALS), StoredSecrets(client_secret="s"), office)
    refused = tokens.header()
    assert [tokens.renew(refused) for _ in range(3)] == [True, True, True]
    assert len(office.asked) == 2


def test_a_refresh_token_is_used_once_and_stored_with_its_pair() -> None:
    office = Office()
    secrets = StoredSecrets(client_secret="s", access_token="old", refresh_token="r-0")
    tokens = Tokens(_settings(Auth.REFRESH_TOKEN), secrets, office)
    assert tokens.header() == "Bearer old"
    assert tokens.renew("Bearer old")
    assert tokens.renew("Bearer old"), "another thread with the same refused token takes the new one"
    assert [form["refresh_token"] for form in office.asked] == ["r-0"]
    assert secrets.secrets == {"client_secret": "s", "access_token": "access-1", "refresh_token": "refresh-1"}


def test_a_pair_that_is_not_whole_is_not_stored() -> None:
    secrets = StoredSecrets(client_secret="s", access_token="old", refresh_token="r-0")
    tokens = Tokens(_settings(Auth.REFRESH_TOKEN), secrets, Office(refresh_token=None))
    with pytest.raises(VendorAuthError):
        tokens.renew("Bearer old")
    assert secrets.secrets["refresh_token"] == "r-0"


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(VendorAuthError, match="client_secret"):
        Tokens(_settings(Auth.CLIENT_CREDENTIALS), StoredSecrets(), Office()).header()


@pytest.fixture
def oauth(zendesk: Script) -> Iterator[ZendeskConnector]:
    secrets = StoredSecrets(client_secret="secret-canary")
    made = ZendeskConnector(_settings(Auth.CLIENT_CREDENTIALS, zendesk.url), secrets, Spending())
    yield made
    made.close()


def _token(name: str) -> bytes:
    return answer(200, {"access_token": name, "token_type": "bearer", "expires_in": 7200})


def test_a_refused_token_is_renewed_once_and_the_call_made_again(zendesk: Script, oauth: ZendeskConnector) -> None:
    zendesk.say(_token("one"), answer(401, {}), _token("two"), FOUND_NOTHING)
    assert oauth.find("x") is None
    assert [h.headers.get("authorization") for h in zendesk.heard] == [None, "Bearer one", None, "Bearer two"]


def test_a_token_that_is_refused_again_needs_a_person(zendesk: Script, oauth: ZendeskConnector) -> None:
    zendesk.say(_token("one"), answer(403, {}), _token("two"), answer(403, {}))
    with pytest.raises(VendorAuthError):
        oauth.find("x")
    assert len(zendesk.heard) == 4


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_client_needs_a_person(status: int, zendesk: Script, oauth: ZendeskConnector) -> None:
    zendesk.say(answer(status, {"error": "invalid_client"}))
    with pytest.raises(VendorAuthError) as raised:
        oauth.find("x")
    assert "secret-canary" not in str(raised.value)


def test_without_a_token_nothing_was_written(zendesk: Script, oauth: ZendeskConnector, journal: MemoryJournal) -> None:
    """A token server that fails is no uncertain write."""
    from tests.connectors.zendesk.test_wire import NOTE

    zendesk.say(answer(500, {}))
    with pytest.raises(VendorDown):
        oauth.append("35", NOTE, journal)
    assert [heard.target for heard in zendesk.heard] == ["/oauth/tokens"]


def test_a_nameless_visitor_is_not_signed_in(zendesk: Script, connector: ZendeskConnector) -> None:
    zendesk.say(answer(200, {"user": {**ME["user"], "id": None}}))
    (finding,) = connector.check()
    assert (finding.name, finding.ok) == ("credentials", False)
    assert finding.todo


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        (None, set()),
        ("read write", set()),
        ("read tickets:write users:write webhooks:write", set()),
        ("tickets:read tickets:write users:write webhooks:read webhooks:write", {"read"}),
        ("read", {"tickets:write", "users:write", "webhooks:write"}),
    ],
)
def test_what_a_token_may_not_do_is_named(granted: str | None, missing: set[str]) -> None:
    assert missing_scopes(granted) == missing
