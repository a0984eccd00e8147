"""What every bad end of a call becomes. Nothing sleeps, nothing is sent twice, nothing half-read is believed."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from handoff_connectors.zendesk import ZendeskConnector
from handoff_sync.contract.connector import CommentDraft, Requester, TicketDraft
from handoff_sync.core.model import Customer, TicketStatus
from handoff_sync.errors import (
    HandoffError,
    OutcomeUnknown,
    RateLimited,
    TicketClosed,
    TicketFull,
    TicketGone,
    VendorAuthError,
    VendorDown,
    VendorRejected,
)
from tests.connectors.zendesk.conftest import ME, MemoryJournal, Script, Spending, answer

NOTE = CommentDraft(marker="m-1", html="<p>words-canary</p>", public=False)
DRAFT = TicketDraft(
    external_id="hs:acme:1",
    subject="Customer needs your help",
    requester=Requester(
        external_id="acme:c-1",
        customer=Customer(name="Ana Example", email="ana@example.com", email_verified=True),
    ),
    html="<p>words-canary</p>",
)
CREATED = {
    "ticket": {"id": 35, "requester_id": 77},
    "audit": {"events": [{"type": "Comment", "id": 4001}]},
}


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut(connection: socket.socket) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"ticket":')


def cut_chunk(connection: socket.socket) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head + b'9\r\n{"ticket"\r\n')


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    for _ in range(120):
        connection.sendall(b" " * 50_000)


HTML = answer(200, b"<html>Sign in</html>", kind="text/html; charset=utf-8")
UNBELIEVABLE: dict[str, bytes | Callable[[socket.socket], None]] = {
    "500": answer(500, {"error": "oops"}),
    "502 html": answer(502, b"<h1>Bad gateway</h1>", kind="text/html"),
    "408": answer(408, {}),
    "html": HTML,
    "not json": answer(200, b"{'a': 1}"),
    "a list": answer(200, [1]),
    "a key twice": answer(200, b'{"ticket":{},"ticket":{}}'),
    "empty": answer(200, b""),
    "redirect": answer(302, {}, Location="https://elsewhere.example.com/"),
    "reset": reset,
    "hang-up": lambda connection: None,
    "cut": cut,
    "cut chunks": cut_chunk,
    "too long": endless,
}


@pytest.mark.parametrize("said", UNBELIEVABLE.values(), ids=UNBELIEVABLE.keys())
def test_a_comment_without_a_believable_answer_may_have_been_written(
    said: bytes, zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal
) -> None:
    zendesk.say(said)
    with pytest.raises(OutcomeUnknown):
        connector.append("35", NOTE, journal)
    assert len(zendesk.heard) == 1, "a comment is never sent twice"


@pytest.mark.parametrize("said", UNBELIEVABLE.values(), ids=UNBELIEVABLE.keys())
def test_a_read_without_a_believable_answer_is_tried_again_later(
    said: bytes, zendesk: Script, connector: ZendeskConnector
) -> None:
    zendesk.say(said)
    with pytest.raises(VendorDown):
        connector.read("35", None)


def test_a_status_may_be_sent_again(zendesk: Script, connector: ZendeskConnector) -> None:
    zendesk.say(answer(500, {}))
    with pytest.raises(VendorDown):
        connector.set_status("35", TicketStatus.OPEN, "m-2")


def test_a_refused_connection_means_that_nothing_was_sent(
    connector: ZendeskConnector, zendesk: Script, journal: MemoryJournal
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nowhere = ZendeskConnector(
        connector._settings.model_copy(update={"base_url": f"http://127.0.0.1:{port}"}),
        connector._credentials,
        connector._api._limiter,
    )
    with pytest.raises(VendorDown, match="nothing was sent"):
        nowhere.append("35", NOTE, journal)


@pytest.mark.parametrize(
    ("headers", "body", "scope", "wait"),
    [
        ({"Retry_After": "41"}, {"error": "APIRateLimitExceeded"}, "connection", 41.0),
        (
            {"Retry_After": "7", "zendesk_ratelimit_per_ticket_updates": "total=30; remaining=0; resets=468"},
            {"error": "APIRateLimitExceeded"}, "ticket", 468.0,
        ),
        ({"Retry_After": "99999"}, {}, "connection", 3600.0),
        ({"Retry_After": "soon"}, {}, "connection", 10.0),
        ({}, {}, "connection", 10.0),
    ],
)  # fmt: skip
def test_a_rate_limit_ends_at_once_and_says_whose_it_is(
    headers: dict[str, str], body: object, scope: str, wait: float,
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal,
) -> None:  # fmt: skip
    zendesk.say(answer(429, body, **headers))
    started = time.monotonic()
    with pytest.raises(RateLimited) as limited:
        connector.append("35", NOTE, journal)
    assert (limited.value.scope, limited.value.retry_after_s) == (scope, wait)
    assert time.monotonic() - started < 1
    assert len(zendesk.heard) == 1


def test_the_plain_text_limit_of_users_parks_one_lane_and_is_not_repeated_to_anyone(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal
) -> None:
    unvouched = replace(DRAFT, requester=Requester(external_id="acme:c-2", customer=Customer(name="Bo Example")))
    text = b"You have exceeded the rate limit. user email: bo@example.com id: 5 external_id: acme:c-2"
    zendesk.say(answer(429, text, kind="text/plain", Retry_After="20"))
    with pytest.raises(RateLimited) as limited:
        connector.open(unvouched, journal)
    assert limited.value.scope == "ticket"
    assert "bo@example.com" not in str(limited.value)


def _refused(*texts: str, field: str = "base") -> bytes:
    return answer(422, {"error": "RecordInvalid", "details": {field: [{"description": text} for text in texts]}})


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (_refused("Status: closed prevents ticket update", field="status"), TicketClosed),
        (_refused("Status: closed prevents ticket update"), TicketClosed),
        (_refused("Comment: the limit of 5000 comments is reached"), TicketFull),
        (_refused("Priority: words-canary is invalid", field="priority"), VendorRejected),
        (answer(400, {"error": "BadRequest"}), VendorRejected),
        (answer(404, {"error": "RecordNotFound", "description": "Not found"}), TicketGone),
        (answer(410, {}), TicketGone),
        (answer(401, {"error": "Couldn't authenticate you"}), VendorAuthError),
        (answer(403, {"error": {"title": "Forbidden", "message": "words-canary"}}), VendorAuthError),
        (answer(409, {"error": "UpdateConflict"}), VendorDown),
    ],
)
def test_each_refusal_says_who_must_act(
    said: bytes, error: type[HandoffError], zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal
) -> None:
    zendesk.say(said)
    with pytest.raises(error) as raised:
        connector.append("35", NOTE, journal)
    assert error is VendorRejected or type(raised.value) is error


def test_a_refusal_names_the_fields_and_no_values(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal
) -> None:
    zendesk.say(_refused("Priority: words-canary is invalid", field="priority"))
    with pytest.raises(VendorRejected) as raised:
        connector.append("35", NOTE, journal)
    assert "priority" in str(raised.value)
    assert "words-canary" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("said", UNBELIEVABLE.values(), ids=UNBELIEVABLE.keys())
def test_no_error_holds_a_secret_or_a_word_of_the_customer(
    said: bytes, zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="zenpy")
    zendesk.say(answer(200, ME), said)
    with pytest.raises(HandoffError) as raised:
        connector.open(DRAFT, journal)
    told = "".join(traceback.format_exception(raised.value)) + caplog.text
    for canary in ("tok-canary", "words-canary", "ana@example.com", "Ana Example"):
        assert canary not in told.replace(__file__, "")


def test_a_repeat_is_byte_for_byte_the_same_under_the_same_key(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal
) -> None:
    zendesk.say(answer(200, ME), answer(500, {}), answer(201, CREATED, x_idempotency_lookup="hit"))
    with pytest.raises(OutcomeUnknown):
        connector.open(DRAFT, journal)
    opened = connector.open(replace(DRAFT, html="<p>other words</p>", subject="Another"), journal)
    first, second = (heard for heard in zendesk.heard if heard.method == "POST")
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == DRAFT.external_id
    assert (opened.id, opened.comment_id) == ("35", "4001")


def test_the_request_is_in_the_journal_before_it_is_sent(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal
) -> None:
    zendesk.say(answer(200, ME), reset)
    with pytest.raises(OutcomeUnknown):
        connector.open(DRAFT, journal)
    assert json.loads(journal.kept["request"])["body"].encode() == zendesk.heard[-1].body


def test_a_yes_in_unknown_words_is_no_certain_yes(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal
) -> None:
    zendesk.say(answer(200, ME), answer(201, {"ticket": {"id": "35"}}), answer(200, {"ticket": {}}))
    with pytest.raises(OutcomeUnknown):
        connector.open(DRAFT, journal)
    with pytest.raises(OutcomeUnknown):
        connector.append("35", NOTE, journal)


def test_an_old_request_is_looked_for_before_it_is_sent_again(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal
) -> None:
    journal.put("request", json.dumps({"key": DRAFT.external_id, "at": int(time.time()) - 6_001, "body": "{}"}))
    there = {"id": 41, "external_id": DRAFT.external_id, "status": "open"}
    zendesk.say(answer(200, {"tickets": [there], "meta": {"has_more": False}}))
    assert connector.open(DRAFT, journal).id == "41"
    assert [heard.method for heard in zendesk.heard] == ["GET"]
    assert "external_id=hs%3Aacme%3A1" in zendesk.heard[0].target


def test_a_key_that_was_used_with_other_bytes_leads_to_the_ticket_that_is_there(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal
) -> None:
    there = {"id": 41, "external_id": DRAFT.external_id, "status": "open"}
    zendesk.say(
        answer(200, ME),
        answer(400, {"error": "IdempotentRequestError"}),
        answer(200, {"tickets": [there], "meta": {"has_more": False}}),
    )
    assert connector.open(DRAFT, journal).id == "41"


def test_after_a_refusal_other_fields_may_be_sent(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal
) -> None:
    none = answer(200, {"tickets": [], "meta": {"has_more": False}})
    zendesk.say(answer(200, ME), _refused("Group: is invalid", field="group_id"), none, answer(201, CREATED))
    with pytest.raises(VendorRejected):
        connector.open(replace(DRAFT, group="5"), journal)
    connector.open(replace(DRAFT, group="6"), journal)
    assert zendesk.heard[-1].json["ticket"]["group_id"] == 6


def test_credentials_go_to_the_account_alone(zendesk: Script, connector: ZendeskConnector) -> None:
    zendesk.say(answer(200, {"tickets": [], "meta": {"has_more": False}}))
    connector.find("x")
    heard = zendesk.heard[0]
    assert heard.headers["host"] == "acme.zendesk.com"
    assert heard.headers["authorization"].startswith("Basic ")
    assert "cookie" not in heard.headers
    assert set(connector._api._session.adapters) == {"https://acme.zendesk.com/"}


def test_zenpys_switches_of_the_environment_lead_nowhere(
    zendesk: Script, connector: ZendeskConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would send our credentials to another host."""
    monkeypatch.setenv("ZENPY_FORCE_SCHEME", "http")
    monkeypatch.setenv("ZENPY_FORCE_NETLOC", f"127.0.0.1:{zendesk.port}")
    zendesk.say(answer(200, ME))
    with pytest.raises(VendorDown):
        connector.read("35", None)
    assert zendesk.heard == []


