"""Settings: what is wrong is said before anything is called."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from handoff_connectors.zendesk.settings import SECRET_FIELDS, ZendeskSettings

GOOD = {"subdomain": "acme", "client_id": "hs"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"subdomain": "acme.zendesk.com"}, "subdomain alone"),
        ({"subdomain": "https://acme.zendesk.com"}, "subdomain alone"),
        ({"subdomain": "evil.example.com/"}, "subdomain alone"),
        ({"subdomain": "acme@evil"}, "subdomain alone"),
        ({"subdomain": ""}, "subdomain alone"),
        ({"auth": "api_token"}, "email"),
        ({"client_id": None}, "client_id"),
        ({"auth": "refresh_token", "client_id": None}, "client_id"),
        ({"base_url": "http://10.0.0.8:80"}, "only this machine"),
        ({"base_url": "http://zendesk.example.com"}, "only this machine"),
        ({"base_url": "ftp://127.0.0.1"}, "plain http"),
        ({"base_url": "http://user:pw@127.0.0.1"}, "plain http"),
        ({"agent_url": "javascript:alert(1)"}, "plain http"),
        ({"tokn": "x"}, "tokn"),
    ],
)
def test_a_wrong_setting_says_what_is_right(change: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ZendeskSettings.model_validate({**GOOD, **change})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001", "http://[::1]:8001/", "http://localhost:8001"])
def test_a_simulator_on_this_machine_is_allowed(url: str) -> None:
    assert ZendeskSettings.model_validate({**GOOD, "base_url": url}).base_url == url.rstrip("/")


def test_another_machine_is_allowed_on_purpose() -> None:
    settings = ZendeskSettings.model_validate({**GOOD, "base_url": "http://10.0.0.8:80", "allow_private": True})
    assert settings.base_url == "http://10.0.0.8:80"


def test_every_secret_is_kept_as_one() -> None:
    fields = ZendeskSettings.model_fields
    assert {name for name, field in fields.items() if SecretStr in getattr(field.annotation, "__args__", ())} == set(
        SECRET_FIELDS
    )


def test_people_are_led_to_the_account_or_to_where_the_setting_says() -> None:
    assert ZendeskSettings.model_validate(GOOD).ticket_url("35") == "https://acme.zendesk.com/agent/tickets/35"
    settings = ZendeskSettings.model_validate({**GOOD, "agent_url": "http://127.0.0.1:9/"})
    assert settings.ticket_url("35") == "http://127.0.0.1:9/agent/tickets/35"
