"""Settings are checked when they are given, with what to do instead."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from handoff_connectors.intercom.settings import IntercomSettings


@pytest.mark.parametrize(
    ("region", "api"),
    [("us", "https://api.intercom.io"), ("eu", "https://api.eu.intercom.io"), ("au", "https://api.au.intercom.io")],
)
def test_each_region_has_its_own_address_and_one_for_tokens(region: str, api: str) -> None:
    settings = IntercomSettings.model_validate({"region": region})
    assert settings.api == api
    assert settings.token_url == "https://api.intercom.io/auth/eagle/token"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"region": "mars"}, "region"),
        ({"auth": "oauth"}, "client_id"),
        ({"admin_id": "joe@example.com"}, "number"),
        ({"base_url": "http://10.0.0.5"}, "allow_private"),
        ({"base_url": "ftp://127.0.0.1"}, "plain http"),
        ({"base_url": "http://a:b@127.0.0.1"}, "plain http"),
        ({"opening_text": ""}, "opening_text"),
        ({"recreate_after_s": -1}, "recreate_after_s"),
        ({"acess_token": "x"}, "acess_token"),
    ],
)
def test_what_does_not_fit_is_named(given: dict[str, object], word: str) -> None:
    with pytest.raises(ValidationError) as raised:
        IntercomSettings.model_validate(given)
    assert word in str(raised.value)


def test_secrets_are_not_shown() -> None:
    settings = IntercomSettings.model_validate({"access_token": "tok-canary", "client_secret": "sec-canary"})
    assert "canary" not in repr(settings) + settings.model_dump_json()
