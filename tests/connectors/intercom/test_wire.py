"""What every bad end of a call becomes. Nothing sleeps, nothing is sent twice, nothing half-read is believed."""

from __future__ import annotations

import socket
import struct
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from handoff_connectors.intercom import IntercomConnector
from handoff_connectors.intercom.faults import Asked, fault
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_sync.contract import deadline
from handoff_sync.errors import (
    DestinationRefused,
    HandoffError,
    OutcomeUnknown,
    RateLimited,
    TicketGone,
    VendorAuthError,
    VendorDown,
    VendorRejected,
)
from tests.connectors.intercom.conftest import (
    DRAFT,
    NOTE,
    WORDS,
    Connect,
    MemoryJournal,
    Script,
    Spending,
    StoredSecrets,
    answer,
    problem,
)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut(connection: socket.socket) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"type":')


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    for _ in range(120):
        connection.sendall(b" " * 50_000)


UNBELIEVABLE: dict[str, bytes | Callable[[socket.socket], None]] = {
    "500": problem(500, "server_error"),
    "502 html": answer(502, b"<h1>Bad gateway</h1>", kind="text/html"),
    "503": problem(503, "service_unavailable"),
    "408": problem(408, "request_timeout"),
    "409": problem(409, "resource_conflict"),
    "html": answer(200, b"<html>Sign in</html>", kind="text/html"),
    "not json": answer(200, b"{'a': 1}"),
    "a list": answer(200, [1]),
    "a key twice": answer(200, b'{"id":1,"id":2}'),
    "empty": answer(200, b""),
    "redirect": answer(302, {}, Location="https://elsewhere.example.com/"),
    "reset": reset,
    "hang-up": lambda connection: None,
    "cut": cut,
    "too long": endless,
}


