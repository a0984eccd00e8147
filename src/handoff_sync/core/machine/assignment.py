"""Who holds a session (rules T34 to T39)."""

from __future__ import annotations

from handoff_sync.core.effects import Outcome
from handoff_sync.core.events import Assigned, Claimed, Unassigned
from handoff_sync.core.machine import links
from handoff_sync.core.machine.control import give_back, not_open, plan_required
from handoff_sync.core.machine.sides import Entry, await_claim, enter_human, hold
from handoff_sync.core.machine.step import Step
from handoff_sync.core.model import HandoffState, Person, Phase, TimerKind, Trigger


def on_claim(step: Step, event: Claimed) -> Outcome:
    if not step.actor.is_person:
        return step.refused("T34", "person_required", "Only a person can claim a session.")
    holder = step.session.assignee
    if holder is not None and holder.id != step.actor.id and not event.force:
        return step.refused("T35", "already_claimed_by", f"{holder.name or holder.id} holds the session already.")
    return _give(step, step.person, "claim")


def on_assign(step: Step, event: Assigned) -> Outcome:
    if event.ai_agent_id is not None:
        return _to_ai(step, event.ai_agent_id)
    if event.person is None:
        return step.refused("T36", "nobody_named", "Name a person or an AI agent to assign the session to.")
    return _give(step, event.person, "claim")


def _to_ai(step: Step, ai_agent_id: str) -> Outcome:
    """T39: hand back to a named AI agent."""
    if step.session.phase is Phase.STOPPED:
        return step.refused("T39", "stopped", "The AI is stopped for good; resume or reset ends that.")
    return give_back(step, ai_agent_id, "T39")


def _give(step: Step, person: Person, action: str) -> Outcome:
    phase = step.session.phase
    if not_open(phase):
        return step.refused("T34", phase.value, f"The session is {phase.value}; hand it over again first.")
    if phase is Phase.STOPPED:
        return step.refused("T34", "stopped", "The AI is stopped; answer, or hand the session over, to hold it.")
    if phase in (Phase.AI, Phase.AI_DECIDING):
        return _take_from_ai(step, person)
    if step.session.assignee is not None and step.session.assignee.id == person.id:
        return step.unchanged("T34", "already_yours", f"{person.name or person.id} holds the session already.")
    go_on(step)
    if phase is Phase.WAITING:
        step.audit(action)
    hold(step, person)
    rule = "T36" if step.event.type == "assign" else ("T34" if phase is Phase.WAITING else "T35")
    return step.done(rule, f"{person.name or person.id} took the session.")


def _take_from_ai(step: Step, person: Person) -> Outcome:
    """T37: a claim is a handover to somebody in particular."""
    if not step.policy.handover_enabled:
        return plan_required(step, "T37")
    enter_human(step, Entry(trigger=Trigger.MANUAL, assignee=person))
    return step.done("T37", f"{person.name or person.id} took the session from the AI.")


def on_unassign(step: Step, event: Unassigned) -> Outcome:
    del event
    phase = step.session.phase
    if phase is Phase.WAITING:
        return step.unchanged("T38", "unassigned", "Nobody holds the session.")
    if phase is not Phase.HUMAN:
        return step.refused("T38", phase.value, f"The session is {phase.value}; nobody holds it.")
    return release(step)


def release(step: Step, leave_out: str | None = None) -> Outcome:
    """T38: back to the queue. `leave_out` is the link whose ticket has no assignee already."""
    step.change(phase=Phase.WAITING, assignee=None)
    step.change_handoff(state=HandoffState.OPEN)
    step.audit("unassign")
    links.assign(step, leave_out)
    await_claim(step)
    if step.rules.disclose_human:
        step.announce()
    return step.done("T38", "The session is back in the queue.")


def go_on(step: Step) -> None:
    """T58: somebody goes on with a solved ticket, which therefore is open again: else nobody could solve it anew."""
    if step.timer(TimerKind.SOLVED_GRACE) is not None:
        for link in step.session.live_links:
            links.reopen(step, link.id)
    cancel_grace(step)


def cancel_grace(step: Step) -> None:
    """T58: the ticket was solved, but somebody goes on with it."""
    step.drop_timers(TimerKind.SOLVED_GRACE)
    step.change(solved_by=None)
