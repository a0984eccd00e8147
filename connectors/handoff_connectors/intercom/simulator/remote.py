"""What the control API lets another process do: settings and agents' actions, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from handoff_connectors.intercom.simulator.api_errors import ApiError
from handoff_connectors.intercom.simulator.settings import Limits, SimulatorSettings

ACTIONS: Final = ("reply", "note", "note_and_reopen", "customer_reply", "bot_reply", "set_status", "close", "open",
                  "snooze", "assign", "assign_team", "set_priority", "mark_read", "merge", "delete", "redact", "join",
                  "merge_contacts", "archive_contact", "block_contact", "delete_contact", "set_webhook",
                  "ping")  # fmt: skip


def act(simulator: object, action: str, arguments: Mapping[str, Any]) -> None:
    """Do what an agent, or the owner of the app, does.

    Raises:
        ValueError: the action or an argument is unknown, or Intercom would refuse it.
    """
    if action not in ACTIONS:
        raise ValueError(f"Unknown action {action!r}; known: {', '.join(ACTIONS)}.")
    method: Callable[..., object] = getattr(simulator, action)
    try:
        inspect.signature(method).bind(**arguments)
    except TypeError as error:
        raise ValueError(f"{action}: {error}.") from error
    try:
        method(**arguments)
    except ApiError as error:
        raise ValueError(f"{action}: {error.message}") from error
    except KeyError as error:
        raise ValueError(f"{action}: {error.args[0]}") from error


def apply_settings(settings: SimulatorSettings, wanted: Mapping[str, Any]) -> None:
    """Change settings in place. `limits` is "off" or an object of single limits.

    Raises:
        ValueError: a name is unknown.
    """
    known = {field.name for field in fields(SimulatorSettings)}
    if unknown := sorted(set(wanted) - known):
        raise ValueError(f"Unknown settings {', '.join(unknown)}; known: {', '.join(sorted(known))}.")
    for name, value in wanted.items():
        setattr(settings, name, _limits(settings.limits, value) if name == "limits" else value)


def _limits(now: Limits, wanted: Any) -> Limits:
    if wanted == "off":
        return Limits.off()
    try:
        return replace(now, **wanted)
    except TypeError as error:
        raise ValueError(f"limits: {error}.") from error
