"""Looks whether a connection can work, and makes the webhook that it needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

from handoff_connectors.zendesk.api import ZendeskApi
from handoff_connectors.zendesk.mapping import OUR_TAGS
from handoff_connectors.zendesk.settings import ZendeskSettings
from handoff_connectors.zendesk.tokens import missing_scopes
from handoff_connectors.zendesk.webhook import SUBSCRIPTIONS
from handoff_sync.contract.connector import Finding, InstalledWebhook
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import HandoffError, VendorAuthError

_EXPORT_DELAY_S: Final = 120
_FOR_TRIGGERS: Final = "conditional_ticket_events"
_REQUESTER: Final = frozenset({"requester_id", "requester_and_ccs"})


class Doctor:
    """`secrets` gives the signing secrets that are stored now."""

    def __init__(self, api: ZendeskApi, settings: ZendeskSettings, secrets: Callable[[], tuple[str, ...]]) -> None:
        self._api = api
        self._settings = settings
        self._secrets = secrets

    def check(self) -> tuple[Finding, ...]:
        """Without credentials nothing else is asked."""
        try:
            us = self._api.me()
        except HandoffError as error:
            todo = "Create an OAuth client (README, step 2) and store its id and secret in the connection."
            if not isinstance(error, VendorAuthError):
                todo = "Check the subdomain and that Zendesk can be reached, then check again."
            return (Finding(name="credentials", ok=False, detail=str(error), todo=todo),)
        signed_in = Finding(name="credentials", ok=True, detail=f"Signed in at {self._settings.host}.")
        return (signed_in, *self._rest(us))

    def _rest(self, us: Wild) -> Iterator[Finding]:
        yield self._try("admin role", lambda: _admin(us))
        yield _scopes(self._api.granted_scopes)
        yield self._try("incremental export", self._export)
        yield self._try("webhook", self._webhook)
        yield self._try("triggers", self._triggers)

    def _try(self, name: str, look: Callable[[], Finding]) -> Finding:
        try:
            return look()
        except HandoffError as error:
            return Finding(name=name, ok=False, detail=str(error), todo="Do what the message says, then check again.")

    def _export(self) -> Finding:
        self._api.export(None, int(time.time()) - _EXPORT_DELAY_S)
        return Finding(name="incremental export", ok=True, detail="Changed tickets can be listed.")

    def _webhook(self) -> Finding:
        ours = self._ours()
        problem = self._webhook_problem(ours)
        where = "" if ours is None else f" It calls {urlsplit(ours['endpoint'].text()).netloc}."  # the path is secret
        return Finding(
            name="webhook",
            ok=problem == "",
            detail=(problem or "Our webhook is active and signed with the stored secret.") + where,
            todo="" if problem == "" else "Install the webhook of this connection again.",
        )

    def _webhook_problem(self, ours: Wild | None) -> str:
        if ours is None:
            return f"There is no webhook named {self._settings.webhook_name!r}."
        if ours["status"].text() != "active":
            return "Our webhook is switched off."
        if self._settings.webhook_url is not None and ours["endpoint"].text() != self._settings.webhook_url:
            return "Our webhook calls another address than this service's."
        missing = set(SUBSCRIPTIONS) - set(_texts(ours, "subscriptions"))
        if missing and _FOR_TRIGGERS not in _texts(ours, "subscriptions"):
            return f"Our webhook does not tell of {len(missing)} kinds of events."
        if self._api.signing_secret(ours["id"].identifier()) not in self._secrets():
            return "Zendesk signs with another secret than the stored one."
        return ""

    def _triggers(self) -> Finding:
        """Triggers that mail the customer about our tickets too (README, step 5)."""
        mailing = [t["title"].text() for t in self._api.active_triggers() if _mails_requester(t) and not _spares_us(t)]
        return Finding(
            name="triggers",
            ok=not mailing,
            detail=f"These mail the customer: {'; '.join(mailing[:10])}." if mailing else "No trigger mails twice.",
            todo=f"Add the condition `Tags | Contains none of | {OUR_TAGS[0]}` to them." if mailing else "",
        )

    def _ours(self) -> Wild | None:
        """The oldest webhook with exactly our name: names are not unique at Zendesk."""
        named = [w for w in self._api.webhooks(self._settings.webhook_name) if w["name"].text() == self._name]
        return min(named, key=lambda webhook: webhook["created_at"].time(), default=None)

    @property
    def _name(self) -> str:
        return self._settings.webhook_name

    def install(self, url: str) -> InstalledWebhook:
        """Makes the webhook, or corrects the one that is there; a second run changes nothing."""
        wanted: dict[str, object] = {
            "name": self._name, "endpoint": url, "status": "active", "http_method": "POST", "request_format": "json",
            "subscriptions": list(SUBSCRIPTIONS),
        }  # fmt: skip
        ours = self._ours()
        if ours is None:
            webhook = self._api.create_webhook(wanted)["webhook"]["id"].identifier()
        else:
            webhook = ours["id"].identifier()
            self._correct(ours, wanted)
        return InstalledWebhook(id=webhook, changes=self._changes(webhook, url))

    def _correct(self, ours: Wild, wanted: dict[str, object]) -> None:
        """One that an admin made for triggers stays so: Zendesk cannot turn it into the other kind."""
        subscribed = _texts(ours, "subscriptions")
        if _FOR_TRIGGERS in subscribed:
            wanted = {name: value for name, value in wanted.items() if name != "subscriptions"}
        now = {name: ours[name].raw() for name in wanted} | {"subscriptions": sorted(subscribed)}
        if any(now[name] != (sorted(SUBSCRIPTIONS) if name == "subscriptions" else v) for name, v in wanted.items()):
            self._api.change_webhook(ours["id"].identifier(), wanted)

    def _changes(self, webhook: str, url: str) -> dict[str, str]:
        """The secret that signs from now on; the one before stays good, for deliveries that are under way."""
        secret = self._api.signing_secret(webhook)
        changes = {"signing_secret": secret, "webhook_url": url}
        before = [known for known in self._secrets() if known and known != secret]
        return changes | ({"signing_secret_previous": before[0]} if before else {})


def _admin(us: Wild) -> Finding:
    role = us["role"].text()
    todo = "" if role == "admin" else "Give the connector user the role admin: exports and webhooks need it."
    return Finding(name="admin role", ok=role == "admin", detail=f"The connector user is {role}.", todo=todo)


def _scopes(granted: str | None) -> Finding:
    missing = ", ".join(sorted(missing_scopes(granted)))
    return Finding(
        name="scopes",
        ok=not missing,
        detail=f"The token lacks {missing}." if missing else "The token may do all that is needed.",
        todo="Let the OAuth client have the scopes named in the README, step 2." if missing else "",
    )


def _texts(thing: Wild, name: str) -> list[str]:
    values = thing.get(name)
    return [value.text() for value in values] if values is not None else []


def _mails_requester(trigger: Wild) -> bool:
    for action in trigger["actions"]:
        value = action.get("value")
        target = value.raw() if value is not None else None
        first = target[0] if isinstance(target, list) and target else target
        if action["field"].text() == "notification_user" and first in _REQUESTER:
            return True
    return False


def _spares_us(trigger: Wild) -> bool:
    """Whether all of its conditions include that our tag is not there."""
    for condition in trigger["conditions"]["all"]:
        value = condition.get("value")
        if condition["field"].text() != "current_tags" or condition["operator"].text() != "not_includes":
            continue
        if value is not None and set(OUR_TAGS) & set(str(value.raw()).split()):
            return True
    return False
