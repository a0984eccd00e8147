"""Makes a comment of what a client sent, as Zendesk stores it."""

from __future__ import annotations

import copy
import secrets
from typing import Any
from urllib.parse import quote

from handoff_connectors.zendesk.simulator import text
from handoff_connectors.zendesk.simulator.account import Account, StoredFile
from handoff_connectors.zendesk.simulator.model import Audit, Comment, Ticket, User
from handoff_connectors.zendesk.simulator.placeholders import resolver
from handoff_connectors.zendesk.simulator.ticket_fields import Checks


def pick_author(account: Account, comment: dict[str, Any], otherwise: User, checks: Checks) -> User:
    """Who the comment is shown as."""
    wanted = comment.get("author_id")
    if wanted is None:
        return otherwise
    author = account.users.get(int(wanted)) if str(wanted).isdigit() else None
    if author is None or not author.active:
        checks.wrong("comment", "Author: is invalid")
        return otherwise
    return author


def add_comment(
    account: Account, ticket: Ticket, audit: Audit, given: dict[str, Any], author: User, actor: User
) -> Comment:
    """Store a comment on the ticket and its event in the audit.

    Text is cut off silently; placeholders are filled in when a member of staff is the author.
    """
    public = given.get("public")
    comment = Comment(
        id=account.new_id(),
        audit_id=audit.id,
        author_id=author.id,
        html_body="",
        plain_body="",
        public=ticket.comments_public_by_default if public is None else public in (True, "true", 1),
        via=copy.deepcopy(audit.via),
        created_at=audit.created_at,
        metadata=audit.metadata,
        attachments=_attach(account, given),
    )
    comment.html_body = _stored_html(account, ticket, given, author, actor)
    comment.plain_body = text.plain(comment.html_body)
    if not ticket.comments:
        ticket.description = comment.plain_body
        ticket.comments_public_by_default = comment.public
    ticket.comments.append(comment)
    audit.events.append(comment_event(comment))
    return comment


def _stored_html(account: Account, ticket: Ticket, given: dict[str, Any], author: User, actor: User) -> str:
    has_html = bool(str(given.get("html_body") or "").strip())
    raw = text.cut(
        str(given.get("html_body") if has_html else given.get("body") or ""), account.settings.max_body_bytes
    )
    if author.is_staff:
        raw = text.expand(raw, resolver(account, ticket, actor))
    return text.wrap(text.clean(raw) if has_html else text.html_of_body(raw, markdown=author.is_staff))


def _attach(account: Account, given: dict[str, Any]) -> list[dict[str, Any]]:
    tokens = given.get("uploads") or []
    found: list[dict[str, Any]] = []
    for token in [tokens] if isinstance(tokens, str) else tokens:
        found += account.uploads.pop(str(token), [])
    return found


def store_file(account: Account, base: str, name: str, file: StoredFile) -> tuple[str, dict[str, Any]]:
    """Keep a file until a comment takes it: its upload token and how it is shown.

    Anybody who knows its address may fetch it, as with a real account that does not protect attachments.
    """
    number, key, token = account.new_id(), secrets.token_urlsafe(18), secrets.token_urlsafe(16)
    url = f"{base}/attachments/token/{key}/?name={quote(name)}"
    attachment = {
        "url": f"{base}/api/v2/attachments/{number}.json", "id": number, "file_name": name, "content_url": url,
        "mapped_content_url": url, "content_type": file.content_type, "size": len(file.content), "width": None,
        "height": None, "inline": False, "deleted": False, "malware_access_override": False,
        "malware_scan_result": "not_scanned", "thumbnails": [],
    }  # fmt: skip
    account.files[key] = file
    account.uploads[token] = [attachment]
    return token, attachment


def comment_event(comment: Comment) -> dict[str, Any]:
    """The comment as an audit shows it."""
    return {
        "id": comment.id,
        "type": "Comment",
        "author_id": comment.author_id,
        "body": comment.plain_body,
        "html_body": comment.html_body,
        "plain_body": comment.plain_body,
        "public": comment.public,
        "attachments": comment.attachments,
        "audit_id": comment.audit_id,
    }
