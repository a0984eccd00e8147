"""What the control API lets another process do: settings and agents' actions, by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from handoff_connectors.zendesk.simulator.agents import AgentActions
from handoff_connectors.zendesk.simulator.api_errors import ApiError
from handoff_connectors.zendesk.simulator.settings import Limits, SimulatorSettings

ACTIONS: Final = ("reply", "note", "customer_reply", "assign", "assign_group", "set_status", "close", "merge", "delete",
                  "restore", "purge", "mark_as_spam", "make_private")  # fmt: skip


def act(agents: AgentActions, action: str, arguments: Mapping[str, Any]) -> None:
    """Do what an agent does.

    Raises:
        ValueError: the action or an argument is unknown, or Zendesk would refuse it.
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
    known = {field.name for field in fields(SimulatorSettings)} - {"subdomain"}
    if unknown := sorted(set(wanted) - known):
        raise ValueError(f"Unknown settings {', '.join(unknown)}; known: {', '.join(sorted(known))}.")
    for name, value in wanted.items():
        setattr(settings, name, _limits(settings.limits, value) if name == "limits" else value)


def _limits(now: Limits, wanted: Any) -> Limits:
    if wanted == "off":
        return Limits.off()
    if isinstance(wanted, str):
        return Limits.plan(wanted)
    try:
        return replace(now, **wanted)
    except TypeError as error:
        raise ValueError(f"limits: {error}.") from error
