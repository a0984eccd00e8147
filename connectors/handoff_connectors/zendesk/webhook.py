"""A webhook as it came: authentic or not, and which tickets to look at. Pure; nothing else of it is believed.

Two kinds arrive at the same address (README, "Webhooks"): event webhooks with Zendesk's fixed envelope, and trigger
webhooks with the body that README tells the admin to paste, which holds ids alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from handoff_sync.contract.connector import WebhookHint, WebhookRequest
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.contract.signatures import hmac_base64, same_as_any
from handoff_sync.errors import UnrecognisedPayload, WebhookRefused

FRESH: Final = timedelta(seconds=300)

SUBSCRIPTIONS: Final = tuple(
    f"zen:event-type:ticket.{name}"
    for name in (
        "comment_added", "comment_made_private", "comment_redacted", "attachment_linked_to_comment", "status_changed",
        "agent_assignment_changed", "group_assignment_changed", "tags_changed", "merged", "soft_deleted",
        "permanently_deleted", "undeleted", "marked_as_spam", "external_id_changed", "requester_changed",
    )
)  # fmt: skip
"""The events our webhook asks for. Others of a ticket are looked at too when they come."""

_TICKET: Final = "zen:event-type:ticket."
_NO_CONCERN: Final = frozenset(
    {"schedule_changed", "sla_policy_changed", "ola_policy_changed", "next_sla_breach_changed", "csat_requested",
     "csat_received"}
)  # fmt: skip


def read_webhook(request: WebhookRequest, secrets: Sequence[str]) -> WebhookHint:
    """Raises WebhookRefused when the signature is missing, wrong or old, UnrecognisedPayload when it cannot be read."""
    _verify(request, secrets)
    if not request.body.strip():
        return WebhookHint(delivery_id=_delivery(request), ignored="empty body: a test")
    body = read_json(request.body, "webhook")
    return _event(body) if "type" in body and "zendesk_event_version" in body else _trigger(body, request)


def _verify(request: WebhookRequest, secrets: Sequence[str]) -> None:
    """The signature covers timestamp and raw body, not the other headers (quirk ZD-16)."""
    given = request.headers.get("x-zendesk-webhook-signature", "")
    timestamp = request.headers.get("x-zendesk-webhook-signature-timestamp", "")
    known = [secret for secret in secrets if secret]
    if not known:
        raise WebhookRefused("no signing secret is stored for this connection; install the webhook again")
    if not given or not timestamp:
        raise WebhookRefused("signature headers are missing")
    signed = timestamp.encode("utf-8", "surrogatepass") + request.body
    if not same_as_any(given, [hmac_base64(secret.encode(), signed) for secret in known]):
        raise WebhookRefused("signature does not match")
    if abs(request.received_at - _time(timestamp)) > FRESH:
        raise WebhookRefused("timestamp is too far from now")


def _time(timestamp: str) -> datetime:
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        raise WebhookRefused("timestamp is not a time") from None
    if at.tzinfo is None:
        raise WebhookRefused("timestamp has no time zone")
    return at


def _event(body: Wild) -> WebhookHint:
    topic, delivery = body["type"].text(), body["id"].identifier()
    if not topic.startswith(_TICKET):
        return WebhookHint(delivery_id=delivery, topic=topic, ignored="not about a ticket")
    if topic.removeprefix(_TICKET) in _NO_CONCERN:
        return WebhookHint(delivery_id=delivery, topic=topic, ignored="does not concern a handoff")
    if topic not in SUBSCRIPTIONS and topic.removeprefix(_TICKET) not in _KNOWN:
        return WebhookHint(delivery_id=delivery, topic=topic, ignored="unknown kind of event")
    tickets = [_ticket_id(body["detail"]["id"])]
    if tickets[0] != body["subject"].text().rpartition(":")[2]:
        raise UnrecognisedPayload("webhook.subject and webhook.detail.id name different tickets.")
    target = body["event"].get("target_ticket_id") if topic == f"{_TICKET}merged" else None
    if target is not None and not _is_nothing(target):
        tickets.append(_ticket_id(target))
    return WebhookHint(delivery_id=delivery, tickets=tuple(tickets), topic=topic)


_KNOWN: Final = frozenset(
    {"created", "custom_status_changed", "custom_field_changed", "subject_changed", "description_changed",
     "priority_changed", "type_changed", "organization_changed", "brand_changed", "form_changed",
     "problem_link_changed", "submitter_changed", "task_due_at_changed", "followers_changed", "email_ccs_changed",
     "attachment_redacted_from_comment"}
)  # fmt: skip


def _trigger(body: Wild, request: WebhookRequest) -> WebhookHint:
    if "ticket_id" not in body:
        raise UnrecognisedPayload("webhook is neither an event nor has `ticket_id`: paste the body from the README.")
    ticket = _ticket_id(body["ticket_id"])
    return WebhookHint(delivery_id=_delivery(request), tickets=(ticket,), topic="trigger")


def _ticket_id(value: Wild) -> str:
    """Ids are texts in events and numbers in REST (quirk ZD-17)."""
    number = value.identifier()
    if not (number.isascii() and number.isdigit()) or _is_nothing(value):
        raise UnrecognisedPayload(f"{value.path} is not a ticket id.")
    return number


def _is_nothing(value: Wild) -> bool:
    """Events write an absent id as null, as an empty text or as "0"."""
    return value.raw() in (None, "", "0", 0)


def _delivery(request: WebhookRequest) -> str:
    """Trigger bodies have no id: the unsigned invocation id, made harmless by a digest of what was signed."""
    invocation = request.headers.get("x-zendesk-webhook-invocation-id", "")
    if not invocation:
        invocation = request.headers.get("x-zendesk-webhook-signature-timestamp", "")
    name = f"{invocation}\n".encode("utf-8", "surrogatepass") + request.body
    return f"trigger:{hashlib.sha256(name).hexdigest()[:40]}"
