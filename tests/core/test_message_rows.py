"""Who may speak and what becomes of it: rows T1 to T10 and T40 to T42."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from handoff_sync.core import events as ev
from handoff_sync.core.effects import (
    AppendToTicket,
    DeliverToCustomer,
    OpenTicket,
    SessionChange,
    SessionChanged,
    SetAiMode,
    SetTicketAssignee,
    SetTicketStatus,
    Verdict,
    Visibility,
)
from handoff_sync.core.machine import new_session
from handoff_sync.core.model import AiMode, AuthorClass, Customer, Phase, TicketStatus, TimerKind
from handoff_sync.core.policy import Mode
from tests.core.talk import (
    ANA,
    API,
    BEN,
    CUSTOMER,
    EVA,
    IC,
    NOW,
    ZD,
    Talk,
    archive,
    claim,
    copilot,
    created,
    customer,
    fresh,
    handover,
    health,
    ids,
    in_ai,
    in_deciding,
    in_human,
    in_resolved,
    in_stopped,
    in_waiting,
    of,
    pause,
    person,
    proposed,
    request,
    resolve,
    said,
    sent,
    status,
)


def test_t1_the_first_event_creates_the_session() -> None:
    talk = fresh()
    outcome = talk.send(ev.SessionStarted(**ids(), channel="whatsapp", customer=Customer(name="Lee"), team="sales"))
    assert [effect.change for effect in of(outcome, SessionChanged)] == [SessionChange.CREATED]
    assert (talk.session.channel, talk.session.customer.name, talk.session.team) == ("whatsapp", "Lee", "sales")
    assert not of(talk.send(customer()), SessionChanged)


def test_t1_a_pause_made_beforehand_waits_for_the_customer() -> None:
    talk = fresh()
    talk.send(pause(None, ANA))
    assert talk.send(customer()).rule == "T4"
    assert talk.phase is Phase.HUMAN


def test_t1_a_second_start_brings_the_customer_up_to_date() -> None:
    talk = in_ai()
    talk.send(ev.SessionStarted(**ids(), customer=Customer(name="Kim Lee")))
    assert talk.session.customer.name == "Kim Lee"
    talk.send(ev.SessionStarted(**ids()))
    assert talk.session.customer.name == "Kim Lee"


def test_t4_the_customer_reaches_every_ticket_in_public() -> None:
    outcome = in_waiting().send(customer())
    assert [(effect.link, effect.public) for effect in of(outcome, AppendToTicket)] == [(ZD, True), (IC, True)]


def test_t4_what_the_first_transcript_holds_is_not_said_again() -> None:
    talk = in_ai()
    opened = of(talk.send(handover()), OpenTicket)
    assert [effect.through_seq for effect in opened] == [1, 1]
    assert [effect.seq for effect in of(talk.send(customer()), AppendToTicket)] == [2, 2]


def test_t4_a_solved_ticket_is_opened_again_and_a_closed_one_followed_up() -> None:
    talk = in_human()
    talk.send(status(TicketStatus.SOLVED, IC))
    reopened = of(talk.send(customer()), SetTicketStatus)
    assert [(effect.link, effect.status) for effect in reopened] == [(IC, TicketStatus.OPEN)]
    talk.send(status(TicketStatus.CLOSED, IC))
    outcome = talk.send(customer())
    (opened,) = of(outcome, OpenTicket)
    assert (opened.link, opened.follow_up_of, opened.through_seq) == (f"{IC}:2", IC, talk.session.message_count)
    assert person(ANA) in [effect.person for effect in of(outcome, SetTicketAssignee) if effect.link == opened.link]
    assert not of(talk.send(customer()), OpenTicket)


def test_t8_the_licence_is_the_current_epoch_and_a_running_ai() -> None:
    talk = in_ai()
    assert talk.send(proposed(0)).verdict is Verdict.ALLOW
    assert talk.send(proposed(1)).code == "stale_epoch"
    talk.send(health(agent=False))
    assert talk.send(proposed(0)).code == "agent_not_running"
    talk.send(health(agent=True, channel=False))
    assert talk.send(proposed(0)).code == "channel_not_running"


def test_t8_allowing_stores_nothing() -> None:
    talk = in_ai()
    before = talk.session
    outcome = talk.send(proposed(0))
    assert outcome.session == before and not outcome.timeline


def test_t8_a_pending_decision_does_not_silence_the_ai() -> None:
    talk = in_deciding()
    assert talk.send(proposed(talk.session.control_epoch)).verdict is Verdict.ALLOW


def test_t9_in_copilot_the_ai_drafts_for_people_only() -> None:
    talk = in_human()
    talk.send(copilot())
    outcome = talk.send(proposed(talk.session.control_epoch))
    (stored,) = outcome.messages
    assert (outcome.verdict, stored.kind, stored.visibility) == (Verdict.DRAFT, "draft", Visibility.PRIVATE)
    assert {effect.public for effect in of(outcome, AppendToTicket)} == {False}
    assert not of(outcome, DeliverToCustomer)
    assert talk.send(proposed(talk.session.control_epoch - 1)).verdict is Verdict.BLOCK


@pytest.mark.parametrize("start", [in_waiting, in_human, in_stopped, in_resolved])
def test_t10_a_silenced_ai_is_blocked_and_on_record(start: Callable[[], Talk]) -> None:
    talk = start()
    outcome = talk.send(proposed(talk.session.control_epoch, "secret plan"))
    (row,) = outcome.pause_log
    assert (outcome.verdict, row.action) == (Verdict.BLOCK, "interaction_blocked")
    assert row.previous_ai_mode is row.new_ai_mode is talk.session.ai_mode
    assert not outcome.messages and "secret" not in str(outcome.timeline)


def test_t10_an_answer_begun_before_the_takeover_is_blocked() -> None:
    talk = in_ai()
    epoch = talk.session.control_epoch
    talk.send(request(mode=Mode.AUTOMATIC))
    assert talk.send(proposed(epoch)).verdict is Verdict.BLOCK


def test_what_the_ai_has_said_is_shown_to_those_who_took_over() -> None:
    outcome = in_human().send(sent())
    assert {(effect.link, effect.public) for effect in of(outcome, AppendToTicket)} == {(ZD, False), (IC, False)}
    assert outcome.session.last_responder is not None
    assert outcome.session.last_responder.author_class is AuthorClass.AI


def test_t40_a_reply_claims_a_waiting_session() -> None:
    talk = in_waiting()
    outcome = talk.send(said(BEN))
    assert (talk.phase, talk.session.assignee) == (Phase.HUMAN, person(BEN))
    assert [effect.message.author for effect in of(outcome, DeliverToCustomer)] == [person(BEN)]
    assert {(effect.link, effect.public) for effect in of(outcome, AppendToTicket)} == {(ZD, False), (IC, False)}
    assert not talk.session.timers
    assert talk.session.last_responder is not None and talk.session.last_responder.name == "Ben"


def test_t40_a_second_person_answers_without_taking_over() -> None:
    talk = in_human()
    talk.send(said(BEN))
    assert talk.session.assignee == person(ANA)


def test_t40_a_reply_ends_a_stop() -> None:
    talk = in_stopped()
    talk.send(said(BEN))
    assert (talk.phase, talk.session.ai_mode, talk.session.handoffs[-1].number) == (Phase.HUMAN, AiMode.PAUSED, 2)


@pytest.mark.parametrize("start", [in_ai, in_deciding])
def test_t41_a_reply_takes_over_from_the_ai(start: Callable[[], Talk]) -> None:
    talk = start()
    epoch = talk.session.control_epoch
    outcome = talk.send(said(ANA))
    assert (talk.phase, talk.session.control_epoch) == (Phase.HUMAN, epoch + 1)
    assert len(of(outcome, DeliverToCustomer)) == 1
    assert isinstance(outcome.effects[0], SetAiMode)


def test_t42_automation_takes_nothing_over_and_is_not_delivered() -> None:
    talk = in_ai()
    outcome = talk.send(said(API, AuthorClass.AUTOMATION))
    assert talk.phase is Phase.AI
    assert not of(outcome, DeliverToCustomer)
    assert [stored.visibility for stored in outcome.messages] == [Visibility.PRIVATE]


def test_a_human_message_must_be_of_a_human() -> None:
    assert in_waiting().send(said(API, AuthorClass.CUSTOMER)).code == "author_class"


# --- one conversation after another ---------------------------------------------------------------------------


def test_t5_whoever_was_in_charge_is_so_again() -> None:
    talk = in_resolved()
    outcome = talk.send(customer())
    assert (talk.phase, talk.session.assignee, len(talk.session.handoffs)) == (Phase.HUMAN, person(ANA), 2)
    assert [effect.status for effect in of(outcome, SetTicketStatus)] == [TicketStatus.OPEN] * 2
    assert [effect.link for effect in of(outcome, AppendToTicket)] == [ZD, IC]
    assert not of(outcome, OpenTicket)
    assert SessionChange.REOPENED in [effect.change for effect in of(outcome, SessionChanged)]


def test_t5_nobody_held_it_so_it_waits_again() -> None:
    talk = in_waiting()
    talk.send(resolve(), customer())
    assert talk.phase is Phase.WAITING


def test_t5_the_ai_was_in_charge_and_is_so_again() -> None:
    talk = in_ai()
    talk.send(resolve())
    epoch = talk.session.control_epoch
    talk.send(customer())
    assert (talk.phase, talk.session.control_epoch, talk.session.handoffs) == (Phase.AI, epoch + 1, ())


def test_t5_a_closed_ticket_is_followed_up() -> None:
    talk = in_resolved()
    talk.send(status(TicketStatus.CLOSED, ZD))
    opened = of(talk.send(customer()), OpenTicket)
    assert [(effect.link, effect.follow_up_of) for effect in opened] == [("s:2:zd", ZD)]


@pytest.mark.parametrize("hours", [71, 73])
def test_t6_after_the_window_a_new_session_begins(hours: int) -> None:
    talk = in_resolved().wait(hours=hours)
    assert talk.send(customer()).verdict is (Verdict.APPLIED if hours < 72 else Verdict.NEW_SESSION)


def test_t6_the_new_session_knows_the_old_one_and_counts_on() -> None:
    old = in_resolved().session
    new = new_session(id="s2", workspace="w", conversation_id="conv", now=NOW, previous=old)
    assert (new.previous_session_id, new.customer, new.version) == ("s", CUSTOMER, 0)
    assert new.control_epoch == old.control_epoch + 1


def test_t6_a_session_that_went_on_elsewhere_stays_closed() -> None:
    talk = in_resolved()
    talk.send(ev.SessionSuperseded(**ids(), next_session="s2"))
    assert talk.send(customer()).verdict is Verdict.NEW_SESSION
    assert talk.send(handover()).verdict is Verdict.REFUSED
    assert talk.send(status(TicketStatus.OPEN)).session.phase is Phase.RESOLVED


def test_t7_after_an_archive_nothing_is_handed_on() -> None:
    talk = in_human()
    talk.send(archive())
    assert talk.send(customer()).verdict is Verdict.NEW_SESSION
    new = new_session(id="s2", workspace="w", conversation_id="conv", now=NOW, previous=talk.session)
    assert new.previous_session_id is None
    assert new.control_epoch == talk.session.control_epoch + 1


def test_t58_a_customer_who_writes_stops_the_grace() -> None:
    talk = in_human()
    talk.send(status(TicketStatus.SOLVED, ZD))
    assert [timer.kind for timer in talk.session.timers] == [TimerKind.SOLVED_GRACE]
    assert talk.session.timers[0].fires_at == NOW + timedelta(seconds=60)
    talk.send(customer())
    assert not talk.session.timers


def test_messages_wait_behind_a_ticket_that_could_not_be_made() -> None:
    """I9: parked, in order, visible."""
    talk = in_ai()
    talk.send(handover(), created(IC), ev.TicketCreateFailed(**ids(), link=ZD, permanent=True))
    assert {effect.link for effect in of(talk.send(customer()), AppendToTicket)} == {ZD, IC}
    talk.send(claim(EVA))
    assert talk.phase is Phase.HUMAN
