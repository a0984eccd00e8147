"""Asking for a human, deciding, holding: rows T11 to T21 and T34 to T39."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from handoff_sync.core.effects import (
    AlertOps,
    AppendToTicket,
    HandBack,
    MailAdmin,
    MailCustomer,
    NoteOnTicket,
    NotifyCustomer,
    OpenTicket,
    QuotaChanged,
    SessionChange,
    SessionChanged,
    SetAiMode,
    SetTicketAssignee,
    SetTicketStatus,
    SetTicketTags,
    Verdict,
)
from handoff_sync.core.events import Event
from handoff_sync.core.model import AiMode, DecisionState, EndReason, HandoffState, LinkRole, Phase, TimerKind, Trigger
from handoff_sync.core.policy import ConnectionRule, MailKind, Mode, Recipient, Scenario
from tests.core.talk import (
    AI,
    ANA,
    API,
    BEN,
    IC,
    NOW,
    POLICY,
    ZD,
    accepted,
    assign,
    claim,
    created,
    customer,
    declined,
    fresh,
    handover,
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
    resume,
    returned,
    unassign,
)


def test_t11_entering_the_human_side() -> None:
    talk = in_ai()
    outcome = talk.send(request(mode=Mode.AUTOMATIC, scenario="Refund", reason="wants 300 back", summary="A refund"))
    (mode,) = of(outcome, SetAiMode)
    assert (mode.previous, mode.new, mode.epoch) == (AiMode.AUTO, AiMode.PAUSED, 1)
    assert outcome.effects[0] is mode
    assert [effect.link for effect in of(outcome, OpenTicket)] == [ZD, IC]
    assert [link.role for link in talk.session.links] == [LinkRole.PRIMARY, LinkRole.SECONDARY]
    assert [link.key for link in talk.session.links] == ["hs:s:1:zd", "hs:s:1:ic"]
    assert [effect.kind for effect in of(outcome, MailAdmin)] == [MailKind.HANDOVER] * 2
    assert [effect.kind for effect in of(outcome, NotifyCustomer)] == ["on_handover"]
    assert [effect.change for effect in of(outcome, QuotaChanged)] == ["excluded"]
    assert talk.session.labels == ("human-handoff",)
    assert {effect.add for effect in of(outcome, SetTicketTags)} == {("ai_paused", "human-handoff")}
    assert {timer.kind for timer in talk.session.timers} == {TimerKind.CLAIM_REMINDER}
    (row,) = outcome.pause_log
    assert (row.action, row.reason, row.triggered_by, row.via) == (
        "pause_activated",
        "wants 300 back",
        "system",
        "ai",
    )
    handoff = talk.session.handoffs[-1]
    assert (handoff.scenarios, handoff.summary, handoff.mode, handoff.policy) == (
        ("Refund",),
        "A refund",
        Mode.AUTOMATIC,
        POLICY,
    )


def test_t11_somebody_in_particular() -> None:
    talk = in_ai()
    outcome = talk.send(handover(ANA, designated=person(BEN)))
    assert (talk.phase, talk.session.assignee) == (Phase.HUMAN, person(BEN))
    assert [effect.kind for effect in of(outcome, NotifyCustomer)] == ["on_handover", "on_join"]
    assert [effect.human for effect in of(outcome, MailCustomer)] == [person(BEN)]
    assert [effect.human for effect in of(outcome, SetAiMode)] == [person(BEN)]
    assert {effect.person for effect in of(outcome, SetTicketAssignee)} == {person(BEN)}
    assert not talk.session.timers


def test_t11_the_actor_may_claim_at_once() -> None:
    talk = in_ai()
    talk.send(handover(ANA, claim=True))
    assert talk.session.assignee == person(ANA)


def test_t11_team_and_scenario_choose_who_is_told() -> None:
    scenario = Scenario(title="Refund", mode=Mode.AUTOMATIC, team="money", tags=("refund",), enabled=True)
    recipients = (Recipient(email="all@example.com"), Recipient(email="sales@example.com", team="sales"))
    talk = in_ai().but(scenarios=(scenario,), recipients=(*recipients, Recipient(email="m@example.com", team="money")))
    outcome = talk.send(request(scenario="Refund"))
    assert [effect.recipient.email for effect in of(outcome, MailAdmin)] == ["all@example.com", "m@example.com"]
    assert talk.session.team == "money"
    assert talk.session.labels == ("human-handoff", "refund")


def test_t12_the_ai_goes_on_while_people_decide() -> None:
    talk = in_ai()
    outcome = talk.send(request(scenario="Refund"))
    assert talk.phase is Phase.AI_DECIDING
    assert talk.session.control_epoch == 0
    assert [effect.new for effect in of(outcome, SetAiMode)] == [AiMode.AUTO_PENDING]
    assert [effect.kind for effect in of(outcome, MailAdmin)] == [MailKind.DECISION_NEEDED] * 2
    assert [effect.change for effect in of(outcome, SessionChanged)] == [SessionChange.DECISION_NEEDED]
    assert talk.session.decision is not None and talk.session.decision.version == talk.session.version
    assert [(timer.kind, timer.fires_at) for timer in talk.session.timers] == [
        (TimerKind.DECISION, NOW + timedelta(minutes=30)),
        (TimerKind.DECISION_REMINDER, NOW + timedelta(minutes=15)),
    ]
    assert not of(outcome, OpenTicket) and not of(outcome, QuotaChanged)
    assert [row.action for row in outcome.pause_log] == ["decision_requested"]


def test_t12_a_decision_that_nobody_hears_of_is_an_alarm() -> None:
    outcome = in_ai().but(recipients=()).send(request())
    assert [effect.kind for effect in of(outcome, AlertOps)] == ["decision_unheard"]


def test_t13_a_person_need_not_wait_for_the_decision() -> None:
    talk = fresh()
    talk.send(customer(), request(scenario="Refund"), handover(reason="now"))
    assert talk.phase is Phase.WAITING
    assert talk.session.decision is not None and talk.session.decision.state is DecisionState.SUPERSEDED
    (handoff,) = talk.session.handoffs
    assert (handoff.state, handoff.scenarios, handoff.reason) == (HandoffState.OPEN, ("Refund",), "now")
    assert talk.session.control_epoch == 1


def test_t14_one_more_reason_and_no_new_mail() -> None:
    talk = in_deciding()
    outcome = talk.send(request(scenario="Angry"))
    assert talk.session.handoffs[-1].scenarios == ("Refund", "Angry")
    assert not of(outcome, MailAdmin)


def test_t15_no_second_ticket_and_no_second_mail() -> None:
    talk = in_waiting()
    outcome = talk.send(request(mode=Mode.AUTOMATIC, reason="still angry"))
    assert [effect.link for effect in of(outcome, NoteOnTicket)] == [ZD, IC]
    assert all("still angry" in effect.text for effect in of(outcome, NoteOnTicket))
    assert len(outcome.effects) == 2
    assert talk.session.handoffs[-1].reason == "still angry"


def test_t15_a_pause_without_a_ticket_gets_one_when_a_human_is_asked_for() -> None:
    talk = in_ai()
    assert not of(talk.send(pause(30)), OpenTicket)
    assert [effect.link for effect in of(talk.send(request(reason="help")), OpenTicket)] == [ZD, IC]


def test_t16_a_stopped_session_can_be_handed_over() -> None:
    talk = in_stopped()
    outcome = talk.send(handover())
    assert talk.phase is Phase.WAITING
    assert [row.action for row in outcome.pause_log] == ["pause_activated"]


def test_t17_a_resolved_session_can_be_handed_over_by_a_person() -> None:
    talk = in_resolved().wait(hours=1000)
    outcome = talk.send(handover(claim=True))
    assert talk.phase is Phase.HUMAN
    assert talk.session.resolved_at is None
    assert SessionChange.REOPENED in [effect.change for effect in of(outcome, SessionChanged)]


def test_t18_accepting_hands_over_and_tells_the_others() -> None:
    talk = in_deciding()
    assert talk.session.decision is not None
    outcome = talk.send(accepted(ANA, version=talk.session.decision.version))
    assert (talk.phase, talk.session.handoffs[-1].state) == (Phase.WAITING, HandoffState.OPEN)
    assert [effect.kind for effect in of(outcome, MailAdmin)] == [MailKind.DECIDED] * 2
    assert {effect.decision for effect in of(outcome, MailAdmin)} == {talk.session.decision}


def test_t18_whoever_decides_by_mail_is_not_mailed_about_it() -> None:
    by_mail = accepted(type(ANA)(kind=ANA.kind, id="ana@example.com", name="Ana", via="mail"))
    outcome = in_deciding().send(by_mail)
    assert [effect.recipient.email for effect in of(outcome, MailAdmin)] == ["ben@example.com"]


def test_t18_who_only_hears_of_handovers_hears_of_this_one() -> None:
    only = Recipient(email="queue@example.com", kinds=(MailKind.HANDOVER,))
    talk = in_ai().but(recipients=(*POLICY.recipients, only))
    talk.send(request())
    mails = of(talk.send(accepted()), MailAdmin)
    assert [(mail.kind, mail.recipient.email) for mail in mails][-1] == (MailKind.HANDOVER, "queue@example.com")
    assert len(mails) == 3


def test_t18_accept_and_claim() -> None:
    talk = in_deciding()
    talk.send(accepted(BEN, claim=True))
    assert talk.session.assignee == person(BEN)


def test_t19_a_declined_scenario_does_not_ask_again_for_a_while() -> None:
    talk = in_deciding()
    epoch = talk.session.control_epoch
    talk.send(declined())
    assert (talk.phase, talk.session.control_epoch) == (Phase.AI, epoch)
    assert talk.session.handoffs[-1].end_reason is EndReason.DECLINED
    assert talk.send(request(scenario="Refund")).code == "muted"
    assert talk.send(request(scenario="Angry")).rule == "T12"
    talk.send(declined())
    talk.wait(minutes=61)
    assert talk.send(request(scenario="Refund")).rule == "T12"


def test_t19_a_request_without_a_scenario_is_muted_by_its_trigger() -> None:
    talk = in_ai()
    talk.send(request(Trigger.CUSTOMER_REQUEST), declined())
    assert talk.send(request(Trigger.CUSTOMER_REQUEST)).code == "muted"
    assert talk.send(request(Trigger.AI_ERROR)).rule == "T12"


@pytest.mark.parametrize("event", [accepted, declined])
def test_t21_everybody_learns_who_was_first(event: Callable[..., Event]) -> None:
    talk = in_deciding()
    talk.send(accepted(ANA))
    outcome = talk.wait(minutes=5).send(event(BEN))
    assert (outcome.verdict, outcome.code) == (Verdict.REFUSED, "already_decided")
    assert outcome.detail == "already accepted by Ana at 2026-03-02 12:00"


def test_t21_an_old_question_cannot_be_answered() -> None:
    talk = in_deciding()
    assert talk.session.decision is not None
    assert talk.send(accepted(version=talk.session.decision.version - 1)).code == "stale_decision"
    assert talk.phase is Phase.AI_DECIDING


# --- holding ----------------------------------------------------------------------------------------------------


def test_t34_claiming() -> None:
    talk = in_waiting()
    outcome = talk.send(claim(ANA))
    assert (talk.phase, talk.session.handoffs[-1].state) == (Phase.HUMAN, HandoffState.CLAIMED)
    assert [effect.human for effect in of(outcome, MailCustomer)] == [person(ANA)]
    assert [effect.kind for effect in of(outcome, NotifyCustomer)] == ["on_join"]
    assert [effect.link for effect in of(outcome, SetTicketAssignee)] == [ZD, IC]
    assert [(effect.change, effect.assignee) for effect in of(outcome, SessionChanged)] == [
        (SessionChange.ASSIGNED, person(ANA))
    ]
    assert not talk.session.timers
    assert [row.action for row in outcome.pause_log] == ["claim"]
    assert [entry.kind for entry in outcome.timeline] == ["claim", "assignment"]


def test_t34_only_people_claim() -> None:
    assert in_waiting().send(claim(API)).code == "person_required"


def test_t35_the_first_one_wins_unless_forced() -> None:
    talk = in_human()
    outcome = talk.send(claim(BEN))
    assert (outcome.code, outcome.detail) == ("already_claimed_by", "Ana holds the session already.")
    assert talk.send(claim(ANA)).verdict is Verdict.UNCHANGED
    forced = talk.send(claim(BEN, force=True))
    assert talk.session.assignee == person(BEN)
    assert not of(forced, MailCustomer) and not of(forced, NotifyCustomer)


def test_t36_assigning_somebody_else() -> None:
    talk = in_human()
    talk.send(assign(BEN, ANA))
    assert talk.session.assignee == person(BEN)


def test_t37_claiming_from_the_ai_is_a_handover() -> None:
    talk = in_ai()
    outcome = talk.send(claim(ANA))
    assert (talk.phase, talk.session.handoffs[-1].trigger) == (Phase.HUMAN, Trigger.MANUAL)
    assert len(of(outcome, OpenTicket)) == 2


def test_t38_back_to_the_queue() -> None:
    talk = in_human()
    outcome = talk.send(unassign())
    assert (talk.phase, talk.session.handoffs[-1].state) == (Phase.WAITING, HandoffState.OPEN)
    assert {effect.person for effect in of(outcome, SetTicketAssignee)} == {None}
    assert TimerKind.CLAIM_REMINDER in {timer.kind for timer in talk.session.timers}
    again = talk.send(claim(BEN))
    assert not of(again, MailCustomer) and not of(again, NotifyCustomer)


def test_t39_back_to_a_named_ai_agent() -> None:
    talk = in_human()
    outcome = talk.send(assign(None, ai="bot-2"))
    assert (talk.phase, talk.session.ai_agent_id) == (Phase.AI, "bot-2")
    assert [effect.ai_agent_id for effect in of(outcome, HandBack)] == ["bot-2"]


def test_assigning_to_nobody_is_refused() -> None:
    assert in_human().send(assign(None)).code == "nobody_named"


# --- further handoffs ---------------------------------------------------------------------------------------------


def test_a_further_handoff_uses_the_ticket_again() -> None:
    talk = returned()
    talk.send(customer())
    outcome = talk.send(handover(reason="again"))
    assert not of(outcome, OpenTicket) and not of(outcome, QuotaChanged)
    notes = of(outcome, NoteOnTicket)
    assert [(note.link, note.name, note.after_seq, note.through_seq) for note in notes] == [
        (ZD, "handoff:2", 1, 2),
        (IC, "handoff:2", 1, 2),
    ]
    assert "again" in notes[0].text
    assert not of(talk.send(customer()), OpenTicket)


def test_a_further_handoff_opens_a_solved_ticket() -> None:
    talk = in_human()
    talk.send(resolve())
    assert len(of(talk.send(handover()), SetTicketStatus)) == 2


def test_a_session_that_counted_for_the_ai_is_corrected_once() -> None:
    talk = in_ai()
    talk.send(resolve())
    assert talk.session.counts_as_ai_resolution is True
    assert [effect.change for effect in of(talk.send(handover()), QuotaChanged)] == ["corrected"]
    talk.send(resume(), handover(), resolve())
    assert talk.session.counts_as_ai_resolution is False
    assert len([effect for effect in talk.effects if isinstance(effect, QuotaChanged)]) == 1


def test_nobody_to_tell_is_an_alarm() -> None:
    talk = in_ai().but(connections=(), recipients=())
    outcome = talk.send(handover())
    assert [effect.kind for effect in of(outcome, AlertOps)] == ["handoff_unheard"]


def test_a_takeover_closes_the_gate_in_the_same_step() -> None:
    talk = in_ai()
    talk.send(request(mode=Mode.AUTOMATIC))
    assert talk.send(proposed(0)).verdict is Verdict.BLOCK


def test_keys_are_made_of_plain_characters_and_stay_apart() -> None:
    rules = (ConnectionRule(connection="a b"), ConnectionRule(connection="a-b"), ConnectionRule(connection="a/b"))
    talk = in_ai().but(connections=rules)
    talk.send(handover(AI))
    keys = [link.key for link in talk.session.links]
    assert len(set(keys)) == 3
    assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789:._-") for key in keys)


def test_a_ticket_that_is_being_made_is_used_again_too() -> None:
    talk = in_ai()
    talk.send(handover(), resume())
    outcome = talk.send(handover())
    assert not of(outcome, OpenTicket)
    assert [effect.link for effect in of(outcome, NoteOnTicket)] == [ZD, IC]
    assert [effect.name for effect in of(talk.send(created()), NoteOnTicket)] == ["commands"]
    assert not of(talk.send(created()), AppendToTicket)
