"""The JSON of tickets, their types and states, as the API of version 2.16 shows them."""

from __future__ import annotations

from typing import Any

from handoff_connectors.intercom.simulator import render
from handoff_connectors.intercom.simulator.model import Conversation, Part, TicketState, TicketType
from handoff_connectors.intercom.simulator.workspace import Workspace


def ticket(workspace: Workspace, c: Conversation, whole: bool = True) -> dict[str, Any]:
    """A ticket shows no tags. `whole`: with its parts."""
    t = c.ticket
    assert t is not None
    people = [workspace.contacts[contact_id] for contact_id in c.contact_ids]
    most = workspace.settings.max_parts
    shown = {
        "type": "ticket",
        "id": t.id,
        "ticket_id": t.number,
        "category": t.type.category,
        "ticket_attributes": t.attributes,
        "ticket_state": state(t.state),
        "ticket_type": ticket_type(workspace, t.type, short=True),
        "contacts": {"type": "contact.list", "contacts": [render.contact_reference(p) for p in people]},
        "admin_assignee_id": c.admin_assignee_id or 0,
        "team_assignee_id": c.team_assignee_id or 0,
        "created_at": c.created_at,
        "updated_at": c.updated_at,
        "open": c.state != "closed",
        "linked_objects": {"type": "list", "data": [], "total_count": 0, "has_more": False},
        "is_shared": t.type.category == "Customer",
        "previous_ticket_state_id": t.previous.id if t.previous else None,
    }
    if c.snoozed_until is not None:
        shown["snoozed_until"] = c.snoozed_until
    if whole:
        parts = [part(p) for p in c.parts[-most:]]
        shown["ticket_parts"] = {"type": "ticket_part.list", "ticket_parts": parts, "total_count": len(c.parts)}
    return shown


def part(p: Part) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": "ticket_part",
        "id": p.id,
        "part_type": p.part_type,
        "created_at": p.created_at,
        "updated_at": p.updated_at,
        "author": _author(p),
        "attachments": p.attachments,
        "redacted": p.redacted,
    }
    optional = {
        "body": p.body,
        "assigned_to": {"type": p.assigned_to[0], "id": p.assigned_to[1]} if p.assigned_to else None,
        "ticket_state": p.ticket_state,
        "previous_ticket_state": p.previous_ticket_state,
        "app_package_code": p.app_package_code,
    }
    return shown | {name: value for name, value in optional.items() if value is not None}


def _author(p: Part) -> dict[str, Any]:
    """Leads are users here, by the description; an address is shown only where there is one."""
    who = render.author(p.author)
    who["type"] = "user" if who["type"] == "lead" else who["type"]
    return {name: value for name, value in who.items() if name != "email" or value}


def state(s: TicketState) -> dict[str, Any]:
    return {"type": "ticket_state", "id": s.id, "category": s.category, "internal_label": s.label,
            "external_label": s.label}  # fmt: skip


def detailed_state(workspace: Workspace, s: TicketState) -> dict[str, Any]:
    """With the types that have it."""
    types = [ticket_type(workspace, t, short=True) for t in workspace.ticket_types.values() if s.id in t.state_ids]
    return {**state(s), "archived": s.archived, "ticket_types": {"type": "list", "data": types}}


def ticket_type(workspace: Workspace, t: TicketType, short: bool = False) -> dict[str, Any]:
    shown = {
        "type": "ticket_type",
        "id": t.id,
        "name": t.name,
        "description": "",
        "icon": "🎟️",
        "workspace_id": workspace.settings.app_id,
        "archived": t.archived,
        "created_at": t.created_at,
        "updated_at": t.created_at,
        "is_internal": t.category != "Customer",
        "category": t.category,
    }
    if short:
        return shown
    states = [state(workspace.ticket_states[state_id]) for state_id in t.state_ids]
    attributes: dict[str, Any] = {"type": "list", "data": []}
    return {**shown, "ticket_states": {"type": "list", "data": states}, "ticket_type_attributes": attributes}
