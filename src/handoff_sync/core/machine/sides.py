"""Entering the human side and entering the AI side: the two moves that every other rule is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from handoff_sync.core.effects import (
    HandBack,
    MailCustomer,
    NotifyCustomer,
    QuotaChanged,
    SessionChange,
    SessionChanged,
)
from handoff_sync.core.machine import links
from handoff_sync.core.machine.step import Step
from handoff_sync.core.machine.texts import CONTROL_LABEL, handback_note
from handoff_sync.core.model import (
    Actor,
    AuthorClass,
    Control,
    Decision,
    DecisionState,
    EndReason,
    Handoff,
    HandoffState,
    LinkState,
    Message,
    Person,
    Phase,
    Status,
    TimerKind,
    Trigger,
)
from handoff_sync.core.policy import MailKind, Mode

ACTION: Mapping[EndReason, str] = {
    EndReason.TIMER_EXPIRED: "auto_resume",
    EndReason.CLAIM_TIMEOUT: "auto_resume",
    EndReason.RESET: "reset",
    EndReason.TICKET_SOLVED: "ticket_return",
    EndReason.TICKET_CLOSED: "ticket_return",
    EndReason.CUSTOMER_ENDED: "customer_ended",
}
"""What the pause log calls a return to the AI; `force_resume` when a person asked for it."""


SHORTEST_REMINDED = 2
"""Minutes of a decision's time below which nobody is reminded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """How the human side is entered. What it says of the handoff only matters when none is being decided yet."""

    trigger: Trigger
    reason: str = ""
    scenarios: tuple[str, ...] = ()
    summary: str = ""
    mode: Mode | None = None
    assignee: Person | None = None
    paused_until: datetime | None = None
    minutes: int | None = None
    open_tickets: bool = True
    action: str = "pause_activated"


def start_handoff(step: Step, entry: Entry, state: HandoffState) -> Handoff:
    """A new numbered handoff with the policy of this moment."""
    handoff = Handoff(
        number=step.handoff_number + 1,
        trigger=entry.trigger,
        mode=entry.mode or step.policy.handover_mode,
        state=state,
        requested_at=step.now,
        policy=step.policy,
        scenarios=entry.scenarios,
        reason=entry.reason,
        summary=entry.summary,
    )
    step.add_handoff(handoff)
    return handoff


def end_handoff(step: Step, end: EndReason) -> None:
    if step.session.running_handoff is not None:
        step.change_handoff(state=HandoffState.ENDED, ended_at=step.now, end_reason=end)


def settle_decision(step: Step, state: DecisionState, by: Actor | None = None) -> None:
    """Ends a pending decision; the first to do so has decided it (I17)."""
    decision = step.session.decision
    if decision is None or decision.state is not DecisionState.PENDING:
        return
    step.change(decision=replace(decision, state=state, decided_by=by or step.actor, decided_at=step.now))
    step.change_handoff(decided_at=step.now)
    step.drop_timers(TimerKind.DECISION, TimerKind.DECISION_REMINDER)


def ask(step: Step) -> None:
    """A pending decision about the latest handoff, with a reminder at half time."""
    minutes = step.session.handoffs[-1].policy.decision_timeout_minutes
    expires_at = step.later(minutes=minutes)
    decision = Decision(
        handoff=step.handoff_number, state=DecisionState.PENDING, version=step.version, expires_at=expires_at
    )
    step.change(phase=Phase.AI_DECIDING, decision=decision)
    step.set_timer(TimerKind.DECISION, expires_at)
    if minutes >= SHORTEST_REMINDED:
        step.set_timer(TimerKind.DECISION_REMINDER, step.now + (expires_at - step.now) / 2)
    step.emit(SessionChanged(change=SessionChange.DECISION_NEEDED, version=step.version))


def tell_decided(step: Step, decision: Decision) -> frozenset[str]:
    """Mails those who were asked who decided what. Whoever decided need not be told; returns who knows by now."""
    told = frozenset({step.actor.id.lower(), step.actor.email.lower()})
    step.mail(MailKind.DECIDED, leave_out=told, decision=decision, again=True)
    return told | {recipient.email.lower() for recipient in step.recipients(MailKind.DECIDED)}


# --- the human side -----------------------------------------------------------------------------------


def enter_human(step: Step, entry: Entry) -> None:
    """Takes the AI's licence away and calls for people."""
    settle_decision(step, DecisionState.SUPERSEDED)
    handoff = step.session.running_handoff or start_handoff(step, entry, HandoffState.OPEN)
    _count(step)
    step.change_handoff(state=HandoffState.OPEN, ever_open=True)
    was_closed = step.session.status is not Status.OPEN
    step.change(
        phase=Phase.WAITING,
        timers=(),
        copilot=False,
        paused_until=entry.paused_until,
        labels=_with(step.session.labels, (CONTROL_LABEL, *_scenario_tags(handoff))),
        control_at_resolve=None,
        assignee_at_resolve=None,
        resolved_at=None,
        return_pending=None,
        solved_by=None,
    )
    step.raise_epoch()
    step.audit(entry.action, entry.reason, entry.minutes)
    if was_closed:
        step.emit(SessionChanged(change=SessionChange.REOPENED, version=step.version))
    links.join(step, step.session.handoffs[-1], open_tickets=entry.open_tickets)
    _call(step, again=handoff.ever_open)
    notice(step, "on_handover", step.rules.customer_notice.on_handover)
    if entry.paused_until is not None:
        step.set_timer(TimerKind.PAUSE, entry.paused_until)
    if entry.assignee is not None:
        hold(step, entry.assignee)
    else:
        await_claim(step)


