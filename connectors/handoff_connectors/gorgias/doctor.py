"""Looks whether a connection can work, and makes the two HTTP integrations that tell us of changes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from handoff_connectors.gorgias.api import GorgiasApi
from handoff_connectors.gorgias.mapping import role_of, text_at
from handoff_connectors.gorgias.people import People
from handoff_connectors.gorgias.settings import GorgiasSettings
from handoff_connectors.gorgias.tokens import missing_scopes
from handoff_connectors.gorgias.webhook import FORMS, HEADER, TRIGGERS
from handoff_sync.contract.connector import Finding, InstalledWebhook
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import HandoffError, VendorAuthError

_SECRET_BYTES: Final = 32
_DESCRIPTION: Final = "Tells handoff-sync which tickets changed. Managed by it; please leave it as it is."
_INSTALL: Final = "Install the webhook of this connection again."


class Doctor:
    """`known` gives the webhook secrets that are stored now, the newest first."""

    def __init__(
        self, api: GorgiasApi, people: People, settings: GorgiasSettings, known: Callable[[], tuple[str, ...]]
    ) -> None:
        self._api = api
        self._people = people
        self._settings = settings
        self._known = known

    # --- checking ------------------------------------------------------------------------------------

    def check(self) -> tuple[Finding, ...]:
        """Without credentials nothing else is asked."""
        try:
            self._api.account()
            us = self._people.our_user()
        except HandoffError as error:
            todo = "Make an API key in Settings > REST API (README, step 2) and store it in the connection."
            if not isinstance(error, VendorAuthError):
                todo = "Check the domain and that Gorgias can be reached, then check again."
            return (Finding(name="credentials", ok=False, detail=str(error), todo=todo),)
        signed_in = Finding(name="credentials", ok=True, detail=f"Signed in at {self._settings.host}.")
        return (signed_in, *self._rest(us))

    def _rest(self, us: Wild) -> Iterator[Finding]:
        yield self._try("admin role", lambda: _admin(us))
        yield _scopes(self._api.granted_scopes)
        yield self._try("events", self._events)
        yield self._try("webhook", self._webhook)
        yield self._try("auto-merge", self._auto_merge)

    def _try(self, name: str, look: Callable[[], Finding]) -> Finding:
        try:
            return look()
        except HandoffError as error:
            return Finding(name=name, ok=False, detail=str(error), todo="Do what the message says, then check again.")

    def _events(self) -> Finding:
        self._api.newest_events()
        return Finding(name="events", ok=True, detail="Changed tickets can be listed.")

    def _webhook(self) -> Finding:
        installed = self._installed()
        problems = [problem for part in TRIGGERS if (problem := self._problem(part, installed.get(part)))]
        where = {urlsplit(text_at(ours, "http", "url")).netloc for ours in installed.values()}
        told = f" They call {', '.join(sorted(where))}." if where else ""  # the path is secret
        return Finding(
            name="webhook",
            ok=not problems,
            detail=(" ".join(problems) or "Both integrations are active and know the stored secret.") + told,
            todo=_INSTALL if problems else "",
        )

    def _problem(self, part: str, ours: Wild | None) -> str:
        name = self._name(part)
        if ours is None:
            return f"There is no HTTP integration named {name!r}."
        if ours.get("deactivated_datetime") is not None:
            return f"Gorgias has switched off {name!r}, as it does after many failed calls (quirk GO-15)."
        if self._settings.webhook_url is not None and text_at(ours, "http", "url") != self._settings.webhook_url:
            return f"{name!r} calls another address than this service's."
        if _header(ours) not in self._known():
            return f"{name!r} has another secret than the stored one."
        missing = {trigger for trigger in TRIGGERS[part] if not _triggers(ours).get(trigger)}
        return f"{name!r} does not tell of {', '.join(sorted(missing))}." if missing else ""

    def _auto_merge(self) -> Finding:
        """Only a person can see whether the rule is there; Gorgias shows no rules to us (quirk GO-5)."""
        days = next(
            (found for setting in self._api.account_settings() if (found := _window(setting)) is not None), None
        )
        tag = self._settings.merge_exclusion_tag
        if days is None:
            return Finding(name="auto-merge", ok=True, detail="Gorgias does not merge tickets by itself.")
        done = self._settings.merge_exclusion_rule
        kept = f" The rule for the tag {tag!r} keeps ours apart." if done else ""
        return Finding(
            name="auto-merge",
            ok=done,
            detail=f"Gorgias merges tickets of one customer within {days} days.{kept}",
            todo=""
            if done
            else f"Make a rule: when a ticket is created, if tag is {tag}, then Exclude ticket from auto-merge. "
            "Then set merge_exclusion_rule.",
        )

    # --- installing ----------------------------------------------------------------------------------

    def install(self, url: str) -> InstalledWebhook:
        """Makes both integrations, or corrects those that are there; a second run changes nothing."""
        secret = next(iter(self._known()), "") or secrets.token_urlsafe(_SECRET_BYTES)
        installed = self._installed(url)
        ids = [self._put(part, installed.get(part), url, secret) for part in TRIGGERS]
        return InstalledWebhook(id=",".join(ids), changes={"webhook_secret": secret, "webhook_url": url})

    def _put(self, part: str, ours: Wild | None, url: str, secret: str) -> str:
        wanted = _wanted(part, url, secret)
        if ours is None:
            fields = {"type": "http", "name": self._name(part), "description": _DESCRIPTION, "http": wanted}
            return self._api.create_integration(fields)["id"].identifier()
        number = ours["id"].identifier()
        if not _fits(ours, wanted):
            # Without a name the change is refused.
            self._api.change_integration(
                number, {"name": self._name(part), "deactivated_datetime": None, "http": wanted}
            )
        return number

    def _installed(self, url: str | None = None) -> Mapping[str, Wild]:
        """Ours by part: of several with our name the one that calls us, else the oldest."""
        url = url or self._settings.webhook_url
        named: dict[str, list[Wild]] = {}
        for found in self._api.integrations():
            named.setdefault(text_at(found, "name"), []).append(found)
        ours = {part: named[self._name(part)] for part in TRIGGERS if self._name(part) in named}
        return {
            part: min(several, key=lambda one: (text_at(one, "http", "url") != url, one["id"].integer()))
            for part, several in ours.items()
        }

    def _name(self, part: str) -> str:
        return f"{self._settings.webhook_name} {part}"


def _wanted(part: str, url: str, secret: str) -> dict[str, Any]:
    return {
        "url": url,
        "method": "POST",
        "request_content_type": "application/json",
        "response_content_type": "application/json",
        "headers": {HEADER: secret},
        "form": dict(FORMS[part]),
        "triggers": dict.fromkeys(TRIGGERS[part], True),
    }


def _fits(ours: Wild, wanted: Mapping[str, Any]) -> bool:
    if ours.get("deactivated_datetime") is not None:
        return False
    http = ours["http"]
    same = all((found := http.get(name)) is not None and found.raw() == wanted[name] for name in ("url", "form"))
    return same and _header(ours) == wanted["headers"][HEADER] and _told(ours) == frozenset(wanted["triggers"])


def _header(ours: Wild) -> str:
    """Our secret as the integration has it; names of headers may come back in another case."""
    headers = ours["http"].get("headers")
    for name in headers.keys() if headers is not None else ():
        if name.lower() == HEADER.lower():
            assert headers is not None
            return text_at(headers, name)
    return ""


def _triggers(ours: Wild) -> Mapping[str, object]:
    triggers = ours["http"].get("triggers")
    return triggers.raw() if triggers is not None and isinstance(triggers.raw(), dict) else {}


def _told(ours: Wild) -> frozenset[str]:
    return frozenset(name for name, on in _triggers(ours).items() if on)


def _admin(us: Wild) -> Finding:
    role = role_of(us)
    todo = "" if role == "admin" else "Give the user behind the credentials the role admin: integrations need it."
    return Finding(
        name="admin role", ok=role == "admin", detail=f"The connector user is {role or 'unknown'}.", todo=todo
    )


def _scopes(granted: str | None) -> Finding:
    missing = ", ".join(sorted(missing_scopes(granted)))
    return Finding(
        name="scopes",
        ok=not missing,
        detail=f"The token lacks {missing}." if missing else "The credentials may do all that is needed.",
        todo="Let the app ask for the scopes named in the README, step 2, and connect it once more." if missing else "",
    )


def _window(setting: Wild) -> str | None:
    """Days within which tickets are merged, if this setting says so; its type is not documented, only its shape."""
    data = setting.get("data")
    tickets = data.raw().get("tickets") if data is not None and isinstance(data.raw(), dict) else None
    if not isinstance(tickets, dict) or "merging_window_days" not in tickets or tickets.get("enabled") is not True:
        return None
    return str(tickets["merging_window_days"])[:10]
