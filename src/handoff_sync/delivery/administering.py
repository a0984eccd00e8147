"""What an administrator sets in motion at helpdesks and at the platform: connect, change, check, try a callback."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from handoff_sync.callbacks import Callback, CallbackResult, send
from handoff_sync.contract.connector import Finding
from handoff_sync.contract.http import HttpClient
from handoff_sync.contract.registry import connector_class
from handoff_sync.core.scope import Surroundings
from handoff_sync.delivery.configuring.stored import surroundings
from handoff_sync.delivery.connecting import checked, misfits, secret_fields, set_up
from handoff_sync.delivery.connections import ConnectionPool
from handoff_sync.errors import ConfigurationError, HandoffError, Refused
from handoff_sync.store.admin import Admin
from handoff_sync.store.ids import new_id
from handoff_sync.store.rows import ConnectionRow, EndpointRow, WorkspaceRow

_OPERATORS: Final = frozenset({"base_url", "allow_private"})
"""Settings that lead calls into private networks: a workspace must not choose those by itself."""


class Administration:
    """Calls of seconds: whoever waits for them does so in a thread.

    `hooks` is the start of our webhooks' addresses, `private` the networks that the operator lets calls go to.
    """

    def __init__(
        self,
        admin: Admin,
        pool: ConnectionPool,
        http: HttpClient,
        clock: Callable[[], datetime],
        hooks: str,
        private: Sequence[IPv4Network | IPv6Network] = (),
    ) -> None:
        self._admin = admin
        self._pool = pool
        self._http = http
        self._clock = clock
        self._hooks = hooks
        self._private = tuple(private)

    def surroundings(self, workspace: WorkspaceRow) -> Surroundings:
        """What the workspace's policy refers to."""
        return surroundings(self._admin, workspace)

    # --- connections --------------------------------------------------------------------------

    def connect(
        self,
        workspace_id: str,
        kind: str,
        name: str,
        settings: Mapping[str, object],
        secrets: Mapping[str, str | None],
    ) -> tuple[ConnectionRow | None, tuple[Finding, ...]]:
        """The new connection with its webhook, and what was found; None, and nothing is kept, where it does not work.

        Raises:
            ConfigurationError: What does not fit, a line for each.
            Refused: There is a connection of this name.
            HandoffError: The helpdesk did not answer as it should; nothing is kept.
        """
        given = {field: value for field, value in {**settings, **secrets}.items() if value is not None}
        self._must_fit(kind, settings, secrets, given)
        if self._admin.connection_by_name(workspace_id, name) is not None:
            raise Refused("name_taken", "There is a connection of this name. Choose another, or change that one.")
        try:
            done = set_up(self._admin, self._pool, workspace_id, kind, name, given, self._hooks)
        except Refused:
            raise  # somebody else took the name meanwhile: that connection is theirs
        except HandoffError:
            if (row := self._admin.connection_by_name(workspace_id, name)) is not None:
                self._admin.delete_connection(row.id)
            raise
        return done.connection, done.findings

    def change(
        self, row: ConnectionRow, settings: Mapping[str, object], secrets: Mapping[str, str | None]
    ) -> ConnectionRow:
        """Other settings and secrets; None forgets one. ConfigurationError: what does not fit, a line for each."""
        kept = {field: value for field, value in {**row.settings, **settings}.items() if value is not None}
        new = {field: value for field, value in secrets.items() if value is not None}
        self._must_fit(row.kind, settings, secrets, {**kept, **new})
        if settings:
            self._admin.update_connection(row.id, settings=kept)
        if secrets:
            known = {**self._admin.connection_secrets(row.id), **secrets}
            self._admin.save_connection_secrets(row.id, {field: value for field, value in known.items() if value})
        return self._admin.connection(row.id) or row

    def check(self, row: ConnectionRow) -> tuple[Finding, ...]:
        """What is well and what is not, without changing anything."""
        return checked(self._admin, self._pool, row.id)

    def install_webhook(self, row: ConnectionRow) -> tuple[Finding, ...]:
        """Makes or corrects the webhook at the helpdesk, and lets the connection work again; what was found then."""
        set_up(self._admin, self._pool, row.workspace_id, row.kind, row.name, {}, self._hooks)
        return self.check(row)

    def shown_settings(self, row: ConnectionRow) -> dict[str, Any]:
        """Settings as people see them: what the webhook's installation left holds the address that only it may know."""
        hidden = _installed(row.kind)
        return {field: value for field, value in row.settings.items() if field not in hidden}

    # --- callbacks ----------------------------------------------------------------------------

    def must_be_callable(self, url: str) -> None:
        """ConfigurationError where callbacks would never reach the address."""
        parts = urlsplit(url)
        if not parts.hostname or parts.username or parts.password or parts.fragment:
            raise ConfigurationError(["url: must be an address like https://chat.example.com/callbacks."])
        if parts.scheme != "https" and not self._private:  # whether it may be reached is seen with every call
            text = "must start with https://; http:// only reaches networks that the operator allows."
            raise ConfigurationError([f"url: {text}"])

    def try_callback(self, endpoint: EndpointRow) -> CallbackResult:
        """Sends one callback of the type `callback.test`, signed as all are."""
        now = self._clock()
        trial = Callback(id=new_id("msg"), type="callback.test", timestamp=now, data={"endpoint_id": endpoint.id})
        return send(self._http, endpoint.url, trial, self._admin.endpoint_secrets(endpoint.id), now)

    # --- how ----------------------------------------------------------------------------------

    def _must_fit(
        self, kind: str, settings: Mapping[str, object], secrets: Mapping[str, str | None], all_: Mapping[str, object]
    ) -> None:
        try:
            model = connector_class(kind).settings_model
        except ConfigurationError as unknown:
            raise ConfigurationError([f"kind: {line}" for line in unknown.problems]) from None
        sealed, installed = secret_fields(model), _installed(kind)
        problems = [f"settings.{one}: is a secret; give it under secrets." for one in settings if one in sealed]
        problems += [f"secrets.{one}: there is no such secret here." for one in secrets if one not in sealed]
        problems += [
            f"settings.{one}: is set by the webhook's installation alone." for one in settings if one in installed
        ]
        problems += [f"settings.{one}: {text}" for one, text in self._operators_only(settings)]
        if not problems:
            problems = [_placed(sealed, field, text) for field, text in misfits(model, all_)]
        if problems:
            raise ConfigurationError(problems)

    def _operators_only(self, settings: Mapping[str, object]) -> list[tuple[str, str]]:
        given = {
            field: value for field, value in settings.items() if field in _OPERATORS and value not in (None, False)
        }
        host = urlsplit(str(given.get("base_url") or "")).hostname or ""
        if not given or (host and self._is_private(host)):
            return []
        text = "leads into private networks: the operator sets it with `handoff-sync connect`, or allows the network."
        return [(field, text) for field in given]

    def _is_private(self, host: str) -> bool:
        """Whether the operator lets calls go to this address; a name might lead anywhere."""
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._private)


def _installed(kind: str) -> frozenset[str]:
    try:
        installed: frozenset[str] = connector_class(kind).settings_model.installed
    except ConfigurationError:  # its connector is not installed here
        return frozenset({"webhook_url"})
    return installed


def _placed(sealed: frozenset[str], field: str, text: str) -> str:
    if not field:
        return f"settings: {text}"
    return f"{'secrets' if field in sealed else 'settings'}.{field}: {text}"
