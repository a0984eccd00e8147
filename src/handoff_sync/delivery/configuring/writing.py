"""A workspace as the text of a file: every setting of its policy, and no secret."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import tomli_w

from handoff_sync.contract.registry import connector_class
from handoff_sync.core.policy import Scenario
from handoff_sync.delivery.configuring.document import NONE
from handoff_sync.delivery.configuring.stored import Stored, overrides_with_names, with_names
from handoff_sync.delivery.connecting import secret_fields
from handoff_sync.errors import ConfigurationError
from handoff_sync.store.codec import policy_values
from handoff_sync.store.rows import ConnectionRow, EndpointRow, MemberRow, WorkspaceRow

_HEAD: Final = """\
# A workspace of handoff-sync. Change it and apply it: handoff-sync apply FILE [--dry-run]
# What stands in no section is left alone. The word "none" takes a setting away.
"""


def written(row: WorkspaceRow, stored: Stored, secrets: Mapping[str, frozenset[str]]) -> str:
    """The file that makes this workspace. `secrets` names those that each connection has; keys are not part of it."""
    names = stored.names
    values: dict[str, Any] = {
        "workspace": {"name": row.name},
        "policy": _plain(policy_values(with_names(row.policy, names))),
    }
    if row.teams:
        values["teams"] = {name: _plain(overrides_with_names(one, names)) for name, one in row.teams.items()}
    if stored.connections:
        values["connections"] = {
            name: _connection(one, secrets.get(name, frozenset())) for name, one in stored.connections.items()
        }
    sections = [tomli_w.dumps({name: value}) for name, value in values.items()]
    sections += [_entries("members", [_member(one) for one in stored.members.values()])]
    sections += [_entries("callbacks", [_callback(at, one) for at, one in enumerate(stored.endpoints.values(), 1)])]
    return "\n".join([_HEAD, *(section for section in sections if section)])


def _entries(section: str, entries: list[dict[str, Any]]) -> str:
    """Each under a line of its own, and so its tables."""
    return "\n".join(_one(section, entry) for entry in entries)


def _one(section: str, entry: dict[str, Any]) -> str:
    tables = {name: value for name, value in entry.items() if isinstance(value, dict)}
    text = tomli_w.dumps({name: value for name, value in entry.items() if name not in tables})
    inside = "".join(f"\n[{section}.{name}]\n{tomli_w.dumps(value)}" for name, value in tables.items())
    return f"[[{section}]]\n{text}{inside}"


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without null: TOML has none. What is not said in an entry of a list is null there."""
    return {name: _without_null(value) for name, value in settings.items()}


def _without_null(value: Any) -> Any:
    if value is None:
        return NONE
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple):
        return [_entry(part) if isinstance(part, Mapping) else _without_null(part) for part in value]
    return value


def _entry(record: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of a list; what is not said in it is null or empty."""
    return {name: part for name, part in record.items() if part is not None and part != [] and part != {}}


def _member(one: MemberRow) -> dict[str, Any]:
    return {
        "email": one.email,
        "name": one.name,
        "role": one.role.value,
        "teams": list(one.teams),
        "language": one.language,
    }


def _callback(at: int, one: EndpointRow) -> dict[str, Any]:
    entry = {"url": one.url, "secret": {"env": variable(f"callback {at}", "secret")}}
    return entry if one.enabled else {**entry, "enabled": False}


def _connection(one: ConnectionRow, secrets: frozenset[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": one.kind}
    if not one.enabled:
        entry["enabled"] = False
    try:
        model = connector_class(one.kind).settings_model
    except ConfigurationError:  # its connector is not installed here: what is known is better than nothing
        return {**entry, **one.settings}
    entry |= {name: value for name, value in one.settings.items() if name not in model.installed and value is not None}
    way = str(one.settings.get("auth") or next(iter(model.asked), ""))
    asked = [name for name in model.asked.get(way, ()) if name in secrets & secret_fields(model)]
    return entry | {name: {"env": variable(one.name, name)} for name in asked}


def variable(connection: str, secret: str) -> str:
    """The name that is suggested for a secret's variable."""
    return re.sub(r"[^A-Z0-9]+", "_", f"{connection}_{secret}".upper()).strip("_")


def scenario_entries(scenarios: Sequence[Scenario]) -> str:
    """Scenarios as they stand in the file."""
    return _entries("policy.scenarios", [_entry(asdict(one)) for one in scenarios])
