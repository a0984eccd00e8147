"""Zendesk's words and ours, both ways. Pure: drafts become fields, raw JSON becomes values.

A comment is relayed to a customer only as AGENT and `public`; what this page cannot place is UNKNOWN.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from handoff_sync.contract.connector import CommentAuthor, HelpdeskAgent, Requester, TicketComment, TicketDraft
from handoff_sync.core.model import Attachment, TicketStatus
from handoff_sync.errors import UnrecognisedPayload, VendorRejected

Json = Mapping[str, Any]

STATUS: Final[Mapping[str, TicketStatus]] = {  # also the categories of custom statuses
    "new": TicketStatus.OPEN,
    "open": TicketStatus.OPEN,
    "pending": TicketStatus.WAITING_CUSTOMER,
    "hold": TicketStatus.ON_HOLD,
    "solved": TicketStatus.SOLVED,
    "closed": TicketStatus.CLOSED,  # final
}
TO_ZENDESK: Final[Mapping[TicketStatus, str]] = {
    TicketStatus.OPEN: "open",
    TicketStatus.WAITING_CUSTOMER: "pending",
    TicketStatus.ON_HOLD: "hold",
    TicketStatus.SOLVED: "solved",
    TicketStatus.CLOSED: "closed",
}
PRIORITIES: Final = ("low", "normal", "high", "urgent")
MARKER: Final = "hs_op"
MERGED_TAG: Final = "closed_by_merge"

_STAFF: Final = frozenset({"agent", "admin"})
_DECIDING: Final = frozenset({"status", "custom_status_id", "assignee_id"})
_MERGED_INTO: Final = re.compile(r"merged into (?:request|ticket) #(\d+)", re.IGNORECASE)
_ANY_TICKET: Final = re.compile(r"#(\d+)")
_MARKER_LENGTH: Final = 255


# --- ours -> Zendesk ---------------------------------------------------------------------------------


def create_fields(draft: TicketDraft, requester: Json, us: int) -> dict[str, object]:
    """The fields of a new ticket. `requester` says who asks (see `requester_fields`); the first comment is ours."""
    fields: dict[str, object] = {
        "subject": draft.subject.replace("{{", "{ {"),  # quirk ZD-13
        "external_id": draft.external_id,
        **requester,
        "comment": comment_fields(draft.html, public=draft.public, author_id=us),
        "tags": [to_tag(tag) for tag in draft.tags],
        "metadata": mark(f"create:{draft.external_id}"),
    }
    if draft.priority is not None:
        fields["priority"] = _priority(draft.priority)
    if draft.group is not None:
        fields["group_id"] = _id_of("group", draft.group)
    if draft.custom_fields:
        fields["custom_fields"] = [
            {"id": _id_of("custom field", name), "value": value} for name, value in sorted(draft.custom_fields.items())
        ]
    if draft.follow_up_of is not None:
        fields["via_followup_source_id"] = _id_of("ticket", draft.follow_up_of)
    return fields


def create_body(fields: Json) -> str:
    """The exact text to be sent, stored first: a repeat must be byte for byte the same (quirk ZD-1)."""
    return json.dumps({"ticket": fields}, ensure_ascii=False, separators=(",", ":"))


def comment_fields(markup: str, *, public: bool, author_id: int | None) -> dict[str, object]:
    """`public` is always said: left out, it would be what the ticket's first comment was."""
    fields: dict[str, object] = {"html_body": _no_placeholders(markup), "public": public}
    if author_id is not None:
        fields["author_id"] = author_id
    return fields


def in_the_name_of(name: str, markup: str) -> str:
    """A comment of the customer that we must post as ourselves."""
    return f'<p dir="auto"><strong>{html.escape(name)}</strong></p>{markup}'


def mark(marker: str) -> dict[str, str]:
    """Comes back in the audit's `metadata.custom` and tells our own writes from others'."""
    return {MARKER: marker[:_MARKER_LENGTH]}


def requester_fields(requester: Requester) -> dict[str, object] | None:
    """Who asks, by an address the platform vouches for; None where there is none (quirk ZD-11)."""
    customer = requester.customer
    if not customer.email or not customer.email_verified:
        return None
    return {"requester": {"name": requester.display_name, "email": customer.email}}


