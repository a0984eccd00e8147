"""What demo and training need of a simulated helpdesk, in words that fit every helpdesk.

A connector's simulator package brings one `Desk`, registered as an entry point of the group in `GROUP`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final, Protocol

from handoff_sync.errors import NotFound

GROUP: Final = "handoff_sync.simulators"


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
    solved: bool
    comments: tuple[DeskComment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskAccess:
    """How a connection reaches the desk: the connector's settings, secrets apart. Good for this desk only."""

    settings: Mapping[str, object]
    secrets: Mapping[str, str]


class Desk(Protocol):
    """One simulated helpdesk account with one human agent in it."""

    @property
    def kind(self) -> str:
        """The connector that it is a stand-in for."""
        ...

    @property
    def title(self) -> str: ...

    @property
    def agent_name(self) -> str:
        """As customers see it."""
        ...

    @property
    def agent_url(self) -> str:
        """The page where a person plays the agent."""
        ...

    @property
    def access(self) -> DeskAccess: ...

    def set_webhook(self, url: str) -> None:
        """What a person does by hand where a helpdesk lets no program install its webhook; elsewhere nothing."""
        ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def wait(self) -> None:
        """Blocks until the helpdesk ends."""
        ...

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


def simulated(kind: str, port: int = 0) -> Desk:
    """A simulated helpdesk of this kind, not started; port 0 takes a free one."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if kind not in found:
        raise NotFound(f"There is no simulated {kind}. There are: {', '.join(sorted(found)) or 'none'}.")
    make: Callable[..., Desk] = found[kind].load()
    return make(port=port)
