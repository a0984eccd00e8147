"""A simulated helpdesk in words that fit every helpdesk: what demo, training and the contract suite need of it.

The folder of a connector holds a package `simulator` whose `Desk` is a class of this shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any, Protocol, cast

from handoff_sync.contract.registry import package_of
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import NotFound
from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.faults import Faults
from handoff_sync.simulator.request_log import RequestLog
from handoff_sync.simulator.webhook_faults import WebhookFaults

Say = Callable[[str, str], object]
"""Says a text on a ticket: `say(ticket_id, text)`."""
Do = Callable[[str], object]
"""Does something to a ticket: `do(ticket_id)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskComment:
    """A comment as an agent sees it. `by_customer`: the requester stands as its author."""

    text: str
    public: bool
    by_customer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskTicket:
    """A ticket as an agent sees it. `status` in our words; `assignee` is the name of who holds it."""

    id: str
    subject: str
    requester_name: str
    status: TicketStatus
    comments: tuple[DeskComment, ...]
    requester_id: str = ""
    assignee: str | None = None
    tags: tuple[str, ...] = ()
    group: str | None = None
    priority: str | None = None
    custom_fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def solved(self) -> bool:
        return self.status in (TicketStatus.SOLVED, TicketStatus.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskAccess:
    """How a connection reaches the desk: the connector's settings, secrets apart. Good for this desk only."""

    settings: Mapping[str, object]
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Requests of one kind: their method, and a regular expression that is searched in their path."""

    method: str
    path: str


class Trouble(Protocol):
    """The switches of a simulated helpdesk, for whoever wants to spoil it."""

    @property
    def clock(self) -> SimulatorClock: ...

    @property
    def faults(self) -> Faults: ...

    @property
    def log(self) -> RequestLog: ...

    @property
    def webhook_faults(self) -> WebhookFaults: ...

    def reset(self) -> None:
        """A fresh account at the same address."""
        ...

    def apply_settings(self, wanted: Mapping[str, Any]) -> None:
        """Settings of this helpdesk's simulator, by name."""
        ...


class Desk(Protocol):
    """One simulated helpdesk account with two human agents in it. What agents do, the first one does."""

    @property
    def kind(self) -> str:
        """The connector that it is a stand-in for."""
        ...

    @property
    def title(self) -> str: ...

    @property
    def simulator(self) -> Trouble: ...

    @property
    def agent_name(self) -> str:
        """As customers see it."""
        ...

    @property
    def colleague_name(self) -> str: ...

    @property
    def agent_url(self) -> str:
        """The page where a person plays the agent."""
        ...

    @property
    def access(self) -> DeskAccess: ...

    @property
    def hurried(self) -> Mapping[str, object]:
        """Connector settings under which nothing waits for the real clock, because tests move the simulated one."""
        ...

    # --- running ---------------------------------------------------------------------------------

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def wait(self) -> None:
        """Blocks until the helpdesk ends."""
        ...

    def calm(self) -> None:
        """No limits and no lags from now on: for tests of something else."""
        ...

    def limit_calls(self, calls: int) -> None:
        """From now on the account takes no more than this in one of its windows, whatever they are."""
        ...

    def lag(self, seconds: float) -> None:
        """From now on lists, searches, exports and histories tell everything this late."""
        ...

    # --- how the connector talks to it --------------------------------------------------------------

    @property
    def opening(self) -> Call:
        """The request that makes a ticket."""
        ...

    @property
    def appending(self) -> Call:
        """The requests that say something on a ticket."""
        ...

    @property
    def reading(self) -> Call:
        """The request that a reading of a ticket begins with."""
        ...

    @property
    def webhook_secret(self) -> str:
        """The connector's secret setting that proves webhooks; the former one is `<name>_previous`."""
        ...

    def signed(self, body: bytes, secret: str, at: datetime) -> Mapping[str, str]:
        """The headers, in lower case, of a genuine webhook with this body."""
        ...

    def set_in_order(self) -> None:
        """What the connector's README asks a person to change at the helpdesk by hand is changed."""
        ...

    @property
    def webhook_mishaps(self) -> Mapping[str, Callable[[], None]]:
        """Every way, by name, in which people spoil the webhook that we installed; none where a person installs it."""
        ...

    def set_webhook(self, url: str) -> None:
        """What a person does by hand where a helpdesk lets no program install its webhook; elsewhere nothing."""
        ...

    @property
    def group(self) -> str:
        """Id of a group, as a policy names it; empty where there are none."""
        ...

    @property
    def custom_field(self) -> str:
        """Id of a custom field that takes text, as a policy names it; empty where there are none."""
        ...

    # --- looking ---------------------------------------------------------------------------------

    def ticket_ids(self) -> tuple[str, ...]:
        """Every ticket there ever was, oldest first."""
        ...

    def ticket(self, ticket_id: str) -> DeskTicket: ...

    def files(self, ticket_id: str) -> tuple[tuple[str, bytes], ...]:
        """Name and content of each file of the ticket's newest comment."""
        ...

    # --- what people do ---------------------------------------------------------------------------

    def reply(self, ticket_id: str, text: str, files: Mapping[str, bytes] | None = None) -> None:
        """The agent answers the customer. `files`: content by name."""
        ...

    def note(self, ticket_id: str, text: str, files: Mapping[str, bytes] | None = None) -> None:
        """The agent writes something that the customer must never see."""
        ...

    @property
    def answers(self) -> Mapping[str, Say]:
        """Every way, by name, in which the agent says something to the customer; `reply` is one."""
        ...

    @property
    def whispers(self) -> Mapping[str, Say]:
        """Every way, by name, in which a text gets on a ticket that the customer must never see; `note` is one."""
        ...

    @property
    def machines(self) -> Mapping[str, Say]:
        """Every way in which a machine says something to the customer, past the chat."""
        ...

    @property
    def unknown_kinds(self) -> Mapping[str, Say]:
        """Texts that look like the agent's answer but for one thing, by its name, of a kind yet to be invented."""
        ...

    @property
    def removals(self) -> Mapping[str, Do]:
        """Every way, by name, in which the agent takes a ticket away; `delete` is one."""
        ...

    def machine_solves(self, ticket_id: str) -> None:
        """A rule of the account solves the ticket."""
        ...

    def crowd(self, count: int) -> tuple[str, ...]:
        """Strangers write to the helpdesk, past the chat; the ids of their tickets."""
        ...

    def take_back(self, ticket_id: str, comment_id: str) -> None:
        """Takes a public comment out of the customer's sight."""
        ...

    def customer_reply(self, ticket_id: str, text: str) -> None:
        """The customer writes to the helpdesk itself, past the chat."""
        ...

    def assign(self, ticket_id: str, to: str | None) -> None:
        """To `agent_name`, `colleague_name` or nobody."""
        ...

    def assign_team(self, ticket_id: str) -> None:
        """To a team, and to no person."""
        ...

    def assign_us(self, ticket_id: str) -> None:
        """To the user whom the connector works as."""
        ...

    @property
    def rest_s(self) -> float | None:
        """How long ON_HOLD lasts when the agent sets it; None: until somebody ends it."""
        ...

    def set_status(self, ticket_id: str, status: TicketStatus) -> None:
        """As an agent does it; ON_HOLD is a snooze where there is one.

        Raises:
            ValueError: the helpdesk has no such status.
        """
        ...

    def solve(self, ticket_id: str) -> None: ...

    def reopen(self, ticket_id: str) -> None: ...

    def add_tags(self, ticket_id: str, *tags: str) -> None: ...

    def remove_tags(self, ticket_id: str, *tags: str) -> None: ...

    def merge(self, source: str, target: str) -> None:
        """Folds `source` into `target`."""
        ...

    def delete(self, ticket_id: str) -> None: ...

    def restore(self, ticket_id: str) -> None:
        """
        Raises:
            ValueError: deleted is deleted here.
        """
        ...


def simulated(kind: str, port: int = 0) -> Desk:
    """A simulated helpdesk of this kind, not started; port 0 takes a free one.

    Raises:
        ConfigurationError: No such connector is installed.
        NotFound: It brings no simulator.
    """
    try:
        module = import_module(f"{package_of(kind)}.simulator")
    except ModuleNotFoundError as error:
        raise NotFound(f"The connector {kind!r} brings no simulated helpdesk ({error}).") from None
    return cast(Desk, module.Desk(port=port))
