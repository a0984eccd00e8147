"""The committer: many callers, few transactions, and nobody pays for another's mistake."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest

from handoff_sync.errors import NotReady, Refused
from handoff_sync.store.committer import MAX_BATCH, Committer, Job
from handoff_sync.store.engine import open_database
from handoff_sync.store.faults import StoreError
from handoff_sync.store.reads import Reads
from handoff_sync.store.unit import UnitOfWork
from tests.store.world import NOON, WORKSPACE, Store, ingest, message, outcome, save, session, wrote


class Held:
    """A job that keeps the writer busy until it is let go, so that others pile up behind it."""

    def __init__(self, store: Store, conversation: str = "c1") -> None:
        self._running, self._go_on = threading.Event(), threading.Event()
        self.future = store.committer.submit(Job(self._run, conversations=((WORKSPACE, conversation),)))
        assert self._running.wait(10)

    def let_go(self) -> None:
        self._go_on.set()
        self.future.result(10)

    def _run(self, _uow: UnitOfWork) -> None:
        self._running.set()
        assert self._go_on.wait(20)


def pile_up(store: Store, jobs: list[Job[str]], conversation: str = "c1") -> list[Future[str]]:
    held = Held(store, conversation)
    futures = [store.committer.submit(job) for job in jobs]
    held.let_go()
    for future in futures:
        future.exception(20)
    return futures


def failing(before: Callable[[UnitOfWork], None], error: Exception, conversation: str = "c1") -> Job[str]:
    def run(uow: UnitOfWork) -> str:
        before(uow)
        raise error

    return Job(run, conversations=((WORKSPACE, conversation),))


def half_saved(uow: UnitOfWork) -> None:
    current = uow.session_of(WORKSPACE, "c1")
    assert current is not None
    uow.save(outcome(current, says=(message("half"),)), wrote("half"))


def version(store: Store, conversation: str = "c1") -> int:
    current = store.reads.current_session(WORKSPACE, conversation)
    return current.version if current is not None else 0


# --- many at once -----------------------------------------------------------------------------------


def test_many_threads_and_conversations(store: Store) -> None:
    threads, events, conversations = 16, 25, 8

    def work(number: int) -> None:
        for event in range(events):
            conversation = f"c{(number + event) % conversations}"
            assert not store.committer.run(ingest(f"e{number}-{event}", conversation)).startswith("again")

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    assert sum(version(store, f"c{number}") for number in range(conversations)) == threads * events
    for number in range(conversations):
        current = store.reads.current_session(WORKSPACE, f"c{number}")
        assert current is not None
        said = store.reads.messages(current.id)
        assert [one.seq for one in said] == list(range(1, current.version + 1))


def test_repeats_in_parallel_change_nothing(store: Store) -> None:
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(store.committer.run, [ingest(f"e{number % 50}") for number in range(250)]))
    assert sum(not answer.startswith("again") for answer in answers) == 50
    assert version(store) == 50


def test_two_processes_worth_of_committers_make_one_session(postgres_store: Store, postgres_url: str) -> None:
    """Two writers that do not know of each other start the same conversations with the same events."""
    other = Committer(open_database(postgres_url), postgres_store.clock)
    with other, ThreadPoolExecutor(32) as pool:
        jobs = [
            (committer, ingest(f"e{n}", f"c{n % 20}"))
            for n in range(100)
            for committer in (postgres_store.committer, other)
        ]
        answers = list(pool.map(lambda pair: pair[0].run(pair[1]), jobs))
    assert sum(not answer.startswith("again") for answer in answers) == 100
    assert sum(version(postgres_store, f"c{n}") for n in range(20)) == 100


def test_more_than_one_batch_piles_up(sqlite_store: Store) -> None:
    futures = pile_up(sqlite_store, [ingest(f"e{number}") for number in range(MAX_BATCH + 50)])
    assert [future.result() for future in futures] == [f"v{number}" for number in range(1, MAX_BATCH + 51)]


def test_a_job_is_repeated_as_long_as_sessions_deadlock(postgres_store: Store, postgres_url: str) -> None:
    """Two writers that lock two sessions in opposite order without announcing it."""
    store, other = postgres_store, Committer(open_database(postgres_url), postgres_store.clock)
    for id in ("s1", "s2"):
        store.committer.run(save(session(id, f"c{id}")))
    met = threading.Barrier(2)

    def crossing(first: str, second: str) -> Job[None]:
        tries: list[int] = []

        def run(uow: UnitOfWork) -> None:
            one = uow.session(first)
            tries.append(1)
            if len(tries) == 1:
                met.wait(10)
            two = uow.session(second)
            assert one is not None
            assert two is not None
            uow.save(outcome(one), None)
            uow.save(outcome(two), None)

        return Job(run)

    with other:
        futures = [store.committer.submit(crossing("s1", "s2")), other.submit(crossing("s2", "s1"))]
        for future in futures:
            future.result(20)
    for id in ("s1", "s2"):
        stored = store.reads.session(WORKSPACE, id)
        assert stored is not None
        assert stored.version == 3


# --- poison -----------------------------------------------------------------------------------------


def test_a_job_that_fails_half_way_leaves_nothing_behind_and_harms_nobody(store: Store) -> None:
    store.committer.run(ingest("e0"))
    poison = failing(half_saved, ValueError("poison"))
    futures = pile_up(store, [ingest("e1"), poison, ingest("e2"), poison, ingest("e3")])
    assert [future.exception() is None for future in futures] == [True, False, True, False, True]
    assert [future.result() for future in futures[::2]] == ["v2", "v3", "v4"]
    assert isinstance(futures[1].exception(), ValueError)
    assert [said.message.id for said in store.reads.messages("s-e0")] == ["e0", "e1", "e2", "e3"]


def test_a_job_that_refuses_before_it_changed_anything_costs_no_rollback(store: Store) -> None:
    runs: list[str] = []

    def counted(uow: UnitOfWork) -> str:
        runs.append("run")
        return ingest("e1").run(uow)

    refusing = failing(lambda uow: None, Refused("no", "No."))
    futures = pile_up(store, [Job(counted, conversations=((WORKSPACE, "c1"),)), refusing])
    assert futures[0].result() == "v1"
    assert isinstance(futures[1].exception(), Refused)
    assert runs == ["run"]


def test_a_statement_that_the_database_refuses_harms_only_its_own_job(store: Store) -> None:
    def broken(uow: UnitOfWork) -> str:
        uow.record_inbox(WORKSPACE, "bad", "api", None, None)  # type: ignore[arg-type]
        return "never"

    futures = pile_up(store, [ingest("e1"), Job(broken, conversations=((WORKSPACE, "c1"),)), ingest("e2")])
    assert [future.exception() is None for future in futures] == [True, False, True]
    assert isinstance(futures[1].exception(), StoreError)
    assert version(store) == 2


def test_the_database_s_own_text_is_not_passed_on(store: Store) -> None:
    def broken(uow: UnitOfWork) -> str:
        uow.record_inbox(WORKSPACE, "bad", "words of a customer", None, None)  # type: ignore[arg-type]
        return "never"

    with pytest.raises(StoreError) as caught:
        store.committer.run(Job(broken))
    assert "customer" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_writer_survives_whatever_a_job_raises(store: Store) -> None:
    def leaving(_uow: UnitOfWork) -> str:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        store.committer.run(Job(leaving))
    assert store.committer.run(ingest("e1")) == "v1"


# --- the database cannot ----------------------------------------------------------------------------


def test_a_locked_database_is_not_ready_and_nothing_is_done(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = sqlite_store
    store.committer.run(ingest("e1"))
    monkeypatch.setattr("handoff_sync.store.engine.BUSY_TIMEOUT_S", 0.1)
    store.db.dispose()
    with closing(sqlite3.connect(str(store.db.url.database), isolation_level=None)) as locker:
        locker.execute("BEGIN IMMEDIATE")
        futures = [store.committer.submit(ingest(f"e{number}")) for number in range(2, 6)]
        assert all(isinstance(future.exception(20), NotReady) for future in futures)
        locker.execute("ROLLBACK")
    assert store.committer.run(ingest("e2")) == "v2"


def test_a_full_disk_is_not_ready_and_work_goes_on_when_there_is_space(sqlite_store: Store) -> None:
    store = sqlite_store
    store.committer.run(ingest("e1"))
    with store.db.write.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    blob = b"x" * 200_000

    def large(uow: UnitOfWork) -> None:
        uow.record_inbox(WORKSPACE, "big", "webhook", None, "taken", blob)

    with pytest.raises(NotReady):
        store.committer.run(Job(large))
    assert version(store) == 1
    with store.db.write.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000000")
    store.committer.run(Job(large))
    assert store.committer.run(ingest("e2")) == "v2"


def test_a_server_that_is_away_is_not_ready(sqlite_url: str) -> None:
    away = open_database("postgresql://nobody@127.0.0.1:9/none")
    with Committer(away) as committer, pytest.raises(NotReady):
        committer.run(ingest("e1"))
    with pytest.raises(NotReady):
        Reads(away).gate(WORKSPACE, "c1")


def test_connections_that_the_server_has_cut_are_replaced(postgres_store: Store) -> None:
    store = postgres_store
    store.committer.run(ingest("e1"))
    with store.db.read.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert store.committer.run(ingest("e2")) == "v2"
    assert version(store) == 2


# --- life and rules ---------------------------------------------------------------------------------


def test_a_job_that_waits_for_another_job_fails_loudly(store: Store) -> None:
    with pytest.raises(RuntimeError, match="must not wait"):
        store.committer.run(Job(lambda _uow: store.committer.run(ingest("e1"))))


def test_stopping_finishes_what_was_submitted(store: Store) -> None:
    held = Held(store)
    futures = [store.committer.submit(ingest(f"e{number}")) for number in range(10)]
    stopper = threading.Thread(target=store.committer.stop)
    stopper.start()
    held.let_go()
    stopper.join(10)
    assert [future.result(0) for future in futures] == [f"v{number}" for number in range(1, 11)]
    with pytest.raises(NotReady):
        store.committer.run(ingest("late"))
    store.committer.start()
    assert store.committer.run(ingest("later")) == "v11"


def test_a_cancelled_job_does_not_run(store: Store) -> None:
    held = Held(store)
    future = store.committer.submit(ingest("e1"))
    assert future.cancel()
    held.let_go()
    assert store.committer.run(ingest("e2")) == "v1"


def test_the_doorbell_rings_after_the_commit_and_before_the_answer(database_url: str, store: Store) -> None:
    seen: list[tuple[str, bool]] = []
    db = open_database(database_url)
    reads = Reads(db, store.clock)

    def ring(lanes: object) -> None:
        seen.append((str(lanes), bool(reads.due_lanes(1))))

    with Committer(db, store.clock, ring) as committer:
        committer.run(ingest("e1"))
        assert seen == [("{'s-e1/ticket:l1'}", True)]
        committer.run(ingest("e1"))
        assert len(seen) == 1
    db.dispose()


def test_a_doorbell_that_fails_changes_no_answer(database_url: str, store: Store) -> None:
    def ring(_lanes: object) -> None:
        raise ConnectionError("The broker is away.")

    db = open_database(database_url)
    with Committer(db, store.clock, ring) as committer:
        assert committer.run(ingest("e1")) == "v1"
    db.dispose()


def test_all_jobs_of_a_transaction_see_one_time(store: Store) -> None:
    def reading(uow: UnitOfWork) -> tuple[object, object]:
        first = uow.now
        store.clock.forward(1)
        return first, uow.now

    assert store.committer.run(Job(reading)) == (NOON, NOON)
    assert store.committer.run(Job(lambda uow: uow.now)) == NOON + timedelta(seconds=1)


def test_without_a_clock_the_database_tells_the_time(database_url: str) -> None:
    db = open_database(database_url)
    with Committer(db) as committer:
        told = committer.run(Job(lambda uow: uow.now))
        assert told <= Reads(db).now() <= committer.run(Job(lambda uow: uow.now))
    db.dispose()
