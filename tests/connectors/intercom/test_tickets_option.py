"""Tickets instead of conversations, and conversations of which an agent makes a ticket by hand.

What Intercom does not document is tried every way that it may be: each of `WORLDS` is one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from handoff_connectors.intercom import IntercomConnector
from handoff_connectors.intercom.mapping import reference
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_connectors.intercom.simulator import IntercomSimulator, Limits
from handoff_connectors.intercom.webhook import TICKET_TOPICS
from handoff_sync.contract.connector import CommentAuthor, CommentDraft, TicketDraft, TicketSnapshot, WebhookRequest
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import UnrecognisedPayload, VendorAuthError, VendorDown
from tests.connectors.intercom.conftest import ANA, MemoryJournal, Spending, StoredSecrets
from tests.connectors.intercom.simulated import receiving, until

DRAFT = TicketDraft(
    external_id="hs:acme:1",
    subject="Customer needs your help: Ana Example",
    requester=ANA,
    html='<p dir="auto"><strong>Why</strong><br>The customer asked for a person.</p>',
    tags=("handoff-sync", "human-handoff"),
)
WORD = reference("hs:acme:1")
REQUEST, TASK, OLD = "53", "54", "55"
WORLDS = {
    "a ticket alone": {},
    "still a conversation": {"ticket_is_conversation": True, "ticket_tells_both": True},
    "a conversation that does not say so": {"ticket_is_conversation": True, "conversation_names_ticket": False},
    "a number of its own": {"ticket_keeps_id": False, "ticket_is_conversation": True},
    "parts with new numbers": {"ticket_keeps_part_ids": False},
}
LONELY = {"a number of its own and no conversation": {"ticket_keeps_id": False}}
"""A world in which nothing leads from the conversation to the ticket: whoever makes it must keep its number."""


@pytest.fixture(scope="module")
def running() -> Iterator[IntercomSimulator]:
    with IntercomSimulator(limits=Limits.off()) as simulator:
        yield simulator


@pytest.fixture
def desk(running: IntercomSimulator) -> IntercomSimulator:
    running.reset()
    running.settings.search_lag_s = 0
    return running


@pytest.fixture(params=WORLDS.values(), ids=WORLDS)
def world(request: pytest.FixtureRequest, desk: IntercomSimulator) -> IntercomSimulator:
    desk.apply_settings(request.param)
    return desk


_made: list[IntercomConnector] = []


def connect(desk: IntercomSimulator, **settings: object) -> IntercomConnector:
    """A connector as another process would have it."""
    chosen = {"base_url": desk.base_url, "workspace_id": desk.app_id, **settings}
    secrets = StoredSecrets(access_token=desk.credentials.access_token, client_secret=desk.credentials.client_secret)
    _made.append(IntercomConnector(IntercomSettings.model_validate(chosen), secrets, Spending()))
    return _made[-1]


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    while _made:
        _made.pop().close()


def bot(desk: IntercomSimulator) -> IntercomConnector:
    """One that makes tickets."""
    return connect(desk, ticket_type_id=REQUEST)


def said(marker: str, text: str = "Is somebody there?", public: bool = True) -> CommentDraft:
    return CommentDraft(marker=marker, html=f'<p dir="auto">{text}</p>', public=public, author=ANA if public else None)


def opened(connector: IntercomConnector) -> str:
    return connector.open(DRAFT, MemoryJournal()).id


def told(snapshot: TicketSnapshot) -> list[str]:
    """What would reach the customer."""
    return [c.text for c in snapshot.comments if c.public and c.author is CommentAuthor.AGENT]


# --- opening -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [*WORLDS.values(), *LONELY.values()], ids=[*WORLDS, *LONELY])
def test_a_handoff_becomes_a_ticket_of_the_type(desk: IntercomSimulator, settings: dict[str, object]) -> None:
    desk.apply_settings(settings)
    ref = bot(desk).open(DRAFT, MemoryJournal())
    (talk,) = desk.state.begun_with(WORD)
    assert talk.ticket is not None
    assert (talk.ticket.id, talk.ticket.type.id, talk.ticket.state.category) == (ref.id, REQUEST, "submitted")
    assert talk.ticket.attributes["_default_title_"] == DRAFT.subject
    assert WORD in talk.ticket.attributes["_default_description_"]
    assert {applied.tag.name for applied in talk.tags.values()} == set(DRAFT.tags)
    assert [part.part_type for part in talk.parts].count("note") == 1
    assert desk.state.notified(talk.id) == [], "nobody's phone rings"
    found = connect(desk, ticket_type_id=REQUEST).find(DRAFT.external_id)
    assert found is not None
    assert found.id == ref.id
    snapshot = connect(desk, ticket_type_id=REQUEST).read(ref.id, None)
    assert (snapshot.status, snapshot.raw_status) == (TicketStatus.OPEN, "submitted")
    assert [c.author for c in snapshot.comments] == [CommentAuthor.OURS], "the first words come back to nobody"


@pytest.mark.parametrize("settings", [*WORLDS.values(), *LONELY.values()], ids=[*WORLDS, *LONELY])
def test_a_conversion_without_an_answer_is_looked_for(desk: IntercomSimulator, settings: dict[str, object]) -> None:
    desk.apply_settings(settings)
    journal = MemoryJournal()
    desk.faults.fail(502, method="POST", path="/convert", applied=True)
    with pytest.raises(VendorDown):
        bot(desk).open(DRAFT, journal)
    ref = bot(desk).open(DRAFT, journal)
    (talk,) = desk.state.begun_with(WORD)
    assert talk.ticket is not None
    assert talk.ticket.id == ref.id
    assert [part.part_type for part in talk.parts].count("note") == 1
    assert ref.comment_id is not None


def test_an_unfinished_opening_is_not_found_but_taken_up(desk: IntercomSimulator) -> None:
    journal = MemoryJournal()
    desk.faults.fail(502, method="POST", path="/convert", applied=False)
    with pytest.raises(VendorDown):
        bot(desk).open(DRAFT, journal)
    assert bot(desk).find(DRAFT.external_id) is None, "it is no ticket yet"
    ref = bot(desk).open(DRAFT, journal)
    assert desk.workspace.ticket(ref.id) is not None
    assert len(desk.state.begun_with(WORD)) == 1


@pytest.mark.parametrize("kind", [TASK, OLD, "99"])
def test_a_refused_type_costs_nobody_the_handoff(desk: IntercomSimulator, kind: str) -> None:
    connector = connect(desk, ticket_type_id=kind)
    number = opened(connector)
    assert desk.state.conversation(number).ticket is None
    assert any("refused to make this a ticket" in note for note in desk.state.texts(number, public=False))
    connector.append(number, said("m-1"), MemoryJournal())
    assert connector.read(number, None).status is TicketStatus.OPEN


# --- saying and reading ------------------------------------------------------------------------------


def test_words_go_both_ways_and_notes_do_not(world: IntercomSimulator) -> None:
    connector = bot(world)
    number = opened(connector)
    before = connector.read(number, None)
    journal = MemoryJournal()
    made = connector.append(number, said("m-1"), journal)
    assert connector.append(number, said("m-1"), journal) == made, "once, however often it is asked"
    connector.append(number, said("m-2", "for the team", public=False), MemoryJournal())
    assert connector.find_appended(number, "m-1") == made
    world.reply(number, "I am here")
    world.note(number, "difficult customer")
    now = connector.read(number, before.cursor)
    assert told(now) == ["I am here"]
    assert [c.author for c in now.comments if c.id == made.id] == [CommentAuthor.CUSTOMER]
    assert {c.text for c in now.comments if not c.public} == {"for the team", "difficult customer"}
    assert connector.read(number, now.cursor).comments == ()


@pytest.mark.parametrize(
    ("label", "status"),
    [("In progress", TicketStatus.OPEN), ("With the bank", TicketStatus.OPEN),
     ("Waiting on you", TicketStatus.WAITING_CUSTOMER), ("Resolved", TicketStatus.SOLVED)],
)  # fmt: skip
def test_the_category_of_a_state_counts_and_not_its_name(
    desk: IntercomSimulator, label: str, status: TicketStatus
) -> None:
    connector = bot(desk)
    number = opened(connector)
    before = connector.read(number, None)
    desk.set_ticket_state(number, label, agent="Omar")
    now = connector.read(number, before.cursor)
    assert now.status is status
    assert now.changed_by is not None
    assert now.changed_by.name == "Omar Haddad"


def test_closed_and_resolved_are_two_things(desk: IntercomSimulator) -> None:
    connector = bot(desk)
    number = opened(connector)
    desk.snooze(number)
    snoozed = connector.read(number, None)
    assert (snoozed.status, snoozed.raw_status) == (TicketStatus.ON_HOLD, "submitted, snoozed")
    desk.close(number)
    closed = connector.read(number, None)
    assert (closed.status, closed.raw_status) == (TicketStatus.SOLVED, "submitted, closed")
    desk.set_ticket_state(number, "waiting_on_customer")
    assert connector.read(number, None).status is TicketStatus.WAITING_CUSTOMER, "out of the inbox is not answered"


# --- status, assignee, tags --------------------------------------------------------------------------


@pytest.mark.parametrize("wakes", [True, False])
def test_each_status_is_set_once_and_read_back(world: IntercomSimulator, wakes: bool) -> None:
    world.settings.open_wakes_ticket = wakes
    connector = bot(world)
    number = opened(connector)
    for status in (TicketStatus.WAITING_CUSTOMER, TicketStatus.ON_HOLD, TicketStatus.OPEN, TicketStatus.SOLVED,
                   TicketStatus.OPEN):  # fmt: skip
        connector.set_status(number, status, "m")
        assert connector.read(number, None).status is status
        changes = len(world.state.requests("PUT", "/tickets/"))
        connector.set_status(number, status, "m")
        assert len(world.state.requests("PUT", "/tickets/")) == changes, "what is so already is not said again"
    connector.set_status(number, TicketStatus.CLOSED, "m")
    ticket = world.workspace.ticket(number)
    assert ticket is not None
    assert ticket.ticket is not None
    assert (ticket.state, ticket.ticket.state.category) == ("closed", "resolved")


@pytest.mark.parametrize("reopens", [True, False])
def test_what_was_over_is_open_again_when_the_customer_writes(desk: IntercomSimulator, reopens: bool) -> None:
    desk.settings.contact_reply_reopens_ticket = reopens
    connector = bot(desk)
    number = opened(connector)
    desk.set_ticket_state(number, "resolved")
    desk.close(number)
    bot(desk).append(number, said("m-1"), MemoryJournal())
    assert connector.read(number, None).status is TicketStatus.OPEN
    desk.set_ticket_state(number, "waiting_on_customer")
    connector.append(number, said("m-2"), MemoryJournal())
    assert connector.read(number, None).status is TicketStatus.OPEN
    desk.snooze(number)
    connector.append(number, said("m-3"), MemoryJournal())
    assert connector.read(number, None).status is TicketStatus.OPEN


def test_teammates_hold_it_and_leave_it(world: IntercomSimulator) -> None:
    connector = bot(world)
    number = opened(connector)
    dana = world.workspace.admin("Dana")
    connector.set_assignee(number, dana.id, "m-1")
    holder = connector.read(number, None).assignee
    assert holder is not None
    assert holder.name == "Dana Miller"
    connector.set_assignee(number, None, "m-2")
    assert connector.read(number, None).assignee is None


def test_tags_stay_known_although_tickets_show_none(world: IntercomSimulator) -> None:
    connector = bot(world)
    number = opened(connector)
    connector.set_tags(number, ("ai_paused",), ("handoff-sync",), "m-1")
    ticket = world.workspace.ticket(number)
    assert ticket is not None
    assert {applied.tag.name for applied in ticket.tags.values()} == {"human-handoff", "ai_paused"}


# --- what comes back ---------------------------------------------------------------------------------


def test_changes_are_found_without_webhooks(world: IntercomSimulator) -> None:
    connector = bot(world)
    number = opened(connector)
    now = world.clock.now()
    swept = connector.changed(None, now)
    while swept.more:
        swept = connector.changed(swept.cursor, now)
    world.clock.advance(60)
    world.set_ticket_state(number, "resolved")
    ids: list[str] = []
    swept = connector.changed(swept.cursor, now + timedelta(seconds=60))
    ids += swept.ids
    while swept.more:
        swept = connector.changed(swept.cursor, now + timedelta(seconds=60))
        ids += swept.ids
    assert number in ids
    again = connector.changed(swept.cursor, now + timedelta(seconds=61))
    assert number not in again.ids, "once for each change"


def test_every_topic_of_tickets_names_the_ticket(desk: IntercomSimulator) -> None:
    connector = bot(desk)
    with receiving() as receiver:
        desk.set_webhook(receiver.url)
        number = opened(connector)
        desk.reply(number, "Hello"), desk.customer_reply(number, "Hi"), desk.assign(number), desk.snooze(number)
        desk.assign_team(number, "Billing"), desk.set_ticket_state(number, "resolved"), desk.snooze(number)
        desk.open(number), desk.close(number)
        until(lambda: set(receiver.topics()) >= set(TICKET_TOPICS))
        for hook in receiver.got:
            if hook.topic.startswith("ticket."):
                hint = connector.verify_webhook(WebhookRequest(hook.headers, hook.body, datetime.now(UTC)))
                assert hint.tickets == (number,), hook.topic
        desk.webhooks.wait_idle()


def test_a_deleted_ticket_is_a_snapshot(desk: IntercomSimulator) -> None:
    connector = bot(desk)
    number = opened(connector)
    desk.delete(number)
    assert connector.read(number, None).deleted


def test_a_merged_ticket_leads_to_its_primary(desk: IntercomSimulator) -> None:
    connector = bot(desk)
    first, second = opened(connector), connector.open(replace(DRAFT, external_id="hs:acme:2"), MemoryJournal()).id
    desk.merge(second, first)
    merged = connector.read(second, None)
    assert (merged.merged_into, merged.status) == (first, TicketStatus.OPEN)


def test_json_of_another_shape_is_no_sign_that_a_ticket_is_gone(desk: IntercomSimulator) -> None:
    connector = bot(desk)
    number = opened(connector)
    desk.faults.add_json({"kind": "body", "status": 200, "body": "{}", "method": "GET", "path": "/tickets/"})
    with pytest.raises(UnrecognisedPayload, match="type"):
        connect(desk, ticket_type_id=REQUEST).append(number, said("m-1"), MemoryJournal())


# --- made a ticket by hand ---------------------------------------------------------------------------


def test_a_ticket_made_by_hand_keeps_its_link(world: IntercomSimulator) -> None:
    connector = connect(world)
    number = opened(connector)
    world.reply(number, "One moment")
    first = connector.read(number, None)
    assert told(first) == ["One moment"]
    world.convert(number, REQUEST, agent="Omar")
    then = connector.read(number, first.cursor)
    assert (then.deleted, then.status, told(then)) == (False, TicketStatus.OPEN, [])
    assert set(then.tags) == set(DRAFT.tags), "a ticket shows no tags; that takes none off"
    connector.append(number, said("m-1"), MemoryJournal())
    world.reply(number, "Here I am")
    assert told(connector.read(number, then.cursor)) == ["Here I am"]
    world.set_ticket_state(number, "resolved")
    assert connect(world).read(number, then.cursor).status is TicketStatus.SOLVED
    connector.set_status(number, TicketStatus.OPEN, "m-2")
    assert connector.read(number, None).status is TicketStatus.OPEN


def test_by_hand_while_we_write(world: IntercomSimulator) -> None:
    """We still take it for a conversation when the customer's next words are due."""
    connector = connect(world)
    number = opened(connector)
    world.convert(number, REQUEST)
    connector.append(number, said("m-1"), MemoryJournal())
    assert "Is somebody there?" in world.state.texts(world.state.begun_with(WORD)[0].id, public=True)