def test_silence_ends_the_call(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handoff_connectors.zendesk.guard.READ_TIMEOUT_S", 0.2)
    over = threading.Event()
    zendesk.say(lambda connection: over.wait(5))
    with pytest.raises(OutcomeUnknown, match="ReadTimeout"):
        connector.append("35", NOTE, journal)
    with pytest.raises(VendorDown, match="ReadTimeout"):
        connector.find("x")
    over.set()


def test_an_operation_has_one_deadline(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handoff_sync.contract.deadline.CALL_DEADLINE_S", 0.8)

    def slow(connection: socket.socket) -> None:
        time.sleep(0.5)
        connection.sendall(answer(200, ME))

    zendesk.say(slow)
    with pytest.raises(VendorDown, match="not sent"):
        connector.open(DRAFT, journal)
    assert [heard.method for heard in zendesk.heard] == ["GET"], "the ticket was not sent with no time left"


def test_a_trickling_answer_meets_the_deadline(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handoff_sync.contract.deadline.CALL_DEADLINE_S", 0.8)

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n")
        for _ in range(60):
            connection.sendall(b" ")
            time.sleep(0.05)

    zendesk.say(trickle)
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="too slow"):
        connector.append("35", NOTE, journal)
    assert time.monotonic() - started < 2


def test_compressed_and_chunked_answers_are_read_whole(zendesk: Script, connector: ZendeskConnector) -> None:
    there = {"id": 41, "external_id": "x", "status": "open"}
    packed = gzip.compress(json.dumps({"tickets": [there], "meta": {"has_more": False}}).encode())
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (packed[:20], packed[20:], b""))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    zendesk.say(head + b"Content-Encoding: gzip\r\n\r\n" + chunks)
    found = connector.find("x")
    assert found is not None
    assert found.id == "41"


def test_an_export_page_that_is_too_big_is_asked_for_in_smaller_parts(
    zendesk: Script, connector: ZendeskConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handoff_connectors.zendesk.api.MAX_EXPORT", 1000)
    page = {"tickets": [{"id": 7}], "after_cursor": "abc", "end_of_stream": True}
    zendesk.say(answer(200, {"tickets": [], "filler": "x" * 2000}), answer(200, page))
    changed = connector.changed("after:xyz", datetime.now(UTC))
    assert (changed.ids, changed.cursor, changed.more) == (("7",), "after:abc", False)
    assert [heard.target.partition("per_page=")[2] for heard in zendesk.heard] == ["500", "50"]


def test_a_cursor_that_is_not_taken_any_more_is_replaced(zendesk: Script, connector: ZendeskConnector) -> None:
    page = {"tickets": [], "after_cursor": None, "end_of_stream": True}
    zendesk.say(answer(400, {"error": "InvalidCursor"}), answer(200, page))
    changed = connector.changed("after:gone", datetime.fromtimestamp(1_700_086_400, UTC))
    assert changed.cursor == "from:1700000000"
    assert "start_time=1700000000" in zendesk.heard[-1].target
    zendesk.say(answer(400, {"error": "BadRequest"}))
    with pytest.raises(VendorRejected):
        connector.changed(changed.cursor, datetime.now(UTC))


def test_an_unhealthy_id_never_becomes_a_path(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal
) -> None:
    with pytest.raises(VendorRejected, match="number"):
        connector.append("35/../36", NOTE, journal)
    assert zendesk.heard == []


def test_every_call_is_paid_for(
    zendesk: Script, connector: ZendeskConnector, journal: MemoryJournal, spending: Spending
) -> None:
    zendesk.say(answer(200, ME), answer(201, CREATED), answer(200, CREATED))
    connector.open(DRAFT, journal)
    connector.append("35", NOTE, journal)
    assert spending.spent == ["*", "*", "ticket_update"]
    assert {budget.name for budget in connector.budgets} >= set(spending.spent)
