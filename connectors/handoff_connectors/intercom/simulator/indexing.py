"""What search knows of things: a flat view per conversation and contact, which lags behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handoff_connectors.intercom.simulator import text
from handoff_connectors.intercom.simulator.model import Contact, Conversation

if TYPE_CHECKING:
    from handoff_connectors.intercom.simulator.workspace import Workspace


def index(workspace: Workspace, conversation: Conversation) -> None:
    """Take the conversation as it is now into the index; older views stay while the lag may still show them."""
    now, lag = conversation.changed_at, workspace.settings.search_lag_s
    seen = conversation.indexed
    seen.append((now, document(conversation)))
    while len(seen) > 1 and seen[1][0] <= now - lag:
        del seen[0]


def known(workspace: Workspace, conversation: Conversation) -> dict[str, Any] | None:
    """The conversation as search sees it now; None while it does not."""
    until = workspace.clock.unix() - workspace.settings.search_lag_s
    views = [view for at, view in conversation.indexed if at <= until]
    return views[-1] if views else None


def document(c: Conversation) -> dict[str, Any]:
    """The fields that conversations can be searched by."""
    author = c.source.author
    return {
        "id": c.id,
        "created_at": c.created_at,
        "updated_at": c.updated_at,
        "source.type": "conversation",
        "source.id": c.source.id,
        "source.delivered_as": "customer_initiated",
        "source.subject": "",
        "source.body": text.plain(c.source.body),
        "source.author.id": author.id,
        "source.author.type": author.type,
        "source.author.name": author.name,
        "source.author.email": author.email,
        "contact_ids": list(c.contact_ids),
        "teammate_ids": list(c.teammate_ids),
        "tag_ids": list(c.tags),
        "admin_assignee_id": c.admin_assignee_id or 0,
        "team_assignee_id": c.team_assignee_id or 0,
        "open": c.state != "closed",
        "read": c.read,
        "state": c.state,
        "priority": c.priority,
        "waiting_since": c.waiting_since,
        "snoozed_until": c.snoozed_until,
        "statistics.last_contact_reply_at": c.last_contact_reply_at,
        "statistics.last_admin_reply_at": c.last_admin_reply_at,
        "statistics.last_close_at": c.last_close_at,
        "statistics.last_closed_by_id": c.last_closed_by_id,
        "statistics.count_reopens": c.count_reopens,
        "statistics.count_assignments": c.count_assignments,
        "statistics.count_conversation_parts": len(c.parts),
        "ai_agent_participated": False,
        **{f"custom_attributes.{name}": value for name, value in c.custom_attributes.items()},
        **_ticket(c),
    }


def _ticket(c: Conversation) -> dict[str, Any]:
    """What tickets can be searched by besides. `state` is the ticket's then; `ticket` tells that it is one."""
    if c.ticket is None:
        return {}
    named = c.ticket.attributes
    return {
        "ticket": True,
        "id": c.ticket.id,
        "title": named.get("_default_title_"),
        "description": named.get("_default_description_"),
        "category": {"Customer": "request", "Back-office": "task"}.get(c.ticket.type.category, "tracker"),
        "ticket_type_id": c.ticket.type.id,
        "state": c.ticket.state.category,
    }


def contact_document(c: Contact) -> dict[str, Any]:
    """The fields that contacts can be searched by."""
    return {
        "id": c.id,
        "role": c.role,
        "name": c.name,
        "email": c.email,
        "email_domain": c.email.rpartition("@")[2] if c.email else None,
        "phone": c.phone,
        "owner_id": c.owner_id,
        "external_id": c.external_id,
        "created_at": c.created_at,
        "updated_at": c.updated_at,
        "signed_up_at": c.signed_up_at,
        "last_seen_at": c.last_seen_at,
        "last_replied_at": c.last_replied_at,
        **{f"custom_attributes.{name}": value for name, value in c.custom_attributes.items()},
    }
