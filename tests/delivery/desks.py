"""One workspace with several simulated helpdesks: in one thread on simulated time, or with workers in real time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from handoff_sync.bootstrap import App, build
from handoff_sync.core.events import CustomerMessage, Event, HandoffRequested
from handoff_sync.core.model import AuthorClass, Customer, Message, Session, TicketLink, Trigger
from handoff_sync.core.policy import ConnectionRule, Mode, Policy, Recipient
from handoff_sync.secret_keys import new_key
from handoff_sync.service.apply import on_conversation
from handoff_sync.service.hooks import look_again
from handoff_sync.settings import load_settings
from handoff_sync.simulator.desk import Desk, DeskComment, simulated
from handoff_sync.store.committer import Job
from handoff_sync.store.migrate import migrate

T = TypeVar("T")
ANA = Customer(external_id="u-1", name="Ana Ruiz", email="ana@example.com", email_verified=True)
AUTOMATIC = Policy(
    handover_mode=Mode.AUTOMATIC, solved_grace_seconds=0, recipients=(Recipient(email="team@example.com"),)
)


@dataclass(slots=True)
class Place:
    """One helpdesk and the connection to it."""

    desk: Desk
    connection: str


@dataclass(slots=True)
class Desks:
    """`places` in the order of the policy: the first is the primary one."""

    app: App
    workspace: str
    places: tuple[Place, ...]
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # --- time ------------------------------------------------------------------------------------

    def work(self, rounds: int = 200) -> None:
        """Does everything that is due now; only without workers."""
        for _ in range(rounds):
            self.app.sweeper.tick()
            due = self.app.reads.due_lanes(100)
            if not due:
                return
            for lane in due:
                self.app.runner.run(lane)
        raise AssertionError(f"Still due after {rounds} rounds: {self.app.reads.due_lanes(10)}")

    def advance(self, seconds: float) -> None:
        for place in self.places:
            place.desk.simulator.clock.advance(seconds)

    def now(self) -> Any:
        return self.places[0].desk.simulator.clock.now()

    # --- the platform ------------------------------------------------------------------------------

    def apply(self, event: Event, talk: str) -> None:
        self.app.committer.run(on_conversation(self.workspace, talk, event, customer=ANA))

    def say(self, text: str, talk: str = "talk") -> None:
        number, now = next(self._numbers), self.now()
        message = Message(id=f"m-{number}", author_class=AuthorClass.CUSTOMER, text=text, at=now)
        self.apply(CustomerMessage(id=f"say-{number}", at=now, message=message), talk)

    def hand_over(self, talk: str = "talk", **fields: Any) -> None:
        name = f"please-{next(self._numbers)}"
        self.apply(HandoffRequested(id=name, at=self.now(), trigger=Trigger.CUSTOMER_REQUEST, **fields), talk)

    def session(self, talk: str = "talk") -> Session:
        session = self.app.reads.current_session(self.workspace, talk)
        assert session is not None
        return session

    def heard(self, talk: str = "talk") -> list[str]:
        """What humans said to the customer."""
        said = self.app.reads.messages(self.session(talk).id)
        return [m.message.text for m in said if m.message.author_class is AuthorClass.HUMAN and m.kind == "message"]

    # --- the helpdesks -----------------------------------------------------------------------------

    def link(self, place: Place, talk: str = "talk") -> TicketLink | None:
        """The newest link there."""
        links = [link for link in self.session(talk).links if link.connection == place.connection]
        return links[-1] if links else None

    def ticket(self, place: Place, talk: str = "talk") -> str:
        link = self.link(place, talk)
        assert link is not None and link.remote_id is not None
        return link.remote_id

    def saying(self, place: Place, text: str, talk: str = "talk") -> list[DeskComment]:
        return [said for said in place.desk.ticket(self.ticket(place, talk)).comments if text in said.text]

    def tell(self, place: Place, talk: str = "talk") -> None:
        """What a webhook does: look at this ticket again."""
        ticket = self.ticket(place, talk)
        self.app.committer.run(Job(run=lambda uow: look_again(uow, place.connection, (ticket,))))

    def outbox(self, status: str) -> list[Any]:
        return list(self.app.reads.deliveries(self.workspace, status=status, limit=200).items)


def until(what: str, probe: Callable[[], T | None], seconds: float = 10.0) -> T:
    """The first answer that is not empty."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := probe():
            return found
        time.sleep(0.01)
    raise AssertionError(f"Not within {seconds} s: {what}.")


@contextmanager
def desks(
    folder: Path, kinds: Sequence[str], policy: Policy = AUTOMATIC, *, workers: bool = False, **settings: Any
) -> Iterator[Desks]:
    """A started service with a connection to a calm helpdesk of each kind."""
    with ExitStack() as stack:
        found = [simulated(kind) for kind in kinds]
        for desk in found:
            desk.start()
            stack.callback(desk.stop)
            desk.calm()
        loaded = load_settings(data_dir=folder, secret_keys=new_key(), disk_floor_mb=0, **settings)
        app = build(loaded, clock=None if workers else found[0].simulator.clock.now)
        migrate(app.db)
        app.start(workers=workers, sweeper=workers)
        stack.callback(app.stop)
        workspace = app.admin.create_workspace("Acme", policy=policy).id
        places = tuple(Place(desk, _connection(app, workspace, desk)) for desk in found)
        rules = tuple(ConnectionRule(connection=place.connection) for place in places)
        app.admin.update_workspace(workspace, policy=replace(policy, connections=rules))
        yield Desks(app, workspace, places)


def _connection(app: App, workspace: str, desk: Desk) -> str:
    """As it is stored after a person has connected it; webhooks are not installed."""
    access = desk.access
    return app.admin.create_connection(
        workspace, desk.kind, desk.title, dict(access.settings), dict(access.secrets)
    ).id  # fmt: skip
