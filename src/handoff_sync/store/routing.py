"""Which lane an effect goes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handoff_sync.core.effects import MAIL, PLATFORM, Effect
from handoff_sync.core.model import Session

_TO_ADDRESS = f"{MAIL}:"
"""Destinations that begin so are people: all sessions of a workspace share one lane to each of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """An effect with its way. `key` happens once in the session, or without one once in the workspace; `lane_session`
    is None where sessions share the lane."""

    effect: Effect
    key: str
    lane: str
    destination: str
    session: str | None = None
    lane_session: str | None = None
    connection: str | None = None


def of_session(session: Session, effect: Effect, listening: Sequence[str]) -> Iterator[Routed]:
    """The ways of an effect. `listening`: what is for the platform goes to each of these callback endpoints."""
    if effect.destination != PLATFORM:
        yield _routed(session, effect, effect.destination, effect.key)
        return
    for endpoint in listening:
        yield _routed(session, effect, f"{PLATFORM}:{endpoint}", f"{effect.key}@{endpoint}")


def of_workspace(workspace: str, effect: Effect, destination: str, key: str) -> Routed:
    """The way of an effect that concerns no session."""
    return Routed(effect=effect, key=key, lane=lane_id(workspace, destination), destination=destination)


def _routed(session: Session, effect: Effect, destination: str, key: str) -> Routed:
    link_id = getattr(effect, "link", None)
    shared = destination.startswith(_TO_ADDRESS)
    return Routed(
        effect=effect,
        key=key,
        lane=lane_id(session.workspace if shared else session.id, destination),
        destination=destination,
        session=session.id,
        lane_session=None if shared else session.id,
        connection=next((link.connection for link in session.links if link.id == link_id), None),
    )


def lane_id(owner: str, destination: str) -> str:
    """The lane of an owner (a session, a connection or a workspace) to a destination."""
    return f"{owner}/{destination}"


def goes_by_mail(lane: str) -> bool:
    """Whether what the lane does is mailing."""
    return lane.endswith(f"/{MAIL}") or f"/{_TO_ADDRESS}" in lane  # a workspace's own id may hold a slash


def place_of(connection: str | None, destination: str) -> str:
    """Where a lane's work goes. One mail server serves all who are mailed."""
    return connection or (MAIL if destination.startswith(_TO_ADDRESS) else destination)
