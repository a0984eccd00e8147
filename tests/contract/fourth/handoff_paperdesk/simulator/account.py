"""Everything that one Paperdesk account knows, and what happens to its tickets. Callers hold the lock."""

from __future__ import annotations

import mimetypes
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.endpoints import ApiRefusal

STATES: Final = ("open", "parked", "done")


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever does something: an agent, a customer, a robot, a program (api), or a team that holds tickets."""

    id: int
    kind: str
    name: str
    email: str | None = None


DANA: Final = Person(11, "agent", "Dana Desk", "dana@paperdesk.example")
KIM: Final = Person(12, "agent", "Kim Clip", "kim@paperdesk.example")
ROBOT: Final = Person(13, "robot", "Evening rule")
US: Final = Person(14, "api", "handoff-sync")
OTHER_PROGRAM: Final = Person(15, "api", "Newsletter")
TEAM: Final = Person(16, "team", "Workshop")
STAFF: Final = {person.id: person for person in (DANA, KIM, ROBOT, US, OTHER_PROGRAM, TEAM)}


@dataclass(slots=True)
class Ticket:
    """`entries` are slips and changes as the API shows them; `contents` are the files of slips, by entry."""

    id: int
    title: str
    customer: Person
    ref: str | None
    opened: datetime
    state: str = "open"
    holder: Person | None = None
    labels: list[str] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    contents: dict[int, tuple[tuple[str, bytes], ...]] = field(default_factory=dict)
    merged_into: int | None = None
    gone: bool = False

    def slips(self) -> list[dict[str, Any]]:
        return [entry for entry in self.entries if entry["kind"] == "slip"]


@dataclass(slots=True)
class Hook:
    url: str
    secret: str
    active: bool = True


class Account:
    """`tell` hears of every new entry."""

    def __init__(self, clock: SimulatorClock, tell: Callable[[Ticket, Mapping[str, Any]], None]) -> None:
        self.lock = threading.RLock()
        self._clock, self._tell = clock, tell
        self.reset()

    def reset(self) -> None:
        self.tickets: dict[int, Ticket] = {}
        self.customers: dict[str, Person] = {}
        self.feed: list[tuple[int, datetime, int]] = []
        self.hook: Hook | None = None
        self._last = 1000

    def number(self) -> int:
        """The next number; people, tickets and entries share them."""
        self._last += 1
        return self._last

    def customer(self, ref: str, name: str, email: str | None) -> Person:
        """The customer of this reference; nobody is found by an address."""
        known = self.customers.get(ref)
        self.customers[ref] = Person(known.id if known else self.number(), "customer", name, email)
        return self.customers[ref]

    # --- what happens to tickets ----------------------------------------------------------------

    def open(self, by: Person, title: str, customer: Person, ref: str | None = None) -> Ticket:
        ticket = Ticket(self.number(), title, customer, ref, self._clock.now())
        self.tickets[ticket.id] = ticket
        self._change(ticket, by, "opened")
        return ticket

    def slip(
        self,
        ticket: Ticket,
        by: Person,
        text: str,
        public: object = True,
        ref: str | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> dict[str, Any]:
        """A slip is put on the ticket; one of the customer opens the ticket again."""
        self._still(ticket)
        number, shown = self.number(), []
        for name, content in (files or {}).items():
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            url = f"https://files.paperdesk.example/{number}/{name}"
            shown.append({"name": name, "type": kind, "size": len(content), "url": url})
        ticket.contents[number] = tuple((files or {}).items())
        entry = self._enter(ticket, number, by, "slip", public=public, text=text, ref=ref, files=shown)
        if by.kind == "customer":
            self.set_state(ticket, by, "open")
        return entry

    def set_state(self, ticket: Ticket, by: Person, state: str) -> None:
        self._still(ticket)
        if state not in STATES:
            raise refusal(422, "no such state")
        if state != ticket.state:
            ticket.state = state
            self._change(ticket, by, "state")

    def hold(self, ticket: Ticket, by: Person, holder: Person | None) -> None:
        self._still(ticket)
        if holder != ticket.holder:
            ticket.holder = holder
            self._change(ticket, by, "holder")

    def label(self, ticket: Ticket, by: Person, add: Iterable[str], remove: Iterable[str]) -> None:
        self._still(ticket)
        off = set(remove)
        labels = [label for label in dict.fromkeys([*ticket.labels, *add]) if label not in off]
        if labels != ticket.labels:
            ticket.labels = labels
            self._change(ticket, by, "labels")

    def merge(self, ticket: Ticket, by: Person, target: Ticket) -> None:
        self._still(ticket)
        self._still(target)
        if target is ticket:
            raise refusal(422, "a ticket cannot be merged into itself")
        ticket.merged_into = target.id
        self._change(ticket, by, "merged")

    def throw_away(self, ticket: Ticket, by: Person) -> None:
        ticket.gone = True
        self._change(ticket, by, "gone")

    def take_back(self, ticket: Ticket, by: Person, number: int) -> None:
        next(slip for slip in ticket.slips() if slip["no"] == number)["public"] = False
        self._change(ticket, by, "slip")

    def put_hook(self, url: str) -> Hook:
        """An account has one webhook; its secret stays when it is sent elsewhere."""
        self.hook = Hook(url, self.hook.secret if self.hook is not None else secrets.token_hex(24))
        return self.hook

    def _still(self, ticket: Ticket) -> None:
        if ticket.gone:
            raise refusal(404, "no such ticket")
        if ticket.merged_into is not None:
            raise refusal(409, "the ticket was merged")

    def _change(self, ticket: Ticket, by: Person, what: str) -> None:
        self._enter(ticket, self.number(), by, "change", what=what)

    def _enter(self, ticket: Ticket, number: int, by: Person, kind: str, **more: Any) -> dict[str, Any]:
        now = self._clock.now()
        entry = {"no": number, "at": now.isoformat(timespec="milliseconds"), "kind": kind, "by": asdict(by), **more}
        ticket.entries.append(entry)
        self.feed.append((number, now, ticket.id))
        self._tell(ticket, entry)
        return entry


def refusal(status: int, why: str, headers: Mapping[str, str] | None = None) -> ApiRefusal:
    return ApiRefusal(status, {"error": why}, headers)
