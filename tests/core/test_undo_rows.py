"""Waiting for a decision, telling the others, and taking it back: rows T19, T20, T48 and T68."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handoff_sync.core.effects import (
    HandBack,
    MailAdmin,
    NoteOnTicket,
    NotifyCustomer,
    OpenTicket,
    Outcome,
    QuotaChanged,
    SessionChange,
    SessionChanged,
    SetAiMode,
    Verdict,
)
from handoff_sync.core.model import AiMode, DecisionState, HandoffState, Phase, TimerKind
from handoff_sync.core.policy import MailKind, OnDecisionExpiry, Recipient
from tests.core.talk import (
    ANA,
    BEN,
    EVA,
    POLICY,
    ZD,
    Talk,
    accepted,
    claim,
    created,
    customer,
    declined,
    handover,
    health,
    in_ai,
    in_deciding,
    of,
    pause,
    proposed,
    reply,
    request,
    resolve,
    said,
    undone,
)

BOSS = replace(ANA, id="ana@example.com", via="mail")


def mails(outcome: Outcome) -> list[tuple[MailKind, str, DecisionState | None]]:
    return [
        (mail.kind, mail.recipient.email, mail.decision.state if mail.decision is not None else None)
        for mail in of(outcome, MailAdmin)
    ]


def asked() -> Talk:
    talk = in_ai()
    talk.send(request(scenario="Refund"))
    return talk


# --- waiting for it ----------------------------------------------------------------------------------------------


def test_t48_at_half_time_those_who_were_asked_are_reminded_once() -> None:
    talk = asked()
    outcome = talk.fire(TimerKind.DECISION_REMINDER)
    assert (talk.phase, outcome.rule) == (Phase.AI_DECIDING, "T48")
    assert [mail.kind for mail in of(outcome, MailAdmin)] == [MailKind.DECISION_NEEDED] * 2
    first = {mail.key for outcome in talk.outcomes for mail in of(outcome, MailAdmin)}
    assert len(first) == 4
    assert [timer.kind for timer in talk.session.timers] == [TimerKind.DECISION]


@pytest.mark.parametrize("end", [accepted, declined, claim, resolve])
def test_t48_nobody_is_reminded_of_what_is_decided(end: object) -> None:
    talk = asked()
    talk.send(end(ANA))  # type: ignore[operator]
    assert TimerKind.DECISION_REMINDER not in {timer.kind for timer in talk.session.timers}


def test_t48_who_decides_within_a_minute_needs_no_reminder() -> None:
    talk = in_ai().but(decision_timeout_minutes=1)
    talk.send(request())
    assert [timer.kind for timer in talk.session.timers] == [TimerKind.DECISION]


# --- telling the others ------------------------------------------------------------------------------------------


def test_t19_the_others_learn_who_declined() -> None:
    outcome = asked().send(declined(BOSS))
    assert mails(outcome) == [(MailKind.DECIDED, "ben@example.com", DecisionState.DECLINED)]
    (mail,) = of(outcome, MailAdmin)
    assert mail.decision is not None and mail.decision.decided_by == BOSS


def test_t20_everybody_learns_that_nobody_decided() -> None:
    talk = asked()
    outcome = talk.fire(TimerKind.DECISION)
    assert {(kind, state) for kind, _, state in mails(outcome)} == {(MailKind.DECIDED, DecisionState.EXPIRED)}


def test_t20_a_handover_because_nobody_decided_calls_everybody() -> None:
    talk = in_ai().but(on_decision_expiry=OnDecisionExpiry.HAND_OVER)
    talk.send(request())
    assert {kind for kind, _, _ in mails(talk.fire(TimerKind.DECISION))} == {MailKind.HANDOVER}


@pytest.mark.parametrize("event", [handover(BOSS), claim(BOSS), pause(30, BOSS), said(BOSS)])
def test_who_takes_over_without_deciding_is_told_to_the_others_like_a_decision(event: object) -> None:
    outcome = asked().send(event)  # type: ignore[arg-type]
    ((kind, address, state),) = mails(outcome)
    assert (kind, address) == (MailKind.DECIDED, "ben@example.com")
    assert state in (DecisionState.SUPERSEDED, DecisionState.ACCEPTED)


# --- taking it back ----------------------------------------------------------------------------------------------


def test_t68_an_acceptance_taken_back_opens_the_question_again() -> None:
    talk = asked()
    first = talk.session.decision
    talk.send(accepted(BOSS), created(ZD))
    epoch, licence = talk.session.control_epoch, proposed(talk.session.control_epoch)
    outcome = talk.wait(seconds=29).send(undone(BOSS))
    session, decision = talk.session, talk.session.decision
    assert (outcome.verdict, outcome.rule, talk.phase) == (Verdict.APPLIED, "T68", Phase.AI_DECIDING)
    assert first is not None and decision is not None and decision.version > first.version
    assert (decision.state, decision.handoff) == (DecisionState.PENDING, 1)
    assert decision.expires_at == talk.session.timers[0].fires_at
    assert [handoff.state for handoff in session.handoffs] == [HandoffState.DECIDING]
    assert {timer.kind for timer in session.timers} == {TimerKind.DECISION, TimerKind.DECISION_REMINDER}
    assert session.control_epoch == epoch + 1
    assert [(mode.previous, mode.new) for mode in of(outcome, SetAiMode)] == [(AiMode.PAUSED, AiMode.AUTO_PENDING)]
    assert [row.action for row in outcome.pause_log] == ["decision_undone"]
    assert [change.change for change in of(outcome, SessionChanged)] == [SessionChange.DECISION_NEEDED]
    assert of(outcome, HandBack) and [told.kind for told in of(outcome, NotifyCustomer)] == ["on_return"]
    assert "Ana took the decision back" in of(outcome, NoteOnTicket)[0].text
    assert mails(outcome) == [(MailKind.DECIDED, "ben@example.com", DecisionState.UNDONE)]
    assert talk.send(licence).verdict is Verdict.BLOCK
    assert talk.send(proposed(epoch + 1)).verdict is Verdict.ALLOW


def test_t68_a_decline_taken_back_opens_the_question_again_and_unmutes() -> None:
    talk = asked()
    epoch = talk.session.control_epoch
    outcome = talk.send(declined(BOSS)) and talk.wait(seconds=30).send(undone(BOSS))
    assert (talk.phase, talk.session.control_epoch, talk.session.mutes) == (Phase.AI_DECIDING, epoch, ())
    (handoff,) = talk.session.handoffs
    assert (handoff.state, handoff.ended_at, handoff.end_reason) == (HandoffState.DECIDING, None, None)
    assert [row.action for row in outcome.pause_log] == ["decision_undone"]
    assert not of(outcome, HandBack) and not of(outcome, NotifyCustomer)
    assert talk.send(request(scenario="Angry")).rule == "T14"


def test_t68_other_mutes_stay() -> None:
    talk = asked()
    talk.send(declined(), request(scenario="Angry"), declined(), undone())
    assert [mute.scenario for mute in talk.session.mutes] == ["Refund"]


def test_t68_who_accepts_after_all_finds_the_same_ticket_and_everybody_hears_of_it() -> None:
    queue = Recipient(email="queue@example.com", kinds=(MailKind.HANDOVER,))
    talk = in_ai().but(recipients=(*POLICY.recipients, queue))
    talk.send(request(), accepted(BOSS), created(ZD), undone(BOSS))
    outcome = talk.send(accepted(BEN))
    assert talk.phase is Phase.WAITING and len(talk.session.handoffs) == 1
    assert not of(outcome, OpenTicket) and not of(outcome, QuotaChanged)
    assert talk.session.live_links[0].id == ZD
    keys = [effect.key for step in talk.outcomes for effect in step.effects]
    assert len(keys) == len(set(keys))
    assert {(kind, address) for kind, address, _ in mails(outcome)} == {
        (MailKind.DECIDED, "ana@example.com"),
        (MailKind.DECIDED, "ben@example.com"),
        (MailKind.HANDOVER, "queue@example.com"),
    }


def test_t68_who_declines_after_all_leaves_a_word_on_the_ticket() -> None:
    talk = asked()
    talk.send(accepted(BOSS), created(ZD), undone(BOSS))
    outcome = talk.send(declined(BEN))
    assert talk.phase is Phase.AI
    assert "No handover after all (Ben)" in of(outcome, NoteOnTicket)[0].text


def test_t68_a_reply_on_the_ticket_takes_over_while_the_question_is_open_again() -> None:
    talk = asked()
    talk.send(accepted(BOSS), created(ZD), undone(BOSS), reply(ZD))
    assert (talk.phase, talk.session.assignee and talk.session.assignee.id) == (Phase.HUMAN, EVA.id)


def test_t68_the_decider_may_have_claimed_it() -> None:
    talk = asked()
    talk.send(accepted(BOSS, claim=True))
    assert talk.send(undone(BOSS)).rule == "T68"
    assert (talk.phase, talk.session.assignee) == (Phase.AI_DECIDING, None)


def test_t68_a_pause_that_decided_can_be_undone() -> None:
    talk = asked()
    talk.send(pause(30, ANA), undone(ANA))
    assert (talk.phase, talk.session.paused_until) == (Phase.AI_DECIDING, None)


def test_t68_a_customer_who_wrote_meanwhile_is_no_obstacle() -> None:
    talk = asked()
    talk.send(accepted(BOSS), customer())
    assert talk.send(undone(BOSS)).verdict is Verdict.APPLIED


def test_t68_a_person_is_warned_that_the_ai_does_not_run() -> None:
    talk = asked()
    talk.send(accepted(ANA), health(agent=False))
    outcome = talk.send(undone(ANA))
    assert (talk.phase, outcome.code) == (Phase.AI_DECIDING, "agent_not_running")


def refusals() -> dict[str, tuple[Talk, str]]:
    """By name: a talk in which Ana cannot undo, and the code of the answer."""
    nothing, pending, late, others, spoken, taken = (in_ai(), *(asked() for _ in range(5)))
    late.send(accepted(ANA))
    late.wait(seconds=31)
    others.send(declined(BEN))
    spoken.send(accepted(ANA, claim=True), said(ANA))
    taken.send(accepted(ANA), claim(BEN))
    solved, again, expired, old, next_one = (asked() for _ in range(5))
    paused, as_it_was, twice = (asked() for _ in range(3))
    paused.send(accepted(ANA), pause(60, BEN))
    as_it_was.send(accepted(ANA), pause(None, BEN))
    twice.send(accepted(ANA), handover(BEN))
    solved.send(accepted(ANA), resolve(BEN))
    again.send(declined(ANA), handover(BEN))
    expired.fire(TimerKind.DECISION)
    old.send(accepted(ANA))
    next_one.send(declined(ANA), claim(BEN))
    return {
        "nothing was decided": (nothing, "no_decision"),
        "nobody has decided yet": (pending, "not_decided"),
        "too late": (late, "too_late"),
        "somebody else decided": (others, "not_the_decider"),
        "the customer was answered": (spoken, "customer_was_answered"),
        "somebody else holds it": (taken, "already_claimed_by"),
        "somebody else paused it": (paused, "customer_was_answered"),
        "somebody else paused it as it was": (as_it_was, "customer_was_answered"),
        "it was handed over by hand as well": (twice, "customer_was_answered"),
        "it is resolved": (solved, "moved_on"),
        "it was handed over again": (again, "moved_on"),
        "nobody decided in time": (expired, "not_undoable"),
        "somebody took it after the decline": (next_one, "moved_on"),
    }


@pytest.mark.parametrize("name", refusals())
def test_t68_what_cannot_be_undone_says_why(name: str) -> None:
    talk, code = refusals()[name]
    before = talk.session
    outcome = talk.send(undone(ANA))
    assert (outcome.verdict, outcome.code, talk.session) == (Verdict.REFUSED, code, before)
    assert outcome.detail.endswith(".")


def test_t68_an_undo_names_its_decision() -> None:
    talk = in_deciding()
    talk.send(accepted(ANA))
    assert talk.session.decision is not None
    assert talk.send(undone(ANA, version=talk.session.decision.version - 1)).code == "stale_decision"
    assert talk.send(undone(ANA, version=talk.session.decision.version)).rule == "T68"
