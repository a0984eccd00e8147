"""What the demo needs of a simulated helpdesk, in words that fit every helpdesk. Its simulator implements it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskComment:
    """A comment as an agent sees it. `by_customer`: the requester stands as its author."""

    text: str
    public: bool
    by_customer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskTicket:
    id: str
    subject: str
    requester_name: str
    requester_email: str | None
    solved: bool
    comments: tuple[DeskComment, ...]


class Desk(Protocol):
    """One simulated helpdesk account with one human agent in it."""

    title: str
    agent_name: str
    agent_url: str
    """The page where a person plays the agent."""

    def ticket_ids(self) -> tuple[str, ...]:
        """Every ticket there is, oldest first."""
        ...

    def ticket(self, ticket_id: str) -> DeskTicket: ...

    def reply(self, ticket_id: str, text: str) -> None:
        """The agent answers the customer."""
        ...

    def note(self, ticket_id: str, text: str) -> None:
        """The agent writes something that the customer must never see."""
        ...

    def solve(self, ticket_id: str) -> None: ...
