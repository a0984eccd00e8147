"""Lanes: in order, one at a time, nothing forgotten."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from handoff_sync.store.committer import Job
from handoff_sync.store.configuration import ConfigurationCache
from handoff_sync.store.rows import Claim
from handoff_sync.store.unit import UnitOfWork
from tests.store.world import NOON, WORKSPACE, Store, ingest, link, names, note, opened, outcome, save, session, settle

LANE = "s1/ticket:l1"


def with_notes(store: Store, *wanted: str) -> Store:
    store.committer.run(save(session(links=(link(),)), *(note(name) for name in wanted)))
    return store


def wake(store: Store, lane: str = LANE, after_s: float = 0) -> None:
    at = store.clock() + timedelta(seconds=after_s)

    def run(uow: UnitOfWork) -> None:
        uow.wake(lane, at, workspace_id=WORKSPACE, destination=lane.partition("/")[2], session_id="s1")

    store.committer.run(Job(run))


def retry(store: Store, claim: Claim, after_s: float, error: str = "down", count: bool = True) -> bool:
    at = store.clock() + timedelta(seconds=after_s)
    return store.committer.run(Job(lambda uow: uow.retry(claim, at, error, count=count)))


def park(store: Store, claim: Claim, *ids: int, block: bool) -> bool:
    return store.committer.run(Job(lambda uow: uow.park(claim, ids, "refused", block)))


def due(store: Store) -> tuple[str, ...]:
    return store.reads.due_lanes(10)


# --- claim and settle -------------------------------------------------------------------------------


def test_a_claim_carries_the_pending_rows_in_order(store: Store) -> None:
    with_notes(store, "one", "two", "three")
    claim = store.must_claim(LANE)
    assert names(claim) == ["one", "two", "three"]
    assert (claim.workspace_id, claim.session_id, claim.connection_id) == (WORKSPACE, "s1", "con1")
    assert (claim.destination, claim.attempts, claim.expiries) == ("ticket:l1", 1, 0)


def test_a_claim_carries_at_most_a_hundred_rows(store: Store) -> None:
    with_notes(store, *(f"n{number:03}" for number in range(130)))
    claim = store.must_claim(LANE)
    assert names(claim) == [f"n{number:03}" for number in range(100)]
    assert settle(store, claim)
    assert len(store.must_claim(LANE).rows) == 30


def test_a_leased_lane_cannot_be_claimed(store: Store) -> None:
    with_notes(store, "one")
    store.must_claim(LANE)
    assert store.claim(LANE) is None
    assert due(store) == ()


def test_an_unknown_lane_cannot_be_claimed(store: Store) -> None:
    assert store.claim("s9/mail") is None


def test_a_lane_is_not_due_after_everything_is_done(store: Store) -> None:
    with_notes(store, "one")
    assert settle(store, store.must_claim(LANE))
    assert due(store) == ()
    assert store.claim(LANE) is None


def test_a_lane_with_rows_left_is_due_and_rung_at_once(store: Store) -> None:
    with_notes(store, "one", "two")
    claim = store.must_claim(LANE)
    store.take_rung()
    assert settle(store, claim, [claim.rows[0].id])
    assert store.take_rung() == {LANE}
    assert names(store.must_claim(LANE)) == ["two"]


def test_settling_sets_when_the_lane_is_due_next(store: Store) -> None:
    wake(store)
    claim = store.must_claim(LANE)
    later = store.clock() + timedelta(seconds=60)
    assert store.committer.run(Job(lambda uow: uow.settle(claim, {}, next_due=later)))
    assert store.claim(LANE) is None
    store.clock.forward(60)
    assert due(store) == (LANE,)
    assert store.must_claim(LANE).attempts == 1


def test_what_a_settle_remembers_comes_with_the_next_claim(store: Store) -> None:
    with_notes(store, "one", "two")
    claim = store.must_claim(LANE)
    sent = (NOON - timedelta(seconds=3), NOON)
    assert store.committer.run(Job(lambda uow: uow.settle(claim, {claim.rows[0].id: "x"}, recent=sent)))
    again = store.must_claim(LANE)
    assert again.recent == sent
    assert settle(store, again)
    wake(store)
    assert store.must_claim(LANE).recent == sent


def test_the_result_of_a_row_is_kept(store: Store) -> None:
    with_notes(store, "one")
    claim = store.must_claim(LANE)
    assert store.committer.run(Job(lambda uow: uow.settle(claim, {claim.rows[0].id: "comment 7"})))
    delivery = store.reads.delivery(WORKSPACE, claim.rows[0].id)
    assert delivery is not None
    assert (delivery.status, delivery.result, delivery.done_at) == ("done", "comment 7", NOON)


# --- the fencing token ------------------------------------------------------------------------------


def test_only_the_newest_claim_may_settle(store: Store) -> None:
    with_notes(store, "one")
    frozen = store.must_claim(LANE, lease_s=30)
    store.clock.forward(31)
    second = store.must_claim(LANE)
    assert not settle(store, frozen)
    assert not retry(store, frozen, 5)
    assert not park(store, frozen, frozen.rows[0].id, block=True)
    assert not store.committer.run(Job(lambda uow: uow.cancel(frozen, [frozen.rows[0].id], "gone")))
    assert not store.committer.run(Job(lambda uow: uow.journal(frozen, frozen.rows[0].id, "sent", "1")))
    assert not store.committer.run(Job(lambda uow: uow.renew(frozen, 30)))
    row = store.reads.delivery(WORKSPACE, frozen.rows[0].id)
    assert row is not None
    assert (row.status, row.error) == ("pending", None)
    assert settle(store, second)


def test_a_claim_can_be_settled_once(store: Store) -> None:
    with_notes(store, "one", "two")
    claim = store.must_claim(LANE)
    assert settle(store, claim, [claim.rows[0].id])
    assert not settle(store, claim)
    assert names(store.must_claim(LANE)) == ["two"]


def test_a_late_settle_counts_while_nobody_else_has_claimed(store: Store) -> None:
    with_notes(store, "one")
    claim = store.must_claim(LANE, lease_s=30)
    store.clock.forward(300)
    assert settle(store, claim)


# --- leases -----------------------------------------------------------------------------------------


def test_an_expired_lease_is_taken_over_and_counted(store: Store) -> None:
    with_notes(store, "one")
    tokens = []
    for expiries in range(3):
        claim = store.must_claim(LANE, lease_s=30)
        tokens.append(claim.token)
        assert (claim.attempts, claim.expiries) == (expiries + 1, expiries)
        assert due(store) == ()
        store.clock.forward(30)
        assert due(store) == (LANE,)
    assert tokens == sorted(set(tokens))


def test_settling_forgets_attempts_and_expiries(store: Store) -> None:
    with_notes(store, "one", "two")
    store.must_claim(LANE, lease_s=30)
    store.clock.forward(30)
    claim = store.must_claim(LANE)
    assert settle(store, claim, [claim.rows[0].id])
    after = store.must_claim(LANE)
    assert (after.attempts, after.expiries) == (1, 0)


def test_waiting_forgives_no_death(store: Store) -> None:
    """Between two deaths a delivery may wait for its helpdesk to settle; a real failure shows that it can end."""
    with_notes(store, "one")
    store.must_claim(LANE, lease_s=30)
    store.clock.forward(30)
    waiting = store.must_claim(LANE)
    assert retry(store, waiting, 0, "settling", count=False)
    failing = store.must_claim(LANE)
    assert failing.expiries == 1
    assert retry(store, failing, 0)
    assert store.must_claim(LANE).expiries == 0


def test_a_renewed_lease_lasts_longer(store: Store) -> None:
    with_notes(store, "one")
    claim = store.must_claim(LANE, lease_s=30)
    store.clock.forward(20)
    assert store.committer.run(Job(lambda uow: uow.renew(claim, 30)))
    store.clock.forward(20)
    assert store.claim(LANE) is None
    store.clock.forward(10)
    assert store.must_claim(LANE).expiries == 1


def test_a_clock_set_back_does_not_block_a_leased_lane_on_sqlite(sqlite_store: Store) -> None:
    store = sqlite_store
    with_notes(store, "one")
    store.clock.forward(3600)
    wake(store)
    store.must_claim(LANE, lease_s=30)
    store.clock.forward(-1800)
    assert due(store) == (LANE,)
    assert store.must_claim(LANE).expiries == 1


def test_a_clock_set_back_does_not_make_due_lanes_wait_on_sqlite(sqlite_store: Store) -> None:
    store = sqlite_store
    store.clock.forward(3600)
    wake(store)
    wake(store, "s1/mail", after_s=60)
    assert retry(store, store.must_claim(LANE), 60)
    store.clock.forward(-1800)
    store.committer.run(Job(lambda uow: None))
    assert due(store) == ()
    store.clock.forward(60)
    assert set(due(store)) == {LANE, "s1/mail"}
    wake(store)
    assert store.must_claim(LANE).attempts == 2


def test_a_clock_set_back_before_a_start_does_not_make_due_lanes_wait_on_sqlite(
    sqlite_store: Store, sqlite_url: str
) -> None:
    sqlite_store.clock.forward(3600)
    sqlite_store.committer.run(ingest("e1"))
    sqlite_store.committer.stop()
    with opened(sqlite_url) as store:
        assert store.clock() < sqlite_store.clock()
        store.committer.run(Job(lambda uow: None))
        assert names(store.must_claim("s-e1/ticket:l1")) == ["e1"]


def test_a_clock_that_jitters_does_not_end_a_lease_on_sqlite(sqlite_store: Store) -> None:
    store = sqlite_store
    with_notes(store, "one")
    store.clock.forward(10)
    store.must_claim(LANE, lease_s=30)
    store.clock.forward(-0.5)
    assert store.claim(LANE) is None


# --- wakes ------------------------------------------------------------------------------------------


def test_a_wake_during_a_lease_is_not_lost(store: Store) -> None:
    wake(store)
    claim = store.must_claim(LANE)
    wake(store)
    assert store.claim(LANE) is None
    store.take_rung()
    assert settle(store, claim)
    assert store.take_rung() == {LANE}
    assert store.must_claim(LANE).rows == ()


def test_a_later_wake_during_a_lease_is_not_lost_either(store: Store) -> None:
    wake(store)
    claim = store.must_claim(LANE)
    wake(store, after_s=40)
    assert settle(store, claim)
    assert store.claim(LANE) is None
    store.clock.forward(40)
    assert due(store) == (LANE,)


def test_an_effect_saved_during_a_lease_is_delivered_afterwards(store: Store) -> None:
    with_notes(store, "one")
    claim = store.must_claim(LANE)
    with_notes(store, "two")
    assert settle(store, claim)
    assert names(store.must_claim(LANE)) == ["two"]


def test_an_old_wake_does_not_make_a_settled_lane_due_again(store: Store) -> None:
    wake(store)
    wake(store)
    assert settle(store, store.must_claim(LANE))
    assert due(store) == ()


def test_the_earliest_wake_wins(store: Store) -> None:
    wake(store, after_s=50)
    wake(store, after_s=10)
    wake(store, after_s=90)
    store.clock.forward(10)
    assert due(store) == (LANE,)


def test_a_wake_rings_only_for_what_is_due(store: Store) -> None:
    store.take_rung()
    wake(store, after_s=5)
    assert store.take_rung() == set()
    wake(store)
    assert store.take_rung() == {LANE}


def test_settling_and_waking_in_one_transaction(store: Store) -> None:
    wake(store)
    claim = store.must_claim(LANE)

    def run(uow: UnitOfWork) -> bool:
        uow.wake(LANE, uow.now, workspace_id=WORKSPACE, destination="ticket:l1", session_id="s1")
        return uow.settle(claim, {})

    assert store.committer.run(Job(run))
    assert due(store) == (LANE,)


# --- retry ------------------------------------------------------------------------------------------


def test_a_retry_waits_even_when_new_work_comes(store: Store) -> None:
    with_notes(store, "one")
    claim = store.must_claim(LANE)
    assert retry(store, claim, 60)
    with_notes(store, "two")
    wake(store)
    assert due(store) == ()
    store.clock.forward(60)
    again = store.must_claim(LANE)
    assert names(again) == ["one", "two"]
    assert (again.attempts, again.expiries) == (2, 0)
    assert [row.attempts for row in again.rows] == [1, 0]


def test_after_the_retry_wakes_count_again(store: Store) -> None:
    with_notes(store, "one")
    assert retry(store, store.must_claim(LANE), 60)
    store.clock.forward(60)
    assert settle(store, store.must_claim(LANE))
    with_notes(store, "two")
    assert names(store.must_claim(LANE)) == ["two"]


def test_a_try_that_does_not_count(store: Store) -> None:
    with_notes(store, "one")
    for _ in range(3):
        claim = store.must_claim(LANE)
        assert claim.attempts == 1
        assert retry(store, claim, 10, count=False)
        store.clock.forward(10)
    assert store.must_claim(LANE).rows[0].attempts == 0


def test_a_retry_tells_why(store: Store) -> None:
    with_notes(store, "one", "two")
    claim = store.must_claim(LANE)
    assert retry(store, claim, 10, "503 from the helpdesk")
    first, second = (store.reads.delivery(WORKSPACE, row.id) for row in claim.rows)
    assert first is not None
    assert second is not None
    assert (first.error, second.error) == ("503 from the helpdesk", None)


def test_rows_before_the_failed_one_can_be_settled_in_the_same_transaction(store: Store) -> None:
    with_notes(store, "one", "two")
    claim = store.must_claim(LANE)

    def run(uow: UnitOfWork) -> bool:
        return uow.settle(claim, {claim.rows[0].id: "ok"}) and uow.retry(claim, NOON + timedelta(seconds=9), "down")

    assert store.committer.run(Job(run))
    assert due(store) == ()
    store.clock.forward(9)
    again = store.must_claim(LANE)
    assert [(row.key, row.attempts) for row in again.rows] == [(claim.rows[1].key, 1)]


# --- the journal ------------------------------------------------------------------------------------


def test_a_journal_survives_the_attempt(store: Store) -> None:
    with_notes(store, "one")
    claim = store.must_claim(LANE)
    id = claim.rows[0].id
    for name, value in (("sent", "12:00"), ("ticket", "5\" & 'more'"), ("sent", "12:01")):
        assert store.committer.run(Job(lambda uow, n=name, v=value: uow.journal(claim, id, n, v)))
    store.clock.forward(31)
    assert store.must_claim(LANE).rows[0].journal == {"sent": "12:01", "ticket": "5\" & 'more'"}


def test_a_retry_can_forget_part_of_the_journal(store: Store) -> None:
    with_notes(store, "one")
    claim = store.must_claim(LANE)
    id = claim.rows[0].id

    def run(uow: UnitOfWork) -> bool:
        noted = uow.journal(claim, id, "sent", "1") and uow.journal(claim, id, "ticket", "2")
        return noted and uow.retry(claim, NOON, "refused", forget=["sent"])

    assert store.committer.run(Job(run))
    assert store.must_claim(LANE).rows[0].journal == {"ticket": "2"}


# --- park, cancel, replay ---------------------------------------------------------------------------


def test_a_parked_row_that_blocks_holds_back_what_is_behind_it(store: Store) -> None:
    with_notes(store, "one", "two")
    claim = store.must_claim(LANE)
    assert park(store, claim, claim.rows[0].id, block=True)
    with_notes(store, "three")
    wake(store)
    store.clock.forward(3600)
    assert due(store) == ()
    assert store.claim(LANE) is None
    parked = store.reads.deliveries(WORKSPACE, "parked").items
    assert [(row.id, row.error) for row in parked] == [(claim.rows[0].id, "refused")]
    assert store.reads.backlog() == (0, 1)


def test_a_parked_row_that_does_not_block_lets_the_lane_go_on(store: Store) -> None:
    with_notes(store, "one", "two")
    claim = store.must_claim(LANE)
    assert park(store, claim, claim.rows[0].id, block=False)
    assert names(store.must_claim(LANE)) == ["two"]


def test_a_replayed_row_comes_first_again_with_its_journal(store: Store) -> None:
    with_notes(store, "one", "two")
    claim = store.must_claim(LANE)
    id = claim.rows[0].id
    assert store.committer.run(Job(lambda uow: uow.journal(claim, id, "sent", "1")))
    assert park(store, claim, id, block=True)
    store.take_rung()
    assert store.committer.run(Job(lambda uow: uow.unpark(WORKSPACE, id)))
    assert store.take_rung() == {LANE}
    again = store.must_claim(LANE)
    assert names(again) == ["one", "two"]
    assert (again.attempts, again.expiries) == (1, 0)
    assert (again.rows[0].attempts, again.rows[0].journal) == (0, {"sent": "1"})


def test_a_skipped_row_is_cancelled_and_the_lane_goes_on(store: Store) -> None:
    with_notes(store, "one", "two")
    claim = store.must_claim(LANE)
    assert park(store, claim, claim.rows[0].id, block=True)
    assert store.committer.run(Job(lambda uow: uow.skip(WORKSPACE, claim.rows[0].id)))
    assert names(store.must_claim(LANE)) == ["two"]


@pytest.mark.parametrize("name", ["unpark", "skip"])
def test_only_a_parked_row_of_the_same_workspace_is_replayed_or_skipped(store: Store, name: str) -> None:
    with_notes(store, "one")
    claim = store.must_claim(LANE)
    id = claim.rows[0].id
    assert not store.committer.run(Job(lambda uow: getattr(uow, name)(WORKSPACE, id)))
    assert park(store, claim, id, block=True)
    assert not store.committer.run(Job(lambda uow: getattr(uow, name)("ws2", id)))
    assert store.committer.run(Job(lambda uow: getattr(uow, name)(WORKSPACE, id)))
    assert not store.committer.run(Job(lambda uow: getattr(uow, name)(WORKSPACE, id)))


def test_a_cancelled_row_is_never_claimed(store: Store) -> None:
    with_notes(store, "one", "two")
    claim = store.must_claim(LANE)
    assert store.committer.run(Job(lambda uow: uow.cancel(claim, [claim.rows[0].id], "pointless")))
    assert names(store.must_claim(LANE)) == ["two"]


def test_parking_and_settling_in_one_transaction(store: Store) -> None:
    with_notes(store, "one", "two", "three")
    claim = store.must_claim(LANE)
    first, second, _ = (row.id for row in claim.rows)

    def run(uow: UnitOfWork) -> bool:
        return uow.park(claim, [second], "refused", block=True) and uow.settle(claim, {first: "ok"})

    assert store.committer.run(Job(run))
    assert due(store) == ()
    assert store.committer.run(Job(lambda uow: uow.unpark(WORKSPACE, second)))
    assert names(store.must_claim(LANE)) == ["two", "three"]


def test_a_started_connection_wakes_what_waited_for_it(store: Store) -> None:
    with_notes(store, "one")
    assert retry(store, store.must_claim(LANE), 3600)
    store.take_rung()
    store.committer.run(Job(lambda uow: uow.release("con1")))
    assert store.take_rung() == {LANE}
    assert names(store.must_claim(LANE)) == ["one"]


def test_a_wake_that_commits_while_the_lane_is_settled_is_not_lost(postgres_store: Store) -> None:
    """The settle has begun, waits for the waker's lock on the lane, and must see what the waker wrote."""
    store = postgres_store
    with_notes(store, "one")
    claim = store.must_claim(LANE)
    with store.db.write.begin() as connection:
        waker = UnitOfWork(connection, "postgresql", store.clock, ConfigurationCache())
        current = waker.session("s1")
        assert current is not None
        waker.save(outcome(current, note("two")), None)
        waker.flush()
        settling = store.committer.submit(Job(lambda uow: uow.settle(claim, {claim.rows[0].id: "ok"})))
        until_somebody_waits_for_a_lock(store)
    assert settling.result(10)
    assert names(store.must_claim(LANE)) == ["two"]


def until_somebody_waits_for_a_lock(store: Store) -> None:
    ends = time.monotonic() + 10
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while time.monotonic() < ends:
        with store.db.read.connect() as connection:
            if connection.exec_driver_sql(waiting).scalar_one():
                return
    raise AssertionError("Nobody waits for a lock.")