def _call(step: Step, *, again: bool) -> None:
    """Mails people: those who were asked learn who decided, everybody else that a customer needs help.

    `again`: the handoff was opened before, and its acceptance undone.
    """
    decision = step.session.decision
    asked = step.before.phase is Phase.AI_DECIDING and decision is not None and decision.handoff == step.handoff_number
    taken = step.actor.is_person or (decision is not None and decision.state is DecisionState.ACCEPTED)
    told = tell_decided(step, decision) if asked and taken and decision is not None else frozenset()
    step.mail(MailKind.HANDOVER, leave_out=told, again=again)


def hold(step: Step, person: Person, leave_out: str | None = None) -> None:
    """Makes `person` the holder: rules T34 to T36, and the second half of a handover to somebody in particular.

    `leave_out` is the link whose ticket shows the assignee already.
    """
    handoff = step.session.running_handoff
    first = handoff is not None and handoff.claimed_at is None
    step.change_handoff(
        state=HandoffState.CLAIMED, claimed_at=handoff.claimed_at if handoff and handoff.claimed_at else step.now
    )
    step.change(phase=Phase.HUMAN, assignee=person)
    step.drop_timers(TimerKind.CLAIM_REMINDER, TimerKind.CLAIM_TIMEOUT)
    links.assign(step, leave_out)
    notice(step, "on_join", step.rules.customer_notice.on_join)
    if first:
        _mail_customer(step, person)
    if step.rules.disclose_human:
        step.announce()


def await_claim(step: Step) -> None:
    """Nobody holds the session: remind, and give up waiting when the policy says so."""
    rules = step.rules
    if rules.claim_reminder_minutes is not None:
        step.set_timer(TimerKind.CLAIM_REMINDER, step.later(minutes=rules.claim_reminder_minutes))
    if rules.claim_timeout_minutes is not None:
        step.set_timer(TimerKind.CLAIM_TIMEOUT, step.later(minutes=rules.claim_timeout_minutes))
    if not has_ticket(step) and not step.recipients(MailKind.HANDOVER):
        step.alert("handoff_unheard", str(step.handoff_number), "A customer waits; nobody was told.")


def _count(step: Step) -> None:
    """Takes the session out of the AI's quota when its first handoff opens (I20)."""
    if any(handoff.ever_open for handoff in step.session.handoffs):
        return
    if step.session.counts_as_ai_resolution:
        step.emit(QuotaChanged(change="corrected", version=step.version))
    else:
        step.emit(QuotaChanged(change="excluded", version=step.version))
    step.change(counts_as_ai_resolution=False)


def _mail_customer(step: Step, person: Person) -> None:
    customer = step.session.customer
    wanted = step.rules.customer_email_on_join and step.rules.disclose_human
    if wanted and customer.email and customer.email_verified:
        step.emit(MailCustomer(handoff=step.handoff_number, human=person))


def _scenario_tags(handoff: Handoff) -> tuple[str, ...]:
    """The tags of the scenarios that called; as labels they reach every ticket."""
    called = set(handoff.scenarios)
    return tuple(tag for scenario in handoff.policy.scenarios if scenario.title in called for tag in scenario.tags)


def _with(labels: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*labels, *more)))


# --- the AI side ----------------------------------------------------------------------------------------


def enter_ai(
    step: Step, end: EndReason, *, summary: str = "", ai_agent_id: str | None = None, tag: str = "ai_returned"
) -> None:
    """Gives the AI its licence back, with what it should know. The caller has made sure that the AI runs."""
    rules = step.rules
    settle_decision(step, DecisionState.SUPERSEDED)
    end_handoff(step, end)
    step.change(
        phase=Phase.AI,
        timers=(),
        copilot=False,
        paused_until=None,
        assignee=None,
        return_pending=None,
        solved_by=None,
        ai_agent_id=ai_agent_id or step.session.ai_agent_id,
    )
    step.raise_epoch()
    step.audit(ACTION.get(end, "force_resume"), end.value)
    if summary:
        step.store(own_words(step, summary), public=False, kind="note")
    step.emit(
        HandBack(
            handoff=step.handoff_number,
            summary=summary or step.session.summary,
            version=step.version,
            ai_agent_id=step.session.ai_agent_id,
        )
    )
    links.state_tag(step, tag)
    if step.before.control is Control.HUMAN:
        who = step.actor.name or step.actor.id
        links.note(step, f"handback:{step.version}", handback_note(who, end.value, summary))
        notice(step, "on_return", rules.customer_notice.on_return)


def not_running(step: Step) -> tuple[str, str] | None:
    """Code and words for why the AI cannot take over; None when it can."""
    if not step.session.agent_running:
        return "agent_not_running", "Agent not running"
    if not step.session.channel_running:
        return "channel_not_running", "Channel not running"
    return None


# --- both -------------------------------------------------------------------------------------------------


def notice(step: Step, kind: str, texts: Mapping[str, str]) -> None:
    """Tells the customer, where the policy has words for it and once per handoff (I23)."""
    name = f"{step.handoff_number}:{kind}"
    if texts and name not in step.session.notices:
        step.change(notices=(*step.session.notices, name))
        step.emit(NotifyCustomer(kind=kind, texts=texts, handoff=step.handoff_number))


def own_words(step: Step, text: str) -> Message:
    """What the actor said beside the act: a note, an outcome, a summary."""
    return Message(
        id=f"{step.session.id}:note:{step.session.message_count + 1}",
        author_class=AuthorClass.HUMAN if step.actor.is_person else AuthorClass.AUTOMATION,
        text=text,
        at=step.now,
        author=step.person,
    )


def has_ticket(step: Step) -> bool:
    """Whether any ticket of the running handoff exists, is on its way, or is parked."""
    return any(
        links.serves(step.session, link) and (link.is_live or link.state is LinkState.FAILED)
        for link in step.session.links
    )
