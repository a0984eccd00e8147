"""Pure: drafts to requests, answers to snapshots, who wrote a slip."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import unescape
from typing import Any, Final

from handoff_sync.contract.connector import (
    CommentAuthor,
    CommentDraft,
    HelpdeskAgent,
    Requester,
    TicketComment,
    TicketDraft,
    TicketSnapshot,
)
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import Attachment, TicketStatus
from handoff_sync.errors import UnrecognisedPayload, VendorRejected

STATUSES: Final = {"open": TicketStatus.OPEN, "parked": TicketStatus.ON_HOLD, "done": TicketStatus.SOLVED}
STATES: Final = {
    TicketStatus.OPEN: "open",
    TicketStatus.WAITING_CUSTOMER: "open",
    TicketStatus.ON_HOLD: "parked",
    TicketStatus.SOLVED: "done",
    TicketStatus.CLOSED: "done",
}
OURS: Final = "handoff:"
"""Begins the reference of every slip that we write (quirk PD-3)."""
_ID: Final = re.compile(r"[1-9][0-9]{0,17}")
_CURSOR: Final = re.compile(r"no-([0-9]{1,18})")
_AUTHORS: Final = {
    "agent": CommentAuthor.AGENT,
    "customer": CommentAuthor.CUSTOMER,
    "robot": CommentAuthor.AUTOMATION,
    "api": CommentAuthor.AUTOMATION,
}


# --- ids and cursors ----------------------------------------------------------------------------


def given_id(text: str) -> str:
    """An id that the service gives us; VendorRejected when it is none of Paperdesk's."""
    if _ID.fullmatch(text) is None:
        raise VendorRejected("This is no id of Paperdesk.")
    return text


def read_id(value: Wild) -> str:
    """An id that Paperdesk gives us."""
    text = value.identifier()
    if _ID.fullmatch(text) is None:
        raise UnrecognisedPayload(f"{value.path} is no id.")
    return text


def seen(cursor: str | None) -> int | None:
    """The newest entry that was read; None for a cursor that is none."""
    found = _CURSOR.fullmatch(cursor or "")
    return int(found[1]) if found is not None else None


def cursor(number: int) -> str:
    return f"no-{number}"


# --- drafts to requests -------------------------------------------------------------------------


def text_of(html: str) -> str:
    """Our own HTML as plain text, which is all that a slip holds (quirk PD-1)."""
    return unescape(re.sub(r"<[^>]*>", "", re.sub(r"<br>|</p>", "\n", html))).strip()


def ticket_request(draft: TicketDraft) -> dict[str, Any]:
    """A priority, which tickets do not have, is said in words."""
    asked = f"Priority: {draft.priority}\n" if draft.priority else ""
    return {
        "title": draft.subject,
        "ref": draft.external_id,
        "labels": list(draft.tags),
        "customer": _customer(draft.requester),
        "slip": {"text": asked + text_of(draft.html), "public": draft.public, "ref": f"{OURS}opening"},
    }


def slip_request(comment: CommentDraft) -> dict[str, Any]:
    return {
        "text": text_of(comment.html),
        "public": comment.public,
        "ref": OURS + comment.marker,
        "as_customer": comment.author is not None,
    }


def _customer(requester: Requester) -> dict[str, Any]:
    """An address that nobody vouches for stays here: replies would be mailed there."""
    vouched = requester.customer.email if requester.customer.email_verified else None
    return {"ref": requester.external_id, "name": requester.display_name, "email": vouched}


# --- answers to snapshots -----------------------------------------------------------------------


def snapshot(page: Wild, entries: Sequence[Wild], last: int, url: str) -> TicketSnapshot:
    """The ticket as its last page shows it. What was merged is closed: whatever it was before, it is over."""
    state, merged = page["state"], page.get("merged_into")
    status = state.one_of(STATUSES)
    return TicketSnapshot(
        id=read_id(page["id"]),
        status=TicketStatus.CLOSED if merged is not None else status,
        raw_status=state.text(),
        updated_at=page["updated_at"].time(),
        cursor=cursor(last),
        assignee=_agent(page.get("holder")),
        tags=tuple(label.text() for label in page["labels"]),
        comments=tuple(_comment(entry) for entry in entries if entry["kind"].text() == "slip"),
        changed_by=_changed_by([entry for entry in entries if entry["kind"].text() == "change"]),
        merged_into=read_id(merged) if merged is not None else None,
        url=url,
    )


def gone(ticket: str, before: str | None) -> TicketSnapshot:
    return TicketSnapshot(
        id=ticket,
        status=TicketStatus.CLOSED,
        raw_status="gone",
        updated_at=datetime.now(UTC),
        cursor=before or cursor(0),
        deleted=True,
    )


def marker_of(entry: Wild) -> str | None:
    """The marker of a slip of ours."""
    ref = entry.get("ref")
    return ref.text().removeprefix(OURS) if ref is not None and ref.text().startswith(OURS) else None


def _comment(entry: Wild) -> TicketComment:
    by, public, marker = entry["by"], entry["public"].raw(), marker_of(entry)
    author = _AUTHORS.get(by["kind"].text(), CommentAuthor.UNKNOWN)
    if not isinstance(public, bool):
        author = CommentAuthor.UNKNOWN
    elif marker is not None and author in (CommentAuthor.AUTOMATION, CommentAuthor.CUSTOMER):
        author = CommentAuthor.OURS
    return TicketComment(
        id=read_id(entry["no"]),
        author=author,
        agent=_agent(by) if author is CommentAuthor.AGENT else None,
        text=entry["text"].text(),
        public=public is True,
        at=entry["at"].time(),
        marker=marker,
        attachments=tuple(
            Attachment(
                name=file["name"].text(),
                content_type=file["type"].text(),
                size=file["size"].integer(),
                url=file["url"].text(),
            )
            for file in entry["files"]
        ),
    )


def _changed_by(changes: Sequence[Wild]) -> HelpdeskAgent | None:
    """Who set the state; where nobody did, the agent of the newest change."""
    states = [change["by"] for change in changes if change["what"].text() == "state"]
    agents = [change["by"] for change in changes if change["by"]["kind"].text() == "agent"]
    newest = (states or agents)[-1:]
    return _agent(newest[0]) if newest else None


def _agent(person: Wild | None) -> HelpdeskAgent | None:
    """None for everybody who is no agent: teams, robots, programs, customers, and kinds yet to be invented."""
    if person is None or person["kind"].text() != "agent":
        return None
    email = person.get("email")
    return HelpdeskAgent(
        id=read_id(person["id"]), name=person["name"].text(), email=email.text() if email is not None else None
    )
