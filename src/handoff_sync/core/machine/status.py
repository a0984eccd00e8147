"""The ticket's status and what it means for the session (rules T57 to T61)."""

from __future__ import annotations

from handoff_sync.core.effects import NoteOnTicket, Outcome
from handoff_sync.core.events import TicketStatusChanged
from handoff_sync.core.machine import links
from handoff_sync.core.machine.assignment import cancel_grace
from handoff_sync.core.machine.endings import BY_TICKET, automatic_return, reopen_for_people, resolve, within
from handoff_sync.core.machine.sides import Entry, enter_human
from handoff_sync.core.machine.step import Step
from handoff_sync.core.machine.texts import SESSION_CLOSED
from handoff_sync.core.machine.tickets import unknown_link
from handoff_sync.core.model import (
    SYSTEM,
    ActorKind,
    EndReason,
    LinkState,
    Phase,
    TicketLink,
    TicketStatus,
    TimerKind,
    Trigger,
)
from handoff_sync.core.policy import Outcome as OnTicket

_FOLLOWED = frozenset({LinkState.INTENT, LinkState.LINKED, LinkState.SOLVED, LinkState.CLOSED})


def on_status(step: Step, event: TicketStatusChanged) -> Outcome:
    link = links.find(step.session, event.link)
    if link is None:
        return unknown_link(step, "T57")
    if link.state not in _FOLLOWED:
        return step.ignored("T57", link.state.value, f"The ticket is {link.state.value}.")
    if link.status is event.status:
        return step.unchanged("T65", "same_status", f"The ticket is {event.status.value} already.")
    if _revived_too_late(step, link, event.status):
        return step.ignored("T57", "replaced", "Another ticket has taken this one's place.")
    links.update(step, link.id, status=event.status, state=_state(link, event.status))
    match event.status:
        case TicketStatus.SOLVED:
            return _solved(step, link)
        case TicketStatus.CLOSED:
            return _closed(step, link)
        case TicketStatus.OPEN | TicketStatus.WAITING_CUSTOMER | TicketStatus.ON_HOLD:
            return _open(step, link)


def _state(link: TicketLink, status: TicketStatus) -> LinkState:
    """A ticket that is not known to exist yet stays an intent, whatever its status."""
    match status:
        case TicketStatus.CLOSED:
            return LinkState.CLOSED
        case _ if link.state is LinkState.INTENT:
            return LinkState.INTENT
        case TicketStatus.SOLVED:
            return LinkState.SOLVED
        case _:
            return LinkState.LINKED


def _revived_too_late(step: Step, link: TicketLink, status: TicketStatus) -> bool:
    """A final ticket that came back although its place is taken (I7)."""
    final = link.state is LinkState.CLOSED and status is not TicketStatus.CLOSED
    return final and links.live_at(step.session, link.connection) is not None


def _recorded(step: Step, rule: str, link: TicketLink) -> Outcome:
    return step.done(rule, "The ticket has a new status.", data={"link": link.id, "status": _now(step, link)})


def _now(step: Step, link: TicketLink) -> str:
    current = links.find(step.session, link.id)
    return current.status.value if current is not None else ""


def _decides(step: Step, link: TicketLink) -> bool:
    """Whether the session follows its tickets now."""
    session = step.session
    return session.human_handoff and links.serves(session, link) and links.close_rule_met(session, step.rules)


# --- done ---------------------------------------------------------------------------------------------


def _solved(step: Step, link: TicketLink) -> Outcome:
    """T57: wait a little, in case it was a slip or a last word follows."""
    if not _decides(step, link) or step.rules.on_ticket_solved is OnTicket.KEEP:
        return _recorded(step, "T57", link)
    step.change(solved_by=step.actor)
    step.set_timer(TimerKind.SOLVED_GRACE, step.later(seconds=step.rules.solved_grace_seconds))
    return step.done("T57", "The ticket was solved; the session follows after the grace.", data={"link": link.id})


def on_grace_over(step: Step) -> Outcome:
    """T57, second half. Whoever solved the ticket ends the session (I30)."""
    step.actor = step.session.solved_by or step.actor
    step.change(solved_by=None)
    return _follow(step, step.rules.on_ticket_solved, EndReason.TICKET_SOLVED, "T57")


def _closed(step: Step, link: TicketLink) -> Outcome:
    """T59: final, so there is nothing to wait for. Often an automation closes what a person solved."""
    if not _decides(step, link):
        return _recorded(step, "T59", link)
    if step.actor.kind is ActorKind.SYSTEM:
        step.actor = step.session.solved_by or SYSTEM
    step.drop_timers(TimerKind.SOLVED_GRACE)
    step.change(solved_by=None)
    return _follow(step, step.rules.on_ticket_closed, EndReason.TICKET_CLOSED, "T59")


def _follow(step: Step, choice: OnTicket, end: EndReason, rule: str) -> Outcome:
    match choice:
        case OnTicket.KEEP:
            return step.done(rule, "The ticket is done; the policy keeps the session as it is.")
        case OnTicket.RESOLVE:
            return resolve(step, end, rule)
        case OnTicket.RETURN_TO_AI:
            step.pending_set = True
            return automatic_return(step, end, rule)


# --- open again -----------------------------------------------------------------------------------------


def _open(step: Step, link: TicketLink) -> Outcome:
    session = step.session
    if session.human_handoff:
        if links.serves(session, link) and not links.close_rule_met(session, step.rules):
            cancel_grace(step)  # what happens to a ticket that does not decide changes nothing
        return _recorded(step, "T58", link)
    reopened = link.status in links.DONE and step.actor.kind is ActorKind.AGENT
    last = session.handoff
    if not reopened or last is None or link.serves != last.number:
        return _recorded(step, "T58", link)
    match session.phase:
        case Phase.AI if last.end_reason in BY_TICKET:
            return _retaken(step, link)
        case Phase.RESOLVED | Phase.ARCHIVED:
            return _session_reopened(step, link)
        case _:
            return _recorded(step, "T60", link)


def _retaken(step: Step, link: TicketLink) -> Outcome:
    """T60: the agent wants it back."""
    last = step.session.handoffs[-1]
    if not within(last.ended_at, last.policy.retake_window_hours, step.now):
        return _recorded(step, "T60", link)
    enter_human(step, Entry(trigger=Trigger.TICKET, reason="ticket_reopened"))
    return step.done("T60", "The ticket was opened again; people have the session again.", data={"link": link.id})


def _session_reopened(step: Step, link: TicketLink) -> Outcome:
    """T61: under whoever held it; a session that is over for good says so on the ticket."""
    session, rules = step.session, step.aftermath
    again = (
        session.phase is Phase.RESOLVED
        and session.next_session_id is None
        and within(session.resolved_at, rules.reopen_window_hours, step.now)
    )
    if not again:
        step.emit(NoteOnTicket(link=link.id, name=f"session_closed:{step.version}", text=SESSION_CLOSED))
        return step.done("T61", "The ticket was opened again, but the session is closed.", data={"link": link.id})
    reopen_for_people(step, Trigger.TICKET, session.assignee_at_resolve, "ticket_reopened")
    return step.done("T61", "The ticket was opened again, and so was the session.", data={"link": link.id})