@pytest.mark.parametrize("said", UNBELIEVABLE.values(), ids=UNBELIEVABLE.keys())
def test_a_note_without_a_believable_answer_may_have_been_written(
    said: bytes, intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations/*/reply", said)
    with pytest.raises(OutcomeUnknown):
        connector.append("499", NOTE, journal)
    assert len(intercom.calls("POST")) == 1, "a note is never sent twice"


@pytest.mark.parametrize("said", UNBELIEVABLE.values(), ids=UNBELIEVABLE.keys())
def test_a_read_without_a_believable_answer_is_tried_again_later(
    said: bytes, intercom: Script, connector: IntercomConnector
) -> None:
    intercom.on("GET /conversations/*", said)
    with pytest.raises(VendorDown):
        connector.read("499", None)


def test_a_refused_connection_means_that_nothing_was_sent(connect: Connect, journal: MemoryJournal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(VendorDown):
        connect(base_url=f"http://127.0.0.1:{port}").open(DRAFT, journal)
    assert not journal.get("conversation")


REFUSALS = {
    "401": (problem(401, "unauthorized"), VendorAuthError),
    "401 revoked": (problem(401, "token_revoked"), VendorAuthError),
    "403": (problem(403, "api_plan_restricted"), VendorAuthError),
    "404": (problem(404, "conversation_not_found"), TicketGone),
    "404 of another thing": (problem(404, "admin_not_found"), VendorRejected),
    "406": (problem(406, "media_type_not_acceptable"), VendorRejected),
    "410": (problem(410, "gone"), TicketGone),
    "400": (problem(400, "parameter_invalid"), VendorRejected),
    "422": (problem(422, "unprocessable_entity"), VendorRejected),
    "429": (problem(429, "rate_limit_exceeded"), RateLimited),
}


@pytest.mark.parametrize(("said", "error"), REFUSALS.values(), ids=REFUSALS.keys())
def test_each_refusal_says_who_must_act(
    said: bytes, error: type[HandoffError], intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations/*/reply", said)
    with pytest.raises(error) as raised:
        connector.append("499", NOTE, journal)
    assert (type(raised.value) is VendorRejected) == (error is VendorRejected)
    assert len(intercom.calls("POST")) == 1
    text = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert "canary" not in text, "neither token nor words"
    assert "1f8a-b" in str(raised.value), "Intercom's support asks for the request id"


@pytest.mark.parametrize("said", UNBELIEVABLE.values(), ids=UNBELIEVABLE.keys())
def test_no_error_shows_words_or_secrets(
    said: bytes, intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations", said)
    with pytest.raises(HandoffError) as raised:
        connector.open(DRAFT, journal)
    text = "".join(traceback.format_exception(raised.value))
    for secret in ("canary", "ana@example.com", "acme:c-1", "Ana Example"):
        assert secret not in text


def test_a_slow_intercom_ends_an_operation_in_time_and_the_next_goes_on(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = iter(range(0, 900, 6))
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: float(next(hours))))
    with pytest.raises(VendorDown):
        connector.open(DRAFT, journal)
    assert [heard.call for heard in intercom.heard] == ["POST /contacts"], "no call begins after half of the time"
    monkeypatch.undo()
    assert connector.open(DRAFT, journal).id == "499"


# --- waiting (quirk IC-16) -----------------------------------------------------------------------------------


def waits(**headers: str) -> float:
    lower = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    error = fault(Asked("GET /me", True), 429, lower, None, now=1000.0)
    assert isinstance(error, RateLimited)
    return error.retry_after_s


def test_the_wait_is_what_intercom_asks_for() -> None:
    assert waits(Retry_After="7", X_RateLimit_Reset="1900") == 7.0
    assert waits(X_RateLimit_Reset="1009") == 9.0
    assert waits(X_RateLimit_Reset="900") == 1.0, "a window that is over"
    assert waits(X_RateLimit_Reset="99999999999") == 3600.0
    assert waits(X_RateLimit_Reset="soon") == 10.0
    assert waits(Retry_After="nan") == 10.0
    assert waits() == 10.0


def test_a_limit_ends_at_once_and_says_whose_it_is(intercom: Script, connector: IntercomConnector) -> None:
    for code, scope in (("rate_limit_exceeded", "connection"), ("too_many_requests", "ticket")):
        intercom.on("GET /conversations/*", problem(429, code, retry_after="30"))
        started = time.monotonic()
        with pytest.raises(RateLimited) as raised:
            connector.read("499", None)
        assert (raised.value.scope, raised.value.retry_after_s) == (scope, 30.0)
        assert time.monotonic() - started < 5


def test_a_busy_intercom_says_when_to_come_back(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("GET /conversations/*", problem(503, "service_unavailable", retry_after="120"))
    with pytest.raises(VendorDown) as raised:
        connector.read("499", None)
    assert raised.value.retry_after_s == 120.0


# --- signing in --------------------------------------------------------------------------------------------------


def test_an_oauth_code_becomes_a_token_once(intercom: Script, spending: Spending) -> None:
    stored = StoredSecrets(oauth_code="code-canary", client_secret="sign-canary")
    settings = IntercomSettings(base_url=intercom.url, auth="oauth", client_id="app-1", admin_id="1", workspace_id="w")
    intercom.on("POST /auth/eagle/token", {"token_type": "Bearer", "access_token": "fresh"})
    connector = IntercomConnector(settings, stored, spending)
    connector.read("499", None)
    connector.read("499", None)
    connector.close()
    (exchange,) = intercom.calls("POST /auth")
    assert exchange.json == {"code": "code-canary", "client_id": "app-1", "client_secret": "sign-canary"}
    assert "authorization" not in exchange.headers
    assert [heard.headers["authorization"] for heard in intercom.calls("GET")] == ["Bearer fresh"] * 2
    assert stored.secrets["access_token"] == "fresh"


def test_a_new_code_replaces_the_token(intercom: Script, spending: Spending) -> None:
    stored = StoredSecrets(oauth_code="first", client_secret="sign-canary")
    settings = IntercomSettings(base_url=intercom.url, auth="oauth", client_id="app-1", admin_id="1", workspace_id="w")
    intercom.on("POST /auth/eagle/token", {"access_token": "fresh"}, {"access_token": "fresher"})
    connector = IntercomConnector(settings, stored, spending)
    connector.read("499", None)
    stored.secrets = {**stored.secrets, "oauth_code": "second"}
    connector.read("499", None)
    connector.close()
    assert [heard.headers["authorization"] for heard in intercom.calls("GET")] == ["Bearer fresh", "Bearer fresher"]


@pytest.mark.parametrize("said", [problem(401, "invalid_grant"), answer(200, {"error": "code-canary"})])
def test_a_spent_code_needs_a_person(said: bytes, intercom: Script, spending: Spending) -> None:
    stored = StoredSecrets(oauth_code="code-canary", client_secret="sign-canary")
    settings = IntercomSettings(base_url=intercom.url, auth="oauth", client_id="app-1")
    intercom.on("POST /auth/eagle/token", said)
    connector = IntercomConnector(settings, stored, spending)
    with pytest.raises(VendorAuthError) as raised:
        connector.read("499", None)
    connector.close()
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("auth", ["access_token", "oauth"])
def test_without_a_token_nothing_is_sent(auth: str, intercom: Script, spending: Spending) -> None:
    settings = IntercomSettings(base_url=intercom.url, auth=auth, client_id="app-1")
    connector = IntercomConnector(settings, StoredSecrets(), spending)
    with pytest.raises(VendorAuthError):
        connector.read("499", None)
    connector.close()
    assert (intercom.heard, spending.spent) == ([], [])


def test_only_this_machine_is_called_without_tls(secrets: StoredSecrets, spending: Spending) -> None:
    settings = IntercomSettings(base_url="http://169.254.169.254", allow_private=True)
    connector = IntercomConnector(settings, secrets, spending)
    with pytest.raises(DestinationRefused):
        connector.read("499", None)
    connector.close()


def test_words_go_to_the_body_alone(intercom: Script, connector: IntercomConnector, journal: MemoryJournal) -> None:
    connector.open(DRAFT, journal)
    with pytest.raises(OutcomeUnknown):
        connector.append("499", WORDS, MemoryJournal())
    for heard in intercom.heard:
        assert "canary" not in heard.call
        assert "acme" not in heard.call
