"""Webhooks: authentic or refused, readable or named, and every kind leads to the tickets to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import handoff_connectors.zendesk
from handoff_connectors.zendesk.webhook import read_webhook
from handoff_sync.contract.connector import WebhookRequest
from handoff_sync.contract.signatures import hmac_base64
from handoff_sync.errors import UnrecognisedPayload, WebhookRefused

FIXTURES = Path(handoff_connectors.zendesk.__file__).parent / "fixtures" / "webhooks"
SENT_AT = "2026-01-15T02:58:16Z"
NOW = datetime(2026, 1, 15, 2, 58, 20, tzinfo=UTC)
SECRET = "wMZJinvented0secret0for0tests0alone0zs="


def signed(body: bytes, secret: str = SECRET, sent_at: str = SENT_AT, **headers: str) -> WebhookRequest:
    every = {
        "x-zendesk-webhook-signature": hmac_base64(secret.encode(), sent_at.encode() + body),
        "x-zendesk-webhook-signature-timestamp": sent_at,
        "x-zendesk-webhook-invocation-id": "01INVOCATION",
    }
    return WebhookRequest(every | headers, body, NOW)


def without(request: WebhookRequest, header: str) -> WebhookRequest:
    return replace(request, headers={**request.headers, header: ""})


@pytest.mark.parametrize(
    "name", sorted(p.name.removesuffix(".expected.json") for p in FIXTURES.glob("*.expected.json"))
)
def test_each_kind_names_its_tickets(name: str) -> None:
    expected: Mapping[str, object] = json.loads((FIXTURES / f"{name}.expected.json").read_bytes())
    hint = asdict(read_webhook(signed((FIXTURES / f"{name}.json").read_bytes()), [SECRET]))
    hint["tickets"] = list(hint["tickets"])
    assert {key: hint[key] for key in expected} == expected


BODY = (FIXTURES / "comment_added.json").read_bytes()


def test_the_documented_rule_is_timestamp_then_body() -> None:
    """The figures of the fact sheet (section 5); the older published sample signs the other way round."""
    secret, body, at = "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA=", b'{"say": "hello"}', "2021-07-25T10:00:00Z"
    now = datetime(2021, 7, 25, 10, 0, 0, tzinfo=UTC)
    request = WebhookRequest(
        {
            "x-zendesk-webhook-signature": "Rry/4TtIdFyawtXXp8QdI6tlAUUQ/5kL1OTp5qo/ZIk=",
            "x-zendesk-webhook-signature-timestamp": at,
        },
        body,
        now,
    )
    with pytest.raises(UnrecognisedPayload):  # authentic, but neither an event nor our trigger body
        read_webhook(request, [secret])
    old = {**request.headers, "x-zendesk-webhook-signature": "tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw="}
    with pytest.raises(WebhookRefused):
        read_webhook(replace(request, headers=old), [secret])


REFUSED = {
    "no secret stored": (signed(BODY), []),
    "empty secret stored": (signed(BODY, secret=""), [""]),
    "another secret": (signed(BODY, secret="other"), [SECRET]),
    "static test secret": (signed(BODY, secret="dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="), [SECRET]),
    "no signature": (without(signed(BODY), "x-zendesk-webhook-signature"), [SECRET]),
    "no timestamp": (without(signed(BODY), "x-zendesk-webhook-signature-timestamp"), [SECRET]),
    "body changed": (replace(signed(BODY), body=BODY + b" "), [SECRET]),
    "re-serialised": (replace(signed(BODY), body=json.dumps(json.loads(BODY)).encode()), [SECRET]),
    "too old": (signed(BODY, sent_at="2026-01-15T02:53:19Z"), [SECRET]),
    "from the future": (signed(BODY, sent_at="2026-01-15T03:03:21Z"), [SECRET]),
    "timestamp is no time": (signed(BODY, sent_at="yesterday"), [SECRET]),
    "timestamp without zone": (signed(BODY, sent_at="2026-01-15T02:58:16"), [SECRET]),
    "signature is not text": (replace(signed(BODY), headers={**signed(BODY).headers,
                              "x-zendesk-webhook-signature": "\udcff"}), [SECRET]),
}  # fmt: skip


@pytest.mark.parametrize(("request_", "secrets"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_authentic_is_refused(request_: WebhookRequest, secrets: list[str]) -> None:
    with pytest.raises(WebhookRefused):
        read_webhook(request_, secrets)


def test_both_secrets_are_good_during_a_rotation() -> None:
    for secret in ("new", "old"):
        assert read_webhook(signed(BODY, secret=secret), ["new", "old"]).tickets == ("5158",)


@pytest.mark.parametrize("off_s", [-299, 299])
def test_five_minutes_of_difference_are_taken(off_s: int) -> None:
    request = replace(signed(BODY), received_at=datetime.fromisoformat(SENT_AT) + timedelta(seconds=off_s))
    assert read_webhook(request, [SECRET]).tickets == ("5158",)


UNREADABLE = {
    "not json": b"{'a': 1}",
    "not utf-8": b'{"type":"\xff"}',
    "a list": b"[]",
    "deep": b"[" * 5000 + b"]" * 5000,
    "a key twice": b'{"ticket_id":"1","ticket_id":"2"}',
    "nothing of ours": b'{"say":"hello"}',
    "no ticket": b'{"ticket_id":""}',
    "ticket zero": b'{"ticket_id":"0"}',
    "ticket is a path": b'{"ticket_id":"1/../2"}',
    "ticket is an object": b'{"ticket_id":{"$gt":0}}',
    "unfilled placeholder": b'{"ticket_id":"{{ticket.id}}"}',
    "subject and detail differ": BODY.replace(b"zen:ticket:5158", b"zen:ticket:5159"),
    "detail is missing": BODY.replace(b'"detail"', b'"detial"'),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_authentic_but_unreadable_is_named(body: bytes) -> None:
    with pytest.raises(UnrecognisedPayload) as raised:
        read_webhook(signed(body), [SECRET])
    assert "Maria Example" not in str(raised.value)


def test_an_empty_body_is_a_test() -> None:
    hint = read_webhook(signed(b""), [SECRET])
    assert hint.tickets == ()
    assert hint.ignored


def test_attempts_of_one_trigger_call_are_one_delivery_and_two_calls_are_two() -> None:
    body = (FIXTURES / "trigger.json").read_bytes()
    first = read_webhook(signed(body), [SECRET]).delivery_id
    again = read_webhook(signed(body, sent_at="2026-01-15T02:59:16Z"), [SECRET]).delivery_id
    other = read_webhook(signed(body, **{"x-zendesk-webhook-invocation-id": "01OTHER"}), [SECRET]).delivery_id
    assert first == again != other
