"""Zendesk's words and ours, both ways. Pure: drafts become fields, answers become values.

A comment is relayed to a customer only as AGENT and `public`; what this page cannot place is UNKNOWN.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from handoff_sync.contract.connector import CommentAuthor, HelpdeskAgent, Requester, TicketComment, TicketDraft
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import Attachment, TicketStatus
from handoff_sync.errors import VendorRejected

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
LONGEST_NUMBER: Final = 18
"""Digits of an id; Zendesk's are 64-bit integers."""

MARKER: Final = "hs_op"
MERGED_TAG: Final = "closed_by_merge"
DUPLICATE_TAG: Final = "handoff-duplicate"
OUR_TAGS: Final = ("handoff-sync", "human-handoff")
"""One of these is on every ticket that the service opens."""

_STAFF: Final = frozenset({"agent", "admin"})
_DECIDING: Final = frozenset({"status", "custom_status_id", "assignee_id"})
_MERGED_INTO: Final = re.compile(r"merged into (?:request|ticket) #(\d+)", re.IGNORECASE)
_ANY_TICKET: Final = re.compile(r"#(\d+)")
_MARKER_LENGTH: Final = 255


# --- ours -> Zendesk ---------------------------------------------------------------------------------


def create_fields(draft: TicketDraft, requester: Mapping[str, object], us: int) -> dict[str, object]:
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


def create_body(fields: Mapping[str, object]) -> str:
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
        raise VendorRejected(f"Zendesk's priorities are {', '.join(PRIORITIES)}. Change it in the policy.")
    return name


def _id_of(what: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER):
        raise VendorRejected(f"A Zendesk {what} is named by its number (see its address in Admin Center). Change it.")
    return int(value)


def agent_number(value: str) -> int:
    """An agent's id as a number; VendorRejected for anything else."""
    return _id_of("agent", value)


# --- Zendesk -> ours ---------------------------------------------------------------------------------


def status_of(ticket: Wild, categories: Mapping[int, str] | None = None) -> TicketStatus:
    """Our status; `categories` (custom status id → category) helps where `status` itself is no word we know."""
    raw = ticket["status"]
    category = (categories or {}).get(_int(ticket, "custom_status_id") or 0, "")
    if raw.text() not in STATUS and category in STATUS:
        return STATUS[category]
    return raw.one_of(STATUS)


def to_agent(user: Wild) -> HelpdeskAgent:
    """A member of staff; the alias is the name that customers may see."""
    return HelpdeskAgent(
        id=user["id"].identifier(),
        name=_text(user, "alias") or _text(user, "name"),
        email=_text(user, "email") or None,
        avatar=_text(user, "photo", "content_url") or None,
    )


def is_usable(user: Wild) -> bool:
    """Whether a ticket can be opened in this user's name: neither suspended nor deleted (quirk ZD-12)."""
    return not any(flag is not None and flag.boolean() is bad for flag, bad in _flags(user))


def _flags(user: Wild) -> tuple[tuple[Wild | None, bool], ...]:
    return ((user.get("suspended"), True), (user.get("active"), False))


def is_staff(user: Wild | None) -> bool:
    return _text(user, "role") in _STAFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoint:
    """From where comments are judged: the ticket's requester, the connector user, users and audits by id."""

    requester_id: int
    us: int
    users: Mapping[int, Wild]
    audits: Mapping[int, Wild]

    def user(self, thing: Wild) -> Wild | None:
        return self.users.get(_int(thing, "author_id") or 0)

    def audit(self, comment: Wild) -> Wild | None:
        return self.audits.get(_int(comment, "audit_id") or 0)


def needs_audit(comment: Wild, us: int) -> bool:
    """Whether only the audit can tell if a comment is ours: written by the connector user or through the API."""
    doubtful = _int(comment, "author_id") == us or _text(comment, "via", "channel") == "api"
    return doubtful and marker_of(comment) is None


def to_comment(comment: Wild, view: Standpoint) -> TicketComment:
    author, user = author_of(comment, view), view.user(comment)
    return TicketComment(
        id=comment["id"].identifier(),
        author=author,
        agent=to_agent(user) if author is CommentAuthor.AGENT and user is not None else None,
        text=_text(comment, "plain_body") or _text(comment, "body"),
        public=is_public(comment),
        at=comment["created_at"].time(),
        marker=marker_of(comment) or marker_of(view.audit(comment)),
        attachments=attachments_of(comment),
    )


