"""Signed POSTs to the platform, after the Standard Webhooks scheme. At least once, the same id and body every time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from handoff_sync.contract.address import AddressGuard
from handoff_sync.contract.http import Answer, HttpClient, Timeouts
from handoff_sync.contract.signatures import sign
from handoff_sync.errors import DestinationRefused, OutcomeUnknown, VendorDown, VendorRejected

CALLBACK_TIMEOUT_S: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One message to an endpoint. `id` stays the same on every try; `timestamp` is when it happened, aware UTC.

    `data` is JSON: it must give the same bytes however often it is read back from storage.
    """

    id: str
    type: str
    timestamp: datetime
    data: Mapping[str, Any] = field(repr=False)

    def body(self) -> bytes:
        """What is sent and signed. Keys are sorted, because storage may return them in another order."""
        happened = self.timestamp.astimezone(UTC).isoformat().replace("+00:00", "Z")
        message = {"type": self.type, "timestamp": happened, "data": self.data}
        return json.dumps(message, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class CallbackOutcome(StrEnum):
    """DELIVERED: 2xx. FAILED: try again later. GONE: the endpoint wants no more (410), disable it."""

    DELIVERED = "delivered"
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackResult:
    """What became of one try. `status` is None when no answer came; `detail` is safe to store and to show."""

    outcome: CallbackOutcome
    detail: str
    status: int | None = None
    retry_after_s: float | None = None


def callback_client(guard: AddressGuard) -> HttpClient:
    """The client for `send`; one for the whole process."""
    return HttpClient(guard, timeouts=Timeouts(read_s=CALLBACK_TIMEOUT_S, total_s=CALLBACK_TIMEOUT_S))


def send(http: HttpClient, url: str, callback: Callback, secrets: Sequence[str], now: datetime) -> CallbackResult:
    """One try. Never raises for what the other side does or fails to do.

    Args:
        secrets: The endpoint's signing secrets, newest first; two while one replaces the other.
        now: Signed with the body, so that the receiver can refuse old copies; aware UTC.
    """
    body, sent_at = callback.body(), int(now.timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": callback.id,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": sign(callback.id, sent_at, body, secrets),
    }
    try:
        answer = http.request("POST", url, headers=headers, content=body, status_only=True)
    except (VendorDown, OutcomeUnknown, VendorRejected, DestinationRefused) as error:
        return CallbackResult(outcome=CallbackOutcome.FAILED, detail=str(error))
    return _judged(answer, now)


def _judged(answer: Answer, now: datetime) -> CallbackResult:
    if answer.ok:
        outcome, detail = CallbackOutcome.DELIVERED, f"Answered {answer.status}."
    elif answer.status == 410:
        outcome, detail = CallbackOutcome.GONE, "Answered 410: the endpoint wants no more callbacks."
    elif 300 <= answer.status < 400:
        outcome, detail = CallbackOutcome.FAILED, f"Answered {answer.status}: redirects are not followed."
    else:
        outcome, detail = CallbackOutcome.FAILED, f"Answered {answer.status}."
    return CallbackResult(outcome=outcome, detail=detail, status=answer.status, retry_after_s=answer.retry_after_s(now))