def user_fields(requester: Requester) -> dict[str, object]:
    """The customer as a user without an address, known by our external id."""
    name = requester.customer.name or "Unknown customer"
    return {"name": name, "external_id": requester.external_id, "skip_verify_email": True}


def to_tag(tag: str) -> str:
    """Zendesk keeps tags in lower case and takes a space for the end of one."""
    return re.sub(r"[^\w/:.-]+", "_", tag.strip().lower())


def _no_placeholders(markup: str) -> str:
    """`{{…}}` in an agent's text would be filled in by Zendesk (quirk ZD-13)."""
    return markup.replace("{{", "&#123;&#123;")


def _priority(name: str) -> str:
    if name not in PRIORITIES:
        raise VendorRejected(f"Zendesk's priorities are {', '.join(PRIORITIES)}; change the connection's or scenario's.")
    return name


def _id_of(what: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise VendorRejected(f"A Zendesk {what} is named by its number (see its address in Admin Center). Change it.")
    return int(value)


def agent_id(value: str) -> int:
    """An agent's id as a number; VendorRejected for anything else."""
    return _id_of("agent", value)


# --- Zendesk -> ours ---------------------------------------------------------------------------------


def status_of(ticket: Json, categories: Mapping[int, str] | None = None) -> TicketStatus:
    """Our status; `categories` (custom status id → category) helps where `status` itself is not a known word."""
    raw = ticket.get("status")
    if raw not in STATUS and categories is not None:
        raw = categories.get(ticket.get("custom_status_id") or 0, raw)
    if not isinstance(raw, str) or raw not in STATUS:
        raise UnrecognisedPayload(f"ticket.status is none of {', '.join(STATUS)}.")
    return STATUS[raw]


def to_agent(user: Json) -> HelpdeskAgent:
    """A member of staff; the alias is the name that customers may see."""
    photo = user.get("photo") or {}
    return HelpdeskAgent(
        id=str(number(user, "id", "user")),
        name=_text(user.get("alias")) or _text(user.get("name")),
        email=_text(user.get("email")) or None,
        avatar=_text(photo.get("content_url")) or None,
    )


def is_staff(user: Json | None) -> bool:
    return user is not None and user.get("role") in _STAFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoint:
    """From where comments are judged: the ticket's requester, the connector user, the users, and audits read."""

    requester_id: int
    us: int
    users: Mapping[int, Json]
    audits: Mapping[int, Json]


def needs_audit(comment: Json, us: int) -> bool:
    """Whether only the audit can tell if the comment is ours (sheet: connector user, or written through the API)."""
    return marker_of(comment) is None and (comment.get("author_id") == us or _channel(comment) == "api")


def to_comment(comment: Json, view: Standpoint) -> TicketComment:
    """A comment as read. The first line that holds decides who wrote it."""
    author_id = comment.get("author_id")
    user = view.users.get(author_id) if isinstance(author_id, int) else None
    author = author_of(comment, view)
    return TicketComment(
        id=str(number(comment, "id", "comment")),
        author=author,
        agent=to_agent(user) if author is CommentAuthor.AGENT and user is not None else None,
        text=_text(comment.get("plain_body")) or _text(comment.get("body")),
        public=comment.get("public") is True,
        at=time_of(comment, "created_at", "comment"),
        marker=marker_of(comment) or marker_of(_audit(comment, view)),
        attachments=tuple(_attachments(comment)),
    )


def author_of(comment: Json, view: Standpoint) -> CommentAuthor:
    """Who wrote it. An allow-list: AGENT only where nothing speaks against it (README, "Who wrote a comment")."""
    author_id = comment.get("author_id")
    user = view.users.get(author_id) if isinstance(author_id, int) else None
    unsure = needs_audit(comment, view.us)
    audit = _audit(comment, view)
    if marker_of(comment) is not None or marker_of(audit) is not None:
        return CommentAuthor.OURS
    if comment.get("type") != "Comment" or not isinstance(author_id, int) or (unsure and audit is None):
        return CommentAuthor.UNKNOWN
    if is_merge(comment) or author_id <= 0:
        return CommentAuthor.AUTOMATION
    if author_id == view.requester_id or (user is not None and user.get("role") == "end-user"):
        return CommentAuthor.CUSTOMER
    if author_id == view.us and _channel(comment) == "api":
        return CommentAuthor.AUTOMATION  # another program with our user
    return CommentAuthor.AGENT if is_staff(user) else CommentAuthor.UNKNOWN


def marker_of(thing: Json | None) -> str | None:
    """Our marker in a comment's or an audit's metadata."""
    custom = ((thing or {}).get("metadata") or {}).get("custom") or {}
    marker = custom.get(MARKER) if isinstance(custom, Mapping) else None
    return marker if isinstance(marker, str) and marker else None


def is_merge(comment: Json) -> bool:
    via = comment.get("via") or {}
    return (via.get("source") or {}).get("rel") == "merge" or via.get("channel") == "merge"


def merged_into(ticket: Json, comments: Iterable[Json]) -> str | None:
    """The ticket into which this one was merged: no field tells, only the comment that Zendesk writes (quirk ZD-14)."""
    if ticket.get("status") != "closed":
        return None
    tagged = MERGED_TAG in (ticket.get("tags") or [])
    for comment in comments:
        text = _text(comment.get("plain_body")) or _text(comment.get("body"))
        by_zendesk = is_merge(comment) or tagged
        found = _MERGED_INTO.search(text) or (_ANY_TICKET.search(text) if tagged and is_merge(comment) else None)
        if found and by_zendesk and comment.get("author_id") != ticket.get("requester_id"):
            return found[1]
    return None


def newest_change_by(audits: Iterable[Json]) -> Json | None:
    """Of audits, newest first: the one that last changed status or assignee, else the newest; None if there is none."""
    newest: Json | None = None
    for audit in audits:
        newest = newest or audit
        events = audit.get("events") or []
        if any(e.get("type") == "Change" and e.get("field_name") in _DECIDING for e in events):
            return audit
    return newest


def by_a_person(audit: Json, us: int) -> bool:
    """Whether somebody may have done this by hand: not we, not a rule. Their role is still to be looked up."""
    author = audit.get("author_id")
    if marker_of(audit) is not None or not isinstance(author, int) or author <= 0:
        return False
    return _channel(audit) == "web" if author == us else _channel(audit) != "rule"


def comment_id_of(audit: Json) -> str | None:
    """The id of the comment that an audit made; the same id is listed later."""
    for event in audit.get("events") or []:
        if event.get("type") == "Comment" and isinstance(event.get("id"), int):
            return str(event["id"])
    return None


def number(thing: Json, name: str, where: str) -> int:
    """An id. Zendesk's REST ids are 64-bit integers."""
    value = thing.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnrecognisedPayload(f"{where}.{name} is not a number.")
    return value


def time_of(thing: Json, name: str, where: str) -> datetime:
    """An aware time; Zendesk sends ISO 8601 in UTC."""
    try:
        at = datetime.fromisoformat(_text(thing.get(name)))
    except ValueError:
        raise UnrecognisedPayload(f"{where}.{name} is not a time.") from None
    if at.tzinfo is None:
        raise UnrecognisedPayload(f"{where}.{name} has no time zone.")
    return at


def _audit(comment: Json, view: Standpoint) -> Json | None:
    return view.audits.get(comment.get("audit_id") or 0)


def _channel(thing: Json) -> str:
    return _text((thing.get("via") or {}).get("channel"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _attachments(comment: Json) -> Iterable[Attachment]:
    for file in comment.get("attachments") or []:
        url = _text(file.get("content_url"))
        if not url or file.get("malware_scan_result") == "malware_found":
            continue
        size = file.get("size")
        yield Attachment(
            name=_text(file.get("file_name")) or "attachment",
            content_type=_text(file.get("content_type")) or "application/octet-stream",
            size=size if isinstance(size, int) else 0,
            url=url,
        )
