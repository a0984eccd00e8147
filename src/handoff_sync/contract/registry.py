"""The connectors that are installed, found by entry point; nothing imports a connector by name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from handoff_sync.errors import ConfigurationError

GROUP: Final = "handoff_sync.connectors"


def kinds() -> tuple[str, ...]:
    """Names of the installed connectors, without importing one."""
    return tuple(sorted(_entries()))


def connector_class(kind: str) -> type[Any]:
    """The class of one connector; it follows `contract.connector.Connector`.

    Raises:
        ConfigurationError: There is none of this name, or it cannot be imported.
    """
    entry = _entries().get(kind)
    if entry is None:
        raise ConfigurationError([_unknown(kind)])
    try:
        found = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigurationError([f"The connector {kind!r} cannot be loaded from {entry.value}: {error}."]) from error
    if not isinstance(found, type):
        raise ConfigurationError([f"The connector {kind!r} is no class. Correct its entry point {entry.value}."])
    return found


def package_of(kind: str) -> str:
    """Name of the package that a connector's entry point leads to; its simulator lies in there.

    Raises:
        ConfigurationError: There is none of this name.
    """
    entry = _entries().get(kind)
    if entry is None:
        raise ConfigurationError([_unknown(kind)])
    return entry.module


def installed() -> Mapping[str, type[Any]]:
    """Every installed connector by its kind."""
    return {kind: connector_class(kind) for kind in kinds()}


def _unknown(kind: str) -> str:
    return f"There is no connector {kind!r}. Use one of: {', '.join(kinds()) or '(none)'}."


def _entries() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
