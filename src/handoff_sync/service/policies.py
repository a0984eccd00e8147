"""Which policy applies now: workspace, then team, then session, and every enabled connection unless some are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from handoff_sync.core.events import Event, HandoffRequested
from handoff_sync.core.model import Session
from handoff_sync.core.policy import ConnectionRule, Policy, Scenario
from handoff_sync.core.scope import resolve
from handoff_sync.store.rows import ConnectionRow, WorkspaceRow
from handoff_sync.store.unit import UnitOfWork


class Policies:
    """Resolved policies by workspace and team: working one out for every message would cost more than the message.

    The store hands out the same row until the workspace is changed, so the row itself tells whether an entry is fresh.
    """

    def __init__(self) -> None:
        self._resolved: dict[tuple[str, str], tuple[WorkspaceRow, Policy]] = {}

    def of(self, uow: UnitOfWork, session: Session, event: Event) -> Policy:
        """The policy under which `event` is decided; a request that names a team, or whose scenario does, is decided by
        that team's settings."""
        team = _team(session, event)
        policy = self._in_team(uow, session, team)
        sent = _sent_by(policy, event)
        if sent is None or sent.team is None or sent.team == team:
            return policy
        return _received(self._in_team(uow, session, sent.team), sent)

    def _in_team(self, uow: UnitOfWork, session: Session, team: str) -> Policy:
        workspace = uow.workspace(session.workspace)
        if session.overrides:
            return _resolve(workspace, team, session, uow.connections(workspace.id))
        known = self._resolved.get((workspace.id, team))
        if known is not None and known[0] is workspace:
            return known[1]
        policy = _resolve(workspace, team, session, uow.connections(workspace.id))
        self._resolved[workspace.id, team] = (workspace, policy)
        return policy


_policies = Policies()


def policy_for(uow: UnitOfWork, session: Session, event: Event) -> Policy:
    """As `Policies.of`, with one cache for the process."""
    return _policies.of(uow, session, event)


def left_out(uow: UnitOfWork, session: Session, event: Event) -> tuple[str, ...]:
    """Connections at which the session would have tickets, were they not switched off or removed: names, else ids."""
    workspace = uow.workspace(session.workspace)
    connections = {connection.id: connection for connection in uow.connections(workspace.id)}
    team = workspace.teams.get(_team(session, event), {})
    named = resolve(workspace.policy, team, session.overrides).connections
    wanted = [rule.connection for rule in named] or list(connections)
    missing = [name for name in wanted if name not in connections or not connections[name].enabled]
    return tuple(connections[name].name if name in connections else name for name in missing)


def _team(session: Session, event: Event) -> str:
    return (event.team if isinstance(event, HandoffRequested) else None) or session.team or ""


def _sent_by(policy: Policy, event: Event) -> Scenario | None:
    """The scenario that chooses the team of a request, where the request itself does not."""
    if not isinstance(event, HandoffRequested) or event.team:
        return None
    return next((one for one in policy.scenarios if one.title == event.scenario and one.enabled), None)


def _received(policy: Policy, sent: Scenario) -> Policy:
    """A team's policy for the scenario that sends there. What the team says of that scenario itself goes first."""
    own = next((one for one in policy.scenarios if one.title == sent.title), sent)
    others = (one for one in policy.scenarios if one.title != sent.title)
    return replace(policy, scenarios=(replace(own, team=sent.team), *others))


def _resolve(workspace: WorkspaceRow, team: str, session: Session, connections: Sequence[ConnectionRow]) -> Policy:
    policy = resolve(workspace.policy, workspace.teams.get(team, {}), session.overrides)
    return replace(policy, connections=_usable(policy, connections))


def _usable(policy: Policy, connections: Sequence[ConnectionRow]) -> tuple[ConnectionRule, ...]:
    """Rules of enabled connections. A workspace that names none opens tickets at all it has connected."""
    enabled = [connection.id for connection in connections if connection.enabled]
    if policy.connections:
        return tuple(rule for rule in policy.connections if rule.connection in enabled)
    return tuple(ConnectionRule(connection=name) for name in enabled)
