"""Solved, closed and opened again, at every helpdesk (rules T57 to T61)."""

from __future__ import annotations

import pytest

from handoff_sync.contract.features import Feature
from handoff_sync.core.events import Claimed, Resolved, Resumed
from handoff_sync.core.model import LinkState, Phase, TicketStatus, TimerKind
from handoff_sync.core.policy import Outcome
from tests.delivery.desk_rig import EVA, DeskRig

ENDS = {Outcome.RESOLVE: Phase.RESOLVED, Outcome.RETURN_TO_AI: Phase.AI}
GRACE_S = 60
HOUR_S = 3600
CLOSED_NOTE = "The session is closed"


def solved(rig: DeskRig) -> str:
    """A ticket that an agent solved; the session has followed."""
    ticket = rig.opened()
    rig.desk.solve(ticket)
    rig.notice()
    rig.later(GRACE_S)
    return ticket


def grace_runs(rig: DeskRig) -> bool:
    return any(timer.kind is TimerKind.SOLVED_GRACE for timer in rig.session().timers)


# --- T57: solved ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", list(Outcome))
def test_after_the_grace_the_session_follows_its_solved_ticket(at_desk: DeskRig, choice: Outcome) -> None:
    at_desk.follow(on_ticket_solved=choice)
    ticket = at_desk.opened()
    at_desk.desk.solve(ticket)
    at_desk.notice()
    assert at_desk.session().human_handoff, "the grace runs"
    at_desk.later(GRACE_S)
    assert at_desk.desk.ticket(ticket).solved
    if choice is Outcome.KEEP:
        assert at_desk.session().human_handoff
    else:
        assert at_desk.phase() is ENDS[choice]
    assert len(at_desk.markers()) == (choice is Outcome.RESOLVE)
    if at_desk.capabilities.can(Feature.CHANGED_BY):
        assert all(at_desk.desk.agent_name in marker for marker in at_desk.markers())


def test_who_solved_the_ticket_has_resolved_the_session(at_desk: DeskRig) -> None:
    """Where the helpdesk does not say who, an answer that comes with the solving does."""
    ticket = at_desk.opened()
    at_desk.desk.assign(ticket, at_desk.desk.colleague_name)
    at_desk.notice()
    at_desk.desk.reply(ticket, "<<bye>>")
    at_desk.desk.solve(ticket)
    at_desk.notice()
    at_desk.later(GRACE_S)
    (marker,) = at_desk.markers()
    assert f"resolved by {at_desk.desk.agent_name}" in marker


def test_webhooks_alone_or_the_sweep_alone_tell_of_it(by_itself: DeskRig) -> None:
    rig = by_itself
    ticket = rig.opened()
    rig.desk.reply(ticket, "<<answer>>")
    rig.desk.solve(ticket)
    rig.notice()
    assert rig.heard() == ["<<answer>>"] and rig.session().human_handoff
    rig.later(GRACE_S)
    assert rig.phase() is Phase.RESOLVED
    rig.desk.reopen(ticket)
    rig.notice()
    assert rig.phase() is Phase.HUMAN


