"""Resolving, archiving, opening again (rules T5, T17, T44, T45, T61) and returns that happen by themselves (T47)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from handoff_sync.core.effects import Outcome, SessionChange, SessionChanged
from handoff_sync.core.events import Archived, CustomerMessage, Resolved
from handoff_sync.core.machine import links
from handoff_sync.core.machine.sides import (
    Entry,
    end_handoff,
    enter_ai,
    enter_human,
    not_running,
    notice,
    own_words,
    settle_decision,
)
from handoff_sync.core.machine.step import FAR, Step
from handoff_sync.core.machine.texts import resolve_marker
from handoff_sync.core.model import (
    AuthorClass,
    DecisionState,
    EndReason,
    Message,
    Person,
    Phase,
    Session,
    Status,
    Trigger,
)
from handoff_sync.core.policy import AfterResolve, OnResolveTicket, Policy

BY_TICKET: Final = frozenset({EndReason.TICKET_SOLVED, EndReason.TICKET_CLOSED})
_AT_RESOLVE: Final = {Phase.AI: Phase.AI, Phase.AI_DECIDING: Phase.AI, Phase.HUMAN: Phase.HUMAN}


# --- by request -----------------------------------------------------------------------------------


def on_resolve(step: Step, event: Resolved) -> Outcome:
    session = step.session
    if session.phase is Phase.RESOLVED:
        return step.unchanged("T44", "already_resolved", "The session is resolved already.")
    if session.phase is Phase.ARCHIVED:
        return step.refused("T44", "archived", "The session is archived; it cannot be resolved any more.")
    if step.rules.resolve_requires_assignee and session.assignee is None:
        return step.refused("T44", "assignee_required", "Only an assigned session can be resolved: claim it first.")
    return resolve(step, EndReason.RESOLVED, "T44", event.note)


def on_archive(step: Step, event: Archived) -> Outcome:
    if step.session.phase is Phase.ARCHIVED:
        return step.unchanged("T45", "already_archived", "The session is archived already.")
    _outcome_note(step, event.note)
    _close(step, Phase.ARCHIVED, EndReason.ARCHIVED)
    step.audit("archive", event.note)
    step.emit(SessionChanged(change=SessionChange.ARCHIVED, version=step.version))
    return step.done("T45", "The session was archived; the next message starts from scratch.")


def resolve(step: Step, end: EndReason, rule: str, note: str = "") -> Outcome:
    """Ends the session and remembers who was in charge."""
    name = step.actor.name or step.actor.id
    marker = resolve_marker(name, step.now, step.rules.timezone)
    notice_texts = step.rules.customer_notice.on_resolve
    _outcome_note(step, note)
    _put_marker(step, marker)
    _close(step, Phase.RESOLVED, end)
    step.audit("resolve", end.value)
    step.emit(SessionChanged(change=SessionChange.RESOLVED, version=step.version, marker=marker))
    notice(step, "on_resolve", notice_texts)
    return step.done(rule, "The session was resolved.", data={"end": end.value})


def _outcome_note(step: Step, text: str) -> None:
    if text:
        stored = step.store(own_words(step, text), public=False, kind="note")
        links.note(step, f"note:{stored.seq}", text)


def _put_marker(step: Step, marker: str) -> None:
    message = Message(
        id=f"{step.session.id}:resolved:{step.version}",
        author_class=AuthorClass.AUTOMATION,
        text=marker,
        at=step.now,
        author=step.person,
    )
    step.store(message, public=False, kind="marker")
    step.line("marker", "T44", marker)
    links.note(step, f"resolved:{step.version}", marker)


def _close(step: Step, phase: Phase, end: EndReason) -> None:
    """What resolve and archive have in common: nothing runs any more (I16)."""
    session, rules = step.session, step.rules
    was_open = session.status is Status.OPEN
    links.solve_all(step, rules)
    settle_decision(step, DecisionState.SUPERSEDED)
    end_handoff(step, end)
    step.change(
        phase=phase,
        timers=(),
        copilot=False,
        paused_until=None,
        assignee=None,
        return_pending=None,
        solved_by=None,
        counts_as_ai_resolution=not any(handoff.ever_open for handoff in session.handoffs),
    )
    if was_open:
        step.change(
            control_at_resolve=_AT_RESOLVE.get(session.phase, Phase.WAITING),
            assignee_at_resolve=session.assignee,
            resolved_at=step.now,
        )
        step.raise_epoch()


# --- by itself ------------------------------------------------------------------------------------


def automatic_return(step: Step, end: EndReason, rule: str) -> Outcome:
    """A timer, a ticket, the customer or a rule gives the session back: only to an AI that runs (T47, I21).

    Without live hand-back it is a resolve instead.
    """
    rules = step.rules
    if not rules.live_handback:
        return resolve(step, end, rule)
    if (cause := not_running(step)) is not None:
        return wait_for_health(step, end, *cause)
    if end in BY_TICKET and rules.session_resolve_sets_ticket is OnResolveTicket.SOLVED:
        links.solve_all(step, rules)
    enter_ai(step, end)
    return step.done(rule, f"The AI answers again: {end.value.replace('_', ' ')}.")


def wait_for_health(step: Step, end: EndReason, code: str, words: str) -> Outcome:
    """Remembers the return until agent and channel run, and says so."""
    step.change(return_pending=end)
    step.pending_set = True
    step.alert("return_pending", f"{step.handoff_number}:{step.version}", f"{words}; the session stays with people.")
    return step.done("T47", f"{words}: the session stays with people until it runs.", code=code, detail=words)


# --- again ----------------------------------------------------------------------------------------


def within(since: datetime | None, hours: int, now: datetime) -> bool:
    """Whether `now` is at most `hours` after `since`."""
    if since is None:
        return False
    return now - since <= (timedelta(hours=hours) if hours < FAR.days * 24 else FAR)


def may_reopen(session: Session, policy: Policy, now: datetime) -> bool:
    """Whether a message to a resolved session opens it again (T5) or starts a new one (T6)."""
    return (
        session.phase is Phase.RESOLVED
        and session.next_session_id is None
        and policy.after_resolve is AfterResolve.REOPEN
        and within(session.resolved_at, policy.reopen_window_hours, now)
    )


def reopen_by_customer(step: Step, event: CustomerMessage) -> Outcome:
    """T5: whoever was in charge at the resolve is in charge again."""
    stored = step.store(event.message, public=True)
    if step.session.control_at_resolve in (Phase.AI, None):
        _reopen_for_ai(step)
    else:
        reopen_for_people(step, Trigger.REOPEN, step.session.assignee_at_resolve)
        links.append(step, stored, public=True)
    return step.done("T5", "The customer wrote again; whoever was in charge is in charge again.")


def reopen_for_people(step: Step, trigger: Trigger, holder: Person | None, reason: str = "") -> None:
    """A new handoff on a resolved session."""
    enter_human(step, Entry(trigger=trigger, reason=reason, assignee=holder, action="reopen"))


def _reopen_for_ai(step: Step) -> None:
    step.change(phase=Phase.AI, control_at_resolve=None, assignee_at_resolve=None, resolved_at=None)
    step.raise_epoch()
    step.audit("reopen", "customer_message")
    step.emit(SessionChanged(change=SessionChange.REOPENED, version=step.version))
    links.state_tag(step, "ai_active")
    if (cause := not_running(step)) is not None:
        step.alert(cause[0], str(step.version), f"{cause[1]}: a customer wrote and nobody answers.")
