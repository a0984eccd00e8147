"""What the store's tests are told in: sessions, outcomes and jobs, made without the core."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from handoff_sync.core.effects import Effect, NoteOnTicket, Outcome, StoredMessage, Verdict, Visibility
from handoff_sync.core.events import CustomerMessage
from handoff_sync.core.model import AuthorClass, LinkRole, LinkState, Message, Session, TicketLink
from handoff_sync.store.admin import Admin
from handoff_sync.store.committer import Committer, Job
from handoff_sync.store.engine import Database, open_database
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import Claim
from handoff_sync.store.unit import UnitOfWork
from handoff_sync.store.vault import Vault

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = bytes(range(100, 132))
WORKSPACE = "ws1"


class TestClock:
    """A clock that moves when it is told to."""

    __test__ = False

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


@dataclass
class Store:
    """Everything over one database, with a clock of its own and a record of what was rung."""

    db: Database
    clock: TestClock
    committer: Committer
    reads: Reads
    admin: Admin
    rung: list[str] = field(default_factory=list)

    def claim(self, lane: str, lease_s: float = 30) -> Claim | None:
        return self.committer.run(Job(lambda uow: uow.claim(lane, lease_s)))

    def must_claim(self, lane: str, lease_s: float = 30) -> Claim:
        claim = self.claim(lane, lease_s)
        assert claim is not None, f"{lane} cannot be claimed"
        return claim

    def take_rung(self) -> set[str]:
        rung, self.rung[:] = set(self.rung), []
        return rung


@contextmanager
def opened(url: str, clock: TestClock | None = None, writers: int = 2) -> Iterator[Store]:
    """A running store on a migrated database."""
    db, clock = open_database(url), clock or TestClock()
    rung: list[str] = []
    committer = Committer(db, clock, rung.extend, writers)
    store = Store(db, clock, committer, Reads(db, clock), Admin(db, committer, Vault({"k1": KEY})), rung)
    committer.start()
    try:
        yield store
    finally:
        committer.stop()
        db.dispose()


def with_workspace(store: Store, id: str = WORKSPACE) -> Store:
    store.admin.create_workspace("Acme", id=id)
    return store


def session(id: str = "s1", conversation: str = "c1", **changes: object) -> Session:
    fresh = Session(id=id, workspace=WORKSPACE, conversation_id=conversation, created_at=NOON)
    return replace(fresh, **changes)  # type: ignore[arg-type]


def link(id: str = "l1", connection: str = "con1", **changes: object) -> TicketLink:
    fresh = TicketLink(
        id=id, connection=connection, handoff=1, key=f"key-{id}", state=LinkState.INTENT, role=LinkRole.PRIMARY
    )
    return replace(fresh, **changes)  # type: ignore[arg-type]


def message(id: str, text: str = "Hello") -> Message:
    return Message(id=id, author_class=AuthorClass.CUSTOMER, text=text, at=NOON)


def wrote(event_id: str, text: str = "Hello") -> CustomerMessage:
    return CustomerMessage(id=event_id, at=NOON, message=message(event_id, text))


def note(name: str, link_id: str = "l1") -> NoteOnTicket:
    """An effect for the lane of a ticket."""
    return NoteOnTicket(link=link_id, name=name, text=f"About {name}.")


def outcome(session: Session, *effects: Effect, says: Sequence[Message] = ()) -> Outcome:
    """One step further: the session's version and message count grow as the core would have them."""
    count = session.message_count
    messages = tuple(
        StoredMessage(seq=count + number, message=said, visibility=Visibility.PUBLIC)
        for number, said in enumerate(says, start=1)
    )
    after = replace(session, version=session.version + 1, message_count=count + len(messages))
    return Outcome(session=after, verdict=Verdict.APPLIED, rule="T1", effects=effects, messages=messages)


def ingest(event_id: str, conversation: str = "c1", workspace: str = WORKSPACE) -> Job[str]:
    """What taking in a customer's message does: dedupe, load or make the session, save, remember the answer."""

    def run(uow: UnitOfWork) -> str:
        known = uow.inbox_result(workspace, event_id)
        if known is not None:
            return f"again: {known}"
        current = uow.session_of(workspace, conversation)
        if current is None:
            current = replace(session(f"s-{event_id}", conversation), workspace=workspace)
        event = wrote(event_id)
        done = outcome(current, note(event_id), says=(event.message,))
        uow.save(done, event)
        uow.record_inbox(workspace, event_id, event.type, done.session.id, f"v{done.session.version}")
        return f"v{done.session.version}"

    return Job(run, conversations=((workspace, conversation),), inbox=((workspace, event_id),))


def save(session: Session, *effects: Effect) -> Job[Session]:
    """Saves one step of a session; gives the session after it."""

    def run(uow: UnitOfWork) -> Session:
        stored = uow.session(session.id) or session
        done = outcome(replace(session, version=stored.version), *effects)
        uow.save(done, None)
        return done.session

    return Job(run, sessions=(session.id,))


def names(claim: Claim) -> list[str]:
    """The notes that a claim carries."""
    return [row.effect.name for row in claim.rows if isinstance(row.effect, NoteOnTicket)]


def settle(store: Store, claim: Claim, ids: Collection[int] | None = None) -> bool:
    """Settles these rows, or all that the claim carries."""
    done = {row.id: "ok" for row in claim.rows if ids is None or row.id in ids}
    return store.committer.run(Job(lambda uow: uow.settle(claim, done)))
