"""A webhook as it came: authentic or not, and which conversations to look at. Pure; nothing else of it is believed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from handoff_connectors.intercom.mapping import at, reference_in, source_body, text_at
from handoff_sync.contract.connector import WebhookHint, WebhookRequest
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.contract.signatures import hmac_hex, same_as_any
from handoff_sync.errors import UnrecognisedPayload, WebhookRefused

TOPICS: Final = (
    "conversation.user.created", "conversation.user.replied", "conversation.admin.replied",
    "conversation.admin.closed", "conversation.admin.opened", "conversation.admin.snoozed",
    "conversation.admin.unsnoozed", "conversation.admin.assigned", "conversation.admin.open.assigned",
    "conversation.deleted", "conversation_part.redacted", "conversation.contact.attached",
    "conversation.contact.detached",
)  # fmt: skip
"""What the app should subscribe to (README, step 4). Others about conversations are looked at too when they come."""

TICKET_TOPICS: Final = tuple(
    f"ticket.{name}" for name in (
        "created", "state.updated", "admin.replied", "admin.assigned", "team.assigned", "contact.replied", "closed",
        "resolved", "admin.snoozed", "admin.unsnoozed",
    )
)  # fmt: skip
"""The same for tickets, which agents make of conversations also where a connection asks for none (quirk IC-23)."""

_ALSO: Final = frozenset(
    {"conversation.admin.noted", "conversation.admin.single.created", "conversation.operator.replied",
     "conversation.admin.replied.translated", "conversation_part.tag.created"}
)  # fmt: skip
_TICKETS: Final = "ticket."
_NO_CONCERN: Final = frozenset(
    {"conversation.read", "conversation.priority.updated", "conversation.rating.added", "conversation.company.updated"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A conversation of ours that was opened, as a webhook tells it: its reference and its id."""

    word: str
    conversation: str


def read_webhook(
    request: WebhookRequest, secrets: Sequence[str], workspace: str | None
) -> tuple[WebhookHint, Arrival | None]:
    """Raises WebhookRefused when the signature is missing or wrong, UnrecognisedPayload when it cannot be read.

    Args:
        workspace: Our workspace's id; None while it is not known. The app's webhooks of other workspaces come to the
            same address and are none of our business.
    """
    _verify(request, secrets)
    body = read_json(request.body, "webhook")
    topic, delivery = body["topic"].text(), _delivery(body, request)
    reason = _no_concern(topic, text_at(body, "app_id"), workspace)
    if reason:
        return WebhookHint(delivery_id=delivery, topic=topic, ignored=reason), None
    item = body["data"]["item"]
    conversation = _conversation(item)
    if conversation is None:
        return WebhookHint(delivery_id=delivery, topic=topic, ignored="names no conversation"), None
    word = reference_in(source_body(item)) if topic == "conversation.user.created" else None
    arrival = Arrival(word=word, conversation=conversation) if word is not None else None
    return WebhookHint(delivery_id=delivery, topic=topic, tickets=(conversation,)), arrival


def _verify(request: WebhookRequest, secrets: Sequence[str]) -> None:
    """SHA-1 over the raw body; no time is signed, so a replay is only a reason to look again (quirk IC-18)."""
    given = request.headers.get("x-hub-signature", "")
    known = [secret for secret in secrets if secret]
    if not known:
        raise WebhookRefused("no client secret is stored for this connection; store the app's")
    if not given:
        raise WebhookRefused("signature header is missing")
    if not same_as_any(given, [f"sha1={hmac_hex(secret.encode(), request.body, 'sha1')}" for secret in known]):
        raise WebhookRefused("signature does not match")


def _no_concern(topic: str, app: str, workspace: str | None) -> str:
    if workspace is not None and app != workspace:
        return "of another workspace"
    if topic == "ping":
        return "a test"
    if topic in _NO_CONCERN or topic.startswith("contact."):
        return "does not concern a handoff"
    if topic not in TOPICS and topic not in _ALSO and not topic.startswith(_TICKETS):
        return "unknown kind of event"
    return ""


def _conversation(item: Wild) -> str | None:
    """Deleted ones are named by `conversation_id`, parts by theirs, tickets keep the conversation's (quirk IC-19)."""
    if (named := item.get("conversation_id")) is not None:
        return _number(named)
    if (ticket := at(item, "ticket")) is not None and text_at(item, "type") != "conversation":
        return _number(ticket["id"])
    if (conversation := at(item, "conversation")) is not None:
        return _number(conversation["id"])
    return _number(item["id"]) if text_at(item, "type") in ("conversation", "ticket") else None


def _number(value: Wild) -> str:
    number = value.identifier()
    if not (number.isascii() and number.isdigit() and int(number) > 0):
        raise UnrecognisedPayload(f"{value.path} is not the id of a conversation.")
    return number


def _delivery(body: Wild, request: WebhookRequest) -> str:
    """Some have no id: then what was signed names it (quirk IC-19)."""
    named = body.get("id")
    return named.identifier() if named is not None else f"body:{hashlib.sha256(request.body).hexdigest()[:40]}"
