"""Tickets that are merged, at every helpdesk (rule T63): words go where the ticket went, and to nobody else."""

from __future__ import annotations

import pytest

from handoff_sync.contract.features import Feature
from handoff_sync.core.events import Resolved
from handoff_sync.core.model import LinkState, Phase, TicketStatus
from handoff_sync.core.policy import AfterResolve
from tests.delivery.desk_rig import EVA, DeskRig

MINUTE_S = 60
JOINED = "of another conversation was merged into"


def merged(rig: DeskRig, source: str, target: str) -> None:
    rig.advance(MINUTE_S)
    rig.desk.merge(source, target)
    rig.notice()


# --- into a ticket of nobody's ---------------------------------------------------------------------------


def test_the_session_follows_its_ticket(at_desk: DeskRig) -> None:
    ticket, target = at_desk.opened(), at_desk.stranger()
    merged(at_desk, ticket, target)
    assert (at_desk.ticket_id(), at_desk.link_state()) == (target, LinkState.LINKED)
    at_desk.say("<<still here>>")
    at_desk.work()
    assert len(at_desk.on(target, "<<still here>>")) == 1
    at_desk.advance(MINUTE_S)
    at_desk.desk.reply(target, "<<an answer>>")
    at_desk.notice()
    assert at_desk.heard() == ["<<an answer>>"], "and nothing that stood there before"
    assert at_desk.session().human_handoff and at_desk.loud() == []


def test_a_merge_ends_nothing(at_desk: DeskRig) -> None:
    """However the helpdesk leaves the merged ticket behind, be it closed: nobody solved anything."""
    ticket, target = at_desk.opened(), at_desk.stranger()
    merged(at_desk, ticket, target)
    at_desk.later(120)
    assert at_desk.session().human_handoff and at_desk.markers() == []
    at_desk.desk.solve(target)
    at_desk.notice()
    at_desk.later(60)
    assert at_desk.phase() is Phase.RESOLVED


def test_the_last_words_before_the_merge_are_delivered_once(at_desk: DeskRig) -> None:
    ticket, target = at_desk.opened(), at_desk.stranger()
    at_desk.desk.reply(ticket, "<<last words>>")
    merged(at_desk, ticket, target)
    at_desk.notice()
    # A helpdesk that shows nothing of a merged ticket any more has told us of the words by webhook before.
    assert at_desk.heard().count("<<last words>>") <= 1
    assert not any("OLD" in text for text in at_desk.heard())


def test_words_on_their_way_go_where_the_ticket_went(at_desk: DeskRig) -> None:
    ticket, target = at_desk.opened(), at_desk.stranger()
    at_desk.advance(MINUTE_S)
    at_desk.desk.merge(ticket, target)
    at_desk.say("<<missed>>")
    at_desk.work()
    at_desk.notice()
    at_desk.later(180)
    assert len(at_desk.on(target, "<<missed>>")) == 1
    assert at_desk.ticket_id() == target
    assert at_desk.stuck() == []
    assert at_desk.session().human_handoff, "a merge is no closing"


def test_a_chain_of_merges_is_followed_to_its_end(at_desk: DeskRig) -> None:
    ticket, middle, end = at_desk.opened(), at_desk.stranger(), at_desk.stranger()
    at_desk.advance(MINUTE_S)
    at_desk.desk.merge(ticket, middle)
    merged(at_desk, middle, end)
    assert at_desk.ticket_id() == end
    at_desk.advance(MINUTE_S)
    at_desk.desk.reply(end, "<<an answer>>")
    at_desk.notice()
    assert at_desk.heard() == ["<<an answer>>"]


