"""The templates of HTTP integrations: `{{ticket.id}}` becomes text, and whatever it was, text it stays."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from handoff_connectors.gorgias.simulator import render
from handoff_connectors.gorgias.simulator.account import Account
from handoff_connectors.gorgias.simulator.model import Change

VARIABLE: Final = re.compile(r"\{\{\s*([\w.\-]+)\s*\}\}")
WHOLE: Final = re.compile(r"^\s*\{\{\s*context\s*\}\}\s*$")


def full_context(account: Account, change: Change, trigger: str) -> dict[str, Any]:
    """What the triggers of group A know: the whole ticket, notes included, and the message."""
    ticket = render.ticket(account, change.ticket)
    said = ticket["messages"]
    public = [message for message in said if message["public"]]
    ticket |= {"first_message": public[0] if public else None, "last_message": said[-1] if said else None,
               "account": {"domain": account.settings.domain}}  # fmt: skip
    if not account.settings.legacy_variables:
        return {"ticket": short_ticket(account, change)}
    message = render.message(account, change.message) if change.message else None
    event = {"type": trigger, "context": change.context, "user_id": change.user_id}
    return {"ticket": ticket, "message": message, "event": event}


def short_ticket(account: Account, change: Change) -> dict[str, Any]:
    """What the triggers of group B know of a ticket; no message is among it."""
    given = change.ticket
    return {
        "id": given.id,
        "external_id": given.external_id,
        "status": given.status,
        "channel": given.channel,
        "via": given.via,
        "spam": given.spam,
        "from_agent": given.from_agent,
        "customer_id": given.customer_id,
        "assignee_user_id": given.assignee_user_id,
        "assignee_team_id": given.assignee_team_id,
        "subject": given.subject,
        "meta": given.meta or {},
        "language": given.language or "en",
        **render.times(given),
        "custom_fields": None,
        "tags": [render.tag(account.tags[tag_id]) for tag_id in given.tags],
    }


def filled(form: Any, context: Mapping[str, Any], whole: Any, null: str) -> Any:
    """A form with its variables replaced. `whole` stands for `{{context}}`, `null` for what is missing."""
    if isinstance(form, dict):
        return {key: filled(value, context, whole, null) for key, value in form.items()}
    if isinstance(form, list):
        return [filled(value, context, whole, null) for value in form]
    if not isinstance(form, str):
        return form
    return whole if WHOLE.match(form) else VARIABLE.sub(lambda match: _text(context, match[1], null), form)


def _text(context: Mapping[str, Any], name: str, null: str) -> str:
    """Booleans become True or False, nothing becomes `null`."""
    if name == "context":
        return json.dumps(context)
    value: Any = context
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return null if value is None else str(value)
