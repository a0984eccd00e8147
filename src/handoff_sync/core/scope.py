"""The scope chain of policy: workspace, then team, then session; the innermost that says something wins.

Overrides are plain values as they stand in JSON or TOML. Nothing is guessed: every unknown name and bad value is
named in the error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from handoff_sync.core.policy import MailKind, Mode, Policy

LONGEST_MINUTES: Final = 527_040
"""A year; the longest time that a setting in minutes may name."""
LONGEST_HOURS: Final = 87_840
"""Ten years."""
LONGEST_ADDRESS: Final = 300
_LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "default_pause_minutes": (1, LONGEST_MINUTES),
    "pause_presets": (1, LONGEST_MINUTES),
    "decision_timeout_minutes": (1, LONGEST_MINUTES),
    "decline_mute_minutes": (0, LONGEST_MINUTES),
    "claim_reminder_minutes": (1, LONGEST_MINUTES),
    "claim_timeout_minutes": (1, LONGEST_MINUTES),
    "reopen_window_hours": (0, LONGEST_HOURS),
    "retake_window_hours": (0, LONGEST_HOURS),
    "solved_grace_seconds": (0, 86_400),
}


def resolve(workspace: Policy, team: Mapping[str, object], session: Mapping[str, object]) -> Policy:
    """The policy in force for one session.

    Raises:
        ValueError: names every unknown setting and every bad value of both scopes, one per line.
    """
    problems: list[str] = []
    policy = workspace
    for scope in (team, session):
        if scope:
            policy = _apply(policy, scope, "", problems)
    if problems:
        raise ValueError("\n".join(problems))
    return policy


def complaints(policy: Policy) -> tuple[str, ...]:
    """Why a policy must not be switched on, each with its remedy; empty when it may.

    The modes that act without a person asking need somebody who hears of it.
    """
    modes = {policy.handover_mode, *(scenario.mode for scenario in policy.scenarios if scenario.enabled)}
    found = []
    for mode, kind in ((Mode.AUTOMATIC, MailKind.HANDOVER), (Mode.SEMI_AUTOMATIC, MailKind.DECISION_NEEDED)):
        if mode in modes and not any(not who.kinds or kind in who.kinds for who in policy.recipients):
            found.append(f"Mode {mode.value} needs at least one recipient for {kind.value} mails: add one first.")
    connections = [rule.connection for rule in policy.connections]
    found += [
        f"connections: {name!r} is named twice." for name in dict.fromkeys(connections) if connections.count(name) > 1
    ]
    return tuple(found)


# --- applying one scope ----------------------------------------------------------------------------------


def _apply(base: Any, changes: Mapping[str, object], path: str, problems: list[str]) -> Any:
    """`base` with the changes laid over it; what cannot be is added to `problems`."""
    kind: Any = type(base)
    hints = _hints(kind)
    chosen: dict[str, Any] = {}
    for name, value in changes.items():
        where = f"{path}{name}"
        if name not in hints:
            problems.append(f"{where}: there is no such setting. Known here: {', '.join(hints)}.")
        elif isinstance(value, Mapping) and is_dataclass(hints[name]):
            chosen[name] = _apply(getattr(base, name), value, f"{where}.", problems)
        else:
            try:
                chosen[name] = _checked(where, _read(hints[name], value, where))
            except ValueError as bad:
                problems.append(str(bad))
    return replace(base, **chosen)


def _checked(where: str, value: Any) -> Any:
    """The value, when it lies within the setting's limits."""
    low, high = _LIMITS.get(where, (0, 0))
    numbers = value if isinstance(value, tuple) else (value,)
    if where in _LIMITS and any(number is not None and not low <= number <= high for number in numbers):
        raise ValueError(f"{where}: {value!r} is not between {low} and {high}.")
    if where == "timezone":
        _check_zone(where, value)
    if where == "chat_url":
        _check_address(where, value)
    return value


def _check_zone(where: str, name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as unknown:
        raise ValueError(f"{where}: {name!r} is no time zone; use an IANA name such as Europe/Lisbon.") from unknown


def _check_address(where: str, url: str | None) -> None:
    if url is not None and (not url.startswith(("https://", "http://")) or len(url) > LONGEST_ADDRESS):
        raise ValueError(f"{where}: must be an http(s) address of at most {LONGEST_ADDRESS} characters.")


# --- reading one value -------------------------------------------------------------------------------------


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _read(hint: Any, value: object, where: str) -> Any:
    """`value` as the type that a setting has; ValueError says what was expected where."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _read_optional(hint, value, where)
    if origin is tuple:
        return _read_list(get_args(hint)[0], value, where)
    if origin is not None:
        return _read_texts(value, where)
    if is_dataclass(hint) and isinstance(hint, type):
        return _read_record(hint, value, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _read_choice(hint, value, where)
    return _read_plain(hint, value, where)


def _read_optional(hint: Any, value: object, where: str) -> Any:
    inner = next(arm for arm in get_args(hint) if arm is not NoneType)
    return None if value is None else _read(inner, value, where)


def _read_list(item: Any, value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{where}: expected a list, got {_kind(value)}.")
    return tuple(_read(item, part, f"{where}[{index}]") for index, part in enumerate(value))


def _read_texts(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where}: expected a table of texts, got {_kind(value)}.")
    return {_read_plain(str, name, where): _read_plain(str, text, f"{where}.{name}") for name, text in value.items()}


def _read_record(kind: type, value: object, where: str) -> Any:
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"{where}: expected a table, got {_kind(value)}.")
    hints = _hints(kind)
    if unknown := [str(name) for name in value if name not in hints]:
        raise ValueError(f"{where}: unknown {', '.join(unknown)}. Known here: {', '.join(hints)}.")
    read = {name: _read(hints[name], part, f"{where}.{name}") for name, part in value.items()}
    try:
        return kind(**read)
    except TypeError as missing:
        raise ValueError(f"{where}: {', '.join(_required(kind, read))} is missing.") from missing


def _required(kind: Any, given: Mapping[str, Any]) -> list[str]:
    bare = (f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)
    return [name for name in bare if name not in given]


def _read_choice(kind: type[Enum], value: object, where: str) -> Enum:
    try:
        return kind(value)
    except ValueError as unknown:
        known = ", ".join(str(choice.value) for choice in kind)
        raise ValueError(f"{where}: {value!r} is none of {known}.") from unknown


_NAMES: Final[Mapping[type, str]] = {str: "a text", int: "a whole number", bool: "true or false"}


def _read_plain(kind: type, value: object, where: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{where}: expected {_NAMES[kind]}, got {_kind(value)}.")
    return value


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
