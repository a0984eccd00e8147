"""The tickets of a session: opening, using again, telling, tagging, solving."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from handoff_sync.core.effects import (
    AppendToTicket,
    AttachToTicket,
    NoteOnTicket,
    OpenTicket,
    SetTicketAssignee,
    SetTicketStatus,
    StoredMessage,
)
from handoff_sync.core.machine.step import Step
from handoff_sync.core.machine.texts import handoff_note
from handoff_sync.core.model import Handoff, LinkRole, LinkState, Session, TicketLink, TicketStatus
from handoff_sync.core.policy import CloseRule, ConnectionRule, OnResolveTicket, Policy

STATE_TAGS: Final = ("ai_active", "ai_paused", "ai_stopped", "ai_returned")
DONE: Final = frozenset({TicketStatus.SOLVED, TicketStatus.CLOSED})
_FOREIGN = re.compile(r"[^A-Za-z0-9:._-]")


# --- finding ------------------------------------------------------------------------------------


def find(session: Session, link_id: str) -> TicketLink | None:
    return next((link for link in session.links if link.id == link_id), None)


def latest_at(session: Session, connection: str) -> TicketLink | None:
    """The newest link at a connection, whatever became of it."""
    return next((link for link in reversed(session.links) if link.connection == connection), None)


def live_at(session: Session, connection: str) -> TicketLink | None:
    return next((link for link in session.links if link.connection == connection and link.is_live), None)


def serves(session: Session, link: TicketLink) -> bool:
    """Whether the ticket belongs to the handoff that runs; others never change its control (I13)."""
    running = session.running_handoff
    return running is not None and link.serves == running.number


def update(step: Step, link_id: str, **fields: Any) -> None:
    step.change(links=tuple(replace(link, **fields) if link.id == link_id else link for link in step.session.links))


# --- opening and joining ---------------------------------------------------------------------------


def join(step: Step, handoff: Handoff, *, open_tickets: bool) -> None:
    """Makes the tickets of a session serve `handoff`: live ones are used again, missing ones opened.

    A pause that needs no ticket (`open_tickets` false) leaves a solved ticket at rest.
    """
    rules = handoff.policy.connections
    places = {rule.connection: index for index, rule in enumerate(rules)}
    for link in step.session.live_links:
        role = LinkRole.PRIMARY if places.get(link.connection) == 0 else LinkRole.SECONDARY
        _rejoin(step, link, handoff, role, wake=open_tickets)
    if open_tickets:
        open_missing(step, handoff)


def open_missing(step: Step, handoff: Handoff) -> None:
    """Opens a ticket at every connection of the policy that has none that can be written to."""
    for index, rule in enumerate(handoff.policy.connections):
        latest = latest_at(step.session, rule.connection)
        parked = latest is not None and latest.state is LinkState.FAILED and latest.handoff == handoff.number
        if live_at(step.session, rule.connection) is None and not parked:
            _open(step, rule, handoff, LinkRole.PRIMARY if index == 0 else LinkRole.SECONDARY)


def follow_up(step: Step) -> None:
    """Opens a follow-up wherever the running handoff's ticket has become final while people still work on it."""
    handoff = step.session.running_handoff
    if handoff is None:
        return
    for index, rule in enumerate(handoff.policy.connections):
        latest = latest_at(step.session, rule.connection)
        if latest is not None and latest.state is LinkState.CLOSED and serves(step.session, latest):
            _open(step, rule, handoff, LinkRole.PRIMARY if index == 0 else LinkRole.SECONDARY)
            if step.session.assignee is not None:
                assign(step, only=step.session.links[-1].id)


def _rejoin(step: Step, link: TicketLink, handoff: Handoff, role: LinkRole, *, wake: bool) -> None:
    heard = max(link.through_seq, step.before.message_count)
    update(step, link.id, serves=handoff.number, role=role, through_seq=heard)
    text = handoff_note(handoff)
    again = link.serves == handoff.number  # its acceptance was undone, and then accepted after all
    name = f"handoff:{handoff.number}:{step.version}" if again else f"handoff:{handoff.number}"
    step.emit(NoteOnTicket(link=link.id, name=name, text=text, after_seq=link.through_seq, through_seq=heard))
    if wake:
        reopen(step, link.id)
    step.tag(link.id, add=("ai_paused", *step.session.labels), remove=_other_tags("ai_paused"))


def _open(step: Step, rule: ConnectionRule, handoff: Handoff, role: LinkRole) -> None:
    session = step.session
    latest = latest_at(session, rule.connection)
    link_id = _free_id(session, f"{session.id}:{handoff.number}:{rule.connection}")
    link = TicketLink(
        id=link_id,
        connection=rule.connection,
        handoff=handoff.number,
        key=_key(link_id),
        state=LinkState.INTENT,
        role=role,
        serves=handoff.number,
        through_seq=session.message_count,
    )
    step.change(links=(*session.links, link))
    step.emit(
        OpenTicket(
            link=link_id,
            connection=rule.connection,
            handoff=handoff.number,
            through_seq=session.message_count,
            follow_up_of=latest.id if latest is not None and latest.state is LinkState.CLOSED else None,
        )
    )
    if session.file_count:
        step.emit(AttachToTicket(link=link_id, through_seq=session.message_count))
    step.tag(link_id, add=("ai_paused", *session.labels))


