"""Reads the `ticket` object of a write: drops what Zendesk does not know, refuses what it would refuse."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from handoff_connectors.zendesk.simulator import api_errors
from handoff_connectors.zendesk.simulator.account import Account
from handoff_connectors.zendesk.simulator.model import Ticket, User

UPDATE_KEYS: Final = frozenset(
    [
        "additional_collaborators",
        "assignee_email",
        "assignee_id",
        "attribute_value_ids",
        "collaborator_ids",
        "comment",
        "custom_fields",
        "custom_status_id",
        "due_at",
        "email_ccs",
        "external_id",
        "fields",
        "followers",
        "group_id",
        "macro_id",
        "macro_ids",
        "metadata",
        "organization_id",
        "priority",
        "problem_id",
        "requester",
        "requester_id",
        "safe_update",
        "satisfaction_rating",
        "sharing_agreement_ids",
        "status",
        "subject",
        "tags",
        "type",
        "updated_stamp",
        "brand_id",
        "ticket_form_id",
    ]
)
CREATE_KEYS: Final = UPDATE_KEYS | frozenset(
    [
        "collaborators",
        "email_cc_ids",
        "follower_ids",
        "raw_subject",
        "recipient",
        "submitter_id",
        "via",
        "via_followup_source_id",
        "via_id",
        "voice_comment",
    ]
)
COMMENT_KEYS: Final = frozenset(["author_id", "body", "html_body", "public", "uploads"])
REQUESTER_KEYS: Final = frozenset(["name", "email", "locale_id", "phone", "locale"])
STATUSES: Final = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES: Final = ("urgent", "high", "normal", "low")
TYPES: Final = ("problem", "incident", "question", "task")
INTEGERS: Final = (
    "assignee_id", "group_id", "requester_id", "submitter_id", "organization_id", "custom_status_id", "problem_id",
    "brand_id", "ticket_form_id", "via_followup_source_id",
)  # fmt: skip


@dataclass(slots=True)
class Wanted:
    """The known part of a write. `dropped` are the unknown keys, as `ticket.name`."""

    values: dict[str, Any]
    dropped: list[str] = field(default_factory=list)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    @property
    def comment(self) -> dict[str, Any] | None:
        comment = self.values.get("comment")
        return comment if isinstance(comment, dict) and _has_text(comment) else None


def _has_text(comment: dict[str, Any]) -> bool:
    return any(str(comment.get(key) or "").strip() for key in ("body", "html_body")) or bool(comment.get("uploads"))


def read_ticket(body: Any, known: frozenset[str]) -> Wanted:
    """The `ticket` object of a request body.

    Raises:
        ApiError: 400 when there is none, 400 when an id is not a number.
    """
    ticket = body.get("ticket") if isinstance(body, dict) else None
    if not isinstance(ticket, dict):
        raise api_errors.invalid_attribute("ticket", "an object")
    wanted = Wanted({key: value for key, value in ticket.items() if key in known})
    wanted.dropped += [f"ticket.{key}" for key in ticket if key not in known]
    _read_inner(wanted, "comment", COMMENT_KEYS)
    _read_inner(wanted, "requester", REQUESTER_KEYS)
    for name in INTEGERS:
        wanted.values.update({name: _integer(name, wanted.values[name])} if name in wanted else {})
    return wanted


def _read_inner(wanted: Wanted, name: str, known: frozenset[str]) -> None:
    inner = wanted.get(name)
    if name == "comment" and isinstance(inner, str):
        wanted.values[name] = {"body": inner}
    elif isinstance(inner, dict):
        wanted.dropped += [f"ticket.{name}.{key}" for key in inner if key not in known]
        wanted.values[name] = {key: value for key, value in inner.items() if key in known}


def _integer(name: str, value: Any) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,18}", str(value)):
        raise api_errors.invalid_attribute(name, "an integer")
    return int(value)


class Checks:
    """Collects what is wrong with a write, as Zendesk does: all of it in one 422."""

    def __init__(self) -> None:
        self.details: dict[str, list[dict[str, str]]] = {}

    def wrong(self, name: str, description: str, error: str = "InvalidValue") -> None:
        self.details.setdefault(name, []).append({"description": description, "error": error})

    def finish(self) -> None:
        """
        Raises:
            ApiError: 422 RecordInvalid when something was wrong.
        """
        if self.details:
            raise api_errors.record_invalid(self.details)


def apply_fields(account: Account, ticket: Ticket, wanted: Wanted, checks: Checks) -> None:
    """Put the plain fields of a write into the ticket; mistakes go to `checks`."""
    for name in ("subject", "external_id", "due_at", "recipient"):
        if name in wanted:
            value = wanted.get(name)
            setattr(ticket, name, None if value is None else str(value))
    if ticket.subject is None and wanted.get("raw_subject"):
        ticket.subject = str(wanted.get("raw_subject"))
    _choice(ticket, wanted, checks, "priority", PRIORITIES)
    _choice(ticket, wanted, checks, "type", TYPES)
    for name in ("organization_id", "problem_id", "ticket_form_id"):
        if name in wanted:
            setattr(ticket, name, wanted.get(name))
    if "tags" in wanted:
        ticket.tags = read_tags(wanted.get("tags"))
    _custom_fields(account, ticket, wanted)
    _people(account, ticket, wanted, checks)
    _status(account, ticket, wanted, checks)


def _choice(ticket: Ticket, wanted: Wanted, checks: Checks, name: str, allowed: tuple[str, ...]) -> None:
    if name not in wanted:
        return
    value = wanted.get(name)
    if value in (None, ""):
        setattr(ticket, name, None)
    elif value in allowed:
        setattr(ticket, name, value)
    else:
        checks.wrong(name, f"{name.capitalize()}: is invalid")


def _custom_fields(account: Account, ticket: Ticket, wanted: Wanted) -> None:
    given = wanted.get("custom_fields", wanted.get("fields"))
    pairs = given.items() if isinstance(given, dict) else [(f.get("id"), f.get("value")) for f in given or []]
    for field_id, value in pairs:
        if str(field_id).isdigit() and int(field_id) in account.field_ids:
            ticket.custom_fields[int(field_id)] = value


def _people(account: Account, ticket: Ticket, wanted: Wanted, checks: Checks) -> None:
    if "group_id" in wanted:
        ticket.group_id = wanted.get("group_id")
        if ticket.group_id is not None and ticket.group_id not in account.groups:
            checks.wrong("group", "Group: is invalid")
    assignee = _wanted_assignee(account, wanted)
    if assignee is None:
        if wanted.get("assignee_id", 0) is None:
            ticket.assignee_id = None
        elif wanted.get("assignee_id") or wanted.get("assignee_email"):
            checks.wrong("assignee", "Assignee: is invalid")
    elif not assignee.is_staff or not assignee.active:
        checks.wrong("assignee", "Assignee: is invalid")
    else:
        ticket.assignee_id = assignee.id
        ticket.group_id = ticket.group_id or assignee.default_group_id
    requester_id = wanted.get("requester_id")
    if requester_id is not None:
        requester = account.users.get(requester_id)
        if requester is None or not requester.active:
            checks.wrong("requester", "Requester: is invalid")
        else:
            ticket.requester_id = requester.id


def _wanted_assignee(account: Account, wanted: Wanted) -> User | None:
    if wanted.get("assignee_email"):
        return account.user_by_email(str(wanted.get("assignee_email")))
    return account.users.get(wanted.get("assignee_id") or 0)


def _status(account: Account, ticket: Ticket, wanted: Wanted, checks: Checks) -> None:
    before = ticket.status
    if wanted.get("custom_status_id") is not None:
        status = account.statuses.get(wanted.get("custom_status_id"))
        if status is None or not status.active:
            checks.wrong("custom_status_id", "Custom status: is invalid")
            return
        ticket.status, ticket.custom_status_id = status.category, status.id
    elif "status" in wanted:
        value = wanted.get("status")
        if value not in STATUSES:
            checks.wrong("status", "Status: is invalid")
            return
        set_status(account, ticket, "open" if value == "new" and before != "new" else value)
    if ticket.status == "new" and ticket.assignee_id is not None:
        set_status(account, ticket, "open")
    if ticket.status in ("solved", "closed") and ticket.assignee_id is None:
        checks.wrong("assignee", "Assignee: is required when solving a ticket", "BlankValue")


def set_status(account: Account, ticket: Ticket, status: str) -> None:
    """Set a status by its category and the category's default custom status."""
    if ticket.status != status or not ticket.custom_status_id:
        ticket.status, ticket.custom_status_id = status, account.default_status(status).id


def read_tags(value: Any) -> list[str]:
    """Tags as stored: lower case, no blanks, each once."""
    given = value.split() if isinstance(value, str) else [part for tag in value or [] for part in str(tag).split()]
    return list(dict.fromkeys(tag.lower().strip(",") for tag in given if tag.strip(",")))
