"""Callbacks: signed so that the reference implementation accepts them, and the same bytes on every try."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from handoff_sync.callbacks import Callback, CallbackOutcome, callback_client, send
from handoff_sync.contract.address import AddressGuard, networks
from handoff_sync.contract.http import HttpClient
from handoff_sync.contract.signatures import new_secret
from tests.loopback import OK, serve

SECRETS = [new_secret(), new_secret()]
HAPPENED = datetime(2026, 3, 2, 12, 0, 0, 123000, tzinfo=UTC)
CALLBACK = Callback(
    id="cb_1", type="ai_mode.changed", timestamp=HAPPENED, data={"epoch": 3, "conversation": "c1", "text": "é\n👋"}
)


def client() -> HttpClient:
    return callback_client(AddressGuard(allowed=networks(["127.0.0.1/32"])))


def answering(status: int, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\n{headers}content-length: 0\r\n\r\n".encode()


def received(request: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    lines = (line.partition(": ") for line in head.decode().split("\r\n")[1:])
    return {name.lower(): value for name, _, value in lines}, body


@pytest.mark.parametrize("secret", SECRETS, ids=["newest", "before"])
def test_the_receiver_can_verify_it_with_either_secret(secret: str) -> None:
    with serve() as server, client() as http:
        result = send(http, server.url, CALLBACK, SECRETS, datetime.now(UTC))
    headers, body = received(server.requests[0])
    assert result.outcome is CallbackOutcome.DELIVERED and result.status == 200
    assert headers["webhook-id"] == "cb_1" and headers["content-type"] == "application/json"
    assert Webhook(secret).verify(body, headers) == {
        "type": "ai_mode.changed",
        "timestamp": "2026-03-02T12:00:00.123000Z",
        "data": {"epoch": 3, "conversation": "c1", "text": "é\n👋"},
    }


def test_every_try_has_the_same_id_and_bytes_and_a_fresh_signed_time() -> None:
    again = Callback(id="cb_1", type=CALLBACK.type, timestamp=HAPPENED, data=dict(reversed(CALLBACK.data.items())))
    now = datetime.now(UTC)
    with serve() as server, client() as http:
        send(http, server.url, CALLBACK, SECRETS, now - timedelta(hours=9))
        send(http, server.url, again, SECRETS, now)
    (first, first_body), (second, second_body) = map(received, server.requests)
    assert first_body == second_body == CALLBACK.body()
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 9 * 3600
    assert Webhook(SECRETS[0]).verify(second_body, second) == json.loads(second_body)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "delivered"), (204, "delivered"), (301, "failed"), (307, "failed"), (400, "failed"), (401, "failed"),
     (404, "failed"), (410, "gone"), (429, "failed"), (500, "failed"), (503, "failed")],
)  # fmt: skip
def test_the_status_decides(status: int, outcome: str) -> None:
    with serve() as elsewhere:
        moved = answering(status, f"location: {elsewhere.url}\r\n")
        with serve(moved) as server, client() as http:
            result = send(http, server.url, CALLBACK, SECRETS, HAPPENED)
        assert (result.outcome, result.status) == (outcome, status)
        assert elsewhere.connections == 0


def test_what_the_receiver_asks_for_is_passed_on() -> None:
    with serve(answering(503, "retry-after: 77\r\n")) as server, client() as http:
        assert send(http, server.url, CALLBACK, SECRETS, HAPPENED).retry_after_s == 77


def test_without_an_answer_it_failed() -> None:
    with serve(lambda peer: peer.close()) as server, client() as http:
        result = send(http, server.url, CALLBACK, SECRETS, HAPPENED)
    assert (result.outcome, result.status) == (CallbackOutcome.FAILED, None)
    with client() as http:
        assert send(http, server.url, CALLBACK, SECRETS, HAPPENED).outcome is CallbackOutcome.FAILED


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "http://93.184.216.34/", "ftp://x.example.com/", "nonsense"])
def test_a_destination_that_is_not_allowed_fails_with_the_reason(url: str) -> None:
    with client() as http:
        result = send(http, url, CALLBACK, SECRETS, HAPPENED)
    assert result.outcome is CallbackOutcome.FAILED and result.detail


@pytest.mark.parametrize(
    "after_the_head",
    [
        b"content-length: 9000000\r\n\r\n" + b"x" * 200_000,
        b"content-length: 9\r\n\r\nhalf",
        b"content-encoding: gzip\r\ncontent-length: 2\r\n\r\nok",
    ],
)
def test_the_body_of_an_answer_does_not_matter(after_the_head: bytes) -> None:
    def script(peer: object) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n" + after_the_head)  # type: ignore[attr-defined]
        peer.close()  # type: ignore[attr-defined]

    with serve(script) as server, client() as http:
        assert send(http, server.url, CALLBACK, SECRETS, HAPPENED).outcome is CallbackOutcome.DELIVERED


def test_callbacks_share_a_connection() -> None:
    with serve(OK) as server, client() as http:
        for _ in range(3):
            send(http, server.url, CALLBACK, SECRETS, HAPPENED)
        assert server.connections == 1


def test_nothing_of_the_message_shows_in_its_representation() -> None:
    assert "👋" not in repr(CALLBACK)


def test_a_try_ends_after_fifteen_seconds() -> None:
    with client() as http:
        assert http.timeouts.total_s == http.timeouts.read_s == 15
