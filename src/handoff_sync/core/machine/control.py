"""Pause, extend, resume, stop, reset, copilot: who speaks, by request (rules T22 to T33, T43, T46)."""

from __future__ import annotations

from datetime import datetime

from handoff_sync.core.effects import Outcome
from handoff_sync.core.events import CopilotSet, CustomerEndedHuman, Extended, Paused, Resumed, Stopped, WasReset
from handoff_sync.core.machine import links
from handoff_sync.core.machine.endings import automatic_return, wait_for_health
from handoff_sync.core.machine.sides import (
    Entry,
    end_handoff,
    enter_ai,
    enter_human,
    has_ticket,
    not_running,
    settle_decision,
)
from handoff_sync.core.machine.step import Step
from handoff_sync.core.machine.texts import CUSTOMER_ENDED
from handoff_sync.core.model import ActorKind, DecisionState, EndReason, Phase, TimerKind, Trigger
from handoff_sync.core.policy import Policy, TicketOnPause
from handoff_sync.core.scope import LONGEST_MINUTES

# --- pausing --------------------------------------------------------------------------------------


def on_pause(step: Step, event: Paused) -> Outcome:
    session = step.session
    if not_open(session.phase):
        return step.refused("T22", session.phase.value, f"The session is {session.phase.value}; nothing to pause.")
    if session.phase is Phase.STOPPED:
        return step.refused("T22", "stopped", "The AI is stopped for good; resume or reset ends that.")
    rules = step.rules
    minutes = _minutes(event, rules)
    if minutes is not None and not 1 <= minutes <= LONGEST_MINUTES:
        return step.refused("T22", "invalid_minutes", f"A pause lasts 1 to {LONGEST_MINUTES} minutes, or null.")
    until = None if minutes is None else step.later(minutes=minutes)
    if session.human_handoff:
        step.rely_on_people()
        return _change_pause(step, until, minutes, event.reason)
    if not step.policy.handover_enabled:
        return plan_required(step, "T22")
    return _start_pause(step, until, minutes, event.reason)


def _minutes(event: Paused, rules: Policy) -> int | None:
    """The length asked for; without live hand-back every pause is untimed."""
    if not rules.live_handback:
        return None
    return rules.default_pause_minutes if event.use_default else event.minutes


def _start_pause(step: Step, until: datetime | None, minutes: int | None, reason: str) -> Outcome:
    deciding = step.session.phase is Phase.AI_DECIDING
    settle_decision(step, DecisionState.ACCEPTED if step.actor.is_person else DecisionState.SUPERSEDED)
    enter_human(
        step,
        Entry(
            trigger=Trigger.PAUSE,
            reason=reason,
            assignee=step.person if step.actor.is_person else None,
            paused_until=until,
            minutes=minutes,
            open_tickets=_wants_ticket(step.rules, until),
        ),
    )
    length = "until someone resumes it" if minutes is None else f"for {minutes} minutes"
    return step.done("T23" if deciding else "T22", f"The AI was paused {length}.", data={"reason": reason})


def _wants_ticket(rules: Policy, until: datetime | None) -> bool:
    match rules.ticket_on_pause:
        case TicketOnPause.NEVER:
            return False
        case TicketOnPause.ALWAYS:
            return True
        case TicketOnPause.INDEFINITE_ONLY:
            return until is None


def _change_pause(step: Step, until: datetime | None, minutes: int | None, reason: str) -> Outcome:
    before = step.session.paused_until
    if before == until and step.session.return_pending is None:
        if step.session == step.before:
            return step.unchanged("T24", "same_end", "The pause has that end already.")
        return step.done("T24", "The pause has that end already.")
    longer = until is None or (before is not None and until >= before)
    _set_end(step, until)
    step.audit("extend_pause" if longer else "pause_changed", reason, minutes)
    if until is None and _wants_ticket(step.rules, until) and not has_ticket(step):
        links.open_missing(step, step.session.handoffs[-1])
    return step.done("T24", "The pause has a new end.", data={"reason": reason})


def on_extend(step: Step, event: Extended) -> Outcome:
    session = step.session
    if not session.human_handoff:
        return step.refused("T25", "not_paused", f"The session is {session.phase.value}, not paused.")
    if session.paused_until is None:
        return step.refused("T25", "untimed_pause", "The pause has no end that could be moved; set one with pause.")
    if not 1 <= event.minutes <= LONGEST_MINUTES:
        return step.refused("T25", "invalid_minutes", f"A pause is extended by 1 to {LONGEST_MINUTES} minutes.")
    step.rely_on_people()
    start = max(session.paused_until, step.now) if session.return_pending else session.paused_until
    until = min(start + (step.later(minutes=event.minutes) - step.now), step.later(days=3660))
    _set_end(step, until)
    step.audit("extend_pause", event.reason, event.minutes)
    return step.done("T25", f"The pause was extended by {event.minutes} minutes.", data={"reason": event.reason})


def _set_end(step: Step, until: datetime | None) -> None:
    """The new end of a running pause. The epoch stays: nobody else may speak than before."""
    step.change(paused_until=until, return_pending=None)
    step.drop_timers(TimerKind.PAUSE)
    if until is not None:
        step.set_timer(TimerKind.PAUSE, until)
    step.announce()


# --- back to the AI ---------------------------------------------------------------------------------


