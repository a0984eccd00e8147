"""Tickets that go away: deleted, restored, marked as spam, merged, purged."""

from __future__ import annotations

import copy
from typing import Any

from handoff_connectors.zendesk.simulator import api_errors
from handoff_connectors.zendesk.simulator.account import Account
from handoff_connectors.zendesk.simulator.comments import add_comment
from handoff_connectors.zendesk.simulator.model import Comment, Ticket, tracked
from handoff_connectors.zendesk.simulator.ticket_desk import Origin, finish
from handoff_connectors.zendesk.simulator.ticket_fields import set_status

MERGE_TAG = "closed_by_merge"


def delete(account: Account, origin: Origin, ticket: Ticket, kind: str = "deleted") -> None:
    """Hide a ticket; it stays in the export as `deleted`."""
    audit = account.new_audit(ticket, origin.actor.id, origin.via, origin.metadata(None))
    ticket.deleted_at, ticket.deleted_by = account.clock.now(), origin.actor.id
    finish(account, origin, ticket, audit, tracked(ticket), kind=kind)


def restore(account: Account, origin: Origin, ticket: Ticket) -> None:
    audit = account.new_audit(ticket, origin.actor.id, origin.via, origin.metadata(None))
    ticket.deleted_at = ticket.deleted_by = None
    finish(account, origin, ticket, audit, tracked(ticket), kind="restored")


def mark_as_spam(account: Account, origin: Origin, ticket: Ticket) -> None:
    """Delete the ticket and suspend its requester."""
    account.users[ticket.requester_id].suspended = True
    delete(account, origin, ticket, kind="spam")


def purge(account: Account, origin: Origin, ticket: Ticket) -> None:
    """Delete for good: the export keeps an empty shell."""
    audit = account.new_audit(ticket, origin.actor.id, origin.via, origin.metadata(None))
    ticket.scrubbed, ticket.subject, ticket.description = True, "SCRUBBED", "X"
    ticket.comments.clear()
    ticket.tags.clear()
    finish(account, origin, ticket, audit, tracked(ticket), kind="purged")


def merge(account: Account, origin: Origin, source: Ticket, target: Ticket, texts: dict[str, Any]) -> None:
    """Close `source` in favour of `target`, each with a comment that says so. Cannot be undone.

    Raises:
        ApiError: 422 when one of them is closed already.
    """
    if "closed" in (source.status, target.status) or source.id == target.id:
        raise api_errors.invalid_field("base", "Closed tickets cannot be merged")
    public = account.settings.merge_comments_public
    last = source.comments[-1].plain_body if source.comments else ""
    said_here = f"This request was closed and merged into request #{target.id} “{target.subject}”."
    said_there = f"Request #{source.id} “{source.subject}” was closed and merged into this request. Last comment in "
    said_there += f"request #{source.id}:\n\n{last}"
    _say(account, origin, target, source, texts.get("target_comment") or said_there,
         bool(texts.get("target_comment_is_public", public)))  # fmt: skip
    _close_merged(account, origin, source, target, texts.get("source_comment") or said_here,
                  bool(texts.get("source_comment_is_public", public)))  # fmt: skip


def _merge_origin(origin: Origin, other: Ticket) -> Origin:
    via = {"channel": "web", "source": {"from": {"ticket_id": other.id, "subject": other.subject}, "to": {},
                                        "rel": "merge"}}  # fmt: skip
    return Origin(origin.actor, copy.deepcopy(via), origin.client)


def _say(account: Account, origin: Origin, ticket: Ticket, other: Ticket, body: str, public: bool) -> Comment:
    origin, before = _merge_origin(origin, other), tracked(ticket)
    audit = account.new_audit(ticket, origin.actor.id, origin.via, origin.metadata(None))
    comment = add_comment(account, ticket, audit, {"body": body, "public": public}, origin.actor, origin.actor)
    finish(account, origin, ticket, audit, before, comment)
    return comment


def _close_merged(account: Account, origin: Origin, source: Ticket, target: Ticket, body: str, public: bool) -> None:
    origin, before = _merge_origin(origin, target), tracked(source)
    audit = account.new_audit(source, origin.actor.id, origin.via, origin.metadata(None))
    comment = add_comment(account, source, audit, {"body": body, "public": public}, origin.actor, origin.actor)
    set_status(account, source, "closed")
    source.tags = [*source.tags, MERGE_TAG]
    finish(account, origin, source, audit, before, comment, kind="merged", merged_into=target.id)
