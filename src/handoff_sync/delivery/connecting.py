"""Setting up a helpdesk connection: store it, see that it works, install its webhook. Safe to repeat."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from handoff_sync.contract.connector import Finding
from handoff_sync.contract.registry import connector_class
from handoff_sync.delivery.connections import ConnectionPool
from handoff_sync.errors import ConfigurationError, NotFound
from handoff_sync.store.admin import Admin
from handoff_sync.store.rows import ConnectionRow

CREDENTIALS = "credentials"
"""The finding that everything else depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """How far it came. Without a connection nothing new was stored: the credentials did not work."""

    connection: ConnectionRow | None
    findings: tuple[Finding, ...]


def secret_fields(model: type[BaseModel]) -> frozenset[str]:
    """The settings of a connector that are kept sealed."""
    return frozenset(name for name, field in model.model_fields.items() if _is_secret(field.annotation))


def set_up(
    admin: Admin, pool: ConnectionPool, workspace_id: str, kind: str, name: str, given: Mapping[str, Any], hooks: str
) -> SetUp:
    """Makes the connection, or changes these settings of an existing one. `hooks` is the start of our webhooks.

    An empty text takes a setting back to its default.

    Raises:
        ConfigurationError: Settings do not fit; every problem is listed.
    """
    model = connector_class(kind).settings_model
    before = admin.connection_by_name(workspace_id, name)
    sealed = secret_fields(model)
    secrets = {field: str(value) for field, value in given.items() if field in sealed}
    known = before.settings if before is not None and before.kind == kind else {}
    settings = {field: value for field, value in {**known, **given}.items() if field not in sealed and value != ""}
    _must_fit(model, {**settings, **secrets})
    if before is None:
        row = admin.create_connection(workspace_id, kind, name, settings, secrets)
    else:
        row = _replaced(admin, before, kind, settings, secrets)
    connector = pool.make(row)
    try:
        findings = connector.check()
        if any(finding.name == CREDENTIALS and not finding.ok for finding in findings):
            if before is None:
                admin.delete_connection(row.id)
            return SetUp(connection=before, findings=findings)
        _remember(admin, row, sealed, connector.install_webhook(f"{hooks}/{row.hook_token}").changes)
    finally:
        connector.close()
    admin.start_connection(row.id)
    return SetUp(connection=_read(admin, row.id), findings=checked(admin, pool, row.id))


def checked(admin: Admin, pool: ConnectionPool, connection_id: str) -> tuple[Finding, ...]:
    """What the connector finds about the connection as it is stored now."""
    connector = pool.make(_read(admin, connection_id))
    try:
        return connector.check()
    finally:
        connector.close()


def _replaced(
    admin: Admin, before: ConnectionRow, kind: str, settings: Mapping[str, object], secrets: Mapping[str, str]
) -> ConnectionRow:
    if before.kind != kind:
        raise ConfigurationError([f"The connection {before.name!r} is a {before.kind}; choose another name."])
    admin.update_connection(before.id, settings=settings)
    admin.save_connection_secrets(before.id, {**admin.connection_secrets(before.id), **secrets})
    return _read(admin, before.id)


def _remember(admin: Admin, row: ConnectionRow, sealed: frozenset[str], changes: Mapping[str, str]) -> None:
    """What the webhook's installation changed: signing secrets are sealed, the rest are settings."""
    open_ones = {field: value for field, value in changes.items() if field not in sealed}
    secrets = {field: value for field, value in changes.items() if field in sealed}
    if open_ones:
        admin.update_connection(row.id, settings={**row.settings, **open_ones})
    if secrets:
        admin.save_connection_secrets(row.id, {**admin.connection_secrets(row.id), **secrets})


def _read(admin: Admin, connection_id: str) -> ConnectionRow:
    row = admin.connection(connection_id)
    if row is None:
        raise NotFound("The connection was removed meanwhile.")
    return row


def misfits(model: type[BaseModel], given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the settings: the field, or an empty text where several do not go together, and the reason."""
    try:
        model.model_validate(dict(given))
    except ValidationError as error:
        return [_problem(model, item) for item in error.errors(include_input=False)]
    return []


def _must_fit(model: type[BaseModel], given: Mapping[str, Any]) -> None:
    if problems := misfits(model, given):
        raise ConfigurationError([f"{field}: {text}" if field else text for field, text in problems])


def _problem(model: type[BaseModel], item: Any) -> tuple[str, str]:
    field = str(item["loc"][0]) if item["loc"] else ""
    if item["type"] == "extra_forbidden":
        return field, f"there is no such setting. There are: {', '.join(model.model_fields)}."
    return field, str(item["msg"]).removeprefix("Value error, ")


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(_is_secret, typing.get_args(annotation)))