def test_what_a_rule_solved_ends_the_session_and_no_person_is_named(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    at_desk.desk.machine_solves(ticket)
    at_desk.notice()
    at_desk.later(GRACE_S)
    assert at_desk.phase() is Phase.RESOLVED
    (marker,) = at_desk.markers()
    assert at_desk.desk.agent_name not in marker and "handoff-sync" in marker


def test_a_slip_within_the_grace_ends_nothing(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    at_desk.desk.solve(ticket)
    at_desk.notice()
    assert grace_runs(at_desk)
    at_desk.desk.reopen(ticket)
    at_desk.notice()
    at_desk.later(2 * GRACE_S)
    assert at_desk.session().human_handoff and at_desk.markers() == []
    at_desk.desk.solve(ticket)
    at_desk.notice()
    at_desk.later(GRACE_S)
    assert at_desk.phase() is Phase.RESOLVED and len(at_desk.markers()) == 1


@pytest.mark.parametrize("noticed_between", [True, False])
@pytest.mark.parametrize("order", ["reply first", "solve first"])
def test_solving_with_a_last_reply_in_either_order_ends_once(
    at_desk: DeskRig, order: str, noticed_between: bool
) -> None:
    ticket = at_desk.opened()
    acts = [lambda: at_desk.desk.reply(ticket, "<<last>>"), lambda: at_desk.desk.solve(ticket)]
    for act in acts if order == "reply first" else acts[::-1]:
        act()
        if noticed_between:
            at_desk.notice()
    if not at_desk.desk.ticket(ticket).solved:
        at_desk.desk.solve(ticket)  # an answer opens a ticket again here
    at_desk.notice()
    at_desk.later(GRACE_S)
    assert at_desk.heard() == ["<<last>>"]
    assert at_desk.phase() is Phase.RESOLVED and len(at_desk.markers()) == 1


def test_answering_and_closing_each_time_keeps_the_talk_going(at_desk: DeskRig) -> None:
    """Some agents send and close after every answer: whoever was in charge goes on, on the same ticket."""
    ticket = at_desk.opened()
    for number in range(2):
        at_desk.desk.reply(ticket, f"<<answer {number}>>")
        at_desk.desk.solve(ticket)
        at_desk.notice()
        at_desk.later(GRACE_S if number else 0)
        at_desk.say(f"<<question {number}>>")
        at_desk.work()
        assert at_desk.phase() is Phase.HUMAN
        assert at_desk.desk.ticket(ticket).status is TicketStatus.OPEN
        assert len(at_desk.on(ticket, f"<<question {number}>>")) == 1
        at_desk.notice()
    assert at_desk.heard() == [f"<<answer {number}>>" for number in range(2)]
    assert at_desk.desk.ticket_ids() == (ticket,)
    assert at_desk.phase() is Phase.HUMAN


# --- T58: the grace is cancelled --------------------------------------------------------------------------


def test_a_customer_who_writes_in_the_grace_goes_on(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    at_desk.desk.solve(ticket)
    at_desk.notice()
    at_desk.say("<<not yet>>")
    at_desk.work()
    at_desk.notice()
    at_desk.later(2 * GRACE_S)
    assert at_desk.session().human_handoff and at_desk.markers() == []
    assert at_desk.desk.ticket(ticket).status is TicketStatus.OPEN
    assert len(at_desk.on(ticket, "<<not yet>>")) == 1


def test_who_claims_in_the_grace_goes_on_with_an_open_ticket(at_desk: DeskRig) -> None:
    """And may solve it again: the ticket must not stay solved behind a session that goes on."""
    ticket = at_desk.opened()
    at_desk.desk.solve(ticket)
    at_desk.notice()
    at_desk.order(Claimed, EVA, force=True)
    at_desk.notice()
    at_desk.later(2 * GRACE_S)
    assert at_desk.phase() is Phase.HUMAN and at_desk.markers() == []
    assert at_desk.desk.ticket(ticket).status is TicketStatus.OPEN
    at_desk.desk.solve(ticket)
    at_desk.notice()
    at_desk.later(GRACE_S)
    assert at_desk.phase() is Phase.RESOLVED


# --- T59: final ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", list(Outcome))
def test_a_final_close_has_no_grace(at_desk: DeskRig, choice: Outcome) -> None:
    at_desk.needs(Feature.FINAL_STATUS)
    at_desk.follow(on_ticket_closed=choice)
    ticket = at_desk.opened()
    at_desk.desk.set_status(ticket, TicketStatus.CLOSED)
    at_desk.notice()
    assert not grace_runs(at_desk)
    assert at_desk.session().human_handoff if choice is Outcome.KEEP else at_desk.phase() is ENDS[choice]
    assert at_desk.link_state() is LinkState.CLOSED


# --- what is no end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [TicketStatus.ON_HOLD, TicketStatus.WAITING_CUSTOMER])
def test_resting_is_not_solving(at_desk: DeskRig, status: TicketStatus) -> None:
    if status is TicketStatus.WAITING_CUSTOMER:
        at_desk.needs(Feature.WAITING_CUSTOMER)
    ticket = at_desk.opened()
    at_desk.desk.set_status(ticket, status)
    at_desk.notice()
    at_desk.later(2 * GRACE_S)
    assert at_desk.session().human_handoff
    assert at_desk.link().status is status
    at_desk.advance(at_desk.desk.rest_s or 0)
    at_desk.notice()
    assert at_desk.session().human_handoff and at_desk.markers() == []


# --- T60, T61: opened again -------------------------------------------------------------------------------------


def test_reopening_takes_the_session_back_from_the_ai(at_desk: DeskRig) -> None:
    at_desk.follow(on_ticket_solved=Outcome.RETURN_TO_AI)
    ticket = solved(at_desk)
    assert at_desk.phase() is Phase.AI
    at_desk.desk.reopen(ticket)
    at_desk.notice()
    session = at_desk.session()
    assert session.human_handoff and len(session.handoffs) == 2
    assert at_desk.desk.ticket_ids() == (ticket,), "on the same ticket"
    at_desk.say("<<again>>")
    at_desk.work()
    assert len(at_desk.on(ticket, "<<again>>")) == 1


def test_reopening_too_late_leaves_the_ai_alone(at_desk: DeskRig) -> None:
    at_desk.follow(on_ticket_solved=Outcome.RETURN_TO_AI, retake_window_hours=1)
    ticket = solved(at_desk)
    at_desk.advance(HOUR_S + 1)
    at_desk.desk.reopen(ticket)
    at_desk.notice()
    assert at_desk.phase() is Phase.AI


def test_reopening_does_not_take_back_what_a_person_gave_to_the_ai(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    at_desk.order(Resumed, EVA)
    at_desk.desk.solve(ticket)
    at_desk.notice()
    at_desk.desk.reopen(ticket)
    at_desk.notice()
    assert at_desk.phase() is Phase.AI


def test_reopening_opens_the_session_again_for_whoever_held_it(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    at_desk.desk.assign(ticket, at_desk.desk.agent_name)
    at_desk.notice()
    at_desk.desk.solve(ticket)
    at_desk.notice()
    at_desk.later(GRACE_S)
    assert at_desk.phase() is Phase.RESOLVED
    at_desk.desk.reopen(ticket)
    at_desk.notice()
    session = at_desk.session()
    assert session.phase is Phase.HUMAN and session.assignee is not None
    assert at_desk.desk.agent_name in session.assignee.name
    assert at_desk.desk.ticket(ticket).status is TicketStatus.OPEN


def test_a_reopening_right_after_our_own_solving_is_seen(at_desk: DeskRig) -> None:
    """Nobody read the ticket between the two, so both readings before and after show it open."""
    ticket = at_desk.opened()
    at_desk.order(Resolved)
    at_desk.later(1)
    assert at_desk.desk.ticket(ticket).solved
    at_desk.desk.reopen(ticket)
    at_desk.notice()
    assert at_desk.session().human_handoff


def test_reopening_too_late_is_answered_on_the_ticket(at_desk: DeskRig) -> None:
    at_desk.follow(reopen_window_hours=1)
    ticket = solved(at_desk)
    at_desk.advance(HOUR_S + 1)
    at_desk.desk.reopen(ticket)
    at_desk.notice()
    assert at_desk.phase() is Phase.RESOLVED
    (said,) = at_desk.on(ticket, CLOSED_NOTE)
    assert not said.public
    at_desk.later(60)
    assert len(at_desk.on(ticket, CLOSED_NOTE)) == 1


@pytest.mark.parametrize("choice", list(ENDS))
def test_a_customer_who_opens_the_ticket_at_the_helpdesk_reopens_nothing(at_desk: DeskRig, choice: Outcome) -> None:
    """They wrote there by mail, past the chat: only people take a session back."""
    at_desk.follow(on_ticket_solved=choice)
    ticket = solved(at_desk)
    at_desk.desk.customer_reply(ticket, "<<by mail>>")
    at_desk.notice()
    assert at_desk.phase() is ENDS[choice]
    assert at_desk.heard() == [] and at_desk.on(ticket, CLOSED_NOTE) == []
