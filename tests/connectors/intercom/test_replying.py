"""Something is said once: as the customer in plain text, as us in an internal note, and never to the customer."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from handoff_connectors.intercom import IntercomConnector
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import OutcomeUnknown, TicketClosed, TicketGone, VendorDown, VendorRejected
from tests.connectors.intercom.conftest import (
    ANA_ID,
    JOE,
    NOTE,
    US,
    WORDS,
    Connect,
    MemoryJournal,
    Script,
    answer,
    conversation,
    part,
    problem,
    tagged,
)

BEFORE = part(5, "comment", f"user:{ANA_ID}", body="<p>Any news? words-canary</p>")
SAID = part(7, "comment", f"user:{ANA_ID}", body="<p>Any  news?\n words-canary</p>")
ELSE = part(8, "comment", "admin:274", body="<p>Hello</p>")


def hang_up(connection: socket.socket) -> None:
    pass


def replies(intercom: Script) -> list[dict[str, object]]:
    return [heard.json for heard in intercom.calls("POST /conversations/499/reply")]


def test_the_customer_speaks_as_themselves_in_plain_text(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations/*/reply", conversation(BEFORE, SAID, ELSE))
    hostile = replace(WORDS, html='<p dir="auto">1 &lt; 2 &amp; &#123;&#123;name&#125;&#125;<br>Any news?</p>')
    assert connector.append("499", hostile, journal).id == "7"
    assert replies(intercom) == [
        {"message_type": "comment", "type": "user", "intercom_user_id": ANA_ID, "body": "1 < 2 & {{name}}\nAny news?"}
    ]


@pytest.mark.parametrize("public", [True, False])
def test_what_we_say_is_an_internal_note_whatever_it_is(
    public: bool, intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations/*/reply", conversation(part(9, "note", f"admin:{US}", body=NOTE.html)))
    assert connector.append("499", replace(NOTE, public=public), journal).id == "9"
    (said,) = replies(intercom)
    assert (said["message_type"], said["type"], said["skip_notifications"]) == ("note", "admin", True)
    assert said["body"] == "<p>words-canary of a note</p>"


def test_the_conversation_is_read_once_and_then_followed(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations/*/reply", conversation(SAID), conversation(part(9, "note", f"admin:{US}")))
    connector.append("499", WORDS, journal)
    connector.append("499", NOTE, journal)
    assert len(intercom.calls("GET /conversations/499")) == 1


def test_words_in_a_conversation_that_was_merged_away_are_to_be_said_in_the_other(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    """Quirk IC-13: no webhook tells of a merge, so we may learn of it by our own reply, which opened it again."""
    marker = part(6, "merged_secondary_conversation", "bot:1")
    opened = part(7, "open", f"user:{ANA_ID}", body=SAID["body"])
    taken = conversation(part(8, "merged_primary_conversation", "bot:1"), id="600")
    after = {**conversation(marker, opened), "linked_objects": {"data": [{"type": "conversation", "id": "600"}]}}
    intercom.on("POST /conversations/*/reply", after)
    intercom.on("GET /conversations/600", taken)
    for _ in range(2):
        with pytest.raises(TicketClosed):
            connector.append("499", WORDS, journal)
        intercom.on("GET /conversations/499", after)
    assert len(replies(intercom)) == 1
    closings = [heard.json["message_type"] for heard in intercom.calls("POST /conversations/499/parts")]
    assert closings == ["close", "close"], "as the merge left it"


def test_of_several_contacts_the_customer_speaks(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    both = {"contacts": [{"id": "c" * 24, "external_id": None}, {"id": ANA_ID, "external_id": "acme:c-1"}]}
    intercom.on("GET /conversations/*", conversation(contacts=both))
    intercom.on("POST /conversations/*/reply", conversation(SAID))
    connector.append("499", WORDS, journal)
    assert replies(intercom)[0]["intercom_user_id"] == ANA_ID


# --- an uncertain end (quirk IC-11) ------------------------------------------------------------------------


def lost(intercom: Script, connector: IntercomConnector, journal: MemoryJournal) -> None:
    intercom.on("GET /conversations/*", conversation(BEFORE))
    intercom.on("POST /conversations/*/reply", hang_up)
    with pytest.raises(OutcomeUnknown):
        connector.append("499", WORDS, journal)


def test_a_lost_reply_is_told_by_author_text_and_place(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    lost(intercom, connector, journal)
    assert connector.find_appended("499", "m-1") is None, "the same words from before are another message"
    intercom.on("GET /conversations/*", conversation(BEFORE, SAID, ELSE))
    found = connector.find_appended("499", "m-1")
    assert found is not None
    assert found.id == "7"
    assert connector.find_appended("499", "m-9") is None


def test_another_process_finds_a_lost_reply_by_the_journal(
    intercom: Script, connector: IntercomConnector, connect: Connect, journal: MemoryJournal
) -> None:
    lost(intercom, connector, journal)
    intercom.on("GET /conversations/*", conversation(BEFORE, SAID, ELSE))
    other = connect()
    assert other.find_appended("499", "m-1") is None
    assert other.append("499", WORDS, journal).id == "7"
    assert len(replies(intercom)) == 1
    assert "canary" not in json.dumps(journal.kept)


def test_a_reply_that_was_really_lost_is_said_again(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    lost(intercom, connector, journal)
    intercom.on("POST /conversations/*/reply", conversation(BEFORE, SAID))
    assert connector.append("499", WORDS, journal).id == "7"
    assert len(replies(intercom)) == 2


def test_words_that_intercom_rewrites_are_told_by_the_answer(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("GET /conversations/*", conversation(BEFORE))
    reworded = part(7, "comment", f"user:{ANA_ID}", body="<p>Any news? 🙂</p>")
    intercom.on("POST /conversations/*/reply", conversation(BEFORE, reworded, ELSE))
    assert connector.append("499", WORDS, journal).id == "7"


def test_an_answer_without_our_part_is_uncertain(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations/*/reply", conversation(ELSE))
    with pytest.raises(OutcomeUnknown):
        connector.append("499", WORDS, journal)


# --- whom Intercom does not let speak ------------------------------------------------------------------------

NOT_THEY = [problem(404, "not_found", "User Not Found"), problem(400, "parameter_invalid")]


@pytest.mark.parametrize("said", NOT_THEY, ids=["unknown", "refused"])
def test_a_merged_contact_speaks_as_the_one_they_became(
    said: bytes, intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    now = {"contacts": [{"id": "d" * 24, "external_id": "acme:c-1"}]}
    intercom.on("GET /conversations/*", conversation(), conversation(contacts=now))
    made = part(7, "comment", f"user:{'d' * 24}", body="<p>Any news? words-canary</p>")
    intercom.on("POST /conversations/*/reply", said, conversation(made))
    assert connector.append("499", WORDS, journal).id == "7"
    assert [said["intercom_user_id"] for said in replies(intercom)] == [ANA_ID, "d" * 24]


@pytest.mark.parametrize("said", NOT_THEY, ids=["unknown", "refused"])
def test_for_a_customer_who_is_refused_we_speak_and_open_again(
    said: bytes, intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    made = part(9, "note", f"admin:{US}", body="<p>…</p>")
    intercom.on("POST /conversations/*/reply", said, conversation(made, state="closed"))
    assert connector.append("499", WORDS, journal).id == "9"
    note = replies(intercom)[1]
    assert note["message_type"] == "note"
    assert note["body"] == "<p><b>Ana Example</b></p><p>Any news? words-canary</p>"
    assert intercom.calls("POST /conversations/499/parts")[0].json == {"message_type": "open", "admin_id": US}


def test_a_deleted_conversation_is_gone(intercom: Script, connector: IntercomConnector, journal: MemoryJournal) -> None:
    intercom.on("POST /conversations/*/reply", problem(404, "not_found", "Conversation not found"))
    with pytest.raises(TicketGone):
        connector.append("499", WORDS, journal)
    intercom.on("GET /conversations/*", problem(404, "conversation_not_found"))
    with pytest.raises(TicketGone):
        connector.append("500", WORDS, journal)


@pytest.mark.parametrize("ticket", ["last", "499/parts", "", "499?x=1", "٤"])
def test_only_a_number_names_a_conversation(
    ticket: str, intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: connector.append(ticket, NOTE, journal),
        lambda: connector.read(ticket, None),
        lambda: connector.find_appended(ticket, "m"),
        lambda: connector.set_status(ticket, TicketStatus.SOLVED, "m"),
        lambda: connector.set_assignee(ticket, JOE, "m"),
        lambda: connector.set_tags(ticket, ("a",), (), "m"),
    ]
    for call in calls:
        with pytest.raises(VendorRejected):
            call()
    assert intercom.heard == []


# --- status, assignee, tags: only what is not so already -------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "wanted", "action"),
    [
        ("open", TicketStatus.SOLVED, {"message_type": "close", "type": "admin", "admin_id": US}),
        ("snoozed", TicketStatus.CLOSED, {"message_type": "close", "type": "admin", "admin_id": US}),
        ("closed", TicketStatus.OPEN, {"message_type": "open", "admin_id": US}),
        ("snoozed", TicketStatus.WAITING_CUSTOMER, {"message_type": "open", "admin_id": US}),
        ("open", TicketStatus.OPEN, None),
        ("open", TicketStatus.WAITING_CUSTOMER, None),
        ("closed", TicketStatus.SOLVED, None),
        ("snoozed", TicketStatus.ON_HOLD, None),
    ],
)
def test_a_status_is_an_action_without_words(
    now: str, wanted: TicketStatus, action: object, intercom: Script, connector: IntercomConnector
) -> None:
    intercom.on("GET /conversations/*", conversation(state=now))
    connector.set_status("499", wanted, "m")
    assert [heard.json for heard in intercom.calls("POST /conversations/499/parts")] == ([action] if action else [])


def test_on_hold_is_snoozed_for_a_day(intercom: Script, connector: IntercomConnector) -> None:
    connector.set_status("499", TicketStatus.ON_HOLD, "m")
    (said,) = intercom.calls("POST /conversations/499/parts")
    assert said.json["message_type"] == "snoozed"
    assert said.json["snoozed_until"] > 1_700_000_000


def test_an_assignee_is_given_once_and_taken_off_as_zero(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("GET /conversations/*", conversation(admin_assignee_id=int(JOE)))
    connector.set_assignee("499", JOE, "m")
    assert intercom.calls("POST") == []
    connector.set_assignee("499", None, "m")
    assert intercom.calls("POST")[0].json == {
        "message_type": "assignment", "type": "admin", "admin_id": US, "assignee_id": "0",
    }  # fmt: skip
    with pytest.raises(VendorRejected):
        connector.set_assignee("499", "joe@example.com", "m")


def test_tags_of_agents_stay(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("GET /conversations/*", conversation(tags=tagged("VIP", "ai_paused")))
    intercom.on("DELETE /conversations/499/tags/71", {"type": "tag", "id": "71"})
    connector.set_tags("499", ("vip", " ai  active "), ("ai_paused", "never there"), "m")
    assert [heard.json for heard in intercom.calls("POST")] == [{"name": "ai active"}, {"id": "70", "admin_id": US}]
    assert [heard.json for heard in intercom.calls("DELETE")] == [{"admin_id": US}]


def test_a_tag_that_was_deleted_meanwhile_is_made_again(intercom: Script, connector: IntercomConnector) -> None:
    connector.set_tags("499", ("ai_active",), (), "m")
    intercom.on("POST /tags", {"type": "tag", "id": "90"})
    intercom.on("POST /conversations/*/tags", problem(404, "tag_not_found"), {"type": "tag", "id": "90"})
    connector.set_tags("499", ("ai_active",), (), "m")
    assert intercom.calls("POST /conversations/499/tags")[-1].json["id"] == "90"


def test_what_can_be_done_twice_is_tried_again(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("POST /conversations/*/parts", answer(502, b"<h1>Bad gateway</h1>", kind="text/html"))
    with pytest.raises(VendorDown):
        connector.set_status("499", TicketStatus.SOLVED, "m")
