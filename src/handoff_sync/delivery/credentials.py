"""The stored secrets of one connection, refreshed by one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from handoff_sync.errors import VendorDown
from handoff_sync.store.admin import Admin

REFRESH_LEASE_S = 30.0
ACCESS_TOKEN = "access_token"


class StoredCredentials:
    """Implements `contract.connector.Credentials`. No transaction is held while the helpdesk is asked."""

    def __init__(self, admin: Admin, connection_id: str, clock: Callable[[], datetime]) -> None:
        self._admin = admin
        self._connection = connection_id
        self._clock = clock

    def current(self) -> Mapping[str, str]:
        return self._admin.connection_secrets(self._connection)

    def refresh(self, renew: Callable[[Mapping[str, str]], Mapping[str, str]], stale: str) -> Mapping[str, str]:
        """Single-use refresh tokens: two processes renewing at once would lock the connection out."""
        current = self.current()
        if current.get(ACCESS_TOKEN, "") != stale:
            return current
        if not self._admin.take_refresh_lease(self._connection, REFRESH_LEASE_S):
            raise VendorDown("Another process is renewing the access token of this connection.", retry_after_s=5.0)
        current = self.current()
        if current.get(ACCESS_TOKEN, "") != stale:
            return current
        renewed = {**current, **renew(current)}
        self._admin.save_connection_secrets(self._connection, renewed)
        return renewed
