"""The version header: which version a call speaks."""

from __future__ import annotations

from handoff_connectors.intercom.simulator import api_errors
from handoff_connectors.intercom.simulator.settings import VERSIONS

PREVIEW = (2, 99)


def parsed(named: str) -> tuple[int, int]:
    """A version to compare with; Preview is newer than all."""
    major, _, minor = named.partition(".")
    return (int(major), int(minor)) if major.isdigit() else PREVIEW


def spoken(header: str | None, app_version: str) -> tuple[str, tuple[int, int]]:
    """The version of a call: the header's, else the app's own.

    Raises:
        ApiError: 400, there is no such version.
    """
    named = header or app_version
    if named not in VERSIONS:
        raise api_errors.version_invalid("The requested version could not be found")
    return named, parsed(named)
