"""Pause, extend, resume, stop, reset, copilot, timers, health: rows T22 to T33, T43 and T46 to T49, T66."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from handoff_sync.core import events as ev
from handoff_sync.core.effects import (
    AlertOps,
    DeliverToCustomer,
    HandBack,
    MailAdmin,
    NoteOnTicket,
    NotifyCustomer,
    OpenTicket,
    SetAiMode,
    SetTicketTags,
    Verdict,
    Visibility,
)
from handoff_sync.core.events import Event
from handoff_sync.core.model import AiMode, DecisionState, EndReason, Phase, TicketStatus, TimerKind
from handoff_sync.core.policy import LateReply, MailKind, OnClaimTimeout, OnDecisionExpiry, Outcome
from tests.core.talk import (
    ANA,
    API,
    BEN,
    NOW,
    POLICY,
    RULE,
    ZD,
    Talk,
    claim,
    copilot,
    customer,
    extend,
    handover,
    health,
    ids,
    in_ai,
    in_deciding,
    in_human,
    in_resolved,
    in_stopped,
    in_waiting,
    note,
    of,
    pause,
    person,
    proposed,
    reply,
    reset,
    resolve,
    resume,
    status,
    stop,
    unassign,
)

MINUTES = timedelta(minutes=1)


def paused(minutes: int | None = 30) -> Talk:
    talk = in_ai()
    talk.send(pause(minutes))
    return talk


# --- pausing ------------------------------------------------------------------------------------------------------


def test_t22_a_timed_pause_has_an_end_and_a_timer_with_it() -> None:
    talk = paused(30)
    assert (talk.phase, talk.session.assignee) == (Phase.HUMAN, person(ANA))
    assert talk.session.paused_until == NOW + 30 * MINUTES
    assert [(timer.kind, timer.fires_at) for timer in talk.session.timers] == [(TimerKind.PAUSE, NOW + 30 * MINUTES)]
    (row,) = talk.log
    assert (row.action, row.duration_minutes, row.triggered_by, row.via) == ("pause_activated", 30, "m-ana", "console")
    assert (row.previous_ai_mode, row.new_ai_mode) == (AiMode.AUTO, AiMode.PAUSED)


def test_t22_only_an_untimed_pause_opens_tickets() -> None:
    assert not of(in_ai().send(pause(30)), OpenTicket)
    assert len(of(in_ai().send(pause(None)), OpenTicket)) == 2


def test_t22_a_pause_by_the_platform_waits_for_somebody() -> None:
    talk = in_ai()
    talk.send(pause(30, API))
    assert talk.phase is Phase.WAITING


def test_t23_pausing_accepts_the_open_decision() -> None:
    talk = in_deciding()
    talk.send(pause(30))
    decision = talk.session.decision
    assert decision is not None
    assert (decision.state, decision.decided_by) == (DecisionState.ACCEPTED, ANA)


@pytest.mark.parametrize(
    ("first", "then", "action"),
    [
        (30, 60, "extend_pause"),
        (30, None, "extend_pause"),
        (60, 30, "pause_changed"),
        (None, 30, "pause_changed"),
    ],
)
def test_t24_a_new_end(first: int | None, then: int | None, action: str) -> None:
    talk = paused(first)
    epoch = talk.session.control_epoch
    outcome = talk.send(pause(then))
    assert [row.action for row in outcome.pause_log] == [action]
    assert talk.session.paused_until == (None if then is None else NOW + then * MINUTES)
    assert talk.session.control_epoch == epoch
    assert [effect.paused_until for effect in of(outcome, SetAiMode)] == [talk.session.paused_until]


def test_t24_the_same_end_again_changes_nothing() -> None:
    assert paused(30).send(pause(30)).verdict is Verdict.UNCHANGED


def test_t24_a_pause_that_becomes_untimed_opens_tickets() -> None:
    talk = paused(30)
    assert len(of(talk.send(pause(None)), OpenTicket)) == 2
    talk.send(pause(30))
    assert not of(talk.send(pause(None)), OpenTicket)


def test_t25_extending() -> None:
    talk = paused(30)
    talk.send(extend(45))
    assert talk.session.paused_until == NOW + 75 * MINUTES
    assert [timer.fires_at for timer in talk.session.timers] == [NOW + 75 * MINUTES]
    assert talk.log[-1].duration_minutes == 45
    assert paused(None).send(extend(45)).code == "untimed_pause"


@pytest.mark.parametrize("minutes", [0, -5, 10**12])
def test_lengths_that_make_no_sense_are_refused(minutes: int) -> None:
    assert in_ai().send(pause(minutes)).code == "invalid_minutes"
    assert paused(30).send(extend(minutes)).code == "invalid_minutes"


# --- back to the AI --------------------------------------------------------------------------------------------------


def test_t26_the_pause_ends_by_itself() -> None:
    talk = paused(30)
    outcome = talk.fire(TimerKind.PAUSE)
    assert talk.phase is Phase.AI
    (row,) = outcome.pause_log
    assert (row.action, row.reason, row.triggered_by, row.via) == (
        "auto_resume",
        "timer_expired",
        "system",
        "timer:pause",
    )
    assert talk.session.handoffs[-1].end_reason is EndReason.TIMER_EXPIRED


def test_t26_an_old_or_early_timer_does_nothing() -> None:
    talk = paused(30)
    old = talk.session.timers[0]
    assert talk.send(ev.TimerFired(**ids(), kind=old.kind, epoch=old.epoch)).code == "not_due"
    talk.send(copilot())
    talk.wait(minutes=31)
    assert talk.send(ev.TimerFired(**ids(), kind=old.kind, epoch=old.epoch)).code == "stale_timer"
    assert talk.fire(TimerKind.PAUSE).session.phase is Phase.AI


def test_t27_resuming_says_what_was_done() -> None:
    talk = in_human()
    epoch = talk.session.control_epoch
    outcome = talk.send(resume(summary="Refunded, parcel still out", ai_agent_id="bot-2"))
    assert (talk.phase, talk.session.control_epoch, talk.session.assignee) == (Phase.AI, epoch + 1, None)
    assert [(back.summary, back.ai_agent_id) for back in of(outcome, HandBack)] == [
        ("Refunded, parcel still out", "bot-2")
    ]
    assert all("Refunded" in effect.text for effect in of(outcome, NoteOnTicket))
    assert [(stored.kind, stored.visibility) for stored in outcome.messages] == [("note", Visibility.PRIVATE)]
    assert {effect.add for effect in of(outcome, SetTicketTags)} == {("ai_returned",)}
    assert [effect.kind for effect in of(outcome, NotifyCustomer)] == ["on_return"]
    assert [row.action for row in outcome.pause_log] == ["force_resume"]
    assert talk.send(proposed(epoch + 1)).verdict is Verdict.ALLOW


def test_t28_without_live_handback_the_ways_out_are_named() -> None:
    talk = in_ai().but(live_handback=False)
    talk.send(handover(claim=True))
    outcome = talk.send(resume())
    assert outcome.code == "live_handback_off"
    assert "copilot" in outcome.detail and "resolve" in outcome.detail


@pytest.mark.parametrize("event", [resume, reset])
def test_t29_only_resume_or_reset_end_a_stop(event: Callable[[], Event]) -> None:
    talk = in_stopped()
    talk.send(event())
    assert talk.phase is Phase.AI


def test_t31_stopping() -> None:
    talk = in_human()
    outcome = talk.send(stop())
    assert (talk.phase, talk.session.ai_mode, talk.session.assignee) == (Phase.STOPPED, AiMode.STOPPED, None)
    assert talk.session.handoffs[-1].end_reason is EndReason.STOPPED
    assert {effect.add for effect in of(outcome, SetTicketTags)} == {("ai_stopped",)}


@pytest.mark.parametrize("start", [in_ai, in_deciding, in_waiting, in_human, in_stopped])
def test_t32_a_reset_takes_every_older_licence_away_and_keeps_the_history(start: Callable[[], Talk]) -> None:
    talk = start()
    before = talk.session
    talk.send(reset())
    assert (talk.phase, talk.session.control_epoch) == (Phase.AI, before.control_epoch + 1)
    assert (talk.session.message_count, talk.session.links) == (before.message_count, before.links)
    assert not talk.session.timers and not talk.session.copilot
    assert talk.log[-1].action == "reset"


def test_t32_a_reset_repairs_even_without_live_handback() -> None:
    talk = in_ai().but(live_handback=False)
    talk.send(handover(), reset())
    assert talk.phase is Phase.AI


def test_t33_a_reset_of_a_resolved_session_gives_it_to_the_ai_when_it_opens() -> None:
    talk = in_resolved()
    talk.send(reset(), customer())
    assert talk.phase is Phase.AI


def test_t43_copilot_is_a_turn_of_its_own() -> None:
    talk = in_human()
    epoch = talk.session.control_epoch
    talk.send(copilot())
    assert (talk.session.ai_mode, talk.session.control_epoch) == (AiMode.COPILOT, epoch + 1)
    talk.send(copilot(False))
    assert (talk.session.ai_mode, talk.session.control_epoch) == (AiMode.PAUSED, epoch + 2)
    assert [row.action for row in talk.log[-2:]] == ["copilot_on", "copilot_off"]


def test_t46_the_customer_may_end_it() -> None:
    talk = in_human()
    outcome = talk.send(ev.CustomerEndedHuman(**ids()))
    assert (talk.phase, talk.session.handoffs[-1].end_reason) == (Phase.AI, EndReason.CUSTOMER_ENDED)
    assert [row.action for row in outcome.pause_log] == ["customer_ended"]


# --- health -----------------------------------------------------------------------------------------------------------


def test_t47_a_timer_waits_until_the_ai_runs() -> None:
    talk = paused(30)
    talk.send(health(agent=False))
    outcome = talk.fire(TimerKind.PAUSE)
    assert (talk.phase, talk.session.return_pending) == (Phase.HUMAN, EndReason.TIMER_EXPIRED)
    assert (outcome.rule, outcome.code) == ("T47", "agent_not_running")
    assert [effect.kind for effect in of(outcome, AlertOps)] == ["return_pending"]
    back = talk.send(health(agent=True))
    assert (back.rule, talk.phase, talk.session.return_pending) == ("T47", Phase.AI, None)
    assert [row.action for row in back.pause_log] == ["auto_resume"]


@pytest.mark.parametrize("event", [note, claim, lambda: pause(15), lambda: extend(15)])
def test_t47_a_person_who_acts_takes_the_return_off_the_table(event: Callable[[], Event]) -> None:
    talk = in_ai()
    talk.send(pause(30, API), health(channel=False))
    talk.fire(TimerKind.PAUSE)
    assert talk.session.return_pending is EndReason.TIMER_EXPIRED
    talk.send(event(), health(channel=True))
    assert talk.session.human_handoff and talk.session.return_pending is None


def test_t47_a_person_is_warned_a_program_refused_and_a_rule_waits() -> None:
    by_person, by_program, by_rule = in_human(), in_human(), in_human()
    for talk in (by_person, by_program, by_rule):
        talk.send(health(agent=False))
    warned = by_person.send(resume())
    assert (by_person.phase, warned.code, warned.detail) == (Phase.AI, "agent_not_running", "Agent not running")
    assert by_program.send(resume(API)).verdict is Verdict.REFUSED
    by_rule.send(reset(RULE))
    assert (by_rule.phase, by_rule.session.return_pending) == (Phase.HUMAN, EndReason.RESET)
    by_rule.send(health(agent=True))
    assert by_rule.phase is Phase.AI


def test_t47_both_must_run() -> None:
    talk = paused(30)
    talk.send(health(agent=False, channel=False))
    assert talk.fire(TimerKind.PAUSE).rule == "T47"
    talk.send(health(agent=True))
    assert talk.phase is Phase.HUMAN
    talk.send(health(channel=True))
    assert talk.phase is Phase.AI


def test_t66_an_ai_that_goes_down_in_charge_is_an_alarm() -> None:
    assert [effect.kind for effect in of(in_ai().send(health(agent=False)), AlertOps)] == ["agent_not_running"]
    assert not of(in_human().send(health(agent=False)), AlertOps)


def test_a_customer_who_comes_back_to_an_ai_that_is_down_is_an_alarm() -> None:
    talk = in_ai()
    talk.send(resolve(), health(agent=False))
    assert [effect.kind for effect in of(talk.send(customer()), AlertOps)] == ["agent_not_running"]


# --- waiting ---------------------------------------------------------------------------------------------------


def test_t48_reminding() -> None:
    talk = in_waiting()
    outcome = talk.fire(TimerKind.CLAIM_REMINDER)
    assert [effect.kind for effect in of(outcome, MailAdmin)] == [MailKind.REMINDER] * 2
    assert talk.phase is Phase.WAITING and not talk.session.timers


def test_claim_timers_begin_again_after_an_unassign() -> None:
    talk = in_human().wait(hours=1)
    talk.send(unassign(BEN))
    assert [timer.fires_at for timer in talk.session.timers] == [talk.now + 5 * MINUTES]


def test_t49_giving_up_waiting() -> None:
    for choice, phase in (
        (OnClaimTimeout.KEEP, Phase.WAITING),
        (OnClaimTimeout.RETURN_TO_AI, Phase.AI),
        (OnClaimTimeout.RESOLVE, Phase.RESOLVED),
    ):
        talk = in_ai().but(claim_timeout_minutes=20, on_claim_timeout=choice, claim_reminder_minutes=None)
        talk.send(handover())
        talk.fire(TimerKind.CLAIM_TIMEOUT)
        assert talk.phase is phase
        assert not talk.session.timers


# --- what the policy changes ------------------------------------------------------------------------------------------


def test_without_live_handback_every_return_by_itself_is_a_resolve() -> None:
    talk = in_ai().but(live_handback=False, on_ticket_solved=Outcome.RETURN_TO_AI)
    talk.send(pause(30))
    assert talk.session.paused_until is None
    talk.send(ev.CustomerEndedHuman(**ids()))
    assert talk.phase is Phase.RESOLVED


def test_t20_nobody_decides() -> None:
    for choice, phase in ((OnDecisionExpiry.KEEP_AI, Phase.AI), (OnDecisionExpiry.HAND_OVER, Phase.WAITING)):
        talk = in_deciding(replace(POLICY, on_decision_expiry=choice))
        epoch = talk.session.control_epoch
        talk.fire(TimerKind.DECISION)
        assert talk.phase is phase
        assert talk.session.decision is not None and talk.session.decision.state is DecisionState.EXPIRED
        assert talk.session.control_epoch == epoch + (1 if phase is Phase.WAITING else 0)


def test_i24_a_running_handoff_keeps_its_policy() -> None:
    talk = in_human()
    talk.but(live_handback=False, solved_grace_seconds=5, late_reply=LateReply.REFUSE_WITH_NOTE)
    talk.send(status(TicketStatus.SOLVED, ZD))
    assert talk.session.timers[0].fires_at == talk.now + MINUTES
    talk.send(resume())
    assert talk.phase is Phase.AI
    assert len(of(talk.send(reply()), DeliverToCustomer)) == 1
