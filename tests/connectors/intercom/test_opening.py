"""A conversation is opened once, in words that the customer may read, and furnished with what only agents may."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from handoff_connectors.intercom import IntercomConnector
from handoff_sync.contract.connector import TicketRef
from handoff_sync.core.model import AuthorClass, Message
from handoff_sync.errors import OutcomeUnknown, RateLimited, VendorAuthError, VendorDown, VendorRejected
from tests.connectors.intercom.conftest import (
    ANA_ID,
    CONTACT,
    DRAFT,
    NOON,
    TEAM,
    US,
    WORD,
    Connect,
    MemoryJournal,
    Script,
    Sign,
    answer,
    conversation,
    found,
    part,
    problem,
    tagged,
)

OURS = part(9, "note", f"admin:{US}", body="<p><b>Why</b><br>words-canary</p>")
ELSE = part(10, "comment", "admin:274", body="<p>Hello</p>")


def hang_up(connection: socket.socket) -> None:
    pass


def test_the_customer_reads_neutral_words_and_agents_the_transcript(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations/*/reply", conversation(OURS, ELSE))
    ref = connector.open(DRAFT, journal)
    assert ref == TicketRef(
        id="499", url="https://app.intercom.com/a/inbox/acme1/inbox/conversation/499", comment_id="9"
    )
    assert intercom.names() == [
        "POST /contacts", "POST /conversations", "PUT /conversations/499", "POST /conversations/499/reply",
        "POST /tags", "POST /conversations/499/tags",
    ]  # fmt: skip
    created, titled, noted = (intercom.heard[n].json for n in (1, 2, 3))
    assert created == {
        "from": {"type": "user", "id": ANA_ID},
        "body": f"I would like to talk to a person.\n\nReference: {WORD}",
    }
    assert titled == {"title": DRAFT.subject}
    assert noted == {
        "message_type": "note", "type": "admin", "admin_id": US, "skip_notifications": True,
        "body": "<p><b>Why</b><br>words-canary</p>",
    }  # fmt: skip
    assert intercom.heard[-1].json == {"id": "70", "admin_id": US}
    assert {heard.headers["intercom-version"] for heard in intercom.heard} == {"2.16"}


def message(text: str, by: AuthorClass = AuthorClass.CUSTOMER) -> Message:
    return Message(id=text, author_class=by, text=text, at=datetime.fromtimestamp(NOON, UTC))


TALKS = {
    "last words": ((message("Hi"), message("Sure?", AuthorClass.AI), message("A <person>!\n\nNow")),
                   "A <person>!\n\nNow"),
    "then the chat": ((message("Hi"), message("words of a machine", AuthorClass.AI)), "Hi"),
    "then a file": ((message("Hi"), message(" ")), "Hi"),
    "a book": ((message("x" * 9000),), "x" * 5000),
    "no customer": ((message("words of a machine", AuthorClass.AI),), "I would like to talk to a person."),
}  # fmt: skip


@pytest.mark.parametrize(("said", "words"), TALKS.values(), ids=TALKS.keys())
def test_a_conversation_begins_with_the_customers_own_last_words(
    said: tuple[Message, ...], words: str, intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    connector.open(replace(DRAFT, said=said), journal)
    assert intercom.calls("POST /conversations")[0].json["body"] == f"{words}\n\nReference: {WORD}"


def test_team_attributes_priority_and_predecessor_find_their_places(
    intercom: Script, connect: Connect, journal: MemoryJournal
) -> None:
    asked = replace(DRAFT, group=TEAM, custom_fields={"plan": "gold"}, priority="high", follow_up_of="450")
    connect(reference_attribute="handoff_id").open(asked, journal)
    changed = intercom.calls("PUT")[0].json
    assert changed["custom_attributes"] == {"plan": "gold", "handoff_id": "hs:acme:1"}
    assert intercom.calls("POST /conversations/499/parts")[0].json == {
        "message_type": "assignment", "type": "team", "admin_id": US, "assignee_id": TEAM,
    }  # fmt: skip
    note = intercom.calls("POST /conversations/499/reply")[0].json["body"]
    assert note.startswith("<p>Priority: high</p><p>Goes on from conversation 450.</p><p><b>Why</b>")


def test_what_is_refused_besides_the_words_is_said_in_a_note_and_costs_nobody_the_handoff(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("PUT /conversations/*", problem(400, "parameter_invalid"), conversation())
    intercom.on("POST /conversations/*/parts", problem(404, "assignee_not_found"))
    ref = connector.open(replace(DRAFT, group=TEAM, custom_fields={"plan": "gold"}), journal)
    assert ref.id == "499"
    assert [put.json for put in intercom.calls("PUT")][1] == {"title": DRAFT.subject}
    complaint = intercom.calls("POST /conversations/499/reply")[1].json["body"]
    assert "the attributes plan" in complaint
    assert f"the team {TEAM}" in complaint


def test_a_public_draft_is_the_first_message_itself(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    connector.open(replace(DRAFT, public=True), journal)
    assert intercom.calls("POST /conversations")[0].json["body"] == f"Why\nwords-canary\n\nReference: {WORD}"
    assert intercom.calls("POST /conversations/499/reply") == []


def test_what_is_sent_is_in_the_journal_before_without_words(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    seen: list[dict[str, str]] = []
    created = answer(200, {"type": "user_message", "id": "403", "conversation_id": "499"})
    intercom.on("POST /conversations", lambda peer: (seen.append(dict(journal.kept)), peer.sendall(created)))
    connector.open(DRAFT, journal)
    assert json.loads(seen[0]["conversation"])["contact"] == ANA_ID
    assert "canary" not in json.dumps(journal.kept)


# --- an uncertain end (quirk IC-5) -----------------------------------------------------------------------


def lost(intercom: Script, connector: IntercomConnector, journal: MemoryJournal) -> None:
    """One creation without an answer."""
    intercom.on("POST /conversations", hang_up)
    with pytest.raises(OutcomeUnknown):
        connector.open(DRAFT, journal)
    intercom.on("POST /conversations", {"type": "user_message", "id": "405", "conversation_id": "502"})


def test_a_lost_creation_is_not_repeated_within_the_window(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    lost(intercom, connector, journal)
    assert connector.find(DRAFT.external_id) is None
    with pytest.raises(RateLimited) as raised:
        connector.open(DRAFT, journal)
    assert raised.value.scope == "ticket", "the lane waits, the connection goes on"
    assert 0 < raised.value.retry_after_s <= 60
    assert len([name for name in intercom.names() if name == "POST /conversations"]) == 1


def test_a_lost_creation_is_found_by_its_reference_and_furnished(
    intercom: Script, connector: IntercomConnector, connect: Connect, journal: MemoryJournal
) -> None:
    lost(intercom, connector, journal)
    intercom.on("POST /conversations/search", found(conversation(id="498", source={"body": "hi"}), conversation()))
    other = connect()
    assert other.find(DRAFT.external_id) is None, "an unfurnished one is for open, which has the transcript"
    assert other.open(DRAFT, journal).id == "499"
    assert intercom.calls("POST /conversations/499/reply")[0].json["message_type"] == "note"
    whose, since = intercom.calls("POST /conversations/search")[-1].json["query"]["value"]
    assert whose == {"field": "contact_ids", "operator": "=", "value": ANA_ID}
    assert since["value"] <= time.time() - 86_400
    assert len([name for name in intercom.names() if name == "POST /conversations"]) == 1


def test_a_webhook_names_a_lost_creation_before_search_does(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal, signed: Sign
) -> None:
    lost(intercom, connector, journal)
    connector.verify_webhook(signed("conversation.user.created", conversation(id="499")))
    assert connector.open(DRAFT, journal).id == "499"
    assert intercom.calls("POST /conversations/search") == []


def test_after_the_window_it_is_created_again_with_the_same_reference(
    intercom: Script, connect: Connect, journal: MemoryJournal
) -> None:
    connector = connect(recreate_after_s=0)
    lost(intercom, connector, journal)
    assert connector.open(DRAFT, journal).id == "502"
    first, second = (h.json["body"] for h in intercom.heard if h.call == "POST /conversations")
    assert first == second


def test_of_two_with_one_reference_the_one_in_use_is_kept_and_the_other_merged(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    lost(intercom, connector, journal)
    intercom.on("POST /conversations/search", found(conversation(id="501"), conversation(id="500", tags=tagged("vip"))))
    intercom.on("POST /conversations/*/merge", conversation())
    assert connector.open(DRAFT, journal).id == "500"
    (merge,) = intercom.calls("POST /conversations/501/merge")
    assert merge.json == {"merge_into_conversation_id": 500}


def test_a_duplicate_that_cannot_be_merged_is_closed_with_a_note(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    lost(intercom, connector, journal)
    intercom.on("POST /conversations/search", found(conversation(id="501"), conversation(id="500")))
    intercom.on("POST /conversations/*/merge", problem(422, "merge_failed"))
    assert connector.open(DRAFT, journal).id == "500"
    assert "Go on in 500" in intercom.calls("POST /conversations/501/reply")[0].json["body"]
    assert intercom.calls("POST /conversations/501/parts")[0].json["message_type"] == "close"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (problem(429, "rate_limit_exceeded"), RateLimited),
        (problem(403, "api_plan_restricted"), VendorAuthError),
        (problem(400, "parameter_invalid"), VendorRejected),
        (problem(404, "not_found", "User Not Found"), VendorDown),
    ],
    ids=["429", "403", "400", "new contact"],
)
def test_a_refused_creation_made_nothing_and_may_be_tried_at_once(
    said: bytes, error: type[Exception], intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations", said)
    with pytest.raises(error):
        connector.open(DRAFT, journal)
    intercom.on("POST /conversations", {"type": "user_message", "id": "405", "conversation_id": "502"})
    assert connector.open(DRAFT, journal).id == "502"


def test_a_refusal_does_not_hide_an_earlier_uncertain_try(
    intercom: Script, connect: Connect, journal: MemoryJournal
) -> None:
    connector = connect(recreate_after_s=0)
    lost(intercom, connector, journal)
    intercom.on("POST /conversations", problem(429, "rate_limit_exceeded"))
    with pytest.raises(RateLimited):
        connector.open(DRAFT, journal)
    with pytest.raises(RateLimited) as raised:
        connect().open(DRAFT, journal)
    assert "looked for again" in str(raised.value)


def test_an_answer_in_unknown_words_is_uncertain(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations", {"type": "user_message", "id": "403"})
    with pytest.raises(OutcomeUnknown):
        connector.open(DRAFT, journal)


# --- furnishing may be interrupted anywhere -----------------------------------------------------------------


@pytest.mark.parametrize(
    "broken", ["PUT /conversations/*", "POST /conversations/*/parts", "POST /conversations/*/tags"]
)
def test_an_interrupted_opening_goes_on_where_it_was(
    broken: str, intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    whole = intercom.answers[broken]
    intercom.on(broken, answer(500))
    draft = replace(DRAFT, group=TEAM)
    with pytest.raises(VendorDown):
        connector.open(draft, journal)
    intercom.answers[broken] = whole
    if "PUT" not in broken:
        intercom.on("GET /conversations/*", conversation(OURS, ELSE))
    assert connector.open(draft, journal).id == "499"
    assert len([name for name in intercom.names() if name == "POST /conversations"]) == 1
    assert len(intercom.calls("POST /conversations/499/reply")) == 1, "the note is told again, not said again"


def test_an_interrupted_opening_complains_once(
    intercom: Script, connector: IntercomConnector, connect: Connect, journal: MemoryJournal
) -> None:
    whole = intercom.answers["POST /conversations/*/tags"]
    refused = problem(400, "parameter_invalid")
    intercom.on("PUT /conversations/*", refused, conversation(), refused, conversation())
    intercom.on("POST /conversations/*/tags", answer(500))
    draft = replace(DRAFT, custom_fields={"plan": "gold"})
    with pytest.raises(VendorDown):
        connector.open(draft, journal)
    _, complaint = intercom.calls("POST /conversations/499/reply")
    intercom.answers["POST /conversations/*/tags"] = whole
    intercom.on(
        "GET /conversations/*", conversation(OURS, part(11, "note", f"admin:{US}", body=complaint.json["body"]))
    )
    connect().open(draft, journal)
    assert len(intercom.calls("POST /conversations/499/reply")) == 2


def test_a_lost_note_is_looked_for_before_it_is_said_again(
    intercom: Script, connector: IntercomConnector, connect: Connect, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations/*/reply", hang_up, conversation(OURS))
    with pytest.raises(OutcomeUnknown):
        connector.open(DRAFT, journal)
    intercom.on("GET /conversations/*", conversation(OURS, ELSE))
    assert connect().open(DRAFT, journal).comment_id == "9"
    assert len(intercom.calls("POST /conversations/499/reply")) == 1


def test_an_agent_who_was_faster_is_not_undone(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations/*/parts", answer(500))
    with pytest.raises(VendorDown):
        connector.open(replace(DRAFT, group=TEAM), journal)
    before = len(intercom.calls("POST /conversations/499/parts"))
    intercom.on("GET /conversations/*", conversation(OURS, state="closed"))
    connector.open(replace(DRAFT, group=TEAM), journal)
    assert len(intercom.calls("POST /conversations/499/parts")) == before, "assigning would open it again"


def test_find_shows_what_is_furnished(intercom: Script, connector: IntercomConnector) -> None:
    ready = conversation(tags=tagged("vip", "Handoff-Sync"))
    other = conversation(id="12", source={"body": "Reference: HSAAAAAAAAAA"}, tags=tagged("handoff-sync"))
    intercom.on("POST /conversations/search", found(other, ready))
    ref = connector.find(DRAFT.external_id)
    assert ref is not None
    assert ref.id == "499"
    asked = intercom.calls("POST /conversations/search")[0].json["query"]
    assert asked == {"field": "source.body", "operator": "=", "value": WORD}


# --- the customer as a contact -------------------------------------------------------------------------------

OTHER_ID = "6762f11b1bb69f9f2193bbff"


def exists(id: str = OTHER_ID, archived: bool = False) -> bytes:
    which = "An archived contact" if archived else "A contact"
    return problem(409, "conflict", f"{which} matching those details already exists with id={id}")


def opened_from(intercom: Script) -> object:
    return intercom.calls("POST /conversations")[0].json["from"]


def test_a_known_contact_is_used_and_their_profile_left_alone(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /contacts", exists())
    intercom.on("GET /contacts/*", {**CONTACT, "id": OTHER_ID, "role": "lead"})
    connector.open(DRAFT, journal)
    assert opened_from(intercom) == {"type": "lead", "id": OTHER_ID}
    assert [name for name in intercom.names() if "contacts" in name] == [
        "POST /contacts", f"GET /contacts/{OTHER_ID}",
    ]  # fmt: skip


def test_a_merged_contact_is_followed(intercom: Script, connector: IntercomConnector, journal: MemoryJournal) -> None:
    intercom.on("POST /contacts", exists())
    merged = problem(410, "contact_merged", Link=f'</contacts/{ANA_ID}>; rel="canonical"')
    intercom.on(f"GET /contacts/{OTHER_ID}", merged)
    intercom.on(f"GET /contacts/{ANA_ID}", CONTACT)
    connector.open(DRAFT, journal)
    assert opened_from(intercom) == {"type": "user", "id": ANA_ID}


def test_a_contact_merged_in_the_older_way_is_searched(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /contacts", exists())
    intercom.on("GET /contacts/*", problem(404, "not_found"))
    users = [{"id": "b" * 24, "role": "user", "last_seen_at": 9}, {"id": "a" * 24, "role": "lead", "last_seen_at": 99},
             {"id": "c" * 24, "role": "user", "last_seen_at": 10}]  # fmt: skip
    intercom.on("POST /contacts/search", {"data": []}, {"data": users})
    connector.open(DRAFT, journal)
    assert opened_from(intercom) == {"type": "user", "id": "c" * 24}


def test_an_archived_contact_is_taken_back(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /contacts", exists(archived=True))
    intercom.on("POST /contacts/*/unarchive", {"id": OTHER_ID, "archived": False})
    intercom.on("GET /contacts/*", {**CONTACT, "id": OTHER_ID})
    connector.open(DRAFT, journal)
    assert opened_from(intercom) == {"type": "user", "id": OTHER_ID}


@pytest.mark.parametrize("code", ["bad_request", "not_restorable"])
def test_whom_intercom_does_not_give_back_gets_a_stand_in(
    code: str, intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    lead = {"type": "contact", "id": OTHER_ID, "role": "lead"}
    intercom.on("POST /contacts", exists(archived=True), lead)
    intercom.on("POST /contacts/*/unarchive", problem(400, code, "User has been merged and is not restorable"))
    connector.open(DRAFT, journal)
    assert opened_from(intercom) == {"type": "lead", "id": OTHER_ID}
    assert intercom.calls("POST /contacts")[-1].json == {"role": "lead", "name": "Ana Example"}


def test_a_claimed_address_is_nobodys(intercom: Script, connector: IntercomConnector, journal: MemoryJournal) -> None:
    connector.open(DRAFT, journal)
    claimed = replace(DRAFT.requester.customer, email_verified=False)
    stranger = replace(DRAFT.requester, external_id="acme:c-2", customer=claimed)
    connector.open(replace(DRAFT, external_id="hs:acme:2", requester=stranger), MemoryJournal())
    vouched, unvouched = (heard.json for heard in intercom.calls("POST /contacts"))
    assert vouched == {
        "role": "user", "external_id": "acme:c-1", "name": "Ana Example", "email": "ana@example.com",
    }  # fmt: skip
    assert "email" not in unvouched


def test_a_new_contact_that_is_not_ready_is_looked_up_again(
    intercom: Script, connector: IntercomConnector, journal: MemoryJournal
) -> None:
    intercom.on("POST /conversations", problem(404, "not_found", "User Not Found"))
    with pytest.raises(VendorDown) as raised:
        connector.open(DRAFT, journal)
    assert raised.value.retry_after_s == 3.0
    intercom.on("POST /conversations", {"type": "user_message", "id": "405", "conversation_id": "502"})
    intercom.on("POST /contacts", exists(ANA_ID))
    intercom.on("GET /contacts/*", CONTACT)
    assert connector.open(DRAFT, journal).id == "502"
