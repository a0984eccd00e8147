"""The scope chain of policy: workspace, then team, then session; the innermost that says something wins.

Overrides are plain values as they stand in JSON or TOML. Nothing is guessed: every unknown name and bad value is
named in the error.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, is_dataclass, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from handoff_sync.core.contradictions import Complaint, contradictions
from handoff_sync.core.policy import Policy
from handoff_sync.core.values import Mistakes, hints_of, read, unknown

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a policy refers to. None: not known here, so that nothing is said about it.

    `teams` holds each team's overrides. `connections` are the ids that rules may name; those in `answers_close` are
    of helpdesks whose agents close a ticket with every answer.
    """

    teams: Mapping[str, Mapping[str, object]] | None = None
    connections: Collection[str] | None = None
    answers_close: frozenset[str] = frozenset()


ALONE: Final = Surroundings()


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


def overlaid(base: Policy, changes: Mapping[str, object]) -> tuple[Policy, tuple[str, ...]]:
    """As `resolve` for one scope, but what is well is applied, and what is not comes back, a line for each."""
    problems: list[str] = []
    return (_apply(base, changes, "", problems) if changes else base), tuple(problems)


def complaints(policy: Policy, around: Surroundings = ALONE) -> tuple[str, ...]:
    """Why a policy must not be switched on, each with its remedy; empty when it may."""
    return tuple(str(found) for found in review(policy, around) if not found.warning)


def warnings(policy: Policy, around: Surroundings = ALONE) -> tuple[str, ...]:
    """What may be switched on, and will surprise; each with its remedy."""
    return tuple(str(found) for found in review(policy, around) if found.warning)


def review(policy: Policy, around: Surroundings = ALONE) -> tuple[Complaint, ...]:
    """Everything that contradicts itself in the policy, and in what each team makes of it."""
    teams = around.teams or {}
    known = None if around.teams is None else tuple(teams)
    found = list(contradictions(policy, known, around.connections, around.answers_close))
    said = {(one.key, one.text) for one in found}
    for name, overrides in teams.items():
        inside = f"teams.{name}"
        own, problems = overlaid(policy, overrides)
        found += [Complaint(f"{inside}.{problem.split(': ')[0]}", problem.partition(": ")[2]) for problem in problems]
        for one in contradictions(own, known, around.connections, around.answers_close, team=name):
            if (one.key, one.text) not in said:
                found.append(replace(one, key=f"{inside}.{one.key}"))
    return tuple(found)


# --- applying one scope ----------------------------------------------------------------------------------


def _apply(base: Any, changes: Mapping[str, object], path: str, problems: list[str]) -> Any:
    """`base` with the changes laid over it; what cannot be is added to `problems`."""
    kind: Any = type(base)
    hints = hints_of(kind)
    chosen: dict[str, Any] = {}
    for name, value in changes.items():
        where = f"{path}{name}"
        if name not in hints:
            problems.append(unknown(where, hints))
        elif isinstance(value, Mapping) and is_dataclass(hints[name]):
            chosen[name] = _apply(getattr(base, name), value, f"{where}.", problems)
        else:
            try:
                chosen[name] = _checked(where, read(hints[name], value, where))
            except Mistakes as bad:
                problems += bad.lines
    return replace(base, **chosen)


def _checked(where: str, value: Any) -> Any:
    """The value, when it lies within the setting's limits."""
    low, high = _LIMITS.get(where, (0, 0))
    numbers = value if isinstance(value, tuple) else (value,)
    if where in _LIMITS and any(number is not None and not low <= number <= high for number in numbers):
        raise Mistakes([f"{where}: {value!r} is not between {low} and {high}."])
    if where == "timezone":
        _check_zone(where, value)
    if where in ("chat_url", "upgrade_url"):
        _check_address(where, value)
    return value


def _check_zone(where: str, name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as no_zone:
        raise Mistakes([f"{where}: {name!r} is no time zone; use an IANA name such as Europe/Lisbon."]) from no_zone


def _check_address(where: str, url: str | None) -> None:
    if url is not None and (not url.startswith(("https://", "http://")) or len(url) > LONGEST_ADDRESS):
        raise Mistakes([f"{where}: must be an http(s) address of at most {LONGEST_ADDRESS} characters."])
