"""What a change of a ticket is called: in the history, and by the triggers of integrations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from handoff_connectors.gorgias.simulator.model import Ticket

STATUS_EVENTS: Final = frozenset({"ticket-closed", "ticket-reopened", "ticket-snoozed", "ticket-self-unsnoozed",
                                  "ticket-trashed", "ticket-untrashed", "ticket-marked-spam",
                                  "ticket-unmarked-spam"})  # fmt: skip
ASSIGNMENT_EVENTS: Final = frozenset({"ticket-assigned", "ticket-unassigned", "ticket-team-assigned",
                                      "ticket-team-unassigned"})  # fmt: skip
OWN_TRIGGERS: Final = frozenset({"ticket-self-unsnoozed", "ticket-message-failed"})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is watched of a ticket."""

    status: str
    snoozed: object
    trashed: bool
    spam: bool
    user: int | None
    team: int | None
    tags: tuple[int, ...]
    rest: tuple[Any, ...]

    @classmethod
    def of(cls, ticket: Ticket) -> Snapshot:
        rest = (ticket.subject, ticket.priority, ticket.customer_id, ticket.external_id, ticket.language,
                ticket.channel, repr(ticket.meta), tuple(map(str, ticket.custom_fields.items())))  # fmt: skip
        return cls(ticket.status, ticket.snooze_at, ticket.trashed_at is not None, ticket.spam,
                   ticket.assignee_user_id, ticket.assignee_team_id, tuple(ticket.tags), rest)  # fmt: skip


def events_of(before: Snapshot, after: Snapshot, *, by_itself: bool = False) -> list[str]:
    """The event types of a change, what weighs most first. `by_itself`: a snooze ended."""
    found = []
    aside = before.trashed != after.trashed or before.spam != after.spam
    if before.trashed != after.trashed:
        found.append("ticket-trashed" if after.trashed else "ticket-untrashed")
    if before.spam != after.spam:
        found.append("ticket-marked-spam" if after.spam else "ticket-unmarked-spam")
    if after.snoozed is not None and before.snoozed != after.snoozed:
        found.append("ticket-snoozed")
    elif before.status != after.status and not aside and not by_itself:
        found.append("ticket-closed" if after.status == "closed" else "ticket-reopened")
    found += _assigned("ticket", before.user, after.user) + _assigned("ticket-team", before.team, after.team)
    if set(after.tags) - set(before.tags):
        found.append("ticket-tags-added")
    if set(before.tags) - set(after.tags):
        found.append("ticket-tags-removed")
    ended = before.snoozed is not None and after.snoozed is None
    if before.rest != after.rest or (ended and not found and not by_itself):
        found.append("ticket-updated")
    return found


def _assigned(name: str, before: int | None, after: int | None) -> list[str]:
    if before == after:
        return []
    return [f"{name}-unassigned" if after is None else f"{name}-assigned"]


def triggers_of(events: tuple[str, ...]) -> frozenset[str]:
    """Which triggers of integrations a change of fields sets off."""
    fired = {"ticket-updated"} | (OWN_TRIGGERS & set(events))
    if STATUS_EVENTS & set(events):
        fired.add("ticket-status-updated")
    if ASSIGNMENT_EVENTS & set(events):
        fired.add("ticket-assignment-updated")
    return frozenset(fired)
