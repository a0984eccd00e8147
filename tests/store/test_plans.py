"""Cost follows what is due, not what exists: no statement of the daily work walks through a whole table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import event

from handoff_sync.core.model import LinkState, Timer, TimerKind
from handoff_sync.store.committer import Job
from handoff_sync.store.engine import Database
from tests.store.world import NOON, WORKSPACE, Store, ingest, link, note, save, session, settle

SMALL = ("workspaces", "connections", "callback_endpoints", "api_keys")
"""Configuration: a walk through it costs nothing."""


class Recorder:
    """Every statement that both engines run, with its parameters."""

    def __init__(self, db: Database) -> None:
        self.seen: dict[str, Any] = {}
        for engine in (db.read, db.write):
            event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _c: object, _cursor: object, statement: str, params: Any, _context: object, many: bool) -> None:
        self.seen.setdefault(statement, params[0] if many else params)


def day(store: Store) -> None:
    """Everything that happens all the time, each at least once."""
    timers = (Timer(kind=TimerKind.PAUSE, fires_at=NOON + timedelta(seconds=5), epoch=0),)
    links = (link(remote_id="7", state=LinkState.LINKED),)
    for event_id in ("e1", "e2", "e1"):
        store.committer.run(ingest(event_id))
    store.committer.run(save(session("s9", "c9", timers=timers, links=links), note("one"), note("two")))
    both = Job(lambda uow: None, conversations=((WORKSPACE, "c1"),), sessions=("s9",), links=("l1",))
    store.committer.run(both)
    store.clock.forward(10)
    lane = "s9/ticket:l1"
    store.reads.gate(WORKSPACE, "c1")
    store.reads.due_sessions(10)
    store.reads.due_lanes(10)
    store.reads.backlog()
    first = store.must_claim(lane)
    store.committer.run(Job(lambda uow: uow.journal(first, first.rows[0].id, "sent", "1")))
    store.committer.run(Job(lambda uow: uow.renew(first, 30)))
    settle(store, first, [first.rows[0].id])
    second = store.must_claim(lane)
    store.committer.run(Job(lambda uow: uow.retry(second, store.clock(), "down", forget=["sent"])))
    third = store.must_claim(lane)
    store.committer.run(Job(lambda uow: uow.park(third, [third.rows[0].id], "refused", block=True)))
    store.reads.deliveries(WORKSPACE, "parked")
    store.committer.run(Job(lambda uow: uow.unpark(WORKSPACE, third.rows[0].id)))
    store.committer.run(Job(lambda uow: uow.links_of_remote("con1", ["7"])))
    store.committer.run(Job(lambda uow: uow.save_read("l1", "c", "{}")))
    store.committer.run(Job(lambda uow: uow.link_message("l1", "k", "m", "in")))
    store.committer.run(Job(lambda uow: uow.known_comments("l1", ["k"])))
    for read in (store.reads.messages, store.reads.timeline, store.reads.events, store.reads.links):
        read("s9")
    store.reads.pause_log(WORKSPACE, "s9")
    store.reads.session(WORKSPACE, "s9")
    store.reads.sessions(WORKSPACE)


def test_no_statement_walks_through_a_table(sqlite_store: Store) -> None:
    recorder = Recorder(sqlite_store.db)
    day(sqlite_store)
    walks = []
    with sqlite_store.db.read.connect() as connection:
        for statement, params in list(recorder.seen.items()):
            if statement.startswith(("SELECT", "UPDATE", "INSERT")):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", params).all()
                walks += [(row.detail, statement) for row in plan if _walks(row.detail)]
    assert walks == []
    assert len(recorder.seen) > 25


def _walks(detail: str) -> bool:
    """A scan of a table, but not of a list of parameters or of an index that holds only what is wanted."""
    given = ("CONSTANT ROW", "SUBQUERY", "VIRTUAL TABLE")
    if not detail.startswith("SCAN") or any(word in detail for word in given):
        return False
    table = detail.split()[1]
    return table not in SMALL and not detail.endswith("INDEX ix_outbox_parked")
