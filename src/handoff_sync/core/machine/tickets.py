"""What happens to the ticket itself: made, not made, assigned, merged, deleted (rules T52 to T54, T63, T64)."""

from __future__ import annotations

from handoff_sync.core.effects import NoteOnTicket, Outcome
from handoff_sync.core.events import (
    TicketAssigned,
    TicketCreated,
    TicketCreateFailed,
    TicketDeleted,
    TicketMerged,
)
from handoff_sync.core.machine import links
from handoff_sync.core.machine.assignment import release
from handoff_sync.core.machine.sides import hold
from handoff_sync.core.machine.step import Step
from handoff_sync.core.machine.texts import COMMANDS
from handoff_sync.core.model import LinkState, Phase, Session, TicketLink, TimerKind
from handoff_sync.core.policy import MailKind
from handoff_sync.core.policy import Outcome as OnTicket

GONE = frozenset({LinkState.DETACHED, LinkState.MERGED})


def unknown_link(step: Step, rule: str) -> Outcome:
    return step.ignored(rule, "unknown_link", "The session has no such ticket.")


# --- made or not --------------------------------------------------------------------------------------


def on_created(step: Step, event: TicketCreated) -> Outcome:
    """T52, in whatever phase the session is by now: a ticket that exists must be known."""
    link = links.find(step.session, event.link)
    if link is None:
        return unknown_link(step, "T52")
    if link.state not in (LinkState.INTENT, LinkState.FAILED):
        return _created_again(step, link, event)
    fields = {"remote_id": event.remote_id, "url": event.url}
    if link.state is LinkState.FAILED and links.live_at(step.session, link.connection) is not None:
        links.update(step, link.id, state=LinkState.DETACHED, **fields)
        step.alert("surplus_ticket", link.id, "A parked ticket was made after another had taken its place.")
        return step.done("T52", "A ticket was made that another had replaced already.", data={"link": link.id})
    state = LinkState.SOLVED if link.status in links.DONE else LinkState.LINKED
    links.update(step, link.id, state=state, **fields)
    step.emit(NoteOnTicket(link=link.id, name="commands", text=COMMANDS))
    return step.done("T52", "The ticket was opened.", data={"link": link.id, "remote_id": event.remote_id})


def _created_again(step: Step, link: TicketLink, event: TicketCreated) -> Outcome:
    if link.remote_id == event.remote_id:
        return step.unchanged("T65", "known_ticket", "The ticket is known already.")
    step.alert("duplicate_ticket", f"{link.id}:{event.remote_id}", "A second ticket exists for one ticket link.")
    return step.done("T52", "A second ticket turned up for one link; the first stays.", data={"link": link.id})


def on_create_failed(step: Step, event: TicketCreateFailed) -> Outcome:
    """T53: loud, and never a reason to go back to the AI."""
    link = links.find(step.session, event.link)
    if link is None:
        return unknown_link(step, "T53")
    if link.state is not LinkState.INTENT:
        return step.unchanged("T53", link.state.value, f"The ticket is {link.state.value} already.")
    if step.session.human_handoff:
        step.mail(MailKind.TICKET_FAILED, event.reason)
    data = {"link": link.id, "reason": event.reason}
    if event.waits:
        step.alert("ticket_waits", link.id, "A ticket cannot be opened until its connection is set right.")
        return step.done("T53", "Opening the ticket waits until its connection is set right.", data=data)
    links.update(step, link.id, state=LinkState.FAILED)
    why = "was refused" if event.permanent else "was given up after many attempts"
    step.alert("ticket_failed", link.id, f"Opening a ticket {why}; the delivery is parked.")
    return step.done("T53", f"Opening the ticket {why}.", data=data | _without(step, link))


def _without(step: Step, link: TicketLink) -> dict[str, str]:
    """A ticket takes no more writes: the next one is the primary, and what is left may be solved already.

    Returns what the timeline tells of it.
    """
    heir = links.pass_on(step, link.id)
    rules = step.rules
    met = step.session.human_handoff and links.close_rule_met(step.session, rules)
    if met and not links.close_rule_met(step.before, rules) and rules.on_ticket_solved is not OnTicket.KEEP:
        step.set_timer(TimerKind.SOLVED_GRACE, step.later(seconds=rules.solved_grace_seconds))
    return {"primary": heir} if heir is not None else {}


# --- assigned ------------------------------------------------------------------------------------------


