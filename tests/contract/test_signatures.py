"""Signatures that others can check, and checks that nothing forged passes."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from handoff_sync.contract.signatures import (
    check_age,
    hmac_base64,
    hmac_hex,
    new_secret,
    same,
    same_as_any,
    sign,
    verify,
)
from handoff_sync.errors import WebhookRefused

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"x" * 32).decode()
NOW = 1_772_452_800


def headers(id: str = "msg_1", timestamp: str = str(NOW), signature: str | None = None) -> dict[str, str]:
    made = sign(id, NOW, b"{}", [SECRET]) if signature is None else signature
    return {"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": made}


# --- Standard Webhooks, with its reference implementation as oracle ------------------------------


@settings(max_examples=200)
@given(
    id=st.from_regex(r"[A-Za-z0-9_:-]{1,60}", fullmatch=True), data=st.text(), key=st.binary(min_size=1, max_size=64)
)
def test_signs_like_the_reference(id: str, data: str, key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    expected = Webhook(secret).sign(id, datetime.fromtimestamp(NOW, UTC).replace(tzinfo=None), data)
    assert sign(id, NOW, data.encode(), [secret]) == expected


@pytest.mark.parametrize("held_by_receiver", [SECRET, OTHER])
def test_the_reference_accepts_either_secret_during_rotation(held_by_receiver: str) -> None:
    now, body = int(time.time()), json.dumps({"type": "a", "data": {"text": "héllo"}})
    sent = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign("msg_1", now, body.encode(), [SECRET, OTHER]),
    }
    assert Webhook(held_by_receiver).verify(body, sent) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body, sent)


def test_we_accept_what_we_sign() -> None:
    verify(headers(), b"{}", [OTHER, SECRET], NOW)
    verify(headers(signature="v1,AAAA v2,x " + sign("msg_1", NOW, b"{}", [SECRET])), b"{}", [SECRET], NOW + 299)


@pytest.mark.parametrize(
    ("changed", "body", "now"),
    [
        (headers(), b"{ }", NOW),
        (headers(), b"{}", NOW + 301),
        (headers(), b"{}", NOW - 301),
        (headers() | {"webhook-id": "msg_2"}, b"{}", NOW),
        (headers(timestamp=str(NOW + 1)), b"{}", NOW),
        (headers(timestamp="soon"), b"{}", NOW),
        (headers(timestamp="-5"), b"{}", NOW),
        (headers(timestamp="1" * 400), b"{}", NOW),
        (headers(timestamp="١٧٧٢٤٥٢٨٠٠"), b"{}", NOW),
        (headers(signature=""), b"{}", NOW),
        (headers(signature="v1,"), b"{}", NOW),
        (headers(signature="nonsense, ,, v1"), b"{}", NOW),
        (headers(signature="v1,é\ud800"), b"{}", NOW),
        (headers(signature=sign("msg_1", NOW, b"{}", [OTHER])), b"{}", NOW),
        ({}, b"{}", NOW),
    ],
)
def test_anything_else_is_refused(changed: dict[str, str], body: bytes, now: int) -> None:
    with pytest.raises(WebhookRefused):
        verify(changed, body, [SECRET], now)


def test_without_a_secret_nothing_is_signed_and_nothing_accepted() -> None:
    with pytest.raises(ValueError, match="no secret"):
        sign("a", NOW, b"", [])
    with pytest.raises(WebhookRefused):
        verify(headers(), b"{}", [], NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_é", "not base64!"])
def test_a_secret_that_is_none_is_named_without_showing_it(secret: str) -> None:
    with pytest.raises(ValueError, match="Create a new one") as caught:
        sign("a", NOW, b"", [secret])
    assert "base64!" not in str(caught.value)


def test_new_secrets_are_long_and_differ() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"))) == 32 for secret in made)


# --- parts that helpdesks' webhooks are checked with ----------------------------------------------


def test_hmac_of_known_vectors() -> None:
    # RFC 4231 case 2 and RFC 2202 case 2
    key, data = b"Jefe", b"what do ya want for nothing?"
    assert hmac_hex(key, data) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_hex(key, data, "sha1") == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
    assert hmac_base64(key, data) == base64.b64encode(bytes.fromhex(hmac_hex(key, data))).decode()


def test_equality_needs_something_to_compare() -> None:
    assert same("é", "é") and same_as_any("b", ["a", "b", "c"])
    assert not same("", "") and not same("a", "") and not same("a", "b") and not same_as_any("", [""])
    assert not same_as_any("a", [])


def test_age_is_checked_on_both_sides() -> None:
    assert check_age(str(NOW), NOW + 300) == NOW
    for wrong in (NOW + 301, NOW - 301):
        with pytest.raises(WebhookRefused):
            check_age(str(NOW), wrong)
