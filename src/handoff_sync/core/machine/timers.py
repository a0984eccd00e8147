"""Due timers and changes of health: what happens without anybody doing it (rules T20, T26, T47 to T49, T57, T66)."""

from __future__ import annotations

from handoff_sync.core.effects import Outcome
from handoff_sync.core.events import HealthChanged, TimerFired
from handoff_sync.core.machine import decisions
from handoff_sync.core.machine.endings import automatic_return, resolve
from handoff_sync.core.machine.sides import enter_ai, not_running
from handoff_sync.core.machine.status import on_grace_over
from handoff_sync.core.machine.step import Step
from handoff_sync.core.model import Control, EndReason, Phase, Status, TimerKind
from handoff_sync.core.policy import MailKind, OnClaimTimeout

RULE = {
    TimerKind.PAUSE: "T26",
    TimerKind.DECISION: "T20",
    TimerKind.DECISION_REMINDER: "T48",
    TimerKind.CLAIM_REMINDER: "T48",
    TimerKind.CLAIM_TIMEOUT: "T49",
    TimerKind.SOLVED_GRACE: "T57",
}


def on_timer(step: Step, event: TimerFired) -> Outcome:
    """Only a timer that is set, due and of the current epoch does anything (I14)."""
    timer, rule = step.timer(event.kind), RULE[event.kind]
    if timer is None:
        return step.ignored(rule, "no_timer", "No such timer is set.")
    if event.epoch != timer.epoch or event.epoch != step.session.control_epoch:
        return step.ignored(rule, "stale_timer", "The timer belongs to an earlier turn.")
    if timer.fires_at > step.now:
        return step.ignored(rule, "not_due", "The timer is not due yet.")
    step.drop_timers(event.kind)
    match event.kind:
        case TimerKind.PAUSE:
            return automatic_return(step, EndReason.TIMER_EXPIRED, rule)
        case TimerKind.DECISION:
            return decisions.on_expiry(step)
        case TimerKind.DECISION_REMINDER:
            step.mail(MailKind.DECISION_NEEDED, again=True)
            return step.done(rule, "Nobody has decided yet; people were reminded.")
        case TimerKind.CLAIM_REMINDER:
            step.mail(MailKind.REMINDER)
            return step.done(rule, "Nobody has claimed the session yet; people were reminded.")
        case TimerKind.CLAIM_TIMEOUT:
            return _give_up_waiting(step, rule)
        case TimerKind.SOLVED_GRACE:
            return on_grace_over(step)


def _give_up_waiting(step: Step, rule: str) -> Outcome:
    match step.rules.on_claim_timeout:
        case OnClaimTimeout.KEEP:
            return step.done(rule, "Nobody claimed the session in time; it goes on waiting.")
        case OnClaimTimeout.RETURN_TO_AI:
            return automatic_return(step, EndReason.CLAIM_TIMEOUT, rule)
        case OnClaimTimeout.RESOLVE:
            return resolve(step, EndReason.CLAIM_TIMEOUT, rule)


# --- health ---------------------------------------------------------------------------------------------


def on_health(step: Step, event: HealthChanged) -> Outcome:
    session = step.session
    agent = session.agent_running if event.agent_running is None else event.agent_running
    channel = session.channel_running if event.channel_running is None else event.channel_running
    if (agent, channel) == (session.agent_running, session.channel_running):
        return step.unchanged("T66", "same_health", "Agent and channel are as they were.")
    step.change(agent_running=agent, channel_running=channel)
    cause = not_running(step)
    if cause is None and session.return_pending is not None and session.status is Status.OPEN:
        return _return_now(step, session.return_pending)
    if cause is not None and session.control is Control.AI:
        step.alert(cause[0], str(step.version), f"{cause[1]}: nobody answers the customer.")
    return step.done("T66", "Agent and channel run." if cause is None else f"{cause[1]}.")


def _return_now(step: Step, end: EndReason) -> Outcome:
    """T47, second half. What somebody asked for outright needs no leave of the policy."""
    if step.session.phase is Phase.STOPPED or end in (EndReason.RESET, EndReason.FORCE_RESUME):
        enter_ai(step, end, tag="ai_active" if end is EndReason.RESET else "ai_returned")
        return step.done("T47", "Agent and channel run again, and so the AI answers again.")
    return automatic_return(step, end, "T47")
