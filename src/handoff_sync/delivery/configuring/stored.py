"""What of a workspace is stored now, as a file compares with it: connections go by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from handoff_sync.contract.features import Feature
from handoff_sync.contract.registry import connector_class
from handoff_sync.core.contradictions import Complaint
from handoff_sync.core.policy import Policy
from handoff_sync.core.scope import Surroundings, review
from handoff_sync.delivery.configuring.document import Header
from handoff_sync.errors import ConfigurationError
from handoff_sync.store.admin import Admin
from handoff_sync.store.rows import ApiKeyRow, ConnectionRow, EndpointRow, MemberRow, WorkspaceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Without a workspace there is nothing. Revoked keys do not count."""

    workspace: WorkspaceRow | None = None
    connections: Mapping[str, ConnectionRow]
    endpoints: Mapping[str, EndpointRow]
    members: Mapping[str, MemberRow]
    keys: Mapping[str, ApiKeyRow]

    @property
    def names(self) -> dict[str, str]:
        """Names of connections by their ids."""
        return {row.id: name for name, row in self.connections.items()}


NOTHING = Stored(connections={}, endpoints={}, members={}, keys={})


def stored(admin: Admin, row: WorkspaceRow) -> Stored:
    return Stored(
        workspace=row,
        connections={one.name: one for one in admin.connections(row.id)},
        endpoints={one.url: one for one in admin.endpoints(row.id)},
        members={one.email: one for one in admin.members(row.id)},
        keys={one.name: one for one in admin.api_keys(row.id) if one.revoked_at is None},
    )


def workspace_meant(admin: Admin, header: Header) -> WorkspaceRow | None:
    """The workspace of the file, or None where it is to be made. ConfigurationError where several could be meant."""
    if header.id is not None:
        return admin.workspace(header.id)
    matches = [row for row in admin.workspaces() if row.name == header.name]
    if len(matches) > 1:
        ids = ", ".join(row.id for row in matches)
        raise ConfigurationError([f"workspace.name: several are called {header.name!r}; give the id of one: {ids}."])
    return matches[0] if matches else None


# --- connections by name and by id -------------------------------------------------------------------------


def with_names(policy: Policy, names: Mapping[str, str]) -> Policy:
    """The policy whose rules name connections as `names` maps them, ids to names or back."""
    rules = tuple(replace(rule, connection=names.get(rule.connection, rule.connection)) for rule in policy.connections)
    return replace(policy, connections=rules)


def overrides_with_names(overrides: Mapping[str, object], names: Mapping[str, str]) -> dict[str, Any]:
    """As `with_names`, for the plain overrides of a team."""
    rules = overrides.get("connections")
    if not isinstance(rules, list):
        return dict(overrides)
    return {**overrides, "connections": [_rule_with_name(rule, names) for rule in rules]}


def _rule_with_name(rule: Any, names: Mapping[str, str]) -> Any:
    known = isinstance(rule, dict) and isinstance(rule.get("connection"), str)
    return {**rule, "connection": names.get(rule["connection"], rule["connection"])} if known else rule


# --- what a policy is judged by ----------------------------------------------------------------------------


def surroundings(admin: Admin, row: WorkspaceRow) -> Surroundings:
    """What the policy of a workspace refers to, with its connections by id."""
    kinds = {one.id: one.kind for one in admin.connections(row.id)}
    return Surroundings(teams=row.teams, connections=tuple(kinds), answers_close=answers_close(kinds))


def reviewed(admin: Admin, row: WorkspaceRow, policy: Policy) -> tuple[Complaint, ...]:
    """What contradicts itself, were this the policy of the workspace. Connections are called by their names."""
    there = {one.id: one for one in admin.connections(row.id)}
    names = {id: one.name for id, one in there.items()}
    around = Surroundings(
        teams={name: overrides_with_names(one, names) for name, one in row.teams.items()},
        connections=tuple(names.values()),
        answers_close=answers_close({one.name: one.kind for one in there.values()}),
    )
    return review(with_names(policy, names), around)


def answers_close(kinds: Mapping[str, str]) -> frozenset[str]:
    """Those of the connections, given with their kinds, whose agents close a ticket with every answer."""
    return frozenset(name for name, kind in kinds.items() if _closes(kind))


def _closes(kind: str) -> bool:
    try:
        return not connector_class(kind).capabilities.can(Feature.SOLVED_MEANS_DONE)
    except ConfigurationError:  # its connector is not installed here
        return False
