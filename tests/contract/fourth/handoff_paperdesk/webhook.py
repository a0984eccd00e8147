"""Pure: verify the raw bytes of a webhook, name its ticket."""

from __future__ import annotations

from collections.abc import Iterable

from handoff_paperdesk.mapping import read_id
from handoff_sync.contract.connector import WebhookHint, WebhookRequest
from handoff_sync.contract.payload import read_json
from handoff_sync.contract.signatures import check_age, hmac_hex, same_as_any
from handoff_sync.errors import WebhookRefused


def verify(request: WebhookRequest, secrets: Iterable[str]) -> WebhookHint:
    """`secrets`: the present one and the one before; empty ones prove nothing."""
    known = [secret for secret in secrets if secret]
    if not known:
        raise WebhookRefused("no webhook secret is stored")
    sent = request.headers.get("x-paperdesk-time", "")
    check_age(sent, request.received_at.timestamp())
    signed = f"{sent}.".encode() + request.body
    given = request.headers.get("x-paperdesk-signature", "")
    if not same_as_any(given, [hmac_hex(secret.encode(), signed) for secret in known]):
        raise WebhookRefused("signature does not match")
    return _hint(request.body)


def _hint(body: bytes) -> WebhookHint:
    payload = read_json(body, "webhook")
    delivery, topic = payload["delivery"].identifier(), payload["topic"].text()
    if not topic.startswith("ticket."):
        return WebhookHint(delivery_id=delivery, topic=topic, ignored="The topic does not concern tickets.")
    return WebhookHint(delivery_id=delivery, topic=topic, tickets=(read_id(payload["ticket"]),))
