"""The file of a workspace, read and checked as far as that goes without knowing what is stored."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar, get_args

from handoff_sync.core.policy import Policy
from handoff_sync.core.presets import PRESETS
from handoff_sync.core.values import Mistakes, hints_of, may_be_null, read, unknown
from handoff_sync.delivery.configuring.lines import Lines
from handoff_sync.delivery.configuring.references import Reference, reference
from handoff_sync.errors import ConfigurationError
from handoff_sync.store.rows import Role

NONE: Final = "none"
"""TOML has no null: this word stands for it wherever a setting of the policy may be null."""
SECTIONS: Final = ("workspace", "policy", "teams", "members", "connections", "callbacks", "keys")
T = TypeVar("T")


class KeyScope(StrEnum):
    """What a key may do; admin includes the others."""

    EVENTS = "events"
    GATE = "gate"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Which workspace it is. `preset` is what a new one starts from."""

    name: str | None = None
    id: str | None = None
    preset: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEntry:
    email: str
    name: str = ""
    role: Role = Role.AGENT
    teams: tuple[str, ...] = ()
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionEntry:
    """`values` are settings in the open. `enabled` None leaves it as it is."""

    kind: str
    enabled: bool | None
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackEntry:
    """A made secret is written to `secret_file`, else shown once."""

    url: str
    secret: Reference | None = None
    secret_file: str | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """A made key is written to `key_file`, else shown once."""

    name: str
    scopes: tuple[KeyScope, ...] = (KeyScope.EVENTS, KeyScope.GATE, KeyScope.SESSIONS_READ)
    key_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A section that the file does not mention is None: it is left alone. Entries of lists go by their place.

    `problems` begin with the key that they concern.
    """

    source: str
    lines: Lines = field(repr=False)
    header: Header
    policy: Mapping[str, object] | None
    teams: Mapping[str, Mapping[str, object]] | None
    members: Mapping[int, MemberEntry] | None
    connections: Mapping[str, ConnectionEntry] | None
    callbacks: Mapping[int, CallbackEntry] | None
    keys: Mapping[int, KeyEntry] | None
    problems: tuple[str, ...]

    def located(self, problem: str) -> str:
        """The problem with the line that it stands on."""
        line = self.lines.of(problem.split(": ")[0])
        return f"{self.source}:{line}: {problem}" if line is not None else f"{self.source}: {problem}"


def read_document(text: str, source: str) -> Document:
    """ConfigurationError when the text is no TOML; everything else that is wrong is in `problems`."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([f"{source}: this is no TOML: {error}."]) from None
    reading = _Reading()
    reading.problems += [unknown(name, SECTIONS) for name in values if name not in SECTIONS]
    header = reading.record(Header, values.get("workspace", {}), "workspace") or Header()
    reading.preset(header)
    return Document(
        source=source,
        lines=Lines(text),
        header=header,
        policy=reading.table(values, "policy"),
        teams=reading.teams(values),
        members=reading.unique(MemberEntry, values, "members", "email"),
        connections=reading.connections(values),
        callbacks=reading.callbacks(values),
        keys=reading.unique(KeyEntry, values, "keys", "name"),
        problems=tuple(reading.problems),
    )


class _Reading:
    """Reads section by section and notes every mistake."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def record(self, kind: type[T], value: object, where: str) -> T | None:
        try:
            found: T = read(kind, value, where)
            return found
        except Mistakes as bad:
            self.problems += bad.lines
            return None

    def preset(self, header: Header) -> None:
        if header.preset is not None and header.preset not in PRESETS:
            self.problems.append(f"workspace.preset: {header.preset!r} is none of {', '.join(PRESETS)}.")

    def table(self, values: Mapping[str, Any], name: str) -> dict[str, object] | None:
        """A table of policy settings, with null where the file says so."""
        if name not in values:
            return None
        if not isinstance(values[name], dict):
            self.problems.append(f"{name}: write it as a table, under the line [{name}].")
            return None
        return with_nulls(values[name])

    def teams(self, values: Mapping[str, Any]) -> dict[str, dict[str, object]] | None:
        found = self._tables(values, "teams")
        return None if found is None else {name: with_nulls(table) for name, table in found.items()}

    def connections(self, values: Mapping[str, Any]) -> dict[str, ConnectionEntry] | None:
        found = self._tables(values, "connections")
        if found is None:
            return None
        entries = {}
        for name, table in found.items():
            where = f"connections.{name}"
            settings = {key: value for key, value in table.items() if key not in ("kind", "enabled")}
            kind = self._kind(table, where)
            enabled = self.record(bool, table["enabled"], f"{where}.enabled") if "enabled" in table else None
            if kind is not None:
                entries[name] = ConnectionEntry(kind=kind, enabled=enabled, values=settings)
        return entries

    def _kind(self, table: Mapping[str, Any], where: str) -> str | None:
        if "kind" not in table:
            self.problems.append(f"{where}.kind: is missing; `handoff-sync helpdesks` lists the kinds.")
            return None
        return self.record(str, table["kind"], f"{where}.kind")

    def callbacks(self, values: Mapping[str, Any]) -> dict[int, CallbackEntry] | None:
        listed = values.get("callbacks")
        for at, entry in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(entry, dict) and "secret" in entry:
                try:
                    entry["secret"] = reference(entry["secret"], f"callbacks[{at}].secret")
                except Mistakes as bad:
                    self.problems += bad.lines
                    del entry["secret"]
        return self.unique(CallbackEntry, values, "callbacks", "url")

    def unique(self, kind: type[T], values: Mapping[str, Any], section: str, name: str) -> dict[int, T] | None:
        """The entries that are well; two of the same name contradict each other."""
        if section not in values:
            return None
        if not isinstance(values[section], list):
            self.problems.append(f"{section}: write each of them under a line of its own: [[{section}]].")
            return None
        found: dict[int, T] = {}
        seen: set[str] = set()
        for at, value in enumerate(values[section]):
            entry = self.record(kind, value, f"{section}[{at}]")
            if entry is None:
                continue
            called = str(getattr(entry, name))
            key = called.strip().lower() if name == "email" else called
            if key in seen:
                self.problems.append(f"{section}[{at}].{name}: {called!r} stands here twice: leave one of them out.")
            else:
                found[at] = entry
            seen.add(key)
        return found

    def _tables(self, values: Mapping[str, Any], section: str) -> dict[str, dict[str, Any]] | None:
        if section not in values:
            return None
        if not isinstance(values[section], dict):
            self.problems.append(f"{section}: write each of them under a line of its own: [{section}.NAME].")
            return None
        found = {}
        for name, table in values[section].items():
            if isinstance(table, dict):
                found[name] = table
            else:
                self.problems.append(f"{section}.{name}: write it as a table, under the line [{section}.{name}].")
        return found


def with_nulls(values: Mapping[str, Any]) -> dict[str, object]:
    """Settings of a policy with null where the word for it stands."""
    hints = hints_of(Policy)
    return {name: _null(hints[name], value) if name in hints else value for name, value in values.items()}


def _null(hint: Any, value: Any) -> Any:
    if may_be_null(hint) and value == NONE:
        return None
    if isinstance(value, list):
        return [None if part == NONE and any(map(may_be_null, get_args(hint))) else part for part in value]
    return value