def test_a_ticket_made_by_hand_is_found_without_webhooks(desk: IntercomSimulator) -> None:
    connector = connect(desk)
    number = opened(connector)
    desk.convert(number, REQUEST)
    assert number in connector.changed(None, desk.clock.now()).ids


def test_conversations_need_no_permission_for_tickets(desk: IntercomSimulator) -> None:
    connector = connect(desk)
    number = opened(connector)
    desk.auth.set_scopes(frozenset({"read_admins", "read_users", "write_users", "read_conversations",
                                    "write_conversations", "read_tags", "write_tags"}))  # fmt: skip
    assert number in connector.changed(None, desk.clock.now()).ids
    connector.append(number, said("m-1"), MemoryJournal())
    desk.settings.ticket_is_conversation = True
    desk.convert(number, REQUEST)
    assert connector.read(number, None).status is TicketStatus.OPEN, "it is read as what may be read"


# --- setting it up -----------------------------------------------------------------------------------


def findings(connector: IntercomConnector) -> dict[str, tuple[bool, str]]:
    return {finding.name: (finding.ok, f"{finding.detail} {finding.todo}") for finding in connector.check()}


@pytest.mark.parametrize(
    ("kind", "says"),
    [("99", "There is no ticket type 99"), (TASK, "of the category Back-office"), (OLD, "type 55 is archived")],
)
def test_a_type_that_cannot_be_used_is_found(desk: IntercomSimulator, kind: str, says: str) -> None:
    ok, text = findings(connect(desk, ticket_type_id=kind))["tickets"]
    assert not ok
    assert says in text
    assert "ticket_type_id" in text


