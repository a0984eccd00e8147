"""Who is who at one account: the connector user, agents, and who asked in which ticket. Remembered for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Generic, TypeVar

from handoff_connectors.zendesk.api import ZendeskApi
from handoff_connectors.zendesk.mapping import is_usable, requester_fields, user_fields
from handoff_sync.contract.connector import Requester
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import VendorRejected

REMEMBERED_S: Final = 600.0
_MOST: Final = 5000

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """A bounded memory in which everything is forgotten after REMEMBERED_S. Thread-safe."""

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        self._now = now or time.monotonic
        self._lock = threading.Lock()
        self._known: dict[K, tuple[V, float]] = {}

    def get(self, key: K) -> V | None:
        with self._lock:
            value, until = self._known.get(key, (None, 0.0))
            return value if self._now() < until else None

    def put(self, key: K, value: V) -> None:
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = (value, self._now() + REMEMBERED_S)


class People:
    """Looks people up once."""

    def __init__(self, api: ZendeskApi) -> None:
        self._api = api
        self._us: int | None = None
        self._users: Remembered[int, Wild] = Remembered()
        self._requesters: Remembered[str, int] = Remembered()
        self._customers: Remembered[str, int] = Remembered()

    @property
    def us(self) -> int:
        """The connector user: in whose name everything of ours is written."""
        if self._us is None:
            self._us = self._api.me()["id"].integer()
        return self._us

    def user(self, user: int) -> Wild | None:
        """A user, or None when Zendesk has none of that id any more."""
        known = self._users.get(user)
        if known is not None:
            return known
        try:
            found = self._api.user(user)
        except VendorRejected:
            return None
        self._users.put(user, found)
        return found

    def learn(self, users: Iterable[Wild]) -> None:
        for user in users:
            self._users.put(user["id"].integer(), user)

    def requester_of(self, ticket: str) -> int:
        """Who asked in this ticket; agents may have corrected it since it was opened."""
        known = self._requesters.get(ticket)
        if known is None:
            known = self._api.ticket(ticket)["requester_id"].integer()
            self._requesters.put(ticket, known)
        return known

    def learn_requester(self, ticket: str, user: int) -> None:
        self._requesters.put(ticket, user)

    def asks(self, requester: Requester) -> Mapping[str, object] | None:
        """The fields that say who asks; None when Zendesk does not let this customer ask (quirk ZD-12)."""
        by_address = requester_fields(requester)
        if by_address is not None:
            return by_address
        user = self._customer(requester)
        return {"requester_id": user} if user is not None else None

    def _customer(self, requester: Requester) -> int | None:
        """The user of a customer without a vouched address, made at most once (quirk ZD-11)."""
        known = self._customers.get(requester.external_id)
        if known is not None:
            return known
        user = self._api.put_user(user_fields(requester))
        if not is_usable(user):
            return None
        self._customers.put(requester.external_id, user["id"].integer())
        return user["id"].integer()
