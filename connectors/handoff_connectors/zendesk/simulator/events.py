"""Event webhooks: what changed on a ticket, in Zendesk's envelope (text ids, capitals, nanoseconds)."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any, Final

from handoff_connectors.zendesk.simulator import render
from handoff_connectors.zendesk.simulator.account import ACCOUNT_ID, Account
from handoff_connectors.zendesk.simulator.model import Comment, Ticket, TicketChange

PREFIX: Final = "zen:event-type:ticket."
CHANGED: Final = {
    "status": "status_changed", "custom_status_id": "custom_status_changed", "assignee_id": "agent_assignment_changed",
    "group_id": "group_assignment_changed", "requester_id": "requester_changed", "submitter_id": "submitter_changed",
    "organization_id": "organization_changed", "ticket_form_id": "form_changed", "brand_id": "brand_changed",
    "problem_id": "problem_link_changed", "external_id": "external_id_changed", "subject": "subject_changed",
    "priority": "priority_changed", "type": "type_changed", "due_at": "task_due_at_changed",
}  # fmt: skip
CAPITALS: Final = frozenset({"status", "priority", "type"})
KNOWN: Final = frozenset(
    PREFIX + name
    for name in (*CHANGED.values(), "comment_added", "comment_made_private", "comment_redacted", "tags_changed",
                 "attachment_linked_to_comment", "attachment_redacted_from_comment", "custom_field_changed",
                 "followers_changed", "email_ccs_changed", "description_changed", "merged", "created",
                 "marked_as_spam", "soft_deleted", "permanently_deleted", "undeleted")
)  # fmt: skip


def events_of(account: Account, change: TicketChange) -> list[tuple[str, dict[str, Any]]]:
    """Type and content of every event of a change, in the order they happened."""
    found: list[tuple[str, dict[str, Any]]] = []
    match change.kind:
        case "created":
            found.append(("created", {}))
            if change.comment and account.settings.first_comment_event:
                found += _comment_events(account, change.comment)
            return _typed(found)
        case "deleted" | "spam":
            previous = {"current": "DELETED", "previous": change.ticket.status.upper()}
            found += [("soft_deleted", {}), ("status_changed", previous)]
            found += [("marked_as_spam", {})] if change.kind == "spam" else []
        case "restored":
            found.append(("undeleted", {}))
        case "purged":
            found.append(("permanently_deleted", {}))
        case "merged":
            found.append(("merged", {"target_ticket_id": str(change.merged_into)}))
        case "made_private" if change.comment:
            return _typed([("comment_made_private", {"comment": _comment(account, change.comment)})])
    if change.comment:
        found += _comment_events(account, change.comment)
    return _typed(found + _field_events(change))


def _typed(found: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    return [(PREFIX + name, content) for name, content in found]


def _field_events(change: TicketChange) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for field, name in CHANGED.items():
        if change.changed(field):
            content = {"current": _value(field, change.after[field]), "previous": _value(field, change.before[field])}
            found.append((name, content))
    if change.changed("tags"):
        before, after = change.before["tags"], change.after["tags"]
        found.append(("tags_changed", {"tags_added": [t for t in after if t not in before],
                                       "tags_removed": [t for t in before if t not in after]}))  # fmt: skip
    return found


def _value(field: str, value: Any) -> str | None:
    if value is None:
        return "" if field == "external_id" else None
    return str(value).upper() if field in CAPITALS else str(value)


def _comment_events(account: Account, comment: Comment) -> list[tuple[str, dict[str, Any]]]:
    sequence = {"sequence": {"id": uuid.uuid4().hex, "position": 1, "total": 1}}
    found: list[tuple[str, dict[str, Any]]] = [
        ("comment_added", {"comment": _comment(account, comment), "meta": sequence})
    ]
    for attachment in comment.attachments:
        shown = {"id": str(attachment["id"]), "content_type": attachment["content_type"],
                 "content_url": attachment["content_url"], "filename": attachment["file_name"],
                 "is_public": comment.public}  # fmt: skip
        content = {"comment": {"id": str(comment.id), "is_public": comment.public, "attachment": shown}}
        found.append(("attachment_linked_to_comment", content))
    return found


def _comment(account: Account, comment: Comment) -> dict[str, Any]:
    author = account.users[comment.author_id]
    return {"id": str(comment.id), "body": comment.plain_body, "is_public": comment.public,
            "author": {"id": str(author.id), "is_staff": author.is_staff, "name": author.shown_name}}  # fmt: skip


def envelope(change: TicketChange, type_: str, content: dict[str, Any], at: datetime) -> bytes:
    """The body of one event, pretty-printed and with a newline at the end as real ones are."""
    body = {
        "account_id": ACCOUNT_ID,
        "id": str(uuid.uuid4()),
        "time": render.nanoseconds(at),
        "zendesk_event_version": "2022-11-06",
        "type": type_,
        "subject": f"zen:ticket:{change.ticket.id}",
        "event": content,
        "detail": _detail(change.ticket, change.actor.id),
    }
    return (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()


def _detail(t: Ticket, actor_id: int) -> dict[str, Any]:
    """Absent values are null, "" or "0", whichever Zendesk happens to use for the field."""
    return {
        "id": str(t.id),
        "actor_id": str(actor_id),
        "assignee_id": _id(t.assignee_id),
        "brand_id": str(t.brand_id),
        "created_at": render.time(t.created_at),
        "custom_status": str(t.custom_status_id),
        "description": t.description,
        "external_id": t.external_id or "",
        "form_id": _id(t.ticket_form_id),
        "group_id": _id(t.group_id),
        "is_public": t.is_public,
        "organization_id": str(t.organization_id or 0),
        "priority": (t.priority or "").upper(),
        "requester_id": str(t.requester_id),
        "status": t.shown_status.upper(),
        "subject": t.subject or "",
        "submitter_id": str(t.submitter_id),
        "tags": t.tags,
        "type": (t.type or "").upper(),
        "updated_at": render.time(t.updated_at),
        "via": {"channel": {"api": "web_service", "web": "web_form"}.get(t.via["channel"], t.via["channel"])},
    }


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)
