"""What can be done to tickets, with the rules of the helpdesk. Both the API and the agent page work through it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from handoff_connectors.zendesk.simulator import api_errors
from handoff_connectors.zendesk.simulator.account import Account
from handoff_connectors.zendesk.simulator.comments import add_comment, pick_author
from handoff_connectors.zendesk.simulator.model import (
    API_VIA,
    Audit,
    Comment,
    Ticket,
    TicketChange,
    User,
    tracked,
)
from handoff_connectors.zendesk.simulator.ticket_fields import Checks, Wanted, apply_fields, read_tags, set_status

REOPENED_BY_CUSTOMER = ("pending", "hold", "solved")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a write comes from: who is signed in, through what, and what the client looks like."""

    actor: User
    via: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(API_VIA))
    client: str = ""

    def metadata(self, custom: Any) -> dict[str, Any]:
        system = {"client": self.client, "ip_address": "192.0.2.10", "location": "Example City", "latitude": 0.0,
                  "longitude": 0.0}  # fmt: skip
        return {"system": system, "custom": custom if isinstance(custom, dict) else {}}


def create(account: Account, origin: Origin, wanted: Wanted) -> tuple[Ticket, Audit]:
    """Open a ticket.

    Raises:
        ApiError: 422 with everything that is wrong.
    """
    checks, now = Checks(), account.clock.now()
    requester = _requester(account, origin, wanted, checks)
    submitter = account.users.get(wanted.get("submitter_id") or 0) or origin.actor
    ticket = Ticket(id=0, requester_id=requester.id, submitter_id=submitter.id, created_at=now, updated_at=now,
                    changed_at=now, via=copy.deepcopy(origin.via), brand_id=account.brand_id,
                    ticket_form_id=account.form_id, custom_fields=dict.fromkeys(account.field_ids))  # fmt: skip
    set_status(account, ticket, "new")
    source = _followed_up(account, ticket, wanted)
    apply_fields(account, ticket, wanted, checks)
    if wanted.comment is None:
        checks.wrong("base", "Description: cannot be blank", "BlankValue")
    author = pick_author(account, wanted.comment or {}, origin.actor if source else submitter, checks)
    checks.finish()
    return _open(account, origin, wanted, ticket, author, source)


def _open(
    account: Account, origin: Origin, wanted: Wanted, ticket: Ticket, author: User, source: Ticket | None
) -> tuple[Ticket, Audit]:
    ticket.id = account.new_ticket_id()
    if source is not None:
        source.followup_ids.append(ticket.id)
        account.touch(source)
    audit = account.new_audit(ticket, origin.actor.id, ticket.via, origin.metadata(wanted.get("metadata")))
    comment = add_comment(account, ticket, audit, wanted.comment or {}, author, origin.actor)
    ticket.subject = ticket.subject or ticket.description.split("\n", 1)[0][:150]
    after = tracked(ticket)
    for name, value in after.items():
        if value not in (None, [], {}) and name not in ("custom_fields", "custom_status_id"):
            audit.events.append({"id": account.new_id(), "type": "Create", "field_name": name, "value": _shown(value)})
    ticket.audits.append(audit)
    account.add_ticket(ticket)
    account.touch(ticket)
    account.announce(TicketChange(kind="created", ticket=ticket, actor=origin.actor, audit=audit, before={},
                                  after=after, comment=comment))  # fmt: skip
    return ticket, audit


def _requester(account: Account, origin: Origin, wanted: Wanted, checks: Checks) -> User:
    given = wanted.get("requester")
    if not isinstance(given, dict) or wanted.get("requester_id") is not None:
        known = account.users.get(wanted.get("requester_id") or origin.actor.id)
        return _unless_suspended(known or origin.actor, checks)
    email = str(given.get("email") or "")
    if (known := account.user_by_email(email)) is not None:
        return _unless_suspended(known, checks)
    if not str(given.get("name") or "").strip():
        checks.wrong("requester", "Requester: Name: is too short (minimum is 1 character)", "ValueTooShort")
        return origin.actor
    if email and "@" not in email:
        checks.wrong("requester", f"Requester: Email: {email} is not properly formatted")
        return origin.actor
    return account.add_user(str(given["name"]), "end-user", email or None)


def _unless_suspended(user: User, checks: Checks) -> User:
    if user.suspended:
        checks.wrong("requester", "Requester: is suspended")
    return user


def _followed_up(account: Account, ticket: Ticket, wanted: Wanted) -> Ticket | None:
    """The closed ticket that this one continues; any other source has no effect."""
    source = account.tickets.get(wanted.get("via_followup_source_id") or 0)
    if source is None or source.status != "closed":
        return None
    ticket.via = copy.deepcopy(ticket.via)
    ticket.via["source"] = {"from": {"ticket_id": source.id, "subject": source.subject,
                                     "channel": source.via["channel"]}, "to": {}, "rel": "follow_up"}  # fmt: skip
    ticket.tags = list(source.tags)
    return source


