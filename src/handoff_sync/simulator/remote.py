"""What the control API lets another process do: settings and agents' actions, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Self

from handoff_sync.simulator.endpoints import ApiRefusal


class RateLimits:
    """Base of a helpdesk's rate limits, a frozen dataclass."""

    __slots__ = ()

    @classmethod
    def off(cls) -> Self:
        """No limits at all, for tests of something else."""
        raise NotImplementedError

    @classmethod
    def plan(cls, name: str) -> Self:
        """The limits of a plan that the helpdesk sells. KeyError: it sells no such plan."""
        raise KeyError(name)


def act(helpdesk: object, actions: tuple[str, ...], action: str, arguments: Mapping[str, Any]) -> None:
    """Do what an agent does.

    Raises:
        ValueError: the action or an argument is unknown, or the helpdesk would refuse it.
    """
    if action not in actions:
        raise ValueError(f"Unknown action {action!r}; known: {', '.join(actions)}.")
    method: Callable[..., object] = getattr(helpdesk, action)
    try:
        inspect.signature(method).bind(**arguments)
    except TypeError as error:
        raise ValueError(f"{action}: {error}.") from error
    try:
        method(**arguments)
    except ApiRefusal as error:
        raise ValueError(f"{action}: {error.reason}") from error
    except KeyError as error:
        raise ValueError(f"{action}: {error.args[0]}") from error


def apply_settings(settings: Any, wanted: Mapping[str, Any], kept: frozenset[str] = frozenset()) -> None:
    """Change settings in place. `limits` is "off", a plan's name, or an object of single limits.

    Raises:
        ValueError: a name is unknown, or among those to be `kept`.
    """
    known = {field.name for field in fields(settings)} - kept
    if unknown := sorted(set(wanted) - known):
        raise ValueError(f"Unknown settings {', '.join(unknown)}; known: {', '.join(sorted(known))}.")
    for name, value in wanted.items():
        setattr(settings, name, _limits(settings.limits, value) if name == "limits" else _frozen(value))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _limits(now: Any, wanted: Any) -> Any:
    if wanted == "off":
        return now.off()
    try:
        return now.plan(wanted) if isinstance(wanted, str) else replace(now, **wanted)
    except (KeyError, TypeError) as error:
        raise ValueError(f"limits: {error}.") from error
