"""The JSON of the account's things, field by field as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from handoff_connectors.zendesk.simulator.account import Account
from handoff_connectors.zendesk.simulator.model import (
    Audit,
    Comment,
    CustomStatus,
    Group,
    Ticket,
    Trigger,
    User,
    Webhook,
)


def time(moment: datetime | None) -> str | None:
    """A time with second precision, as REST answers have it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def nanoseconds(moment: datetime) -> str:
    """A time with nanoseconds, as webhooks and their administration have it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}{moment.microsecond % 997:03d}Z"


def ticket(account: Account, base: str, t: Ticket, *, created: bool = False) -> dict[str, Any]:
    """A ticket. `created`: in the answer of its creation the generated timestamp is 0."""
    fields = [{"id": field_id, "value": value} for field_id, value in t.custom_fields.items()]
    return {
        "url": f"{base}/api/v2/tickets/{t.id}.json",
        "id": t.id,
        "external_id": t.external_id,
        "via": t.via,
        "created_at": time(t.created_at),
        "updated_at": time(t.updated_at),
        "generated_timestamp": 0 if created else int(t.changed_at.timestamp()),
        "type": t.type,
        "subject": t.subject,
        "raw_subject": t.subject,
        "description": t.description,
        "priority": t.priority,
        "status": t.shown_status,
        "recipient": t.recipient,
        "requester_id": t.requester_id,
        "submitter_id": t.submitter_id,
        "assignee_id": t.assignee_id,
        "organization_id": t.organization_id,
        "group_id": t.group_id,
        "collaborator_ids": t.collaborator_ids,
        "follower_ids": t.follower_ids,
        "email_cc_ids": t.email_cc_ids,
        "forum_topic_id": None,
        "problem_id": t.problem_id,
        "has_incidents": False,
        "is_public": t.is_public,
        "due_at": t.due_at,
        "tags": t.tags,
        "custom_fields": fields,
        "satisfaction_rating": None,
        "sharing_agreement_ids": [],
        "custom_status_id": t.custom_status_id,
        "fields": fields,
        "followup_ids": t.followup_ids,
        "ticket_form_id": t.ticket_form_id,
        "brand_id": t.brand_id,
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": False,
    }


def comment(c: Comment) -> dict[str, Any]:
    return {
        "id": c.id,
        "type": c.type,
        "author_id": c.author_id,
        "body": c.plain_body,
        "html_body": c.html_body,
        "plain_body": c.plain_body,
        "public": c.public,
        "attachments": c.attachments,
        "audit_id": c.audit_id,
        "via": c.via,
        "created_at": time(c.created_at),
        "metadata": {"system": c.metadata["system"], "custom": {}},
    }


def audit(a: Audit) -> dict[str, Any]:
    return {
        "id": a.id,
        "ticket_id": a.ticket_id,
        "created_at": time(a.created_at),
        "author_id": a.author_id,
        "metadata": a.metadata,
        "events": a.events,
        "via": a.via,
    }


def user(base: str, u: User) -> dict[str, Any]:
    """A user as an agent sees one."""
    return {
        "id": u.id,
        "url": f"{base}/api/v2/users/{u.id}.json",
        "name": u.name,
        "email": u.email,
        "created_at": time(u.created_at),
        "updated_at": time(u.updated_at),
        "time_zone": u.time_zone,
        "iana_time_zone": "Etc/UTC",
        "phone": u.phone,
        "shared_phone_number": None,
        "photo": None,
        "locale_id": u.locale_id,
        "locale": u.locale,
        "organization_id": u.organization_id,
        "role": u.role,
        "verified": u.verified,
        "external_id": u.external_id,
        "tags": u.tags,
        "alias": u.alias or "",
        "active": u.active,
        "shared": False,
        "shared_agent": False,
        "last_login_at": None,
        "two_factor_auth_enabled": None,
        "signature": None,
        "details": u.details,
        "notes": u.notes,
        "role_type": {"admin": 4, "agent": 0}.get(u.role),
        "custom_role_id": None,
        "moderator": u.is_staff,
        "ticket_restriction": None if u.is_staff else "requested",
        "only_private_comments": False,
        "restricted_agent": not u.is_staff,
        "suspended": u.suspended,
        "default_group_id": u.default_group_id,
        "report_csv": u.role == "admin",
        "user_fields": {},
    }


def group(base: str, g: Group) -> dict[str, Any]:
    at = time(g.created_at)
    return {"url": f"{base}/api/v2/groups/{g.id}.json", "id": g.id, "is_public": True, "name": g.name,
            "description": "", "default": g.default, "deleted": g.deleted, "created_at": at,
            "updated_at": at}  # fmt: skip


def custom_status(s: CustomStatus) -> dict[str, Any]:
    at, shown = time(s.created_at), s.end_user_label or s.label
    return {"id": s.id, "status_category": s.category, "agent_label": s.label, "raw_agent_label": s.label,
            "end_user_label": shown, "raw_end_user_label": shown, "description": "", "raw_description": "",
            "end_user_description": "", "raw_end_user_description": "", "active": s.active, "default": s.default,
            "created_at": at, "updated_at": at}  # fmt: skip


def trigger(base: str, t: Trigger) -> dict[str, Any]:
    return {"url": f"{base}/api/v2/triggers/{t.id}.json", "id": t.id, "title": t.title, "raw_title": t.title,
            "active": t.active, "position": t.position, "description": t.description, "category_id": t.category_id,
            "default": t.stock, "conditions": t.conditions, "actions": t.actions, "created_at": time(t.created_at),
            "updated_at": time(t.updated_at)}  # fmt: skip


def webhook(w: Webhook) -> dict[str, Any]:
    """A webhook; of its credentials only the user name of basic authentication is shown."""
    shown: dict[str, Any] = {
        "id": w.id, "name": w.name, "status": w.status, "subscriptions": w.subscriptions,
        "created_at": nanoseconds(w.created_at), "created_by": str(w.created_by), "endpoint": w.endpoint,
        "http_method": w.http_method, "request_format": w.request_format,
    }  # fmt: skip
    if w.description:
        shown["description"] = w.description
    if w.updated_at:
        shown |= {"updated_at": nanoseconds(w.updated_at), "updated_by": str(w.updated_by)}
    if w.custom_headers:
        shown["custom_headers"] = w.custom_headers
    if w.authentication:
        kind = w.authentication.get("type")
        shown["authentication"] = {"type": kind, "add_position": w.authentication.get("add_position", "header")}
        if kind == "basic_auth":
            shown["authentication"]["data"] = {"username": w.authentication.get("data", {}).get("username")}
    return shown
