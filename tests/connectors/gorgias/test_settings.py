"""Settings: what is wrong is said before anything is called."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from handoff_connectors.gorgias.settings import SECRET_FIELDS, GorgiasSettings

GOOD = {"domain": "acme", "email": "bot@example.com"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"domain": "acme.gorgias.com"}, "name alone"),
        ({"domain": "https://acme.gorgias.com"}, "name alone"),
        ({"domain": "evil.example.com/"}, "name alone"),
        ({"domain": "acme@evil"}, "name alone"),
        ({"domain": "-acme"}, "name alone"),
        ({"domain": ""}, "name alone"),
        ({"email": None}, "email"),
        ({"auth": "oauth"}, "client_id"),
        ({"transcript_mode": "mail"}, "transcript_mode"),
        ({"base_url": "http://10.0.0.8:80"}, "only this machine"),
        ({"base_url": "http://gorgias.example.com"}, "only this machine"),
        ({"base_url": "ftp://127.0.0.1"}, "plain http"),
        ({"base_url": "http://user:pw@127.0.0.1"}, "plain http"),
        ({"agent_url": "javascript:alert(1)"}, "plain http"),
        ({"reopened_by_wait_s": -1}, "reopened_by_wait_s"),
        ({"api_kye": "x"}, "api_kye"),
    ],
)
def test_a_wrong_setting_says_what_is_right(change: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        GorgiasSettings.model_validate({**GOOD, **change})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001", "http://[::1]:8001/", "http://localhost:8001"])
def test_a_simulator_on_this_machine_is_allowed(url: str) -> None:
    assert GorgiasSettings.model_validate({**GOOD, "base_url": url}).origin == url.rstrip("/")


def test_another_machine_is_allowed_on_purpose() -> None:
    settings = GorgiasSettings.model_validate({**GOOD, "base_url": "http://10.0.0.8:80", "allow_private": True})
    assert settings.origin == "http://10.0.0.8:80"


def test_calls_and_people_are_led_to_the_account() -> None:
    settings = GorgiasSettings.model_validate({**GOOD, "domain": " Acme "})
    assert settings.origin == "https://acme.gorgias.com"
    assert settings.ticket_url("35") == "https://acme.gorgias.com/app/ticket/35"


def test_every_secret_is_kept_as_one_and_no_address_is_given_away_by_itself() -> None:
    fields = GorgiasSettings.model_fields
    assert {n for n, field in fields.items() if SecretStr in getattr(field.annotation, "__args__", ())} == SECRET_FIELDS
    assert GorgiasSettings.model_validate(GOOD).attach_customer_email is False
