"""Webhooks: authentic or refused, readable or named, and every kind leads to the conversations to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import handoff_connectors.intercom
from handoff_connectors.intercom import IntercomConnector
from handoff_connectors.intercom.webhook import TOPICS, Arrival, read_webhook
from handoff_sync.contract.connector import WebhookHint, WebhookRequest
from handoff_sync.contract.signatures import hmac_hex
from handoff_sync.errors import UnrecognisedPayload, WebhookRefused
from tests.connectors.intercom.conftest import Script, Sign, StoredSecrets, conversation, part, sign

FIXTURES = Path(handoff_connectors.intercom.__file__).parent / "fixtures" / "webhooks"
SECRET = "sign-canary"
BODY = (FIXTURES / "admin_replied.json").read_bytes()
ID = "215474343849634"


def read(body: bytes, workspace: str | None = "acme1") -> WebhookHint:
    return read_webhook(sign(body), [SECRET], workspace)[0]


@pytest.mark.parametrize(
    "name", sorted(p.name.removesuffix(".expected.json") for p in FIXTURES.glob("*.expected.json"))
)
def test_each_kind_names_its_conversations(name: str) -> None:
    expected: Mapping[str, object] = json.loads((FIXTURES / f"{name}.expected.json").read_bytes())
    hint = asdict(read((FIXTURES / f"{name}.json").read_bytes()))
    hint["tickets"] = list(hint["tickets"])
    assert {key: hint[key] for key in expected} == expected


@pytest.mark.parametrize("topic", TOPICS)
def test_no_topic_that_we_ask_for_is_ignored(topic: str, signed: Sign) -> None:
    assert read_webhook(signed(topic, conversation()), [SECRET], "acme1")[0].tickets == ("499",)


def test_the_documented_rule_is_sha1_over_the_raw_body() -> None:
    """The well-known example of HMAC-SHA1."""
    words = b"The quick brown fox jumps over the lazy dog"
    given = WebhookRequest(
        {"x-hub-signature": "sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"}, words, sign(b"").received_at
    )
    with pytest.raises(UnrecognisedPayload):  # authentic, but not JSON
        read_webhook(given, ["key"], None)


def changed(**headers: str) -> WebhookRequest:
    return replace(sign(BODY), headers=headers)


RIGHT = sign(BODY).headers["x-hub-signature"]
REFUSED = {
    "no secret stored": (sign(BODY), []),
    "empty secret stored": (sign(BODY, ""), [""]),
    "another secret": (sign(BODY, "other"), [SECRET]),
    "no signature": (changed(), [SECRET]),
    "empty signature": (changed(**{"x-hub-signature": ""}), [SECRET]),
    "no prefix": (changed(**{"x-hub-signature": RIGHT.removeprefix("sha1=")}), [SECRET]),
    "sha256": (changed(**{"x-hub-signature": f"sha256={hmac_hex(SECRET.encode(), BODY)}"}), [SECRET]),
    "canvas header": (changed(**{"x-body-signature": hmac_hex(SECRET.encode(), BODY)}), [SECRET]),
    "body changed": (replace(sign(BODY), body=BODY + b" "), [SECRET]),
    "re-serialised": (replace(sign(BODY), body=json.dumps(json.loads(BODY)).encode()), [SECRET]),
    "signature is not text": (changed(**{"x-hub-signature": "sha1=\udcff"}), [SECRET]),
}


@pytest.mark.parametrize(("request_", "secrets"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_authentic_is_refused(request_: WebhookRequest, secrets: list[str]) -> None:
    with pytest.raises(WebhookRefused):
        read_webhook(request_, secrets, "acme1")


def test_both_secrets_are_good_during_a_rotation(connector: IntercomConnector, secrets: StoredSecrets) -> None:
    secrets.secrets = {**secrets.secrets, "client_secret": "new", "client_secret_previous": "old"}
    for secret in ("new", "old"):
        assert connector.verify_webhook(sign(BODY, secret)).tickets == (ID,)
    with pytest.raises(WebhookRefused):
        connector.verify_webhook(sign(BODY, SECRET))


UNREADABLE = {
    "not json": b"{'a': 1}",
    "not utf-8": b'{"topic":"\xff"}',
    "a list": b"[]",
    "empty": b"",
    "deep": b"[" * 5000 + b"]" * 5000,
    "a key twice": b'{"topic":"ping","topic":"ping"}',
    "no topic": b'{"say":"hello"}',
    "topic is a number": BODY.replace(b'"conversation.admin.replied"', b"7"),
    "no item": BODY.replace(b'"item"', b'"itme"'),
    "item is a text": b'{"topic":"conversation.admin.closed","app_id":"acme1","data":{"item":"499"}}',
    "id is a path": BODY.replace(ID.encode(), b"1/../2"),
    "id is an object": BODY.replace(f'"{ID}"'.encode(), b'{"$gt":0}'),
    "id is missing": BODY.replace(f'"id": "{ID}"'.encode(), b'"di": 1'),
    "id is null": BODY.replace(f'"{ID}"'.encode(), b"null"),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_authentic_but_unreadable_is_named(body: bytes) -> None:
    with pytest.raises(UnrecognisedPayload) as raised:
        read(body)
    assert "Maria Example" not in str(raised.value)


def test_without_an_id_the_signed_bytes_name_the_delivery() -> None:
    body = (FIXTURES / "admin_replied_with_null_id.json").read_bytes()
    first, again, other = read(body), read(body), read(body.replace(b"1779200976", b"1779200977"))
    assert first.delivery_id == again.delivery_id != other.delivery_id


def test_while_the_workspace_is_not_known_all_that_is_signed_counts() -> None:
    body = (FIXTURES / "other_workspace_ignored.json").read_bytes()
    assert read(body, workspace=None).tickets == (ID,)


def test_a_bots_answer_under_two_topics_is_relayed_under_none(
    intercom: Script, connector: IntercomConnector, signed: Sign
) -> None:
    said = part(4, "comment", "bot:9", body="<p>I am a bot</p>")
    hints = [
        connector.verify_webhook(signed(topic, conversation(said), id=name))
        for topic, name in (("conversation.admin.replied", "n1"), ("conversation.operator.replied", "n2"))
    ]
    assert [hint.tickets for hint in hints] == [("499",), ("499",)]
    intercom.on("GET /conversations/*", conversation(said))
    (comment,) = connector.read("499", None).comments
    assert comment.author == "automation"


def test_only_a_new_conversation_tells_of_a_reference() -> None:
    body = (FIXTURES / "user_created.json").read_bytes()
    assert read_webhook(sign(body), [SECRET], "acme1")[1] == Arrival(word="HSOSIS33BXN5", conversation=ID)
    assert read_webhook(sign(BODY), [SECRET], "acme1")[1] is None
