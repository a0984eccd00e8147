"""One session, several tickets: which one decides, and what becomes of the others (rules T53, T57, T58, T63, T64)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handoff_sync.core import events as ev
from handoff_sync.core.effects import AlertOps, MailAdmin, SetTicketStatus
from handoff_sync.core.model import LinkRole, LinkState, Phase, TicketStatus, TimerKind
from handoff_sync.core.policy import CloseRule, ConnectionRule, MailKind, Outcome
from tests.core.talk import (
    EVA,
    IC,
    POLICY,
    RULE,
    ZD,
    Talk,
    claim,
    create_failed,
    created,
    deleted,
    handover,
    ids,
    in_ai,
    in_human,
    in_resolved,
    merged,
    of,
    status,
)

GO = "s:1:go"
THREE = replace(POLICY, connections=(*POLICY.connections, ConnectionRule(connection="go")))
SOLVED, OPEN, WAITING = TicketStatus.SOLVED, TicketStatus.OPEN, TicketStatus.WAITING_CUSTOMER


def with_three(rule: CloseRule = CloseRule.PRIMARY) -> Talk:
    talk = in_ai(replace(THREE, multi_ticket_close_rule=rule))
    talk.send(handover(), created(ZD), created(IC), created(GO))
    return talk


def primary(talk: Talk) -> list[str]:
    return [link.id for link in talk.session.links if link.role is LinkRole.PRIMARY]


def waits_for_the_end(talk: Talk) -> bool:
    return any(timer.kind is TimerKind.SOLVED_GRACE for timer in talk.session.timers)


# --- who is the primary one ------------------------------------------------------------------------------


def test_the_first_connection_of_the_policy_has_the_primary_ticket() -> None:
    assert primary(with_three()) == [ZD]


@pytest.mark.parametrize("loss", [deleted(ZD), merged(link=ZD, owned_by="another"), create_failed(ZD)])
def test_a_lost_primary_ticket_passes_its_role_to_the_next_of_the_policy(loss: ev.Event) -> None:
    talk = in_ai(THREE)
    talk.send(handover(), created(IC), created(GO))
    if loss.type != "ticket.create_failed":
        talk.send(created(ZD))
    outcome = talk.send(loss)
    assert primary(talk) == [IC]
    assert outcome.timeline[0].data["primary"] == IC
    talk.send(status(SOLVED, GO))
    assert not waits_for_the_end(talk)
    talk.send(status(SOLVED, IC))
    assert waits_for_the_end(talk)


def test_a_lost_secondary_ticket_changes_no_role() -> None:
    talk = with_three()
    talk.send(deleted(IC))
    assert primary(talk) == [ZD]


def test_a_ticket_that_comes_back_finds_its_role_taken() -> None:
    talk = with_three()
    talk.send(deleted(ZD), deleted(ZD, restored=True))
    assert primary(talk) == [IC]
    late = in_ai(THREE)
    late.send(handover(), create_failed(ZD), created(IC), created(ZD))
    assert primary(late) == [IC]


def test_the_last_ticket_keeps_its_role_for_nobody_can_inherit_it() -> None:
    talk = in_human()
    talk.send(deleted(IC), deleted(ZD))
    assert primary(talk) == [ZD]


# --- what is left may be solved already --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "solved", "lost"),
    [(CloseRule.PRIMARY, (IC,), ZD), (CloseRule.ALL, (ZD, IC), GO)],
)
def test_when_all_that_is_left_of_the_rule_is_solved_the_session_follows(
    rule: CloseRule, solved: tuple[str, ...], lost: str
) -> None:
    talk = with_three(rule)
    for link in solved:
        talk.send(status(SOLVED, link))
    assert not waits_for_the_end(talk)
    talk.send(deleted(lost))
    assert waits_for_the_end(talk)
    talk.fire(TimerKind.SOLVED_GRACE)
    assert talk.phase is Phase.RESOLVED


def test_where_a_solved_ticket_means_nothing_a_lost_one_does_not_either() -> None:
    talk = in_ai(replace(THREE, on_ticket_solved=Outcome.KEEP))
    talk.send(handover(), created(ZD), created(IC), status(SOLVED, IC), deleted(ZD))
    assert not waits_for_the_end(talk)


def test_a_loss_does_not_revive_a_grace_that_somebody_has_cancelled() -> None:
    talk = with_three()
    talk.send(status(SOLVED, ZD), claim())
    assert not waits_for_the_end(talk)
    talk.send(deleted(GO))
    assert not waits_for_the_end(talk)


def test_nothing_left_is_nothing_solved() -> None:
    for rule in CloseRule:
        talk = with_three(rule)
        talk.send(deleted(ZD), deleted(IC), deleted(GO))
        assert talk.session.human_handoff and not waits_for_the_end(talk)


# --- the grace ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "solved", "other"), [(CloseRule.PRIMARY, ZD, IC), (CloseRule.ANY, IC, ZD)]
)  # fmt: skip
def test_what_happens_to_a_ticket_that_does_not_decide_cancels_no_grace(
    rule: CloseRule, solved: str, other: str
) -> None:
    talk = with_three(rule)
    talk.send(status(SOLVED, solved), status(WAITING, other))
    assert waits_for_the_end(talk)
    talk.send(status(OPEN, solved))
    assert not waits_for_the_end(talk)


def test_with_all_any_reopened_ticket_cancels_the_grace() -> None:
    talk = with_three(CloseRule.ALL)
    talk.send(status(SOLVED, ZD), status(SOLVED, IC), status(SOLVED, GO))
    assert waits_for_the_end(talk)
    talk.send(status(OPEN, GO))
    assert not waits_for_the_end(talk)


# --- and after the end ---------------------------------------------------------------------------------------


def test_an_agent_of_a_secondary_helpdesk_may_reopen_and_all_tickets_are_open_again() -> None:
    talk = in_resolved()
    outcome = talk.send(status(OPEN, IC, actor=EVA))
    assert talk.session.human_handoff
    assert [effect.link for effect in of(outcome, SetTicketStatus) if effect.status is OPEN] == [ZD]
    assert primary(talk) == [ZD]


def test_what_a_rule_of_a_helpdesk_reopens_reopens_no_session() -> None:
    talk = in_resolved()
    talk.send(status(OPEN, IC, actor=RULE))
    assert talk.phase is Phase.RESOLVED


# --- waiting for a person ------------------------------------------------------------------------------------


def test_a_ticket_that_waits_for_its_connection_is_told_and_stays_an_intent() -> None:
    talk = in_ai()
    talk.send(handover(), created(IC))
    waits = ev.TicketCreateFailed(**ids(), link=ZD, permanent=False, waits=True, reason="401")
    outcome = talk.send(waits)
    assert {mail.kind for mail in of(outcome, MailAdmin)} == {MailKind.TICKET_FAILED}
    assert [alert.kind for alert in of(outcome, AlertOps)] == ["ticket_waits"]
    assert next(link.state for link in talk.session.links if link.id == ZD) is LinkState.INTENT
    assert primary(talk) == [ZD]
    talk.send(created(ZD))
    assert next(link.state for link in talk.session.links if link.id == ZD) is LinkState.LINKED
