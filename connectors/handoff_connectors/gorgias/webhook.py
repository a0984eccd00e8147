"""A webhook as it came: authentic or not, and which ticket to look at. Pure; nothing else of it is believed.

Gorgias signs nothing. A request is authentic when it has our secret header, at an address that nobody can guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from handoff_connectors.gorgias.mapping import OURS
from handoff_sync.contract.connector import WebhookHint, WebhookRequest
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.contract.signatures import same_as_any
from handoff_sync.errors import UnrecognisedPayload, WebhookRefused

HEADER: Final = "X-Handoff-Secret"

MESSAGES: Final = "messages"
STATUS: Final = "status"
TRIGGERS: Final[Mapping[str, tuple[str, ...]]] = {
    MESSAGES: ("ticket-updated", "ticket-message-created", "ticket-self-unsnoozed", "ticket-message-failed"),
    STATUS: ("ticket-status-updated", "ticket-assignment-updated"),
}
"""Gorgias lets no integration have triggers of both kinds (quirk GO-14)."""

FORMS: Final[Mapping[str, Mapping[str, str]]] = {
    MESSAGES: {
        "ticket_id": "{{ticket.id}}",
        "event_type": "{{event.type}}",
        "message_external_id": "{{message.external_id}}",
    },
    STATUS: {"ticket_id": "{{ticket.id}}"},
}
"""Ids alone: no words of a customer cross the wire here."""

_NOTHING: Final = (None, "", "None", "null", 0, "0")


def read_webhook(request: WebhookRequest, secrets: Sequence[str]) -> WebhookHint:
    """Raises WebhookRefused when the secret is missing or wrong, UnrecognisedPayload when it cannot be read."""
    known = [secret for secret in secrets if secret]
    if not known:
        raise WebhookRefused("no webhook secret is stored for this connection; install the webhook again")
    if not same_as_any(request.headers.get(HEADER.lower(), ""), known):
        raise WebhookRefused("secret header is missing or wrong")
    delivery = _delivery(request)
    if not request.body.strip():
        return WebhookHint(delivery_id=delivery, ignored="empty body: a test")
    body = read_json(request.body, "webhook")
    topic = _topic(body)
    if _is_echo(body, topic):
        return WebhookHint(delivery_id=delivery, topic=topic, ignored="our own message")
    return WebhookHint(delivery_id=delivery, tickets=(_ticket(body),), topic=topic)


def _topic(body: Wild) -> str:
    """For people: the trigger, as far as Gorgias fills it in."""
    event = body.get("event")
    name = body.get("event_type") or (event.get("type") if event is not None else None)
    value = name.raw() if name is not None else None
    return value[:80] if isinstance(value, str) and value not in _NOTHING else "ticket"


def _is_echo(body: Wild, topic: str) -> bool:
    """A message of ours, told by an integration of ours; what else happened meanwhile is told by itself."""
    external = body.get("message_external_id")
    value = external.raw() if external is not None else None
    return topic == "ticket-message-created" and isinstance(value, str) and value.startswith(OURS)


def _ticket(body: Wild) -> str:
    """From our own form, from the whole context, or from the short form of status triggers (quirk GO-13)."""
    context = body.get("ticket")
    value = body.get("ticket_id") or (context.get("id") if context is not None else body.get("id"))
    if value is None or value.raw() in _NOTHING:
        raise UnrecognisedPayload("webhook names no ticket: let the integration be installed again.")
    number = value.identifier()
    if not (number.isascii() and number.isdigit()):
        raise UnrecognisedPayload(f"{value.path} is not a ticket id.")
    return number


def _delivery(request: WebhookRequest) -> str:
    """Gorgias names no delivery, and two changes may look alike: each that comes is one of its own (quirk GO-13)."""
    name = f"{request.received_at.isoformat()}\n".encode() + request.body
    return hashlib.sha256(name).hexdigest()[:40]
