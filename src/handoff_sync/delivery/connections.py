"""The connectors of all connections, each made once, and whether one may be used now."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from limits.storage import Storage

from handoff_sync.contract.connector import Connector, WebhookHint, WebhookRequest
from handoff_sync.contract.registry import connector_class
from handoff_sync.delivery.breaker import OPEN_S, Breaker
from handoff_sync.delivery.budgets import ConnectionLimiter
from handoff_sync.delivery.credentials import StoredCredentials
from handoff_sync.delivery.outages import Outages
from handoff_sync.errors import HandoffError, NotFound
from handoff_sync.store.admin import Admin
from handoff_sync.store.rows import ConnectionRow

log = structlog.get_logger(__name__)

LONGEST_PAUSE_S = 3600.0


class Held(HandoffError):
    """Not now: the work waits until `until` without counting as an attempt.

    `undone`: whatever this attempt noted that it would do was certainly not done.
    """

    def __init__(self, until: datetime, reason: str, *, undone: bool = False) -> None:
        super().__init__(reason)
        self.until = until
        self.reason = reason
        self.undone = undone


class Stopped(Held):
    """The helpdesk refused our credentials: the work waits for a person."""


class SwitchedOff(HandoffError):
    """A person has switched the connection off: nothing more is sent, and nothing waits for it."""


class ConnectionPool:
    """Connectors by connection id. A changed setting makes a new connector at its next use."""

    def __init__(self, admin: Admin, storage: Storage, clock: Callable[[], datetime], outages: Outages) -> None:
        self._admin = admin
        self._outages = outages
        self._storage = storage
        self._clock = clock
        self._made: dict[str, tuple[object, Connector]] = {}
        self._breakers: defaultdict[str, Breaker] = defaultdict(Breaker)
        self._lock = threading.Lock()

    def get(self, connection_id: str) -> Connector:
        """The connector; NotFound when the connection was removed."""
        row = self._row(connection_id)
        with self._lock:
            made = self._made.get(connection_id)
            if made is not None and made[0] == row.settings:
                return made[1]
            connector = self.make(row)
            self._made[connection_id] = (row.settings, connector)
        if made is not None:
            made[1].close()
        return connector

    def make(self, row: ConnectionRow) -> Connector:
        """A connector of its own, for a check or a first set-up."""
        factory = connector_class(row.kind)
        settings = factory.settings_model.model_validate(dict(row.settings))
        limiter = ConnectionLimiter(self._storage, row.id, factory.budgets)
        connector: Connector = factory(settings, StoredCredentials(self._admin, row.id, self._clock), limiter)
        return connector

    def verify(self, row: ConnectionRow, request: WebhookRequest) -> WebhookHint:
        """Which tickets an authentic webhook names; WebhookRefused, UnrecognisedPayload."""
        return self.get(row.id).verify_webhook(request)

    def must_be_usable(self, connection_id: str, now: datetime) -> None:
        """Held while the connection is paused, Stopped while it is stopped; SwitchedOff, NotFound for ever."""
        row = self._row(connection_id)
        self._outages.seen(row)
        if not row.enabled:
            raise SwitchedOff(f"The connection {row.name!r} is switched off.")
        if row.stopped_reason is not None:
            raise Stopped(now + timedelta(hours=1), row.stopped_reason)
        if row.paused_until is not None and row.paused_until > now:
            raise Held(row.paused_until, "The helpdesk asked us to wait.")

    def pause(self, connection_id: str | None, seconds: float, why: str) -> datetime:
        """Pauses the whole connection; returns until when."""
        until = self._clock() + timedelta(seconds=min(seconds, LONGEST_PAUSE_S))
        if connection_id is not None:
            self._admin.pause_connection(connection_id, until)
            log.warning("connection paused", connection=connection_id, seconds=round(seconds, 1), why=why)
        return until

    def stop(self, connection_id: str | None, why: str) -> None:
        """Nothing more is sent until a person acts; rows stay pending."""
        if connection_id is not None and self._outages.stopped(connection_id, why):
            log.error("connection stopped, a person must act", connection=connection_id, why=why)

    def worked(self, connection_id: str) -> None:
        self._breakers[connection_id].worked()
        self._outages.worked(connection_id)

    def failed(self, connection_id: str, why: str) -> None:
        """Counts a failure; too many pause the connection for a minute, and after some of those people are told."""
        self._outages.failed(connection_id, why)
        if self._breakers[connection_id].failed():
            self.pause(connection_id, OPEN_S, "Too many calls failed.")

    def close(self) -> None:
        with self._lock:
            for _, connector in self._made.values():
                connector.close()
            self._made.clear()

    def _row(self, connection_id: str) -> ConnectionRow:
        row = self._admin.connection(connection_id)
        if row is None:
            raise NotFound(f"Connection {connection_id!r} does not exist any more.")
        return row
