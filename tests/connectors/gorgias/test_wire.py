"""What every bad end of a call becomes. Nothing sleeps, nothing is sent twice, nothing half-read is believed."""

from __future__ import annotations

import json
import socket
import struct
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from handoff_connectors.gorgias import GorgiasConnector
from handoff_sync.contract.connector import CommentDraft, Requester, TicketDraft
from handoff_sync.core.model import Customer, TicketStatus
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
from tests.connectors.gorgias.conftest import CUSTOMER, ME, Script, decoded, rows, scripted
from tests.connectors.zendesk.conftest import MemoryJournal, Spending, StoredSecrets, answer
from tests.loopback import serve

NOTE = CommentDraft(marker="m-1", html="<p>words-canary</p>", public=False)
WORDS = CommentDraft(
    marker="m-2", html="<p>words-canary</p>", public=True, author=Requester(external_id="c", customer=Customer())
)
DRAFT = TicketDraft(
    external_id="hs:acme:1",
    subject="Customer needs your help",
    requester=Requester(
        external_id="acme:c-1", customer=Customer(name="Ana Example", email="ana@example.com", email_verified=True)
    ),
    html="<p>words-canary</p>",
)
TICKET = {
    "id": 35, "status": "open", "customer": {"id": 700}, "external_id": "hs:acme:1", "messages": [],
    "updated_datetime": "2026-03-02T09:14:03.100000+00:00", "tags": [],
}  # fmt: skip
CREATED = {**TICKET, "messages": [{"id": 4000, "external_id": "x"}, {"id": 4001, "external_id": "hs1:hs:acme:1:note"}]}
MESSAGES, TICKETS, ONE = "POST /api/tickets/35/messages", "POST /api/tickets", "GET /api/tickets/35"


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut(connection: socket.socket) -> None:
    connection.sendall(b'HTTP/1.1 201 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"id":')


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 201 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    for _ in range(120):
        connection.sendall(b" " * 50_000)


UNBELIEVABLE: dict[str, bytes | Callable[[socket.socket], None]] = {
    "500": answer(500, {"error": {"msg": "oops"}}),
    "502 html": answer(502, b"<h1>Bad gateway</h1>", kind="text/html"),
    "408": answer(408, {}),
    "html": answer(200, b"<html>Sign in</html>", kind="text/html; charset=utf-8"),
    "not json": answer(201, b"{'a': 1}"),
    "a list": answer(201, [1]),
    "a key twice": answer(201, b'{"id":1,"id":2}'),
    "empty": answer(201, b""),
    "redirect": answer(302, {}, Location="https://elsewhere.example.com/"),
    "redirect to itself": answer(301, b"", Location="/api/tickets/35/"),
    "redirect to a stranger": answer(301, b"", Location="https://elsewhere.example.com/api/tickets/36"),
    "reset": reset,
    "hang-up": lambda connection: None,
    "cut": cut,
    "too long": endless,
}
every_bad_end = pytest.mark.parametrize("said", UNBELIEVABLE.values(), ids=UNBELIEVABLE.keys())


