"""Which policy applies now: workspace, then team, then session, and every enabled connection unless some are named."""

from __future__ import annotations

from dataclasses import replace

from handoff_sync.core.events import Event, HandoffRequested
from handoff_sync.core.model import Session
from handoff_sync.core.policy import ConnectionRule, Policy
from handoff_sync.core.scope import resolve
from handoff_sync.store.unit import UnitOfWork


def policy_for(uow: UnitOfWork, session: Session, event: Event) -> Policy:
    """The policy under which `event` is decided; a request that names a team is decided by that team's settings."""
    workspace = uow.workspace(session.workspace)
    team = (event.team if isinstance(event, HandoffRequested) else None) or session.team
    policy = resolve(workspace.policy, workspace.teams.get(team or "", {}), session.overrides)
    return replace(policy, connections=_usable(uow, session.workspace, policy))


def _usable(uow: UnitOfWork, workspace_id: str, policy: Policy) -> tuple[ConnectionRule, ...]:
    """Rules of enabled connections. A workspace that names none opens tickets at all it has connected."""
    enabled = [connection.id for connection in uow.connections(workspace_id) if connection.enabled]
    if policy.connections:
        return tuple(rule for rule in policy.connections if rule.connection in enabled)
    return tuple(ConnectionRule(connection=name) for name in enabled)
