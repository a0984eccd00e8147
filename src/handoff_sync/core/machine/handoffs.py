"""Requests for a human (rules T11 to T17)."""

from __future__ import annotations

from handoff_sync.core.effects import NoteOnTicket, Outcome
from handoff_sync.core.events import HandoffRequested
from handoff_sync.core.machine import links
from handoff_sync.core.machine.control import plan_required
from handoff_sync.core.machine.sides import Entry, ask, enter_human, has_ticket, start_handoff
from handoff_sync.core.machine.step import Step
from handoff_sync.core.model import HandoffState, Person, Phase, Trigger
from handoff_sync.core.policy import MailKind, Mode, Scenario

_REOPENING = frozenset({Trigger.MANUAL, Trigger.REOPEN})
"""REOPEN comes from delivery alone: the customer wrote while the ticket was being closed."""


def on_request(step: Step, event: HandoffRequested) -> Outcome:
    match step.session.phase:
        case Phase.WAITING | Phase.HUMAN:
            return _add_to_running(step, event)
        case Phase.ARCHIVED:
            return _not_open(step, event)
        case Phase.RESOLVED if event.trigger not in _REOPENING or step.session.next_session_id is not None:
            return _not_open(step, event)
        case _:
            return _refusal(step, event) or _granted(step, event)


def muted_as(event: HandoffRequested) -> str:
    """What a decline mutes: the scenario, or requests of that trigger that name none."""
    return event.scenario or f"@{event.trigger.value}"


def add_request(step: Step, event: HandoffRequested) -> None:
    """Adds what a further request says to the handoff that runs or is being decided."""
    handoff = step.session.handoffs[-1]
    scenarios = handoff.scenarios
    if event.scenario and event.scenario not in scenarios:
        scenarios = (*scenarios, event.scenario)
    reasons = [handoff.reason] if handoff.reason else []
    if event.reason and event.reason not in handoff.reason.split("; "):
        reasons.append(event.reason)
    step.change_handoff(scenarios=scenarios, reason="; ".join(reasons), summary=event.summary or handoff.summary)


# --- whether -----------------------------------------------------------------------------------------


def _refusal(step: Step, event: HandoffRequested) -> Outcome | None:
    """Why the request goes no further, or None."""
    if not step.policy.handover_enabled:
        return plan_required(step, "T11")
    if event.trigger is Trigger.MANUAL or step.session.phase is Phase.STOPPED:
        return None  # a stopped AI answers nobody, so nobody is asked whether people should
    scenario = _scenario(step, event)
    if scenario is not None and not scenario.enabled:
        return step.ignored("T11", "scenario_disabled", f"The scenario {scenario.title!r} is switched off.")
    if _mode(step, event) is Mode.MANUAL_ONLY:
        return step.ignored("T11", "manual_only", "Only people start a handover here.")
    name = muted_as(event)
    if any(mute.scenario == name and mute.until > step.now for mute in step.session.mutes):
        return step.ignored("T12", "muted", "Someone declined this not long ago.")
    return None


def _not_open(step: Step, event: HandoffRequested) -> Outcome:
    phase = step.session.phase.value
    if event.trigger is Trigger.MANUAL:
        return step.refused("T17", phase, f"The session is {phase} and cannot be handed over.")
    return step.ignored("T17", phase, f"The session is {phase}.")


def _scenario(step: Step, event: HandoffRequested) -> Scenario | None:
    """The scenario of the policy that the request names; a name nobody knows is kept as a label only."""
    return next((scenario for scenario in step.policy.scenarios if scenario.title == event.scenario), None)


def _mode(step: Step, event: HandoffRequested) -> Mode:
    scenario = _scenario(step, event)
    return event.mode or (scenario.mode if scenario else None) or step.policy.handover_mode


# --- what ----------------------------------------------------------------------------------------------


def _granted(step: Step, event: HandoffRequested) -> Outcome:
    scenario = _scenario(step, event)
    team = event.team or (scenario.team if scenario else None)
    step.change(team=team or step.session.team, summary=event.summary or step.session.summary)
    phase = step.session.phase
    asks = event.trigger is not Trigger.MANUAL and _mode(step, event) is Mode.SEMI_AUTOMATIC
    if asks and phase is Phase.AI:
        return _ask(step, event)
    if phase is Phase.AI_DECIDING:
        add_request(step, event)
        if asks:
            return step.done("T14", "One more reason for the open decision.", data=_facts(event))
    enter_human(step, _entry(step, event, action="reopen" if phase is Phase.RESOLVED else "pause_activated"))
    rules = {Phase.AI_DECIDING: "T13", Phase.STOPPED: "T16", Phase.RESOLVED: "T17"}
    return step.done(rules.get(phase, "T11"), "The session was handed over to people.", data=_facts(event))


def _entry(step: Step, event: HandoffRequested, action: str = "pause_activated") -> Entry:
    holder: Person | None = event.designated
    if holder is None and event.claim and step.actor.is_person:
        holder = step.person
    return Entry(
        trigger=event.trigger,
        reason=event.reason,
        scenarios=(event.scenario,) if event.scenario else (),
        summary=event.summary,
        mode=_mode(step, event),
        assignee=holder,
        action=action,
    )


def _ask(step: Step, event: HandoffRequested) -> Outcome:
    """T12: the AI goes on while people decide."""
    handoff = start_handoff(step, _entry(step, event), HandoffState.DECIDING)
    ask(step)
    step.audit("decision_requested", event.scenario or event.reason or event.trigger.value)
    if not step.mail(MailKind.DECISION_NEEDED):
        step.alert("decision_unheard", str(handoff.number), "A decision is needed and no recipient is set.")
    return step.done("T12", "A decision was asked for; the AI goes on.", data=_facts(event))


def _add_to_running(step: Step, event: HandoffRequested) -> Outcome:
    """T15: no second ticket and no second mail; but a pause without a ticket gets one now."""
    add_request(step, event)
    if event.trigger is Trigger.MANUAL or _mode(step, event) is not Mode.SEMI_AUTOMATIC:
        step.rely_on_people()
    words = "; ".join(part for part in (event.scenario, event.reason) if part) or event.trigger.value
    serving = [link for link in step.session.live_links if links.serves(step.session, link)]
    for link in serving:
        text = f"A human was asked for again: {words}"
        step.emit(NoteOnTicket(link=link.id, name=f"request:{step.version}", text=text))
    if not has_ticket(step):
        links.open_missing(step, step.session.handoffs[-1])
    return step.done("T15", "A human was asked for again.", data=_facts(event))


def _facts(event: HandoffRequested) -> dict[str, str]:
    facts = {"trigger": event.trigger.value, "scenario": event.scenario or "", "reason": event.reason}
    return {name: value for name, value in facts.items() if value}