@every_bad_end
def test_a_message_without_a_believable_answer_may_have_been_written(
    said: bytes, gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say(MESSAGES, said)
    with pytest.raises(OutcomeUnknown):
        connector.append("35", NOTE, journal)
    assert len(gorgias.to(MESSAGES)) == 1, "a message is never sent twice"


@every_bad_end
def test_a_read_without_a_believable_answer_is_tried_again_later(
    said: bytes, gorgias: Script, connector: GorgiasConnector
) -> None:
    gorgias.say(ONE, said)
    with pytest.raises(VendorDown):
        connector.read("35", None)


@every_bad_end
def test_no_error_holds_a_secret_or_a_word_of_the_customer(
    said: bytes, gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    gorgias.say(TICKETS, said)
    with pytest.raises(OutcomeUnknown) as raised:
        connector.open(DRAFT, journal)
    told = "".join(traceback.format_exception(raised.value)) + caplog.text
    for canary in ("key-canary", "hook-canary", "words-canary", "ana@example.com", "Ana Example"):
        assert canary not in told.replace(__file__, "")


@pytest.mark.parametrize("status", [500, 502, 503])
def test_absolute_values_may_be_sent_again(status: int, gorgias: Script, connector: GorgiasConnector) -> None:
    gorgias.say("PUT /api/tickets/35", answer(status, {}, Retry_After="9"))
    gorgias.say("POST /api/tickets/35/tags", answer(status, {}))
    gorgias.say("DELETE /api/tickets/35/tags", answer(status, {}))
    with pytest.raises(VendorDown) as down:
        connector.set_status("35", TicketStatus.OPEN, "s")
    assert down.value.retry_after_s == 9.0
    for add, remove in ((("a",), ()), ((), ("a",))):
        with pytest.raises(VendorDown):
            connector.set_tags("35", add, remove, "t")


def test_a_refused_connection_means_that_nothing_was_sent(
    gorgias: Script, secrets: StoredSecrets, journal: MemoryJournal
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nowhere = scripted(gorgias, secrets, base_url=f"http://127.0.0.1:{port}")
    with pytest.raises(VendorDown):
        nowhere.append("35", NOTE, journal)
    nowhere.close()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry_after": "41"}, 41.0),
        ({"Retry_After": "0"}, 1.0),
        ({"Retry_After": "99999"}, 3600.0),
        ({"Retry_After": "soon"}, 10.0),
        ({}, 10.0),
    ],
)
def test_a_rate_limit_ends_at_once_and_keeps_its_wait(
    headers: dict[str, str], wait: float, gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say(MESSAGES, answer(429, **headers))
    started = time.monotonic()
    with pytest.raises(RateLimited) as limited:
        connector.append("35", NOTE, journal)
    assert (limited.value.scope, limited.value.retry_after_s) == ("connection", wait)
    assert time.monotonic() - started < 2
    assert len(gorgias.to(MESSAGES)) == 1


REFUSED = {"error": {"msg": "words-canary", "data": {"messages": {"0": {"sender": ["words-canary is wrong"]}}}}}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (answer(400, REFUSED), VendorRejected),
        (answer(405, {}), VendorRejected),
        (answer(413, b"", kind="text/html"), VendorRejected),
        (answer(422, REFUSED), VendorRejected),
        (answer(409, {"error": {"msg": "The resource already exists."}}), VendorRejected),
        (answer(404, {"error": {"msg": "Resource not found."}}), TicketGone),
        (answer(410, {}), TicketGone),
        (answer(301, b"", Location="/api/tickets/36"), TicketGone),
        (answer(401, {"error": {"msg": "words-canary"}}), VendorAuthError),
        (answer(403, {"error": {"msg": "words-canary"}}), VendorAuthError),
    ],
)
def test_each_refusal_says_who_must_act(
    said: bytes, error: type[HandoffError], gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say(MESSAGES, said)
    with pytest.raises(error) as raised:
        connector.append("35", NOTE, journal)
    assert "words-canary" not in "".join(traceback.format_exception(raised.value)).replace(__file__, "")
    assert len(gorgias.to(MESSAGES)) == 1


def test_a_refusal_names_the_fields_and_no_values(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say(TICKETS, answer(400, REFUSED))
    with pytest.raises(VendorRejected, match=r"messages, sender"):
        connector.open(DRAFT, journal)


# --- a merge -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["/api/tickets/36", "/api/tickets/36/", "/api/tickets/36/messages", "own host"])
def test_a_merge_is_told_by_its_number_and_never_followed(
    at: str, gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    location = f"{gorgias.url}/api/tickets/36" if at == "own host" else at
    gorgias.say(ONE, answer(301, b"", Location=location))
    gorgias.say(MESSAGES, answer(301, b"", Location=location))
    assert connector.read("35", None).merged_into == "36"
    with pytest.raises(TicketGone):
        connector.append("35", NOTE, journal)
    assert [h.target for h in gorgias.heard if "/36" in h.target] == []


def test_a_redirect_is_sent_no_credentials(gorgias: Script, connector: GorgiasConnector) -> None:
    with serve() as elsewhere:
        gorgias.say(ONE, answer(301, b"", Location=f"{elsewhere.url}/api/tickets/36"))
        with pytest.raises(VendorDown):
            connector.read("35", None)
        assert elsewhere.connections == 0


# --- opening, across attempts -------------------------------------------------------------------------


def test_the_request_is_in_the_journal_before_it_is_sent(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say(TICKETS, reset)
    with pytest.raises(OutcomeUnknown):
        connector.open(DRAFT, journal)
    assert json.loads(journal.kept["request"]) == decoded(gorgias.to(TICKETS)[0])


def test_an_attempt_that_sent_nothing_leaves_no_note(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say("GET /api/customers", answer(503, {}))
    with pytest.raises(VendorDown):
        connector.open(DRAFT, journal)
    assert journal.kept == {}


def test_what_may_have_been_sent_is_looked_for_and_then_sent_again_as_it_was(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say(TICKETS, reset, answer(201, CREATED))
    gorgias.say("GET /api/tickets?", rows())
    with pytest.raises(OutcomeUnknown):
        connector.open(DRAFT, journal)
    made = connector.open(replace(DRAFT, subject="Another"), journal)
    first, second = gorgias.to(TICKETS)
    assert first.body == second.body
    assert (made.id, made.comment_id) == ("35", "4001")
    looked = [h.target for h in gorgias.to("GET /api/tickets")]
    assert "external_id=hs%3Aacme%3A1" in looked[0]
    assert "customer_id=700" in looked[1]


def test_a_conflict_leads_to_the_ticket_that_is_there(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say(TICKETS, answer(409, {}))
    gorgias.say("GET /api/tickets?", rows(TICKET))
    assert connector.open(DRAFT, journal).id == "35"


def test_rows_of_other_tickets_are_not_taken_for_ours(gorgias: Script, connector: GorgiasConnector) -> None:
    gorgias.say("GET /api/tickets?", rows({**TICKET, "external_id": "hs:acme:10"}))
    assert connector.find("hs:acme:1") is None


def test_a_yes_in_unknown_words_is_no_certain_yes(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say(TICKETS, answer(201, {"ticket": {"id": "35"}}))
    gorgias.say(MESSAGES, answer(201, {"message": {}}))
    with pytest.raises(OutcomeUnknown):
        connector.open(DRAFT, journal)
    with pytest.raises(OutcomeUnknown):
        connector.append("35", NOTE, journal)


def test_an_address_that_is_taken_leads_to_its_customer(
    gorgias: Script, secrets: StoredSecrets, journal: MemoryJournal
) -> None:
    connector = scripted(gorgias, secrets, attach_customer_email=True)
    known = {**CUSTOMER, "id": 701, "email": "Ana@Example.com"}
    gorgias.say("GET /api/customers", rows())
    gorgias.say("GET /api/customers?limit=100&email", rows(), rows(known))
    gorgias.say("POST /api/customers", answer(409, {}))
    gorgias.say(TICKETS, answer(201, CREATED))
    connector.open(DRAFT, journal)
    assert decoded(gorgias.to(TICKETS)[0])["customer"] == {"id": 701}
    connector.close()


def test_a_ticket_opens_with_documented_fields_only(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say(TICKETS, answer(201, CREATED))
    connector.open(replace(DRAFT, priority="low", group="5", custom_fields={"7": "x"}), journal)
    body = decoded(gorgias.to(TICKETS)[0])
    assert set(body) == {
        "channel", "via", "from_agent", "status", "subject", "external_id", "customer", "tags", "meta", "messages",
        "priority", "assignee_team", "custom_fields",
    }  # fmt: skip
    assert body["customer"] == {"id": 700}, "any more than the id would change the customer"
    for message in body["messages"]:
        assert message["sent_datetime"], "without it Gorgias would send the message"
        assert not {"receiver", "imported"} & set(message)


# --- appending ---------------------------------------------------------------------------------------


def test_a_customers_message_is_not_sent_when_the_ticket_could_not_be_opened(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say(ONE, answer(200, {**TICKET, "status": "closed"}))
    gorgias.say("PUT /api/tickets/35", answer(500, {}))
    with pytest.raises(VendorDown):
        connector.append("35", WORDS, journal)
    assert gorgias.to(MESSAGES) == []


def test_the_tickets_customer_speaks_whoever_agents_made_that(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say(ONE, answer(200, {**TICKET, "customer": {"id": 777}}))
    gorgias.say(MESSAGES, answer(201, {"id": 4002}))
    assert connector.append("35", WORDS, journal).id == "4002"
    (sent,) = gorgias.to(MESSAGES)
    assert decoded(sent)["sender"] == {"id": 777}
    assert decoded(sent)["external_id"] == "hs1:m-2"


def test_the_other_way_to_take_an_assignee_off_is_tried(gorgias: Script, connector: GorgiasConnector) -> None:
    refused = answer(400, {"error": {"msg": "x", "data": {"assignee_user": ["Field may not be null."]}}})
    gorgias.say("PUT /api/tickets/35", refused, answer(202, TICKET))
    connector.set_assignee("35", None, "a")
    assert [decoded(h) for h in gorgias.to("PUT /api/tickets/35")] == [
        {"assignee_user": None},
        {"assignee_user": {"id": None}},
    ]


def test_tags_are_answered_by_nothing(gorgias: Script, connector: GorgiasConnector) -> None:
    gorgias.say("POST /api/tickets/35/tags", answer(201))
    gorgias.say("DELETE /api/tickets/35/tags", b"HTTP/1.1 204 No Content\r\n\r\n")
    connector.set_tags("35", ("a",), ("b",), "t")
    assert [decoded(h) for h in gorgias.heard] == [{"names": ["a"]}, {"names": ["b"]}]


# --- pages and cursors -------------------------------------------------------------------------------


def test_a_list_ends_where_its_cursor_ends(gorgias: Script, connector: GorgiasConnector) -> None:
    gorgias.say("GET /api/messages", rows({"id": 1, "external_id": "hs1:x"}, cursor="more"), rows({"id": 2}))
    assert connector.find_appended("35", "none") is None
    assert "cursor=more" in gorgias.heard[-1].target


def test_a_cursor_that_is_not_taken_any_more_is_replaced(gorgias: Script, connector: GorgiasConnector) -> None:
    event = {"id": 1, "type": "x", "object_type": "Ticket", "object_id": 35, "created_datetime": "2026-03-02T09:50:00Z"}
    now = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    gorgias.say("GET /api/events", rows(event, cursor="c-1"), answer(400, {}), rows(event))
    first = connector.changed(None, now)
    assert (first.ids, first.more) == (("35",), True)
    second = connector.changed(first.cursor, now)
    assert (second.ids, second.more) == (("35",), False)
    assert "2026-03-01T10%3A00%3A00Z" in gorgias.heard[-1].target


def test_an_unhealthy_id_never_becomes_a_path(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    for bad in ("35/../36", "", "٣٥", "35?x=1", "9" * 30):
        with pytest.raises(VendorRejected, match="number"):
            connector.read(bad, None)
    assert gorgias.heard == []


# --- budget, deadline, addresses ---------------------------------------------------------------------


def test_every_call_is_paid_for(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal, spending: Spending
) -> None:
    gorgias.say(TICKETS, answer(201, CREATED))
    gorgias.say(MESSAGES, answer(201, {"id": 1}))
    connector.open(DRAFT, journal)
    connector.append("35", NOTE, journal)
    connector.changed(None, datetime.now(UTC))
    assert spending.spent == ["*"] * 4 + ["events"]
    assert {budget.name for budget in connector.budgets} >= set(spending.spent)
    assert len(gorgias.heard) == 5


def test_the_budget_stays_below_two_calls_a_second(connector: GorgiasConnector) -> None:
    (every,) = (budget for budget in connector.budgets if budget.name == "*")
    assert every.limit / every.window_s < 2
    assert every.limit < 40


def test_an_operation_has_one_deadline(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handoff_sync.contract.deadline.CALL_DEADLINE_S", 10.3)

    def slow(connection: socket.socket) -> None:
        time.sleep(0.4)
        connection.sendall(answer(200, ME))

    gorgias.say("GET /api/users/0", slow)
    with pytest.raises(VendorDown, match="not sent"):
        connector.open(DRAFT, journal)
    assert [h.method for h in gorgias.heard if h.method == "POST"] == []


def test_a_busy_account_lets_the_sweep_wait_and_nothing_else(
    gorgias: Script, connector: GorgiasConnector, journal: MemoryJournal
) -> None:
    gorgias.say(MESSAGES, answer(201, {"id": 1}, X_Gorgias_Account_Api_Call_Limit="35/40"))
    connector.append("35", NOTE, journal)
    with pytest.raises(RateLimited) as waits:
        connector.changed(None, datetime.now(UTC))
    assert waits.value.scope == "ticket"
    connector.append("35", NOTE, journal)


def test_a_name_that_leads_inside_is_never_called(
    secrets: StoredSecrets, gorgias: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything real but the DNS: what the machine's resolver says is what an attacker controls."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: found)
    connector = scripted(gorgias, secrets, base_url=None)
    with pytest.raises(DestinationRefused, match=r"acme\.gorgias\.com"):
        connector.read("35", None)
    connector.close()
