"""What the helpdesk tells us: rows T44, T45, T52 to T62 and T67."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handoff_sync.core.effects import (
    AlertOps,
    AppendToTicket,
    DeliverToCustomer,
    MailAdmin,
    NoteOnTicket,
    NotifyCustomer,
    OpenTicket,
    SessionChange,
    SessionChanged,
    SetTicketAssignee,
    SetTicketStatus,
    SetTicketTags,
    Verdict,
    Visibility,
)
from handoff_sync.core.events import Event
from handoff_sync.core.model import EndReason, LinkState, Phase, TicketStatus, TimerKind, Trigger
from handoff_sync.core.policy import CloseRule, ConnectionRule, LateReply, MailKind, Outcome
from tests.core.talk import (
    ANA,
    BEN,
    EVA,
    IC,
    POLICY,
    RULE,
    ZD,
    Talk,
    archive,
    assigned,
    claim,
    create_failed,
    created,
    customer,
    handover,
    in_ai,
    in_archived,
    in_human,
    in_resolved,
    in_stopped,
    in_waiting,
    label,
    note,
    of,
    person,
    reply,
    resolve,
    resume,
    returned,
    status,
    tagged,
    ticket_note,
)

SOLVED, CLOSED, OPEN = TicketStatus.SOLVED, TicketStatus.CLOSED, TicketStatus.OPEN


def state(talk: Talk, link: str = ZD) -> LinkState:
    return next(found.state for found in talk.session.links if found.id == link)


# --- made or not ------------------------------------------------------------------------------------------------


def test_t52_the_first_note_lists_the_commands() -> None:
    talk = in_ai()
    talk.send(handover())
    outcome = talk.send(created(ZD, "4711"))
    assert (state(talk), talk.session.links[0].remote_id) == (LinkState.LINKED, f"{ZD}/4711")
    (said,) = of(outcome, NoteOnTicket)
    assert said.name == "commands" and "/ai resume" in said.text


def test_t52_a_ticket_made_after_the_session_went_on_is_known_all_the_same() -> None:
    talk = in_ai()
    talk.send(handover(), resolve())
    talk.send(created(ZD))
    assert state(talk) is LinkState.SOLVED


def test_t52_a_second_ticket_for_one_link_is_an_alarm() -> None:
    talk = in_waiting()
    outcome = talk.send(created(ZD, "other"))
    assert [effect.kind for effect in of(outcome, AlertOps)] == ["duplicate_ticket"]
    assert talk.session.links[0].remote_id == f"{ZD}/4711"


def test_t53_no_ticket_is_loud_and_never_a_way_back_to_the_ai() -> None:
    talk = in_ai()
    talk.send(handover())
    outcome = talk.send(create_failed())
    assert (talk.phase, state(talk)) == (Phase.WAITING, LinkState.FAILED)
    assert [effect.kind for effect in of(outcome, MailAdmin)] == [MailKind.TICKET_FAILED] * 2
    assert [effect.kind for effect in of(outcome, AlertOps)] == ["ticket_failed"]


def test_t53_a_parked_ticket_can_still_be_made() -> None:
    talk = in_ai()
    talk.send(handover(), create_failed(), created())
    assert state(talk) is LinkState.LINKED


def test_i7_a_parked_ticket_made_too_late_takes_no_place() -> None:
    talk = in_ai()
    talk.send(handover(), create_failed(), resume(), handover())
    assert state(talk, "s:2:zd") is LinkState.INTENT
    outcome = talk.send(created(ZD))
    assert state(talk) is LinkState.DETACHED
    assert [effect.kind for effect in of(outcome, AlertOps)] == ["surplus_ticket"]


# --- assigned ---------------------------------------------------------------------------------------------------


def test_t54_assigning_the_ticket_claims_the_session() -> None:
    talk = in_waiting()
    outcome = talk.send(assigned(EVA))
    assert (talk.phase, talk.session.assignee) == (Phase.HUMAN, person(EVA))
    assert [effect.link for effect in of(outcome, SetTicketAssignee)] == [IC]
    assert talk.send(assigned(EVA)).verdict is Verdict.UNCHANGED


def test_t54_taking_the_agent_away_puts_it_back_in_the_queue() -> None:
    talk = in_waiting()
    talk.send(assigned(EVA), assigned(None))
    assert talk.phase is Phase.WAITING


def test_t54_another_helpdesk_does_not_take_the_holder_away() -> None:
    talk = in_waiting()
    talk.send(assigned(EVA))
    assert talk.send(assigned(None, IC)).code == "held_elsewhere"


def test_t54_assigning_does_not_stop_the_grace() -> None:
    """Many helpdesks need an assignee before a ticket can be solved."""
    talk = in_waiting()
    talk.send(status(SOLVED), assigned(EVA))
    assert TimerKind.SOLVED_GRACE in {timer.kind for timer in talk.session.timers}


# --- replies and notes ------------------------------------------------------------------------------------------


def test_t55_a_reply_on_the_ticket_is_delivered_and_copied_to_the_others() -> None:
    talk = in_waiting()
    outcome = talk.send(reply())
    assert talk.session.assignee == person(EVA)
    assert [effect.message.author for effect in of(outcome, DeliverToCustomer)] == [person(EVA)]
    assert [(effect.link, effect.public) for effect in of(outcome, AppendToTicket)] == [(IC, False)]


def test_t55_a_reply_of_a_second_connection_reaches_the_first() -> None:
    outcome = in_human().send(reply(IC))
    assert [effect.link for effect in of(outcome, AppendToTicket)] == [ZD]


def test_t56_notes_stay_between_agents() -> None:
    outcome = in_human().send(ticket_note("He is lying"))
    assert [(stored.kind, stored.visibility) for stored in outcome.messages] == [("note", Visibility.PRIVATE)]
    assert not outcome.effects


@pytest.mark.parametrize("start", [in_resolved, in_archived, returned])
def test_t62_a_late_reply_is_delivered(start: Callable[[], Talk]) -> None:
    talk = start()
    before = talk.session
    outcome = talk.send(reply())
    assert outcome.rule == "T62"
    assert len(of(outcome, DeliverToCustomer)) == 1
    assert (talk.phase, talk.session.control_epoch) == (before.phase, before.control_epoch)


def test_t62_or_takes_the_session_back() -> None:
    policy = replace(POLICY, late_reply=LateReply.DELIVER_AND_RETAKE)
    for start in (in_resolved, returned):
        talk = start(policy)
        outcome = talk.send(reply())
        assert (talk.phase, talk.session.assignee) == (Phase.HUMAN, person(EVA))
        assert len(of(outcome, DeliverToCustomer)) == 1
    assert in_archived(policy).send(reply()).session.phase is Phase.ARCHIVED


def test_t62_or_is_refused_and_the_agent_is_told() -> None:
    talk = returned(replace(POLICY, late_reply=LateReply.REFUSE_WITH_NOTE))
    outcome = talk.send(reply())
    assert not of(outcome, DeliverToCustomer)
    assert [stored.visibility for stored in outcome.messages] == [Visibility.PRIVATE]
    (told,) = of(outcome, NoteOnTicket)
    assert "not delivered" in told.text


def test_i13_an_old_ticket_does_not_touch_the_newer_handoff() -> None:
    talk = in_resolved()
    talk.send(status(CLOSED), status(CLOSED, IC), customer())
    assert talk.session.links[-1].id == "s:2:ic"
    outcome = talk.send(reply(ZD))
    assert outcome.rule == "T62" and len(of(outcome, DeliverToCustomer)) == 1
    assert talk.session.assignee == person(ANA)
    assert talk.send(assigned(EVA, ZD)).verdict is Verdict.IGNORED


# --- solved, closed ---------------------------------------------------------------------------------------------


def test_t57_after_the_grace_the_session_is_resolved_by_whoever_solved_the_ticket() -> None:
    talk = in_human()
    talk.send(status(SOLVED))
    assert talk.phase is Phase.HUMAN
    outcome = talk.fire(TimerKind.SOLVED_GRACE)
    (resolved,) = of(outcome, SessionChanged)[:1]
    assert resolved.change is SessionChange.RESOLVED
    assert resolved.marker == "The session was resolved by Eva at 2026-03-02 12:01"
    assert talk.session.handoffs[-1].end_reason is EndReason.TICKET_SOLVED
    assert [effect.link for effect in of(outcome, SetTicketStatus)] == [IC]
    assert talk.log[-1].triggered_by == "zd:7"


def test_t57_or_returns_to_the_ai() -> None:
    talk = in_human(replace(POLICY, on_ticket_solved=Outcome.RETURN_TO_AI))
    talk.send(status(SOLVED))
    outcome = talk.fire(TimerKind.SOLVED_GRACE)
    assert talk.phase is Phase.AI
    assert [row.action for row in outcome.pause_log] == ["ticket_return"]
    assert [effect.link for effect in of(outcome, SetTicketStatus)] == [IC]


def test_t57_or_changes_nothing() -> None:
    talk = in_human(replace(POLICY, on_ticket_solved=Outcome.KEEP, on_ticket_closed=Outcome.KEEP))
    talk.send(status(SOLVED))
    assert not talk.session.timers
    talk.send(status(CLOSED))
    assert talk.phase is Phase.HUMAN


@pytest.mark.parametrize(
    ("rule", "first", "second"),
    [
        (CloseRule.PRIMARY, IC, ZD),
        (CloseRule.ALL, ZD, IC),
        (CloseRule.ANY, None, IC),
    ],
)
def test_t57_how_many_tickets_must_be_solved(rule: CloseRule, first: str | None, second: str) -> None:
    talk = in_human(replace(POLICY, multi_ticket_close_rule=rule))
    if first is not None:
        talk.send(status(SOLVED, first))
        assert not talk.session.timers
    talk.send(status(SOLVED, second))
    assert [timer.kind for timer in talk.session.timers] == [TimerKind.SOLVED_GRACE]


@pytest.mark.parametrize("event", [lambda: status(OPEN), customer, lambda: claim(BEN, force=True)])
def test_t58_what_stops_the_grace(event: Callable[[], Event]) -> None:
    talk = in_human()
    talk.send(status(SOLVED))
    talk.send(event())
    assert TimerKind.SOLVED_GRACE not in {timer.kind for timer in talk.session.timers}
    assert talk.session.solved_by is None


def test_t58_who_claims_a_solved_ticket_opens_it_again() -> None:
    talk = in_human()
    talk.send(status(SOLVED))
    outcome = talk.send(claim(BEN, force=True))
    assert [(effect.link, effect.status) for effect in of(outcome, SetTicketStatus)] == [(ZD, OPEN)]
    assert state(talk) is LinkState.LINKED


def test_t58_a_last_reply_does_not_stop_the_grace() -> None:
    talk = in_human()
    talk.send(status(SOLVED), reply())
    assert [timer.kind for timer in talk.session.timers] == [TimerKind.SOLVED_GRACE]


def test_t59_closed_is_final_and_needs_no_grace() -> None:
    talk = in_human()
    talk.send(status(CLOSED))
    assert (talk.phase, talk.session.handoffs[-1].end_reason) == (Phase.RESOLVED, EndReason.TICKET_CLOSED)


def test_t59_what_a_person_solved_and_a_rule_closed_was_done_by_the_person() -> None:
    talk = in_human()
    talk.send(status(SOLVED), status(CLOSED, actor=RULE))
    assert talk.messages[-1].message.text.startswith("The session was resolved by Eva")


def test_t59_an_automation_counts_too() -> None:
    talk = in_human()
    talk.send(status(CLOSED, actor=RULE))
    assert talk.phase is Phase.RESOLVED


# --- open again -------------------------------------------------------------------------------------------------


def test_t60_reopening_the_ticket_takes_the_session_back_from_the_ai() -> None:
    policy = replace(POLICY, on_ticket_solved=Outcome.RETURN_TO_AI)
    for hours, phase, opened in ((71, Phase.WAITING, [IC]), (73, Phase.AI, [])):
        talk = in_human(policy)
        talk.send(status(SOLVED))
        talk.fire(TimerKind.SOLVED_GRACE)
        outcome = talk.wait(hours=hours).send(status(OPEN))
        assert (outcome.rule, talk.phase) == ("T60", phase)
        assert [effect.link for effect in of(outcome, SetTicketStatus)] == opened
        assert not of(outcome, OpenTicket)
        assert len(talk.session.handoffs) == 1 or talk.session.handoffs[-1].trigger is Trigger.TICKET


def test_t60_only_a_person_takes_it_back() -> None:
    talk = in_human(replace(POLICY, on_ticket_solved=Outcome.RETURN_TO_AI))
    talk.send(status(SOLVED))
    talk.fire(TimerKind.SOLVED_GRACE)
    talk.send(status(OPEN, actor=RULE))
    assert talk.phase is Phase.AI


def test_t60_not_when_somebody_gave_it_back_on_purpose() -> None:
    talk = returned()
    talk.send(status(SOLVED), status(OPEN))
    assert talk.phase is Phase.AI


def test_t61_reopening_the_ticket_reopens_the_session() -> None:
    talk = in_resolved()
    outcome = talk.send(status(OPEN))
    assert (talk.phase, talk.session.assignee) == (Phase.HUMAN, person(ANA))
    assert SessionChange.REOPENED in [effect.change for effect in of(outcome, SessionChanged)]


@pytest.mark.parametrize("talk", [in_resolved().wait(hours=73), in_archived()])
def test_t61_too_late_is_said_on_the_ticket(talk: Talk) -> None:
    before = talk.phase
    outcome = talk.send(status(OPEN))
    assert talk.phase is before
    assert ["session is closed" in effect.text for effect in of(outcome, NoteOnTicket)] == [True]


def test_i12_our_own_status_coming_back_is_no_news() -> None:
    talk = in_human()
    talk.send(resolve())
    assert talk.send(status(SOLVED, actor=RULE)).rule == "T65"


# --- notes and labels -------------------------------------------------------------------------------------------


def test_t67_notes_are_mirrored_as_internal_notes() -> None:
    outcome = in_human().send(note("Be kind"))
    assert [(effect.link, effect.text) for effect in of(outcome, NoteOnTicket)] == [(ZD, "Be kind"), (IC, "Be kind")]


def test_t67_labels_are_tags_in_both_directions() -> None:
    talk = in_human()
    assert {effect.add for effect in of(talk.send(label("vip")), SetTicketTags)} == {("vip",)}
    outcome = talk.send(tagged("angry", removed=("vip",)))
    assert talk.session.labels == ("human-handoff", "angry")
    assert [(effect.link, effect.add, effect.remove) for effect in of(outcome, SetTicketTags)] == [
        (IC, ("angry",), ("vip",))
    ]


def test_t67_tags_that_say_something_else_are_no_labels() -> None:
    policy = replace(POLICY, connections=(ConnectionRule(connection="zd", tags=("chat",)), POLICY.connections[1]))
    assert in_human(policy).send(tagged("ai_paused", "chat")).verdict is Verdict.UNCHANGED


# --- endings ----------------------------------------------------------------------------------------------------


def test_t44_resolving() -> None:
    talk = in_human()
    outcome = talk.send(resolve(note="Refunded"))
    assert [stored.kind for stored in outcome.messages] == ["note", "marker"]
    assert {effect.status for effect in of(outcome, SetTicketStatus)} == {SOLVED}
    assert [effect.kind for effect in of(outcome, NotifyCustomer)] == ["on_resolve"]
    assert (talk.session.control_at_resolve, talk.session.assignee_at_resolve) == (Phase.HUMAN, person(ANA))
    assert talk.session.counts_as_ai_resolution is False
    assert {state(talk), state(talk, IC)} == {LinkState.SOLVED}


def test_t44_a_session_of_the_ai_alone_counts_for_it() -> None:
    talk = in_ai()
    talk.send(resolve())
    assert talk.session.counts_as_ai_resolution is True


def test_t44_from_a_stop_people_stay_in_charge() -> None:
    talk = in_stopped()
    talk.send(resolve(), customer())
    assert talk.phase is Phase.WAITING


def test_t45_archiving_leaves_no_marker() -> None:
    outcome = in_human().send(archive())
    assert not outcome.messages
    assert [effect.change for effect in of(outcome, SessionChanged)] == [SessionChange.ARCHIVED]
    assert in_resolved().send(archive()).session.phase is Phase.ARCHIVED
