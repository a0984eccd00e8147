"""Who is who at one account: we, the agents, and the customer behind a requester. Remembered for a while."""

from __future__ import annotations

from collections.abc import Iterable

from handoff_connectors.gorgias.api import GorgiasApi
from handoff_connectors.gorgias.faults import Taken
from handoff_connectors.gorgias.mapping import fitting, text_at
from handoff_connectors.gorgias.settings import GorgiasSettings
from handoff_sync.contract.connector import Requester
from handoff_sync.contract.memory import Remembered
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import VendorAuthError, VendorRejected


class People:
    """Looks people up once."""

    def __init__(self, api: GorgiasApi, settings: GorgiasSettings) -> None:
        self._api = api
        self._settings = settings
        self._us: Wild | None = None
        self._users: Remembered[int, Wild] = Remembered()
        self._customers: Remembered[str, int] = Remembered()

    @property
    def us(self) -> int:
        """The user behind the credentials: in whose name everything of ours is written."""
        return self.our_user()["id"].integer()

    def our_user(self) -> Wild:
        """That 0 stands for the caller is not documented: with an API key the address finds the user too."""
        if self._us is None:
            try:
                self._us = self._api.user(0)
            except VendorRejected:
                self._us = self._by_address()
        return self._us

    def _by_address(self) -> Wild:
        email = (self._settings.email or "").lower()
        for user in self._api.users(email) if email else ():
            if text_at(user, "email").lower() == email:
                return user
        raise VendorAuthError("Gorgias does not tell who we are. Check the credentials of the connection.")

    def user(self, user: int) -> Wild | None:
        """A user, or None when Gorgias has none of that id (any more)."""
        known = self._users.get(user)
        if known is not None:
            return known
        try:
            found = self._api.user(user)
        except VendorRejected:
            return None
        self._users.put(user, found)
        return found

    def customer(self, requester: Requester) -> int:
        """The customer of this requester, made at most once and never changed (quirk GO-7)."""
        known = self._customers.get(requester.external_id)
        if known is None:
            known = self._find(requester) or self._create(requester)
            self._customers.put(requester.external_id, known)
        return known

    def customer_anew(self, requester: Requester) -> int:
        """Looked up once more: customers may have been merged or deleted since."""
        self._customers.forget(requester.external_id)
        return self.customer(requester)

    def _find(self, requester: Requester) -> int | None:
        if address := self._address(requester):
            by_address = (c for c in self._api.customers({"email": address}) if _has(c, "email", address))
            if (found := _lowest(by_address)) is not None:
                return found
        known_as = fitting(requester.external_id)
        return _lowest(c for c in self._api.customers({"external_id": known_as}) if _has(c, "external_id", known_as))

    def _create(self, requester: Requester) -> int:
        name, address = requester.customer.name, self._address(requester)
        fields: dict[str, object] = {"external_id": fitting(requester.external_id), "name": name or "Unknown customer"}
        try:
            made = self._api.create_customer(fields | ({"email": address} if address else {}))
        except Taken:
            found = self._find(requester)
            if found is None:
                raise
            return found
        return made["id"].integer()

    def _address(self, requester: Requester) -> str:
        """The address that Gorgias may know: vouched for by the platform, and only if the setting says so."""
        customer = requester.customer
        allowed = self._settings.attach_customer_email and customer.email_verified
        return (customer.email or "").strip().lower() if allowed else ""


def _has(customer: Wild, name: str, value: str) -> bool:
    found = text_at(customer, name)
    return found.lower() == value if name == "email" else found == value


def _lowest(customers: Iterable[Wild]) -> int | None:
    return min((customer["id"].integer() for customer in customers), default=None)
