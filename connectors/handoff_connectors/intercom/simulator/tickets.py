"""Tickets: how a conversation becomes one, and what changes of it mean."""

from __future__ import annotations

from typing import Any

from handoff_connectors.intercom.simulator import api_errors, talk
from handoff_connectors.intercom.simulator.model import Actor, Conversation, Part, Ticket, TicketState, TicketType
from handoff_connectors.intercom.simulator.workspace import Workspace


def states_of(workspace: Workspace, kind: TicketType) -> list[TicketState]:
    return [workspace.ticket_states[state_id] for state_id in kind.state_ids]


def convert(
    workspace: Workspace,
    conversation: Conversation,
    actor: Actor,
    kind: TicketType,
    attributes: dict[str, Any] | None = None,
) -> Ticket:
    """Make a ticket of a conversation. Its first words become its first part.

    Raises:
        ApiError: 400, the type is not for customers, or it is a ticket already.
    """
    if kind.category != "Customer" or kind.archived:
        raise api_errors.invalid("Ticket type is not a customer ticket type")
    if conversation.ticket is not None:
        raise api_errors.invalid("Conversation is already a ticket")
    wanted = workspace.settings
    state = states_of(workspace, kind)[0]
    conversation.ticket = ticket = Ticket(
        id=conversation.id if wanted.ticket_keeps_id else workspace.new_conversation_id(),
        number=workspace.new_ticket_number(),
        type=kind,
        state=state,
        attributes=dict(attributes or {}),
    )
    if not wanted.ticket_keeps_part_ids:
        for part in conversation.parts:
            part.id = workspace.new_part_id()
    source = conversation.source
    first = Part(id=workspace.new_part_id(), part_type="comment", author=source.author, body=source.body, state="open",
                 created_at=conversation.created_at, updated_at=conversation.created_at)  # fmt: skip
    conversation.parts.insert(0, first)
    _state_part(workspace, conversation, actor, state, state)
    workspace.announce("ticket.created", conversation)
    return ticket


def set_state(workspace: Workspace, conversation: Conversation, actor: Actor, state: TicketState) -> None:
    """The state that people see; whether the ticket is open is another thing."""
    ticket = conversation.ticket
    assert ticket is not None
    if state.id == ticket.state.id:
        return
    before, ticket.previous, ticket.state = ticket.state, ticket.state, state
    _state_part(workspace, conversation, actor, before, state)
    workspace.announce("ticket.state.updated", conversation)
    if state.category == "resolved":
        workspace.announce("ticket.resolved", conversation)


def set_open(workspace: Workspace, conversation: Conversation, actor: Actor, wanted: bool) -> None:
    """Closing ends a snooze; whether opening does is not documented."""
    if not wanted:
        talk.close(workspace, conversation, actor)
    elif conversation.state == "closed" or (conversation.state == "snoozed" and workspace.settings.open_wakes_ticket):
        talk.reopen(workspace, conversation, actor)


def _state_part(
    workspace: Workspace, conversation: Conversation, actor: Actor, before: TicketState, after: TicketState
) -> None:
    part = talk.add_part(workspace, conversation, actor, "ticket_state_updated_by_admin")
    part.previous_ticket_state, part.ticket_state = before.category, after.category