def test_a_type_that_can_be_used_is_confirmed(desk: IntercomSimulator) -> None:
    assert findings(bot(desk))["tickets"] == (True, "Handoffs become tickets of type 53. ")
    assert "tickets" not in findings(connect(desk))


def test_a_type_whose_tickets_cannot_be_resolved_is_found(desk: IntercomSimulator) -> None:
    states = desk.workspace.ticket_states
    resolved = next(state for state in states.values() if state.category == "resolved")
    states[resolved.id] = replace(resolved, archived=True)
    ok, text = findings(bot(desk))["tickets"]
    assert not ok
    assert "resolved" in text


def test_the_missing_permission_is_named(desk: IntercomSimulator) -> None:
    desk.auth.set_scopes(frozenset({"read_admins", "read_users", "write_users", "read_conversations",
                                    "write_conversations", "read_tags", "write_tags"}))  # fmt: skip
    ok, text = findings(bot(desk))["tickets"]
    assert not ok
    assert "GET /ticket_types/{id}" in text
    with pytest.raises(VendorAuthError):
        opened(bot(desk))


@pytest.mark.parametrize("wrong", ["Bug", "53a", ""])
def test_a_type_is_named_by_its_number(wrong: str) -> None:
    with pytest.raises(ValueError, match="ticket type's page"):
        IntercomSettings(ticket_type_id=wrong)
