"""Tell the platform: signed callbacks in order, the same id and body on every try (lane `platform:<endpoint>`)."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from handoff_sync.callbacks import Callback, CallbackOutcome, CallbackResult, send
from handoff_sync.contract.http import HttpClient
from handoff_sync.core.backoff import next_callback
from handoff_sync.core.effects import DeliverToCustomer
from handoff_sync.core.files import addressed
from handoff_sync.delivery.lease import Lease
from handoff_sync.errors import HandoffError
from handoff_sync.store.admin import Admin
from handoff_sync.store.codec import encode_effect
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import Claim, EndpointRow, OutboxRow, UnreadableEffect

log = structlog.get_logger(__name__)

GIVE_UP_AFTER = timedelta(days=5)
"""An endpoint with nothing but failures for this long is switched off."""


class PlatformLane:
    """Posts the first row of the lane. An endpoint that is away holds back only its own lane."""

    def __init__(
        self, admin: Admin, reads: Reads, http: HttpClient, clock: Callable[[], datetime], public_url: str
    ) -> None:
        self._admin = admin
        self._reads = reads
        self._http = http
        self._clock = clock
        self._public_url = public_url

    def perform(self, lease: Lease) -> None:
        rows = lease.claim.rows
        endpoint = self._admin.endpoint(lease.claim.destination.partition(":")[2])
        if not rows:
            lease.settle({})
        elif endpoint is None:
            lease.cancel(rows, "The callback endpoint was removed.")
        elif not endpoint.enabled:
            lease.park(rows, f"The callback endpoint is switched off: {endpoint.disabled_reason}.", block=False)
        else:
            self._post(lease, rows[0], endpoint)

    def give_up(self, lease: Lease, error: HandoffError) -> None:
        lease.park(lease.claim.rows[:1], str(error), block=False)

    def _post(self, lease: Lease, row: OutboxRow, endpoint: EndpointRow) -> None:
        lease.before_call()
        now = self._clock()
        result = send(self._http, endpoint.url, self._callback(lease.claim, row), self._secrets(endpoint), now)
        match result.outcome:
            case CallbackOutcome.DELIVERED:
                if endpoint.failing_since is not None:
                    self._admin.endpoint_failing_since(endpoint.id, None)
                lease.settle({row.id: result.detail})
            case CallbackOutcome.GONE:
                self._switch_off(endpoint, result.detail)
                lease.park(lease.claim.rows, result.detail, block=False)
            case CallbackOutcome.FAILED:
                self._failed(lease, row, endpoint, result, now)

    def _failed(
        self, lease: Lease, row: OutboxRow, endpoint: EndpointRow, result: CallbackResult, now: datetime
    ) -> None:
        since = endpoint.failing_since or now
        if endpoint.failing_since is None:
            self._admin.endpoint_failing_since(endpoint.id, now)
        if now - since >= GIVE_UP_AFTER:
            self._switch_off(endpoint, "Nothing but failures for five days.")
        due = next_callback(row.attempts + 1, now, chance=random.random())
        if due is None:
            lease.park([row], f"All tries are used up. {result.detail}", block=False)
        else:
            lease.retry(max(due, now + timedelta(seconds=result.retry_after_s or 0)), result.detail)

    def _switch_off(self, endpoint: EndpointRow, why: str) -> None:
        self._admin.disable_endpoint(endpoint.id, why)
        log.error("callback endpoint switched off, a person must act", endpoint=endpoint.id, why=why)

    def _secrets(self, endpoint: EndpointRow) -> tuple[str, ...]:
        return self._admin.endpoint_secrets(endpoint.id)

    def _callback(self, claim: Claim, row: OutboxRow) -> Callback:
        """The effect with the names by which the platform knows the talk, and files under addresses of ours."""
        assert claim.session_id is not None
        session = self._reads.session_by_id(claim.session_id)
        effect = row.effect
        assert not isinstance(effect, UnreadableEffect)  # the runner lets none through
        if isinstance(effect, DeliverToCustomer) and session is not None:
            effect = replace(effect, message=addressed(session, effect.message, self._public_url))
        data: dict[str, Any] = json.loads(encode_effect(effect))
        data |= {
            "session_id": claim.session_id,
            "conversation_id": session.conversation_id if session is not None else None,
        }
        return Callback(id=f"msg_{row.id}", type=str(data.pop("type")), timestamp=row.created_at, data=data)