def _free_id(session: Session, wanted: str) -> str:
    """A second ticket within one handoff (a follow-up of a closed one) is counted from 2."""
    taken = {link.id for link in session.links}
    if wanted not in taken:
        return wanted
    return next(name for name in (f"{wanted}:{number}" for number in range(2, len(taken) + 3)) if name not in taken)


def _key(link_id: str) -> str:
    """Our external id at the helpdesk. Replaced characters are made up for by a digest, so no two links share a key."""
    plain = _FOREIGN.sub("-", link_id)
    if plain == link_id:
        return f"hs:{plain}"
    return f"hs:{plain}.{hashlib.sha256(link_id.encode()).hexdigest()[:12]}"


# --- telling ----------------------------------------------------------------------------------------


def listeners(session: Session) -> tuple[TicketLink, ...]:
    """Live tickets, and parked ones whose words wait visibly behind the ticket that could not be made."""
    live = session.live_links
    taken = {link.connection for link in live}
    parked = (
        link
        for link in session.links
        if link.state is LinkState.FAILED
        and link.connection not in taken
        and latest_at(session, link.connection) is link
    )
    return (*live, *parked)


def append(step: Step, stored: StoredMessage, *, public: bool, leave_out: str | None = None) -> None:
    """Says a message on every ticket that has not got it with its transcript."""
    for link in listeners(step.session):
        if link.id == leave_out:
            update(step, link.id, through_seq=stored.seq)
        elif stored.seq > link.through_seq:
            step.emit(AppendToTicket(link=link.id, seq=stored.seq, message=stored.message, public=public))
            update(step, link.id, through_seq=stored.seq)


def note(step: Step, name: str, text: str, leave_out: str | None = None) -> None:
    """An internal note on every live ticket."""
    for link in step.session.live_links:
        if link.id != leave_out:
            step.emit(NoteOnTicket(link=link.id, name=name, text=text))


def tags(step: Step, add: Iterable[str] = (), remove: Iterable[str] = (), leave_out: str | None = None) -> None:
    for link in step.session.live_links:
        if link.id != leave_out:
            step.tag(link.id, tuple(add), tuple(remove))


def state_tag(step: Step, tag: str) -> None:
    """The one tag that tells helpdesk views who speaks."""
    tags(step, (tag,), _other_tags(tag))


def assign(step: Step, leave_out: str | None = None, only: str | None = None) -> None:
    """Shows the session's holder as the assignee of its tickets."""
    for link in step.session.live_links:
        if link.id != leave_out and only in (None, link.id):
            step.emit(SetTicketAssignee(link=link.id, person=step.session.assignee, version=step.version))


def _other_tags(tag: str) -> tuple[str, ...]:
    return tuple(name for name in STATE_TAGS if name != tag)


def pass_on(step: Step, link_id: str) -> str | None:
    """Makes the next ticket in the policy's order the primary one when this one was it and takes no more writes.

    Returns the link of the new one; None where nothing changes. A ticket that comes back finds its role taken.
    """
    gone = find(step.session, link_id)
    if gone is None or gone.role is not LinkRole.PRIMARY or gone.is_live:
        return None
    places = {rule.connection: index for index, rule in enumerate(step.aftermath.connections)}
    heirs = sorted(
        (link for link in step.session.live_links if link.serves == gone.serves),
        key=lambda link: places.get(link.connection, len(places)),
    )
    if not heirs:
        return None
    update(step, gone.id, role=LinkRole.SECONDARY)
    update(step, heirs[0].id, role=LinkRole.PRIMARY)
    return heirs[0].id


# --- status -----------------------------------------------------------------------------------------


def reopen(step: Step, link_id: str) -> None:
    """Sets a solved ticket to open."""
    link = find(step.session, link_id)
    if link is None or link.status not in DONE or not link.is_live:
        return
    state = LinkState.LINKED if link.state is LinkState.SOLVED else link.state
    update(step, link_id, status=TicketStatus.OPEN, state=state)
    step.emit(SetTicketStatus(link=link_id, status=TicketStatus.OPEN, version=step.version))


def solve_all(step: Step, rules: Policy) -> None:
    """Sets what is still open to solved, unless the policy leaves tickets alone.

    The new status is noted at once, so that reading it back is no news (I12).
    """
    if rules.session_resolve_sets_ticket is OnResolveTicket.LEAVE:
        return
    for link in step.session.live_links:
        if link.status not in DONE:
            state = LinkState.SOLVED if link.state is LinkState.LINKED else link.state
            update(step, link.id, status=TicketStatus.SOLVED, state=state)
            step.emit(SetTicketStatus(link=link.id, status=TicketStatus.SOLVED, version=step.version))


def close_rule_met(session: Session, rules: Policy) -> bool:
    """Whether enough of the running handoff's tickets are solved or closed for the session to follow."""
    relevant = [
        link for link in session.links if serves(session, link) and (link.is_live or link.state is LinkState.CLOSED)
    ]
    finished = [link.status in DONE for link in relevant]
    match rules.multi_ticket_close_rule:
        case CloseRule.ANY:
            return any(finished)
        case CloseRule.ALL:
            return bool(finished) and all(finished)
        case CloseRule.PRIMARY:
            primary = [done for link, done in zip(relevant, finished, strict=True) if link.role is LinkRole.PRIMARY]
            return (primary[-1:] or finished[:1] or [False])[0]
