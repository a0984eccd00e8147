"""From what an admin sends to the workspace as it would be, judged as a whole before anything is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass, replace
from typing import Any, Final

from handoff_sync.api.admin.answers import refused_fields
from handoff_sync.api.problems import ProblemError
from handoff_sync.core.contradictions import Complaint
from handoff_sync.core.policy import Policy
from handoff_sync.core.presets import PRESETS
from handoff_sync.core.scope import Surroundings, overlaid, review
from handoff_sync.core.values import hints_of, may_be_null
from handoff_sync.store.codec import policy_values
from handoff_sync.store.rows import WorkspaceRow

MOST_CHARS: Final = 200_000
"""Every handoff keeps its own copy of the policy."""
OWN: Final = (
    "recipients",
    "connections",
    "customer_notice",
    "chat_url",
    "upgrade_url",
    "timezone",
    "handover_enabled",
)
"""What a preset leaves as it is: it says how to work, not with whom."""

Teams = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A workspace as it is to be."""

    name: str
    policy: Policy
    teams: Teams

    @property
    def values(self) -> dict[str, Any]:
        teams = {name: dict(overrides) for name, overrides in self.teams.items()}
        return {"name": self.name, "policy": policy_values(self.policy), "teams": teams}


def as_it_is(row: WorkspaceRow) -> Wanted:
    return Wanted(name=row.name, policy=row.policy, teams=row.teams)


def merged(row: WorkspaceRow, name: str | None, policy: Mapping[str, Any], teams: Mapping[str, Any]) -> Wanted:
    """The workspace with the changes merged in: null takes back, to the default or to what the workspace says.

    A setting that may be none is none by null. Lists are replaced as a whole. 422 for values that no setting takes.
    """
    chosen, problems = overlaid(Policy(), _patched(policy_values(row.policy), policy, Policy))
    if problems:
        pairs = [line.partition(": ") for line in problems]
        raise refused_fields([(f"policy.{key}", text) for key, _, text in pairs], "invalid_settings")
    kept = {team: overrides for team, overrides in row.teams.items() if teams.get(team, overrides) is not None}
    new = {team: _patched(kept.get(team, {}), sent, Policy) for team, sent in teams.items() if sent is not None}
    return Wanted(name=name or row.name, policy=chosen, teams={**kept, **new})


def from_preset(row: WorkspaceRow, preset: str) -> Wanted:
    """The workspace with the policy of a preset; people, connections and texts stay, and scenarios are added."""
    own = {name: getattr(row.policy, name) for name in OWN}
    known = {scenario.title for scenario in row.policy.scenarios}
    more = tuple(one for one in PRESETS[preset].scenarios if one.title not in known)
    policy = replace(PRESETS[preset], **own, scenarios=(*row.policy.scenarios, *more))
    return Wanted(name=row.name, policy=policy, teams=row.teams)


def judged(wanted: Wanted, around: Surroundings) -> tuple[Complaint, ...]:
    """What may surprise; a 422 that names each contradiction and its remedy where there are any."""
    size = len(json.dumps(wanted.values, ensure_ascii=False))
    if size > MOST_CHARS:
        text = f"Policy and teams have {size} characters; at most {MOST_CHARS} are kept. Shorten texts or lists."
        raise ProblemError(422, "too_large", text)
    found = review(wanted.policy, replace(around, teams=wanted.teams))
    if wrong := [(place(one), one.text) for one in found if not one.warning]:
        raise refused_fields(wrong, "contradiction")
    return tuple(one for one in found if one.warning)


def place(complaint: Complaint) -> str:
    """Where it stands in the workspace."""
    return complaint.key if complaint.key.startswith("teams.") else f"policy.{complaint.key}"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Every setting that changes, with what it was and what it becomes; null: nothing was said."""
    for key in ("name", "policy", "teams"):
        old, new = before[key], after[key]
        if isinstance(old, Mapping):
            yield from _differences(key, old, new, deeper=key == "teams")
        elif old != new:
            yield key, old, new


def _differences(
    path: str, old: Mapping[str, Any], new: Mapping[str, Any], *, deeper: bool
) -> Iterator[tuple[str, Any, Any]]:
    for name in {**old, **new}:
        before, after = old.get(name), new.get(name)
        if deeper and isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _differences(f"{path}.{name}", before, after, deeper=False)
        elif before != after or (name in old) is not (name in new):
            yield f"{path}.{name}", before, after


def _patched(old: Mapping[str, Any], changes: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    hints, found = hints_of(kind), dict(old)
    for name, value in changes.items():
        hint = hints.get(name)
        if value is None and hint is not None and not may_be_null(hint):
            found.pop(name, None)
        elif isinstance(value, Mapping) and is_dataclass(hint):
            inner = found.get(name)
            found[name] = _patched(inner if isinstance(inner, Mapping) else {}, value, hint)
        else:
            found[name] = value
    return found
