"""The JSON of the workspace's things, field by field as the API of version 2.16 shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handoff_connectors.intercom.simulator import text
from handoff_connectors.intercom.simulator.model import (
    Admin,
    Applied,
    Attribute,
    Author,
    Contact,
    Conversation,
    Part,
    Tag,
    Team,
)
from handoff_connectors.intercom.simulator.workspace import Workspace

NOTHING_KNOWN = (
    "last_contacted_at", "last_email_opened_at", "last_email_clicked_at", "language_override", "browser",
    "browser_version", "browser_language", "os", "android_app_name", "android_app_version", "android_device",
    "android_os_version", "android_sdk_version", "android_last_seen_at", "ios_app_name", "ios_app_version",
    "ios_device", "ios_os_version", "ios_sdk_version", "ios_last_seen_at", "utm_campaign", "utm_content",
    "utm_medium", "utm_source", "utm_term", "referrer", "enabled_push_messaging",
)  # fmt: skip
"""Fields of a contact that a workspace without Messenger never fills."""


def contact(app_id: str, c: Contact) -> dict[str, Any]:
    def listed(name: str) -> dict[str, Any]:
        return {"type": "list", "data": [], "url": f"/contacts/{c.id}/{name}", "total_count": 0, "has_more": False}

    place = {"type": "location"} | dict.fromkeys(("country", "region", "city", "country_code", "continent_code"))
    return {
        "type": "contact",
        "id": c.id,
        "workspace_id": app_id,
        "external_id": c.external_id,
        "role": c.role,
        "email": c.email,
        "phone": c.phone,
        "name": c.name,
        "avatar": {"type": "avatar", "image_url": c.avatar} if c.avatar else None,
        "owner_id": c.owner_id,
        "social_profiles": {"type": "list", "data": []},
        "has_hard_bounced": False,
        "marked_email_as_spam": False,
        "unsubscribed_from_emails": c.unsubscribed_from_emails,
        "created_at": c.created_at,
        "updated_at": c.updated_at,
        "signed_up_at": c.signed_up_at,
        "last_seen_at": c.last_seen_at,
        "last_replied_at": c.last_replied_at,
        "custom_attributes": c.custom_attributes,
        "location": place,
        "tags": listed("tags"),
        "notes": listed("notes"),
        "companies": listed("companies"),
        "opted_out_subscription_types": listed("subscriptions"),
        "opted_in_subscription_types": listed("subscriptions"),
        **dict.fromkeys(NOTHING_KNOWN),
    }


def contact_reference(c: Contact, **more: Any) -> dict[str, Any]:
    return {"type": "contact", "id": c.id, "external_id": c.external_id, **more}


def author(a: Author) -> dict[str, Any]:
    return {"type": a.type, "id": a.id, "name": a.name, "email": a.email}


def _body(markup: str | None, as_text: bool) -> str | None:
    return text.plain(markup) if as_text and markup is not None else markup


def part(p: Part, as_text: bool = False) -> dict[str, Any]:
    return {
        "type": "conversation_part",
        "id": p.id,
        "part_type": p.part_type,
        "body": _body(p.body, as_text),
        "created_at": p.created_at,
        "updated_at": p.updated_at,
        "notified_at": p.created_at,
        "assigned_to": {"type": p.assigned_to[0], "id": p.assigned_to[1]} if p.assigned_to else None,
        "author": {**author(p.author), "from_ai_agent": p.by_ai, "is_ai_answer": p.by_ai},
        "attachments": p.attachments,
        "external_id": None,
        "redacted": p.redacted,
        "metadata": p.metadata,
        "email_message_metadata": None,
        "state": p.state,
        "tags": [],
        "event_details": p.event_details,
        "app_package_code": p.app_package_code,
    }


def parts_list(parts: Sequence[Part], total: int, as_text: bool = False) -> dict[str, Any]:
    shown = [part(p, as_text) for p in parts]
    return {"type": "conversation_part.list", "conversation_parts": shown, "total_count": total}


def source(c: Conversation, as_text: bool = False) -> dict[str, Any]:
    return {
        "type": "conversation",
        "id": c.source.id,
        "delivered_as": "customer_initiated",
        "subject": "",
        "body": _body(c.source.body, as_text),
        "author": author(c.source.author),
        "attachments": c.source.attachments,
        "url": None,
        "redacted": c.source.redacted,
    }


def _statistics(c: Conversation) -> dict[str, Any]:
    """Only what is known; the description has no null here."""
    times = {
        "last_contact_reply_at": c.last_contact_reply_at,
        "last_admin_reply_at": c.last_admin_reply_at,
        "last_close_at": c.last_close_at,
        "last_closed_by_id": c.last_closed_by_id,
    }
    return {
        "type": "conversation_statistics",
        **{name: value for name, value in times.items() if value is not None},
        "count_reopens": c.count_reopens,
        "count_assignments": c.count_assignments,
        "count_conversation_parts": len(c.parts),
    }


def _priority(value: str, version: tuple[int, int]) -> str:
    if version >= (2, 16):
        return value
    return "priority" if value in ("high", "urgent") else "not_priority"


def list_item(
    workspace: Workspace, c: Conversation, version: tuple[int, int] = (2, 16), as_text: bool = False
) -> dict[str, Any]:
    """A conversation as lists and searches show it: without its parts."""
    people = [workspace.contacts[contact_id] for contact_id in c.contact_ids]
    replied = c.first_contact_reply_at
    linked = [{"type": "conversation", "id": other, "category": None} for other in c.linked]
    mates = [{"type": "admin", "id": i} for i in c.teammate_ids]
    return {
        "type": "conversation",
        "id": c.id,
        "created_at": c.created_at,
        "updated_at": c.updated_at,
        "waiting_since": c.waiting_since,
        "snoozed_until": c.snoozed_until,
        "source": source(c, as_text),
        "contacts": {"type": "contact.list", "contacts": [contact_reference(p) for p in people]},
        "first_contact_reply": {"created_at": replied, "type": "conversation", "url": None} if replied else None,
        "admin_assignee_id": c.admin_assignee_id,
        "team_assignee_id": c.team_assignee_id,
        "open": c.state != "closed",
        "state": c.state,
        "read": c.read,
        "tags": {"type": "tag.list", "tags": [applied(a) for a in c.tags.values()]},
        "priority": _priority(c.priority, version),
        "sla_applied": None,
        "statistics": _statistics(c),
        "conversation_rating": None,
        "teammates": {"type": "admin.list", "teammates": mates} if mates else None,
        "title": c.title,
        "custom_attributes": c.custom_attributes,
        "topics": {},
        "ticket": _ticket_of(workspace, c),
        "linked_objects": {"type": "list", "data": linked, "total_count": len(linked), "has_more": False},
        "ai_agent": None,
        "ai_agent_participated": False,
    }


def _ticket_of(workspace: Workspace, c: Conversation) -> dict[str, Any] | None:
    """Null for conversations; what stands here for others is not described."""
    named = c.ticket is not None and workspace.settings.conversation_names_ticket
    return {"type": "ticket", "id": c.ticket.id} if named and c.ticket is not None else None


def conversation(
    workspace: Workspace, c: Conversation, version: tuple[int, int] = (2, 16), as_text: bool = False
) -> dict[str, Any]:
    """A conversation with the newest of its parts. Parts cannot be paged: what is older is not shown at all."""
    newest = c.parts[-workspace.settings.max_parts :]
    shown = list_item(workspace, c, version, as_text)
    return {**shown, "conversation_parts": parts_list(newest, len(c.parts), as_text)}


def tag(t: Tag) -> dict[str, Any]:
    return {"type": "tag", "id": t.id, "name": t.name}


def applied(a: Applied) -> dict[str, Any]:
    return {**tag(a.tag), "applied_at": a.at, "applied_by": {"type": a.by.type, "id": a.by.id}}


def admin(a: Admin) -> dict[str, Any]:
    return {"type": "admin", "id": a.id, "name": a.name, "email": a.email, "job_title": "",
            "away_mode_enabled": a.away, "away_mode_reassign": False, "away_status_reason_id": None,
            "has_inbox_seat": True, "team_ids": a.team_ids, "avatar": None}  # fmt: skip


def me(workspace: Workspace, a: Admin) -> dict[str, Any]:
    wanted = workspace.settings
    app = {"type": "app", "id_code": wanted.app_id, "name": "Simulated workspace", "created_at": 1_700_000_000,
           "secure": False, "identity_verification": False, "timezone": wanted.timezone,
           "region": wanted.region}  # fmt: skip
    return {"type": "admin", "id": a.id, "email": a.email, "name": a.name, "email_verified": True, "app": app,
            "avatar": {"type": "avatar", "image_url": None}, "has_inbox_seat": True}  # fmt: skip


def team(t: Team) -> dict[str, Any]:
    return {"type": "team", "id": t.id, "name": t.name, "admin_ids": t.admin_ids, "assignment_limit": None,
            "distribution_method": "manual"}  # fmt: skip


def conversation_attribute(a: Attribute) -> dict[str, Any]:
    shown = {"type": "conversation_attribute", "id": a.id, "name": a.name, "description": a.description,
             "data_type": a.data_type, "required": False, "visible_to_team_ids": [], "archived": a.archived,
             "created_at": a.created_at, "updated_at": a.created_at, "admin_id": a.admin_id}  # fmt: skip
    if a.data_type == "string":
        shown["multiline"] = False
    return shown


def data_attribute(a: Attribute) -> dict[str, Any]:
    return {"type": "data_attribute", "id": a.id, "model": a.model, "name": a.name,
            "full_name": f"custom_attributes.{a.name}", "label": a.name, "description": a.description,
            "data_type": a.data_type, "api_writable": True, "ui_writable": False, "messenger_writable": False,
            "custom": True, "archived": a.archived, "created_at": a.created_at, "updated_at": a.created_at,
            "admin_id": a.admin_id}  # fmt: skip