def on_resume(step: Step, event: Resumed) -> Outcome:
    return give_back(step, event.ai_agent_id, "T27", event.summary)


def give_back(step: Step, ai_agent_id: str | None, rule: str, summary: str = "") -> Outcome:
    """T27 to T30; as rule T39 to a named AI agent."""
    phase = step.session.phase
    if phase in (Phase.AI, Phase.AI_DECIDING):
        return step.unchanged("T30", "ai_active", "The AI is active already.")
    if not_open(phase):
        return step.refused(rule, phase.value, f"The session is {phase.value}; nothing to resume.")
    if phase is not Phase.STOPPED and not step.rules.live_handback:
        ways = "The session cannot go back to the AI live. Two ways out: copilot (the AI drafts for you) or resolve."
        return step.refused("T28", "live_handback_off", ways)
    return _return(step, EndReason.FORCE_RESUME, "T29" if phase is Phase.STOPPED else rule, ai_agent_id, summary)


def _return(step: Step, end: EndReason, rule: str, ai_agent_id: str | None = None, summary: str = "") -> Outcome:
    """A return that somebody asked for: a person is warned, a program refused, our own rules wait (T47)."""
    cause = not_running(step)
    if cause is not None and step.actor.kind is ActorKind.SYSTEM:
        return wait_for_health(step, end, *cause)
    if cause is not None and not step.actor.is_person:
        return step.refused("T47", cause[0], f"{cause[1]}; a person may give the session back nevertheless.")
    tag = "ai_active" if end is EndReason.RESET else "ai_returned"
    enter_ai(step, end, summary=summary, ai_agent_id=ai_agent_id, tag=tag)
    code, words = cause or ("", "")
    return step.done(rule, f"The AI answers again ({end.value.replace('_', ' ')}).", code=code, detail=words)


def on_reset(step: Step, event: WasReset) -> Outcome:
    phase = step.session.phase
    match phase:
        case Phase.ARCHIVED:
            return step.refused("T32", "archived", "The session is archived; its next message starts from scratch.")
        case Phase.RESOLVED:
            step.change(control_at_resolve=Phase.AI, assignee_at_resolve=None)
            return step.done("T33", "When the session opens again the AI is in charge.", data={"reason": event.reason})
        case Phase.AI | Phase.AI_DECIDING:
            enter_ai(step, EndReason.RESET, tag="ai_active")
            return step.done("T32", "The session was reset.", data={"reason": event.reason})
        case Phase.WAITING | Phase.HUMAN | Phase.STOPPED:
            return _return(step, EndReason.RESET, "T29" if phase is Phase.STOPPED else "T32")


def on_customer_end(step: Step, event: CustomerEndedHuman) -> Outcome:
    del event
    phase = step.session.phase
    if phase in (Phase.AI, Phase.AI_DECIDING):
        return step.unchanged("T46", "ai_active", "The AI is active already.")
    if not step.session.human_handoff:
        return step.ignored("T46", phase.value, f"The session is {phase.value}; there is no human to leave.")
    if not step.rules.customer_can_end:
        return step.refused("T46", "customer_cannot_end", "The policy does not let customers end the human side.")
    links.note(step, f"customer_ended:{step.version}", CUSTOMER_ENDED)
    return automatic_return(step, EndReason.CUSTOMER_ENDED, "T46")


# --- stop, copilot ------------------------------------------------------------------------------------


def on_stop(step: Step, event: Stopped) -> Outcome:
    phase = step.session.phase
    if phase is Phase.STOPPED:
        return step.unchanged("T31", "already_stopped", "The AI is stopped already.")
    if not_open(phase):
        return step.refused("T31", phase.value, f"The session is {phase.value}; nothing to stop.")
    settle_decision(step, DecisionState.SUPERSEDED)
    end_handoff(step, EndReason.STOPPED)
    step.change(
        phase=Phase.STOPPED,
        timers=(),
        copilot=False,
        paused_until=None,
        assignee=None,
        return_pending=None,
        solved_by=None,
    )
    step.raise_epoch()
    step.audit("stop", event.reason)
    links.state_tag(step, "ai_stopped")
    return step.done("T31", "The AI was stopped; only resume or reset ends that.", data={"reason": event.reason})


def on_copilot(step: Step, event: CopilotSet) -> Outcome:
    session = step.session
    if not session.human_handoff:
        return step.refused("T43", session.phase.value, "Copilot works only while a human has the session.")
    if session.copilot == event.on:
        return step.unchanged("T43", "same_mode", f"Copilot is {'on' if event.on else 'off'} already.")
    step.change(copilot=event.on)
    step.raise_epoch()
    step.audit("copilot_on" if event.on else "copilot_off")
    return step.done("T43", f"Copilot was switched {'on' if event.on else 'off'}.")


# --- shared answers -------------------------------------------------------------------------------------


def not_open(phase: Phase) -> bool:
    return phase in (Phase.RESOLVED, Phase.ARCHIVED)


def plan_required(step: Step, rule: str) -> Outcome:
    """The workspace's plan has no handover; `detail` carries where to change that."""
    where = f" Upgrade: {step.policy.upgrade_url}" if step.policy.upgrade_url else ""
    return step.refused(rule, "plan_required", f"Handover is not part of this plan.{where}")
