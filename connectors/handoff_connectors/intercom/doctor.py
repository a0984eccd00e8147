"""Looks whether a connection can work, and learns what it needs to know of the workspace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

from handoff_connectors.intercom.api import VERSION, IntercomApi
from handoff_connectors.intercom.mapping import text_at
from handoff_connectors.intercom.people import People
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_connectors.intercom.tickets import states_by_type
from handoff_sync.contract.connector import Finding, InstalledWebhook
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import HandoffError, VendorAuthError, VendorRejected

_NOBODY: Final = "handoff-sync:check"


class Doctor:
    """Nothing but `install` changes anything."""

    def __init__(self, api: IntercomApi, people: People, settings: IntercomSettings) -> None:
        self._api = api
        self._people = people
        self._settings = settings

    def check(self) -> tuple[Finding, ...]:
        """Without credentials nothing else is asked."""
        try:
            me = self._api.me()
        except HandoffError as error:
            todo = "Store a valid access token and the workspace's region (README, steps 2 and 3)."
            if not isinstance(error, VendorAuthError):
                todo = "Check that Intercom can be reached, then check again."
            return (Finding(name="credentials", ok=False, detail=str(error), todo=todo),)
        return (Finding(name="credentials", ok=True, detail="Signed in."), *self._rest(me))

    def _rest(self, me: Wild) -> Iterator[Finding]:
        yield self._try("region", lambda: self._region(me))
        yield self._try("teammate", lambda: self._teammate(me))
        yield self._try("conversations", self._conversations)
        yield self._try("contacts", self._contacts)
        yield self._try("version", self._version)
        if self._settings.reference_attribute is not None:
            yield self._try("attribute", self._attribute)
        if self._settings.ticket_type_id is not None:
            yield self._try("tickets", lambda: self._tickets(self._settings.ticket_type_id or ""))
        yield self._webhook()

    def _try(self, name: str, look: Callable[[], Finding]) -> Finding:
        try:
            return look()
        except HandoffError as error:
            return Finding(name=name, ok=False, detail=str(error), todo="Do what the message says, then check again.")

    def _region(self, me: Wild) -> Finding:
        region = text_at(me, "app", "region").lower()
        ok = region in ("", self._settings.region)
        detail = f"The workspace is hosted in {(region or self._settings.region).upper()}."
        return Finding(name="region", ok=ok, detail=detail, todo="" if ok else f"Set `region` to {region}.")

    def _teammate(self, me: Wild) -> Finding:
        us = self._settings.admin_id or me["id"].identifier()
        self._api.admin(us)
        detail = f"Teammate {us} writes our notes; what this teammate writes to customers is not passed on."
        return Finding(name="teammate", ok=True, detail=detail)

    def _conversations(self) -> Finding:
        self._api.search({"field": "updated_at", "operator": ">", "value": int(time.time())})
        return Finding(name="conversations", ok=True, detail="Conversations can be searched.")

    def _contacts(self) -> Finding:
        self._api.contacts_with("external_id", _NOBODY)
        return Finding(name="contacts", ok=True, detail="Contacts can be read.")

    def _version(self) -> Finding:
        """The list of deleted conversations came with 2.16: where it is refused, so is the rest of that version."""
        self._api.deleted(1)
        return Finding(name="version", ok=True, detail=f"Intercom speaks version {VERSION} with us.")

    def _attribute(self) -> Finding:
        wanted = self._settings.reference_attribute
        there = any(text_at(attribute, "name") == wanted for attribute in self._api.attributes())
        detail = f"The attribute {wanted!r} " + ("is there." if there else "does not exist.")
        todo = "" if there else "Install the webhook of this connection again: that makes the attribute."
        return Finding(name="attribute", ok=there, detail=detail, todo=todo)

    def _tickets(self, wanted: str) -> Finding:
        """Whether conversations can become tickets of this type, and whether these can be resolved."""
        todo = "Set `ticket_type_id` to a type of the category Customer (Settings > Inbox > Tickets), or to nothing."
        try:
            kind = self._api.ticket_type(wanted)
        except VendorRejected:
            return Finding(name="tickets", ok=False, detail=f"There is no ticket type {wanted}.", todo=todo)
        archived, category = kind.get("archived"), text_at(kind, "category")
        if category != "Customer" or (archived is not None and archived.raw() is True):
            what = "archived" if category == "Customer" else f"of the category {category}"
            return Finding(name="tickets", ok=False, detail=f"Ticket type {wanted} is {what}.", todo=todo)
        missing = {"waiting_on_customer", "resolved"} - {
            name for of, name in states_by_type(self._api.ticket_states()) if of == wanted
        }
        detail = f"Handoffs become tickets of type {wanted}."
        todo = (
            f"Give the type a state of each category; it has none for {', '.join(sorted(missing))}." if missing else ""
        )
        return Finding(name="tickets", ok=not missing, detail=detail, todo=todo)

    def _webhook(self) -> Finding:
        """Whether Intercom calls us cannot be asked; whether we would believe it can."""
        if not self._api.tokens.signing_secrets():
            todo = "Store the app's `client_secret` (Developer Hub > your app > Basic information): it signs webhooks."
            return Finding(name="webhook", ok=False, detail="Webhooks cannot be verified.", todo=todo)
        where = urlsplit(self._settings.webhook_url or "").netloc or "this service"  # the path is secret
        detail = f"Intercom does not tell what its app calls. It must be this connection's address at {where}."
        return Finding(name="webhook", ok=True, detail=f"{detail} See README, step 4.")

    def install(self, url: str) -> InstalledWebhook:
        """Intercom has no call for it: a person pastes the address. What is learned here tells whose webhooks count."""
        wanted = self._settings.reference_attribute
        if wanted is not None and not any(text_at(each, "name") == wanted for each in self._api.attributes()):
            self._api.create_attribute(wanted, "The id of this ticket in handoff-sync.")
        changes = {"webhook_url": url, "admin_id": self._people.us}
        workspace = self._people.workspace
        if workspace is not None:
            changes["workspace_id"] = workspace
        return InstalledWebhook(id=workspace or "app", changes=changes)
