"""The shared rate budget of a connection: counted in Redis where there is one, else in this process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import structlog
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from handoff_sync.contract.connector import Budget
from handoff_sync.errors import RateLimited

log = structlog.get_logger(__name__)

EVERY_CALL = "*"
COUNTER_TIMEOUT_S = 1.0
UNCOUNTED_S = 10.0
"""A counter that did not answer is left alone for this long, so that calls are not slowed one by one."""


def budget_storage(broker_url: str) -> Storage:
    """Where calls are counted: beside the broker, so that all processes share one budget."""
    if urlsplit(broker_url).scheme in ("redis", "rediss"):
        # Without these a counter that hangs would hold its worker for ever.
        patience: Any = {
            "socket_timeout": COUNTER_TIMEOUT_S,
            "socket_connect_timeout": COUNTER_TIMEOUT_S,
            "retry": Retry(NoBackoff(), 1),
        }
        storage = storage_from_string(broker_url, wrap_exceptions=True, **patience)
    else:
        storage = storage_from_string("memory://")
    assert isinstance(storage, Storage)
    return storage


class ConnectionLimiter:
    """The `Limiter` of one connection."""

    def __init__(self, storage: Storage, connection_id: str, budgets: Sequence[Budget]) -> None:
        self._windows = MovingWindowRateLimiter(storage)
        self._connection = connection_id
        self._uncounted_until = 0.0
        self._items = {b.name: RateLimitItemPerSecond(b.limit, b.window_s, namespace="handoff") for b in budgets}

    def spend(self, name: str) -> None:
        """Counts a call. RateLimited with the wait when a budget is used up.

        When the counter cannot be reached the call goes ahead: the helpdesk's own 429 still protects it.
        """
        if time.monotonic() < self._uncounted_until:
            return
        names = [n for n in dict.fromkeys((name, EVERY_CALL)) if n in self._items]
        try:
            for each in names:
                if not self._windows.test(self._items[each], self._connection, each):
                    raise self._used_up(each)
            for each in names:
                # Between the look and the count another thread may have taken the last call.
                if not self._windows.hit(self._items[each], self._connection, each):
                    raise self._used_up(each)
        except StorageError:
            self._uncounted_until = time.monotonic() + UNCOUNTED_S
            log.warning("rate budget cannot be counted", connection=self._connection)

    def _used_up(self, name: str) -> RateLimited:
        free_at = self._windows.get_window_stats(self._items[name], self._connection, name).reset_time
        wait = max(0.1, free_at - time.time())
        scope = "connection" if name == EVERY_CALL else "ticket"  # one kind of call waits, the others go on
        return RateLimited(f"Our own budget {name!r} of this connection is used up for {wait:.1f} s.", wait, scope)
