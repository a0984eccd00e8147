"""Values of the placeholders that agents' comments and trigger templates may hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from handoff_connectors.zendesk.simulator.account import Account
from handoff_connectors.zendesk.simulator.model import Comment, Ticket, User

NUMBERED: Final = re.compile(r"ticket\.(public_)?comments\[(\d+)\](?:\.(\w+))?")


def resolver(account: Account, ticket: Ticket, current: User | None) -> Callable[[str], str | None]:
    """A function from a placeholder's name to its value; None for an unknown one."""

    def value_of(name: str) -> str | None:
        if name.startswith("current_user."):
            return "-1" if current is None and name.endswith(".id") else _person(current, name.split(".", 1)[1])
        if not name.startswith("ticket."):
            return None
        return _ticket_value(account, ticket, name)

    return value_of


def _ticket_value(account: Account, ticket: Ticket, name: str) -> str | None:
    rest = name.removeprefix("ticket.")
    who, _, what = rest.partition(".")
    if who in ("requester", "assignee", "submitter") and what:
        return _person(account.users.get(getattr(ticket, f"{who}_id") or 0), what)
    if match := NUMBERED.fullmatch(name):
        comments = [c for c in reversed(ticket.comments) if c.public or not match[1]]
        return _comment(account, comments[int(match[2])], match[3]) if int(match[2]) < len(comments) else ""
    if who in ("latest_comment", "latest_public_comment"):
        comments = [c for c in ticket.comments if c.public or who == "latest_comment"]
        return _comment(account, comments[-1], what or None) if comments else ""
    host = f"{account.settings.subdomain}.zendesk.com"
    group = account.groups.get(ticket.group_id or 0)
    return {
        "id": str(ticket.id),
        "title": ticket.subject or "",
        "subject": ticket.subject or "",
        "description": ticket.description,
        "status": ticket.status.capitalize(),
        "priority": (ticket.priority or "").capitalize(),
        "external_id": ticket.external_id or "",
        "tags": " ".join(ticket.tags),
        "account": account.settings.subdomain,
        "url": f"{host}/agent/tickets/{ticket.id}",
        "link": f"https://{host}/agent/tickets/{ticket.id}",
        "via": "Web service" if ticket.via["channel"] == "api" else "Web form",
        "group.name": group.name if group else "",
    }.get(rest)


def _person(user: User | None, what: str) -> str:
    if user is None:
        return ""
    first, _, last = user.name.partition(" ")
    known = {"id": str(user.id), "name": user.name, "email": user.email or "", "first_name": first, "last_name": last,
             "external_id": user.external_id or "", "role": user.role, "phone": user.phone or ""}  # fmt: skip
    return known.get(what, "")


def _comment(account: Account, comment: Comment, what: str | None) -> str:
    author = account.users.get(comment.author_id)
    known = {"id": str(comment.id), "value": comment.plain_body, "is_public": str(comment.public).lower(),
             "author_id": str(comment.author_id)}  # fmt: skip
    if what and what.startswith("author"):
        return _person(author, what.partition(".")[2] or "name")
    return comment.plain_body if what is None else known.get(what, "")