def on_assigned(step: Step, event: TicketAssigned) -> Outcome:
    link = links.find(step.session, event.link)
    if link is None:
        return unknown_link(step, "T54")
    session = step.session
    if not session.human_handoff or not links.serves(session, link):
        return step.ignored("T54", session.phase.value, "The ticket's handoff does not run.")
    if event.agent is None:
        return _unassigned(step, link)
    if session.assignee is not None and session.assignee.id == event.agent.id:
        return step.unchanged("T54", "same_holder", "That person holds the session already.")
    if session.phase is Phase.WAITING:
        step.audit("claim", "ticket_assigned")
    hold(step, event.agent, leave_out=link.id)
    return step.done("T54", f"{event.agent.name or event.agent.id} was assigned in the helpdesk.")


def _unassigned(step: Step, link: TicketLink) -> Outcome:
    """Only its own helpdesk takes a holder away; the others never knew that agent."""
    session = step.session
    if session.assignee is None:
        return step.unchanged("T38", "unassigned", "Nobody holds the session.")
    if _held_elsewhere(session, link):
        return step.ignored("T38", "held_elsewhere", "The holder is an agent of another helpdesk.")
    return release(step, leave_out=link.id)


def _held_elsewhere(session: Session, link: TicketLink) -> bool:
    holder = session.assignee.id if session.assignee is not None else ""
    others = {other.connection for other in session.links if other.connection != link.connection}
    return any(holder.startswith(f"{connection}:") for connection in others)


# --- merged, deleted -------------------------------------------------------------------------------------


def on_merged(step: Step, event: TicketMerged) -> Outcome:
    """T63: the link follows its ticket, unless the target is somebody's already."""
    link = links.find(step.session, event.link)
    if link is None:
        return unknown_link(step, "T63")
    if link.state in GONE:
        return step.unchanged("T65", "known_merge", "The merge is known already.")
    data = {"link": link.id, "target": event.target_id}
    theirs = event.owned_by is not None and event.owned_by != step.session.id
    if link.remote_id == event.target_id:
        return _passed_on(step, link, data) if theirs else step.unchanged("T65", "known_merge", "The merge is known.")
    if theirs:
        text = "This ticket was merged into one that belongs to another session. Messages no longer reach it from here."
        step.emit(NoteOnTicket(link=link.id, name="detached", text=text))
        served = links.serves(step.session, link)
        links.update(step, link.id, state=LinkState.DETACHED)
        if step.session.human_handoff and served:
            step.mail(MailKind.TICKET_FAILED, "The ticket was merged into one of another conversation.")
        if step.session.next_session_id is None:  # else nobody needs the ticket, least of all the next session
            step.alert("ticket_detached", link.id, "A ticket was merged into one of another session.")
        data |= _without(step, link)
        return step.done("T63", "The ticket was merged into one of another session.", data=data)
    if any(other.remote_id == event.target_id and other.connection == link.connection for other in step.session.links):
        links.update(step, link.id, state=LinkState.MERGED)
        data |= _without(step, link)
        return step.done("T63", "Two tickets of the session were merged.", data=data)
    links.update(step, link.id, remote_id=event.target_id, url=event.target_url)
    return step.done("T63", "The ticket was merged; the session follows it.", data=data)


def _passed_on(step: Step, link: TicketLink, data: dict[str, str]) -> Outcome:
    """The ticket took in that of the session in which the conversation goes on, and is its ticket from now on."""
    if step.session.next_session_id is None:
        return step.unchanged("T65", "known_merge", "The ticket is this session's own.")
    links.update(step, link.id, state=LinkState.DETACHED)
    return step.done("T63", "The conversation's next session goes on with this ticket.", data=data)


def on_deleted(step: Step, event: TicketDeleted) -> Outcome:
    """T64. Nothing is made again by itself: somebody deleted it on purpose."""
    link = links.find(step.session, event.link)
    if link is None:
        return unknown_link(step, "T64")
    if event.restored:
        return _restored(step, link)
    if link.state is LinkState.DELETED or link.state in GONE:
        return step.unchanged("T65", "known_deletion", f"The ticket is {link.state.value} already.")
    served = links.serves(step.session, link)
    links.update(step, link.id, state=LinkState.DELETED)
    if step.session.human_handoff and served:
        step.mail(MailKind.TICKET_FAILED, "The ticket was deleted in the helpdesk.")
        step.alert("ticket_deleted", f"{link.id}:{step.version}", "A ticket was deleted during its handoff.")
    data = {"link": link.id} | _without(step, link)
    return step.done("T64", "The ticket was deleted in the helpdesk.", data=data)


def _restored(step: Step, link: TicketLink) -> Outcome:
    if link.state is not LinkState.DELETED:
        return step.unchanged("T65", "not_deleted", f"The ticket is {link.state.value}, not deleted.")
    taken = links.live_at(step.session, link.connection) is not None
    solved = LinkState.SOLVED if link.status in links.DONE else LinkState.LINKED
    links.update(step, link.id, state=LinkState.DETACHED if taken else solved)
    return step.done("T64", "The ticket was restored in the helpdesk.", data={"link": link.id})