def author_of(comment: Wild, view: Standpoint) -> CommentAuthor:
    """Who wrote it: the first line that holds decides, and AGENT only where nothing speaks against it (README)."""
    author, user, audit = _int(comment, "author_id"), view.user(comment), view.audit(comment)
    if marker_of(comment) is not None or marker_of(audit) is not None:
        return CommentAuthor.OURS
    if _text(comment, "type") != "Comment" or author is None or (needs_audit(comment, view.us) and audit is None):
        return CommentAuthor.UNKNOWN
    public = comment.get("public")
    if public is None or not isinstance(public.raw(), bool):
        return CommentAuthor.UNKNOWN
    if is_merge(comment) or author <= 0:
        return CommentAuthor.AUTOMATION
    if author == view.requester_id or _text(user, "role") == "end-user":
        return CommentAuthor.CUSTOMER
    if author == view.us and _text(comment, "via", "channel") == "api":
        return CommentAuthor.AUTOMATION  # another program that uses our user
    return CommentAuthor.AGENT if is_staff(user) else CommentAuthor.UNKNOWN


def marker_of(thing: Wild | None) -> str | None:
    """Our marker in a comment's or an audit's metadata."""
    return _text(thing, "metadata", "custom", MARKER) or None


def is_merge(comment: Wild) -> bool:
    return _text(comment, "via", "source", "rel") == "merge" or _text(comment, "via", "channel") == "merge"


def merged_into(ticket: Wild, comments: Iterable[Wild]) -> str | None:
    """The ticket into which this one was merged: no field tells, only the comment that Zendesk writes (quirk ZD-14)."""
    if _text(ticket, "status") != "closed":
        return None
    tagged = MERGED_TAG in tags_of(ticket)
    requester = _int(ticket, "requester_id")
    for comment in comments:
        if _int(comment, "author_id") == requester or not (tagged or is_merge(comment)):
            continue
        text = _text(comment, "plain_body") or _text(comment, "body")
        found = _MERGED_INTO.search(text) or (_ANY_TICKET.search(text) if tagged and is_merge(comment) else None)
        if found:
            return found[1]
    return None


def tags_of(ticket: Wild) -> tuple[str, ...]:
    tags = ticket.get("tags")
    return tuple(tag.text() for tag in tags) if tags is not None else ()


def newest_change(audits: Iterable[Wild]) -> Wild | None:
    """Of audits, newest first: the one that last changed status or assignee, else the newest; None if there is none."""
    newest: Wild | None = None
    for audit in audits:
        newest = newest or audit
        if any(_text(e, "type") == "Change" and _text(e, "field_name") in _DECIDING for e in audit["events"]):
            return audit
    return newest


def author_by_hand(audit: Wild, us: int) -> int | None:
    """The user who may have done this by hand: not we, not a rule. Their role is still to be looked up."""
    author, channel = _int(audit, "author_id"), _text(audit, "via", "channel")
    if marker_of(audit) is not None or author is None or author <= 0 or channel == "rule":
        return None
    return author if author != us or channel == "web" else None


def comment_id_of(audit: Wild) -> str | None:
    """The id of the comment that an audit made; the same id is listed later."""
    ids = (event["id"].identifier() for event in audit["events"] if _text(event, "type") == "Comment")
    return next(ids, None)


def is_public(comment: Wild) -> bool:
    """Only what says literally so."""
    public = comment.get("public")
    return public is not None and public.raw() is True


def attachments_of(comment: Wild) -> tuple[Attachment, ...]:
    """In the order of the comment, without those in which Zendesk has found malware."""
    return tuple(_attachments(comment))


def _attachments(comment: Wild) -> Iterator[Attachment]:
    files = comment.get("attachments")
    for file in files if files is not None else ():
        if _text(file, "malware_scan_result") == "malware_found" or not _text(file, "content_url"):
            continue
        yield Attachment(
            name=_text(file, "file_name") or "attachment",
            content_type=_text(file, "content_type") or "application/octet-stream",
            size=_int(file, "size") or 0,
            url=_text(file, "content_url"),
        )


def _at(thing: Wild | None, *names: str) -> Wild | None:
    for name in names:
        thing = thing.get(name) if thing is not None else None
    return thing


def _text(thing: Wild | None, *names: str) -> str:
    """The text at the end of the path, or an empty one where the path ends earlier."""
    found = _at(thing, *names)
    return found.text() if found is not None else ""


def _int(thing: Wild | None, *names: str) -> int | None:
    found = _at(thing, *names)
    return found.integer() if found is not None else None
