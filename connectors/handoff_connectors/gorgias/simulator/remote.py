"""What the control API lets another process do: settings and agents' actions, by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from handoff_connectors.gorgias.simulator.agents import AgentActions
from handoff_connectors.gorgias.simulator.api_errors import ApiError
from handoff_connectors.gorgias.simulator.settings import Limits, SimulatorSettings

ACTIONS: Final = ("reply", "note", "rule_reply", "customer_reply", "delete_message", "make_public", "assign",
                  "assign_team", "set_status", "close", "reopen", "snooze", "delete", "trash", "restore", "purge",
                  "spam", "unspam", "merge")  # fmt: skip


def act(agents: AgentActions, action: str, arguments: Mapping[str, Any]) -> None:
    """Do what an agent does.

    Raises:
        ValueError: the action or an argument is unknown, or Gorgias would refuse it.
    """
    if action not in ACTIONS:
        raise ValueError(f"Unknown action {action!r}; known: {', '.join(ACTIONS)}.")
    method = getattr(agents, action)
    try:
        inspect.signature(method).bind(**arguments)
    except TypeError as error:
        raise ValueError(f"{action}: {error}.") from error
    try:
        method(**arguments)
    except ApiError as error:
        raise ValueError(f"{action}: {error.answer.body}") from error
    except KeyError as error:
        raise ValueError(f"{action}: {error.args[0]}") from error


def apply_settings(settings: SimulatorSettings, wanted: Mapping[str, Any]) -> None:
    """Change settings in place. `limits` is "off", a plan's name, or an object of single limits.

    Raises:
        ValueError: a name is unknown.
    """
    known = {field.name for field in fields(SimulatorSettings)} - {"domain"}
    if unknown := sorted(set(wanted) - known):
        raise ValueError(f"Unknown settings {', '.join(unknown)}; known: {', '.join(sorted(known))}.")
    for name, value in wanted.items():
        setattr(settings, name, _limits(settings.limits, value) if name == "limits" else _frozen(value))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _limits(now: Limits, wanted: Any) -> Limits:
    if wanted == "off":
        return Limits.off()
    try:
        return Limits.plan(wanted) if isinstance(wanted, str) else replace(now, **wanted)
    except (KeyError, TypeError) as error:
        raise ValueError(f"limits: {error}.") from error
