"""The account's outgoing side: turns changes into signed webhooks and keeps their history."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from handoff_connectors.zendesk.simulator import render
from handoff_connectors.zendesk.simulator.account import ACCOUNT_ID, Account
from handoff_connectors.zendesk.simulator.events import envelope, events_of
from handoff_connectors.zendesk.simulator.model import Invocation, TicketChange, Webhook, tracked
from handoff_connectors.zendesk.simulator.triggers import TriggerRunner
from handoff_sync.simulator.webhooks import Attempt, Outgoing, WebhookSender

TEST_SECRET: Final = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
"""Signs the test of a webhook that does not exist yet."""

FROM_TRIGGERS: Final = "conditional_ticket_events"
RETRY_AFTER_LIMIT_S: Final = 60
RETRY_WAIT_S: Final = 1.0
CONFLICT_RETRIES: Final = 3
TIMEOUT_RETRIES: Final = 5
MAX_INVOCATIONS: Final = 5000
ULID_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_ulid(at: datetime) -> str:
    """A ULID: 10 letters of time, 16 of chance."""
    number = (int(at.timestamp() * 1000) << 80) | secrets.randbits(80)
    return "".join(ULID_LETTERS[(number >> shift) & 31] for shift in range(125, -1, -5))


def sign(secret: str, timestamp: str, body: bytes) -> str:
    digest = hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def retry(attempt: Attempt) -> float | None:
    """Zendesk's rules: 409 up to 3 times, 429 and 503 only with a short Retry-After, a timeout up to 5 times."""
    if attempt.error == "timeout":
        return RETRY_WAIT_S if attempt.number <= TIMEOUT_RETRIES else None
    if attempt.status == 409:
        return RETRY_WAIT_S if attempt.number <= CONFLICT_RETRIES else None
    wait = attempt.answer_headers.get("retry-after", "")
    if attempt.status in (429, 503) and wait.isdigit() and int(wait) < RETRY_AFTER_LIMIT_S:
        return float(wait) if attempt.number <= CONFLICT_RETRIES else None
    return None


def request_headers(webhook: Webhook, secret: str, invocation_id: str, body: bytes) -> dict[str, str]:
    """Headers of one sending; the time signed is the time of sending, always by the real clock."""
    timestamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers = {
        "User-Agent": "Zendesk Webhook",
        "Accept": "*/*",
        "Content-Type": "application/json; charset=utf-8",
        "X-Zendesk-Account-Id": str(ACCOUNT_ID),
        "X-Zendesk-Webhook-Id": webhook.id,
        "X-Zendesk-Webhook-Invocation-Id": invocation_id,
        "X-Zendesk-Webhook-Signature-Timestamp": timestamp,
        "X-Zendesk-Webhook-Signature": sign(secret, timestamp, body),
    }
    return {**headers, **(webhook.custom_headers or {}), **_authentication(webhook.authentication)}


def _authentication(wanted: Mapping[str, Any] | None) -> dict[str, str]:
    data = (wanted or {}).get("data") or {}
    match (wanted or {}).get("type"):
        case "bearer_token":
            return {"Authorization": f"Bearer {data.get('token', '')}"}
        case "basic_auth":
            pair = f"{data.get('username', '')}:{data.get('password', '')}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        case "api_key":
            return {str(data.get("name")): str(data.get("value", ""))}
        case _:
            return {}


class HookHub:
    """Listens to the account and feeds the sender."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.sender = WebhookSender(account.clock, retry, self._note, account.settings.webhook_timeout_s)
        self._triggers = TriggerRunner(account, self._notify)
        account.listeners.append(self._on_change)

    def _on_change(self, change: TicketChange) -> None:
        self._emit(change)
        self._triggers.run(change)
        after = tracked(change.ticket)
        if after == change.after:
            return
        # Triggers changed the ticket in turn; that is part of the same audit, and no trigger looks at it again.
        by_rules = TicketChange(kind="updated", ticket=change.ticket, actor=change.actor, audit=change.audit,
                                before=change.after, after=after)  # fmt: skip
        for name in after:
            if by_rules.changed(name):
                change.audit.events.append({"id": self._account.new_id(), "type": "Change", "field_name": name,
                                            "value": after[name], "previous_value": change.after[name]})  # fmt: skip
        self._emit(by_rules)

    def _emit(self, change: TicketChange) -> None:
        listening = [w for w in self._account.webhooks.values() if w.status == "active" and w.subscriptions]
        if not listening:
            return
        for type_, content in events_of(self._account, change):
            body = envelope(change, type_, content, change.audit.created_at)
            for webhook in listening:
                if type_ in webhook.subscriptions:
                    self._send(webhook, lambda body=body: body, type_)  # type: ignore[misc]

    def _notify(self, webhook_id: str, body: Callable[[], bytes]) -> None:
        webhook = self._account.webhooks.get(webhook_id)
        if webhook is not None and webhook.status == "active":
            self._send(webhook, body, FROM_TRIGGERS)

    def _send(self, webhook: Webhook, body: Callable[[], bytes], topic: str) -> None:
        invocation = Invocation(id=new_ulid(self._account.clock.now()))
        webhook.invocations[invocation.id] = invocation
        if len(webhook.invocations) > MAX_INVOCATIONS:
            del webhook.invocations[next(iter(webhook.invocations))]

        def headers(raw: bytes) -> dict[str, str]:
            return request_headers(webhook, webhook.secret, invocation.id, raw)

        self.sender.send(Outgoing(id=invocation.id, hook_id=webhook.id, url=webhook.endpoint, body=body,
                                  headers=headers, method=webhook.http_method, topic=topic))  # fmt: skip

    def _note(self, attempt: Attempt, last: bool) -> None:
        """Keep an attempt in the webhook's history."""
        with self._account.lock:
            webhook = self._account.webhooks.get(attempt.outgoing.hook_id)
            invocation = webhook.invocations.get(attempt.outgoing.id) if webhook else None
            if invocation is None or attempt.number == 0:
                return
            invocation.status = _status(attempt) if last else "accepted"
            invocation.status_code, invocation.completed_at = attempt.status, self._account.clock.now()
            invocation.attempts.append(_shown(attempt))


def _status(attempt: Attempt) -> str:
    if attempt.status is not None and 200 <= attempt.status < 300:
        return "success"
    return "timeout" if attempt.error == "timeout" else "terminated"


def _shown(attempt: Attempt) -> dict[str, Any]:
    request = {"headers": [{"key": k, "value": v} for k, v in attempt.headers.items()],
               "payload": attempt.body.decode("utf-8", "replace")}  # fmt: skip
    response = {"headers": [{"key": k, "value": v} for k, v in attempt.answer_headers.items()],
                "payload": attempt.answer}  # fmt: skip
    return {"id": new_ulid(attempt.at), "invocation_id": attempt.outgoing.id, "status_code": attempt.status,
            "status": _status(attempt), "completed_at": render.nanoseconds(attempt.at), "request": request,
            "response": response}  # fmt: skip