def test_a_merge_after_the_end_is_quiet_and_the_next_handoff_goes_on_there(at_desk: DeskRig) -> None:
    ticket, target = at_desk.opened(), at_desk.stranger()
    at_desk.order(Resolved, EVA)
    at_desk.notice()
    merged(at_desk, ticket, target)
    assert at_desk.phase() is Phase.RESOLVED and at_desk.loud() == []
    at_desk.say("<<again>>")
    at_desk.work()
    at_desk.notice()
    assert len(at_desk.on(target, "<<again>>")) == 1
    assert at_desk.heard() == []


# --- into a ticket of another session ------------------------------------------------------------------------


def two_talks(rig: DeskRig) -> tuple[str, str]:
    return rig.opened("mine"), rig.opened("theirs")


def test_a_ticket_of_another_session_stays_theirs(at_desk: DeskRig) -> None:
    mine, theirs = two_talks(at_desk)
    merged(at_desk, mine, theirs)
    assert at_desk.link_state("mine") is LinkState.DETACHED
    assert at_desk.link_state("theirs") is LinkState.LINKED
    at_desk.desk.reply(theirs, "<<for them>>")
    at_desk.notice()
    assert (at_desk.heard("theirs"), at_desk.heard("mine")) == (["<<for them>>"], [])
    at_desk.say("<<my secret>>", "mine")
    at_desk.work()
    assert at_desk.on(theirs, "<<my secret>>") == []
    assert at_desk.session("mine").human_handoff


def test_and_everybody_is_told(at_desk: DeskRig) -> None:
    mine, theirs = two_talks(at_desk)
    merged(at_desk, mine, theirs)
    assert at_desk.loud("mine") == ["mail", "ticket_detached"]
    assert at_desk.loud("theirs") == []
    (said,) = at_desk.on(theirs, JOINED)
    assert not said.public
    at_desk.notice()
    assert len(at_desk.on(theirs, JOINED)) == 1 and at_desk.loud("mine") == ["mail", "ticket_detached"]


def test_words_on_their_way_stay_visible_and_reach_nobody_elses_ticket(at_desk: DeskRig) -> None:
    mine, theirs = two_talks(at_desk)
    at_desk.advance(MINUTE_S)
    at_desk.desk.merge(mine, theirs)
    at_desk.say("<<my secret>>", "mine")
    at_desk.work()
    at_desk.notice()
    at_desk.later(180)
    assert at_desk.on(theirs, "<<my secret>>") == []
    assert at_desk.stuck() == ["ticket.append"]


@pytest.mark.parametrize("first", ["mine", "theirs"])
def test_a_chain_through_a_ticket_of_another_session_belongs_to_that_session(at_desk: DeskRig, first: str) -> None:
    """Whichever is looked at first: what was merged into theirs, and with it into a third, is theirs."""
    mine, theirs = two_talks(at_desk)
    end = at_desk.stranger()
    at_desk.advance(MINUTE_S)
    at_desk.desk.merge(mine, theirs)
    at_desk.advance(MINUTE_S)
    at_desk.desk.merge(theirs, end)
    for ticket in (mine, theirs) if first == "mine" else (theirs, mine):
        at_desk.look(ticket)
    assert at_desk.link_state("mine") is LinkState.DETACHED
    assert (at_desk.ticket_id("theirs"), at_desk.link_state("theirs")) == (end, LinkState.LINKED)
    at_desk.advance(MINUTE_S)
    at_desk.desk.reply(end, "<<for them>>")
    at_desk.look(end)
    assert (at_desk.heard("theirs"), at_desk.heard("mine")) == (["<<for them>>"], [])


def test_of_two_tickets_merged_into_a_third_the_first_has_it(at_desk: DeskRig) -> None:
    mine, theirs = two_talks(at_desk)
    end = at_desk.stranger()
    merged(at_desk, mine, end)
    merged(at_desk, theirs, end)
    assert (at_desk.ticket_id("mine"), at_desk.link_state("mine")) == (end, LinkState.LINKED)
    assert at_desk.link_state("theirs") is LinkState.DETACHED
    at_desk.advance(MINUTE_S)
    at_desk.desk.reply(end, "<<for me>>")
    at_desk.notice()
    assert (at_desk.heard("mine"), at_desk.heard("theirs")) == (["<<for me>>"], [])


