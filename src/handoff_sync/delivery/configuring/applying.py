"""Making what is stored what a plan says. Safe to repeat: what was done is no difference any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from handoff_sync.contract.connector import Finding
from handoff_sync.contract.registry import connector_class
from handoff_sync.core.policy import Policy
from handoff_sync.core.presets import PRESETS
from handoff_sync.delivery.configuring.accounts import Account
from handoff_sync.delivery.configuring.planning import DEFAULT_PRESET, Callback, Plan
from handoff_sync.delivery.configuring.stored import overrides_with_names, with_names
from handoff_sync.delivery.connecting import CREDENTIALS, SetUp, secret_fields, set_up
from handoff_sync.delivery.connections import ConnectionPool
from handoff_sync.errors import HandoffError
from handoff_sync.store.admin import Admin
from handoff_sync.store.rows import ConnectionRow, WorkspaceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A secret that was made and cannot be read again. `file`: where the person wants it."""

    what: str
    secret: str = field(repr=False)
    file: str | None


@dataclass(slots=True, kw_only=True)
class Applied:
    """`refused` names connections whose credentials did not work; then nothing after them was changed."""

    workspace: str
    findings: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)


class Applier:
    """`hooks` is the start of our webhooks' addresses; None stores connections without asking their helpdesk."""

    def __init__(
        self,
        admin: Admin,
        pool: ConnectionPool,
        hooks: str | None,
        hand_out: Callable[[Made], None] = lambda made: None,
    ) -> None:
        """`hand_out` gets each secret as soon as it is made: it cannot be shown again if something fails later."""
        self._admin = admin
        self._pool = pool
        self._hooks = hooks
        self._hand_out = hand_out

    def apply(self, plan: Plan) -> Applied:
        row = plan.stored.workspace or self._new(plan)
        done = Applied(workspace=row.id)
        for account in plan.accounts:
            self._account(row.id, account, plan.stored.connections.get(account.name), done)
        if done.refused:
            return done
        self._settings(row, plan)
        for entry in plan.members:
            self._admin.put_member(
                row.id, entry.email, name=entry.name, role=entry.role, teams=entry.teams, language=entry.language
            )
        for callback in plan.callbacks:
            self._callback(row.id, callback, plan, done)
        for key in plan.keys:
            made = self._admin.create_api_key(row.id, key.name, tuple(scope.value for scope in key.scopes))
            self._made(done, Made(what=f"API key {key.name}", secret=made.key, file=key.key_file))
        self._prune(row.id, plan)
        return done

    def _new(self, plan: Plan) -> WorkspaceRow:
        """Its rules for connections come later, when those are there."""
        header = plan.document.header
        policy = plan.policy or PRESETS[header.preset or DEFAULT_PRESET]
        return self._admin.create_workspace(header.name or "", replace(policy, connections=()), id=header.id)

    def _settings(self, row: WorkspaceRow, plan: Plan) -> None:
        ids = {one.name: one.id for one in self._admin.connections(row.id)}
        policy: Policy | None = with_names(plan.policy, ids) if plan.policy is not None else None
        teams = None
        if plan.teams is not None:
            teams = {name: overrides_with_names(one, ids) for name, one in plan.teams.items()}
        before = self._admin.workspace(row.id) or row
        policy = None if policy == before.policy else policy
        if plan.name is not None or policy is not None or teams is not None:
            self._admin.update_workspace(row.id, name=plan.name, policy=policy, teams=teams)

    # --- connections -------------------------------------------------------------------------------

    def _account(self, workspace_id: str, account: Account, before: ConnectionRow | None, done: Applied) -> None:
        row = before
        if account.set_up and self._hooks is not None:
            row = self._set_up(workspace_id, account, before, done)
        elif account.set_up:
            row = self._store(workspace_id, account, before)
        if row is None:
            return
        if account.set_up and account.marks:
            self._admin.save_connection_secrets(row.id, {**self._admin.connection_secrets(row.id), **account.marks})
        now = self._admin.connection(row.id)
        if now is not None and account.enabled is not None and now.enabled != account.enabled:
            self._admin.update_connection(row.id, enabled=account.enabled)

    def _set_up(
        self, workspace_id: str, account: Account, before: ConnectionRow | None, done: Applied
    ) -> ConnectionRow | None:
        """None where the helpdesk refused the credentials: then everything is as it was."""
        secrets = self._admin.connection_secrets(before.id) if before is not None else {}
        try:
            found = set_up(
                self._admin, self._pool, workspace_id, account.kind, account.name, account.given, self._hooks or ""
            )
        except HandoffError as error:
            finding = Finding(name=CREDENTIALS, ok=False, detail=str(error), todo="Correct it and apply again.")
            found = SetUp(connection=None, findings=(finding,))
            self._take_back(workspace_id, account.name, before)
        done.findings[account.name] = found.findings
        if found.connection is not None and all(one.ok for one in found.findings if one.name == CREDENTIALS):
            return found.connection
        if before is not None:
            self._admin.update_connection(before.id, settings=before.settings)
            self._admin.save_connection_secrets(before.id, secrets)
        done.refused.append(account.name)
        return None

    def _take_back(self, workspace_id: str, name: str, before: ConnectionRow | None) -> None:
        """A new connection that could not be set up to its end."""
        made = self._admin.connection_by_name(workspace_id, name)
        if before is None and made is not None:
            self._admin.delete_connection(made.id)

    def _store(self, workspace_id: str, account: Account, before: ConnectionRow | None) -> ConnectionRow:
        sealed = secret_fields(connector_class(account.kind).settings_model)
        secrets = {name: str(value) for name, value in account.given.items() if name in sealed}
        known: Mapping[str, object] = before.settings if before is not None else {}
        merged = {**known, **{name: value for name, value in account.given.items() if name not in sealed}}
        settings = {name: value for name, value in merged.items() if value != ""}
        if before is None:
            return self._admin.create_connection(workspace_id, account.kind, account.name, settings, secrets)
        self._admin.update_connection(before.id, settings=settings)
        if secrets:
            self._admin.save_connection_secrets(before.id, {**self._admin.connection_secrets(before.id), **secrets})
        return before

    # --- callbacks, and what goes ------------------------------------------------------------------

    def _callback(self, workspace_id: str, callback: Callback, plan: Plan, done: Applied) -> None:
        entry, row = callback.entry, plan.stored.endpoints.get(callback.entry.url)
        if row is None:
            row, secret = self._admin.create_endpoint(workspace_id, entry.url, callback.secret)
            if callback.secret is None:
                self._made(done, Made(what=f"Secret of callback {entry.url}", secret=secret, file=entry.secret_file))
        elif callback.secret is not None and callback.secret != self._admin.endpoint_secrets(row.id)[0]:
            self._admin.rotate_endpoint_secret(row.id, callback.secret)
        if entry.enabled is True and not row.enabled:
            self._admin.enable_endpoint(row.id)
        elif entry.enabled is False and row.enabled:
            self._admin.disable_endpoint(row.id, "Switched off in the workspace's file.")

    def _made(self, done: Applied, made: Made) -> None:
        self._hand_out(made)
        done.made.append(made)

    def _prune(self, workspace_id: str, plan: Plan) -> None:
        for name in plan.gone.get("connections", ()):
            self._admin.delete_connection(plan.stored.connections[name].id)
        for email in plan.gone.get("members", ()):
            self._admin.delete_member(workspace_id, email)
        for url in plan.gone.get("callbacks", ()):
            self._admin.delete_endpoint(plan.stored.endpoints[url].id)
