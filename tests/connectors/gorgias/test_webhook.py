"""Webhooks: authentic or refused, readable or named, and every kind leads to the ticket to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import handoff_connectors.gorgias
from handoff_connectors.gorgias.webhook import FORMS, HEADER, TRIGGERS, read_webhook
from handoff_sync.contract.connector import WebhookRequest
from handoff_sync.errors import UnrecognisedPayload, WebhookRefused

FIXTURES = Path(handoff_connectors.gorgias.__file__).parent / "fixtures" / "webhooks"
NOW = datetime(2026, 3, 2, 9, 50, tzinfo=UTC)
SECRET = "hook-canary"
BODY = (FIXTURES / "message_created.json").read_bytes()


def came(body: bytes = BODY, secret: str = SECRET) -> WebhookRequest:
    return WebhookRequest({HEADER.lower(): secret}, body, NOW)


@pytest.mark.parametrize(
    "name", sorted(p.name.removesuffix(".expected.json") for p in FIXTURES.glob("*.expected.json"))
)
def test_each_kind_names_its_ticket(name: str) -> None:
    expected: Mapping[str, object] = json.loads((FIXTURES / f"{name}.expected.json").read_bytes())
    hint = asdict(read_webhook(came((FIXTURES / f"{name}.json").read_bytes()), [SECRET]))
    hint["tickets"] = list(hint["tickets"])
    assert {key: hint[key] for key in expected} == expected


REFUSED = {
    "no secret stored": (came(), []),
    "empty secret stored": (came(secret=""), [""]),
    "another secret": (came(secret="other"), [SECRET]),
    "no header": (replace(came(), headers={}), [SECRET]),
    "in the body": (replace(came(json.dumps({"ticket_id": "1", HEADER: SECRET}).encode()), headers={}), [SECRET]),
    "the header twice": (came(secret=f"{SECRET}, {SECRET}"), [SECRET]),
    "not text": (came(secret="\udcff"), [SECRET]),
}


@pytest.mark.parametrize(("request_", "secrets"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_authentic_is_refused(request_: WebhookRequest, secrets: list[str]) -> None:
    with pytest.raises(WebhookRefused) as refused:
        read_webhook(request_, secrets)
    assert SECRET not in refused.value.reason


def test_both_secrets_are_good_during_a_rotation() -> None:
    for secret in ("new", "old"):
        assert read_webhook(came(secret=secret), ["new", "old"]).tickets == ("170000011",)


UNREADABLE = {
    "not json": b"{'a': 1}",
    "not utf-8": b'{"ticket_id":"\xff"}',
    "a list": b"[]",
    "deep": b"[" * 5000 + b"]" * 5000,
    "a key twice": b'{"ticket_id":"1","ticket_id":"2"}',
    "nothing of ours": b'{"say":"hello"}',
    "no ticket": b'{"ticket_id":""}',
    "ticket None": b'{"ticket_id":"None"}',
    "ticket zero": b'{"ticket_id":"0"}',
    "ticket is a path": b'{"ticket_id":"1/../2"}',
    "ticket is an object": b'{"ticket_id":{"$gt":0}}',
    "ticket is true": b'{"ticket_id":true}',
    "unfilled variable": b'{"ticket_id":"{{ticket.id}}"}',
    "an event that is text": b'{"ticket_id":"7","event":"words-canary"}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_authentic_but_unreadable_is_named(body: bytes) -> None:
    with pytest.raises(UnrecognisedPayload) as raised:
        read_webhook(came(body), [SECRET])
    assert "words-canary" not in str(raised.value)


def test_an_empty_body_is_a_test() -> None:
    hint = read_webhook(came(b""), [SECRET])
    assert hint.tickets == ()
    assert hint.ignored


def test_two_changes_that_look_alike_are_two_deliveries() -> None:
    """No delivery is named, and a ticket may change twice in the same way."""
    first = read_webhook(came(), [SECRET]).delivery_id
    later = read_webhook(replace(came(), received_at=NOW + timedelta(milliseconds=1)), [SECRET]).delivery_id
    assert first == read_webhook(came(), [SECRET]).delivery_id != later


def test_no_integration_mixes_triggers_of_both_kinds_and_no_words_are_asked_for() -> None:
    short = {"ticket-status-updated", "ticket-assignment-updated"}
    assert [bool(short & set(triggers)) for triggers in TRIGGERS.values()] == [False, True]
    asked = {template for form in FORMS.values() for template in form.values()}
    assert asked <= {"{{ticket.id}}", "{{event.type}}", "{{message.external_id}}"}