# --- into a ticket of the same conversation's earlier session -----------------------------------------------------


def twice(rig: DeskRig) -> tuple[str, str]:
    """A customer who came back after the end: an old ticket and a new one, of two sessions of one conversation."""
    rig.follow(after_resolve=AfterResolve.NEW_SESSION)
    old = rig.opened()
    rig.order(Resolved, EVA)
    rig.notice()
    return old, rig.opened()


def test_a_new_ticket_that_is_merged_into_the_old_one_goes_on_there(at_desk: DeskRig) -> None:
    """As agents tidy up: the earlier session is over for good and leaves its ticket to the one that goes on."""
    old, new = twice(at_desk)
    merged(at_desk, new, old)
    assert (at_desk.ticket_id(), at_desk.link().is_live) == (old, True)
    assert at_desk.loud() == [] and at_desk.on(old, JOINED) == []
    at_desk.say("<<still here>>")
    at_desk.work()
    assert len(at_desk.on(old, "<<still here>>")) == 1
    at_desk.advance(MINUTE_S)
    at_desk.desk.reply(old, "<<an answer>>")
    at_desk.look(old)
    assert at_desk.heard() == ["<<an answer>>"], "once, though two sessions knew the ticket"


def test_an_old_ticket_that_is_merged_into_the_new_one_is_no_news(at_desk: DeskRig) -> None:
    old, new = twice(at_desk)
    before = at_desk.session().previous_session_id
    merged(at_desk, old, new)
    assert (at_desk.ticket_id(), at_desk.link_state()) == (new, LinkState.LINKED)
    assert at_desk.on(new, JOINED) == []
    rows = at_desk.app.reads.deliveries(at_desk.workspace, limit=200).items
    assert not [row for row in rows if row.session_id == before and row.kind == "alert.ops"]


# --- and then -------------------------------------------------------------------------------------------------


def test_the_target_is_deleted_afterwards(at_desk: DeskRig) -> None:
    ticket, target = at_desk.opened(), at_desk.stranger()
    merged(at_desk, ticket, target)
    at_desk.desk.delete(target)
    at_desk.notice()
    at_desk.later(60)
    assert at_desk.link_state() is LinkState.DELETED
    assert at_desk.loud() == ["mail", "ticket_deleted"]


def test_merged_and_deleted_before_anybody_looked(at_desk: DeskRig) -> None:
    ticket, target = at_desk.opened(), at_desk.stranger()
    at_desk.advance(MINUTE_S)
    at_desk.desk.merge(ticket, target)
    at_desk.advance(MINUTE_S)
    at_desk.desk.delete(target)
    at_desk.notice()
    at_desk.later(60)
    assert at_desk.session().human_handoff
    if at_desk.link_state() is LinkState.DELETED:
        assert at_desk.loud() == ["mail", "ticket_deleted"]
    else:  # a helpdesk that does not tell into what: its old ticket opens again
        at_desk.say("<<hello?>>")
        at_desk.work()
        assert len(at_desk.on(ticket, "<<hello?>>")) == 1
        assert at_desk.desk.ticket(ticket).status is TicketStatus.OPEN


def test_a_deleted_target_comes_back(at_desk: DeskRig) -> None:
    at_desk.needs(Feature.RESTORE)
    ticket, target = at_desk.opened(), at_desk.stranger()
    merged(at_desk, ticket, target)
    at_desk.desk.delete(target)
    at_desk.notice()
    at_desk.desk.restore(target)
    at_desk.notice()
    assert (at_desk.ticket_id(), at_desk.link_state()) == (target, LinkState.LINKED)
    at_desk.desk.reply(target, "<<an answer>>")
    at_desk.notice()
    assert at_desk.heard() == ["<<an answer>>"]
