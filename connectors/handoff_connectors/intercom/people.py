"""Who is who in one workspace: the teammate we write as, other teammates, and the customer as a contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.faults import ContactConflict, ContactGone, ContactMerged
from handoff_connectors.intercom.mapping import at, text_at, to_agent
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_sync.contract.connector import HelpdeskAgent, Requester
from handoff_sync.contract.memory import Remembered
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import TicketGone, UnrecognisedPayload, VendorRejected

_ROLES: Final = frozenset({"user", "lead"})
_HOPS: Final = 3


@dataclass(frozen=True, slots=True)
class Contact:
    """`role` is what a conversation says of whom it is from."""

    id: str
    role: str


class People:
    """Looks people up once."""

    def __init__(self, api: IntercomApi, settings: IntercomSettings) -> None:
        self._api = api
        self._settings = settings
        self._me: Wild | None = None
        self._agents: Remembered[str, HelpdeskAgent] = Remembered()
        self._contacts: Remembered[str, Contact] = Remembered()

    @property
    def us(self) -> str:
        """The teammate in whose name we write notes. What they write is taken for ours."""
        return self._settings.admin_id or self._who()["id"].identifier()

    @property
    def workspace(self) -> str | None:
        """Intercom's id of the workspace; None where it does not say."""
        return self._settings.workspace_id or text_at(self._who(), "app", "id_code") or None

    def _who(self) -> Wild:
        if self._me is None:
            self._me = self._api.me()
        return self._me

    def agent(self, admin: str) -> HelpdeskAgent:
        """A teammate; without a name when Intercom has none of that id any more."""
        known = self._agents.get(admin)
        if known is None:
            try:
                known = to_agent(self._api.admin(admin))
            except VendorRejected:
                known = HelpdeskAgent(id=admin, name="")
            self._agents.put(admin, known)
        return known

    # --- the customer ----------------------------------------------------------------------------

    def contact(self, requester: Requester) -> Contact:
        """The customer, made if need be. Making is idempotent, for a second one is a conflict (quirk IC-2)."""
        known = self._contacts.get(requester.external_id)
        if known is None:
            known = self._made(requester)
            self._contacts.put(requester.external_id, known)
        return known

    def forget(self, requester: Requester) -> None:
        self._contacts.forget(requester.external_id)

    def _made(self, requester: Requester) -> Contact:
        customer = requester.customer
        # A contact without a name stands in the inbox as a made-up colour and animal, or as nothing.
        fields: dict[str, object] = {
            "role": "user",
            "external_id": requester.external_id,
            "name": requester.display_name,
        }
        if customer.email and customer.email_verified:  # a claimed address would find somebody else
            fields["email"] = customer.email
        try:
            return _contact(self._api.create_contact(fields))
        except ContactConflict as conflict:
            return self._existing(conflict, requester) or self._stand_in(requester)

    def _existing(self, conflict: ContactConflict, requester: Requester) -> Contact | None:
        """The contact that was in the way; None when it cannot be used any more."""
        if conflict.contact is None:
            return self._searched(requester)
        try:
            if conflict.archived:
                self._api.unarchive(conflict.contact)
            return self._followed(conflict.contact)
        except (ContactGone, ContactMerged):
            return self._searched(requester)
        except TicketGone:
            raise
        except VendorRejected:  # merged away or blocked: not restorable (quirk IC-3)
            return None

    def _followed(self, contact: str) -> Contact:
        """The contact, or the one it was merged into."""
        for _ in range(_HOPS):
            try:
                return _contact(self._api.contact(contact))
            except ContactMerged as merged:
                if merged.canonical is None:
                    raise
                contact = merged.canonical
        return _contact(self._api.contact(contact))

    def _searched(self, requester: Requester) -> Contact | None:
        """By external id, then by vouched address: of several users the one who was here last."""
        found = self._api.contacts_with("external_id", requester.external_id)
        if not found and requester.customer.email and requester.customer.email_verified:
            email = requester.customer.email
            found = [c for c in self._api.contacts_with("email", email) if text_at(c, "role") == "user"]
        return _contact(max(found, key=_last_seen)) if found else None

    def _stand_in(self, requester: Requester) -> Contact:
        """A lead without the external id and address that clash."""
        return _contact(self._api.create_contact({"role": "lead", "name": requester.display_name}))


def _contact(contact: Wild) -> Contact:
    role = text_at(contact, "role")
    return Contact(contact["id"].identifier(), role if role in _ROLES else "contact")


def _last_seen(contact: Wild) -> float:
    for name in ("last_seen_at", "created_at"):
        found = at(contact, name)
        try:
            if found is not None:
                return found.time().timestamp()
        except UnrecognisedPayload:
            continue
    return 0.0
