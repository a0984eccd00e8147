"""The question of semi-automatic mode and its answers (rules T18 to T21)."""

from __future__ import annotations

from handoff_sync.core.effects import Outcome
from handoff_sync.core.events import DecisionAccepted, DecisionDeclined, DecisionUndone
from handoff_sync.core.machine import links
from handoff_sync.core.machine.sides import Entry, end_handoff, enter_human, settle_decision, tell_decided
from handoff_sync.core.machine.step import Step
from handoff_sync.core.machine.texts import declined_note, local_time
from handoff_sync.core.model import Decision, DecisionState, EndReason, Handoff, Mute, Phase, Session, Trigger
from handoff_sync.core.policy import OnDecisionExpiry


def on_accepted(step: Step, event: DecisionAccepted) -> Outcome:
    """T18. The other people asked learn who decided; nobody is mailed twice about it."""
    if (refusal := _refusal(step, event.version)) is not None:
        return refusal
    settle_decision(step, DecisionState.ACCEPTED)
    holder = step.person if event.claim and step.actor.is_person else None
    enter_human(step, Entry(trigger=Trigger.MANUAL, assignee=holder))
    return step.done("T18", "The handover was accepted.", data=origin_of(event))


def on_declined(step: Step, event: DecisionDeclined) -> Outcome:
    """T19: the AI goes on, and may not ask again for a while. The other people asked learn who decided."""
    if (refusal := _refusal(step, event.version)) is not None:
        return refusal
    handoff = step.session.handoffs[-1]
    until = step.later(minutes=handoff.policy.decline_mute_minutes)
    names = muted_by(handoff)
    kept = tuple(mute for mute in step.session.mutes if mute.until > step.now and mute.scenario not in names)
    step.change(mutes=(*kept, *(Mute(scenario=name, until=until) for name in names)))
    _back(step, DecisionState.DECLINED, EndReason.DECLINED, "decision_declined")
    return step.done("T19", "The handover was declined.", data=origin_of(event))


def on_expiry(step: Step) -> Outcome:
    """T20: nobody answered in time."""
    if step.rules.on_decision_expiry is OnDecisionExpiry.HAND_OVER:
        settle_decision(step, DecisionState.EXPIRED)
        enter_human(step, Entry(trigger=Trigger.SCENARIO, reason="decision_expired"))
        return step.done("T20", "Nobody decided in time; the session was handed over.")
    _back(step, DecisionState.EXPIRED, EndReason.DECISION_EXPIRED, "decision_expired")
    return step.done("T20", "Nobody decided in time; the AI goes on.")


def _back(step: Step, state: DecisionState, end: EndReason, action: str) -> None:
    """The AI was never silenced, so the epoch stays (I18)."""
    settle_decision(step, state)
    end_handoff(step, end)
    step.change(phase=Phase.AI)
    step.audit(action, end.value)
    if step.session.decision is not None:
        tell_decided(step, step.session.decision)
    if step.session.handoffs[-1].ever_open:  # an acceptance was undone before: agents look at an open ticket
        links.note(step, f"not_taken:{step.version}", declined_note(step.actor.name or step.actor.id))


def muted_by(handoff: Handoff) -> tuple[str, ...]:
    """What a decline of the handoff mutes: its scenarios, else requests of its trigger that name none."""
    return handoff.scenarios or (f"@{handoff.trigger.value}",)


def origin_of(event: DecisionAccepted | DecisionDeclined | DecisionUndone) -> dict[str, str]:
    """What the timeline keeps of where a decision by link came from."""
    return {"origin": event.origin} if event.origin else {}


def _refusal(step: Step, version: int | None) -> Outcome | None:
    """T21: every later attempt learns the winner's name and time (I17)."""
    decision = step.session.decision
    if decision is None:
        return step.refused("T21", "no_decision", "No decision is pending.")
    if decision.state is not DecisionState.PENDING:
        return step.refused("T21", "already_decided", winner(step.session))
    if version is not None and version != decision.version:
        return step.refused("T21", "stale_decision", "That question was answered; another one is pending now.")
    return None


def winner(session: Session) -> str:
    """`already accepted by Ana at ...`; empty while nobody has decided."""
    decision: Decision | None = session.decision
    if decision is None or decision.decided_by is None or decision.decided_at is None:
        return ""
    handoff: Handoff = session.handoffs[decision.handoff - 1]
    who = decision.decided_by.name or decision.decided_by.id
    return f"already {decision.state.value} by {who} at {local_time(decision.decided_at, handoff.policy.timezone)}"