def update(account: Account, origin: Origin, ticket: Ticket, wanted: Wanted) -> Audit:
    """Change a ticket and maybe add a comment. Without any change there is an audit that is not kept.

    Raises:
        ApiError: 409 for an outdated safe update, 422 for a closed ticket or wrong fields.
    """
    if ticket.status == "closed":
        raise api_errors.closed()
    if "safe_update" in wanted and wanted.get("updated_stamp") != stamp(ticket):
        raise api_errors.update_conflict()
    checks, before, draft = Checks(), tracked(ticket), copy.copy(ticket)
    given = wanted.comment
    draft.custom_fields, draft.tags = dict(ticket.custom_fields), list(ticket.tags)
    apply_fields(account, draft, wanted, checks)
    author = pick_author(account, given, origin.actor, checks) if given else origin.actor
    if given and len(ticket.comments) >= account.settings.max_comments:
        checks.wrong("comment", f"Comment: Ticket has reached the limit of {account.settings.max_comments} comments")
    checks.finish()
    for name in before:
        setattr(ticket, name, getattr(draft, name))
    audit = account.new_audit(
        ticket, origin.actor.id, copy.deepcopy(origin.via), origin.metadata(wanted.get("metadata"))
    )
    comment = add_comment(account, ticket, audit, given, author, origin.actor) if given else None
    if comment and comment.public and not author.is_staff and not {"status", "custom_status_id"} & set(wanted.values):
        reopen(account, ticket)
    finish(account, origin, ticket, audit, before, comment)
    return audit


def reopen(account: Account, ticket: Ticket) -> None:
    """What an end user's comment does to the status."""
    if ticket.status in REOPENED_BY_CUSTOMER:
        set_status(account, ticket, "open")


def finish(
    account: Account,
    origin: Origin,
    ticket: Ticket,
    audit: Audit,
    before: dict[str, Any],
    comment: Comment | None = None,
    kind: str = "updated",
    merged_into: int | None = None,
) -> None:
    """Write what changed into the audit, keep it if anything did, and tell triggers and webhooks."""
    after = tracked(ticket)
    changed = [name for name in after if before[name] != after[name]]
    for name in changed:
        if name != "custom_fields":
            audit.events.append({"id": account.new_id(), "type": "Change", "field_name": name,
                                 "value": _shown(after[name]), "previous_value": _shown(before[name])})  # fmt: skip
    audit.events += _field_events(account, before["custom_fields"], after["custom_fields"])
    if not audit.events and kind == "updated":
        return
    if "external_id" in changed:
        account.index_external_id(ticket)
    if audit.events:
        ticket.audits.append(audit)
        ticket.updated_at = audit.created_at
    account.touch(ticket)
    account.announce(TicketChange(kind=kind, ticket=ticket, actor=origin.actor, audit=audit, before=before,
                                  after=after, comment=comment, merged_into=merged_into))  # fmt: skip


def _field_events(account: Account, before: dict[int, Any], after: dict[int, Any]) -> list[dict[str, Any]]:
    return [
        {"id": account.new_id(), "type": "Change", "field_name": str(field_id), "value": value,
         "previous_value": before.get(field_id)}
        for field_id, value in after.items() if before.get(field_id) != value
    ]  # fmt: skip


def _shown(value: Any) -> Any:
    """A field's value in an audit event: text, a list or null."""
    return value if value is None or isinstance(value, list) else str(value)


def stamp(ticket: Ticket) -> str:
    return ticket.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def change_tags(account: Account, origin: Origin, ticket: Ticket, tags: Any, how: str) -> list[str]:
    """Set, add or remove tags; the tags afterwards.

    Raises:
        ApiError: 422 when the ticket is closed.
    """
    given = read_tags(tags)
    match how:
        case "set":
            wanted = given
        case "add":
            wanted = list(dict.fromkeys([*ticket.tags, *given]))
        case _:
            wanted = [tag for tag in ticket.tags if tag not in given]
    update(account, origin, ticket, Wanted({"tags": wanted}))
    return ticket.tags


def make_private(account: Account, origin: Origin, ticket: Ticket, comment_id: int) -> None:
    """Turn a public comment into a note. There is no way back.

    Raises:
        ApiError: 404 when the ticket has no such comment.
    """
    comment = next((c for c in ticket.comments if c.id == comment_id), None)
    if comment is None:
        raise api_errors.not_found()
    before = tracked(ticket)
    comment.public = False
    audit = account.new_audit(ticket, origin.actor.id, copy.deepcopy(origin.via), origin.metadata(None))
    audit.events.append(
        {"id": account.new_id(), "type": "CommentPrivacyChange", "comment_id": comment.id, "public": False}
    )
    finish(account, origin, ticket, audit, before, comment, kind="made_private")
