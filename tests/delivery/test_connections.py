"""A helpdesk in trouble: nothing is lost, nobody hammers, and work goes on by itself or by a person's word."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from handoff_sync.contract.connector import Budget
from handoff_sync.delivery.breaker import MIN_CALLS, OPEN_S
from handoff_sync.delivery.budgets import UNCOUNTED_S, ConnectionLimiter, budget_storage
from handoff_sync.errors import RateLimited
from handoff_sync.service.hooks import look_again
from handoff_sync.store.committer import Job
from handoff_sync.store.rows import Claim
from tests.delivery.rig import Rig
from tests.engines import free_port


def pending(rig: Rig) -> int:
    return len(rig.app.reads.deliveries(rig.workspace, status="pending", limit=200).items)


def calls(rig: Rig) -> int:
    return len(rig.simulator.state.requests())


def claiming(lane: str) -> Job[Claim | None]:
    return Job(run=lambda uow: uow.claim(lane, 30.0))


def said(rig: Rig, talk: str = "talk") -> str:
    return "\n".join(rig.simulator.state.texts(rig.ticket(talk)))


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_stop_the_connection_with_one_alert_and_keep_every_row(rig: Rig, status: int) -> None:
    for talk in ("one", "two", "three"):
        rig.hand_over(talk)
    rig.simulator.faults.fail(status, path="/api/v2", count=None)
    with capture_logs() as logs:
        rig.work()
        for _ in range(5):
            rig.advance(600)
            rig.work()
    assert sum(line["event"].startswith("connection stopped") for line in logs) == 1
    row = rig.app.admin.connection(rig.connection)
    assert row is not None and row.stopped_reason
    before = calls(rig)
    rig.advance(7200)
    rig.work()
    assert calls(rig) == before, "no lockout by hammering"
    assert [parked.kind for parked in rig.parked() if parked.kind.startswith("ticket")] == []
    rig.simulator.faults.clear()
    assert rig.app.admin.start_connection(rig.connection)
    rig.work()
    assert {rig.ticket(talk) for talk in ("one", "two", "three")} and len(rig.simulator.state.tickets) == 3
    assert pending(rig) == 0


def test_a_paused_connection_goes_on_by_itself_or_at_a_persons_word(rig: Rig) -> None:
    rig.hand_over()
    rig.work()
    rig.app.connections.pause(rig.connection, 600, "test")
    rig.say("<<waits>>")
    before = calls(rig)
    rig.work()
    assert calls(rig) == before
    rig.app.admin.start_connection(rig.connection)
    rig.work()
    assert said(rig).count("<<waits>>") == 1
    rig.app.connections.pause(rig.connection, 600, "test")
    rig.say("<<again>>")
    rig.work()
    rig.advance(601)
    rig.work()
    assert said(rig).count("<<again>>") == 1


def test_a_helpdesk_that_fails_again_and_again_is_left_alone_for_a_minute(rig: Rig) -> None:
    rig.simulator.faults.fail(500, path="/api/v2", count=None)
    for number in range(MIN_CALLS * 2):
        rig.hand_over(f"talk-{number}")
    rig.work()
    row = rig.app.admin.connection(rig.connection)
    assert row is not None and row.paused_until is not None
    before = calls(rig)
    rig.advance(OPEN_S / 2)
    rig.work()
    assert calls(rig) == before
    rig.simulator.faults.clear()
    for _ in range(20):
        rig.advance(60)
        rig.work()
    assert len(rig.simulator.state.tickets) == MIN_CALLS * 2 and pending(rig) == 0


def test_a_removed_connection_leaves_nothing_that_runs_for_ever(rig: Rig) -> None:
    rig.hand_over()
    rig.work()
    rig.app.admin.delete_connection(rig.connection)
    rig.say("<<nowhere to go>>")
    rig.work()
    assert [row.kind for row in rig.parked() if row.kind.startswith("ticket")] == ["ticket.append"]
    rig.advance(301)
    rig.work()
    rig.advance(86_400)
    assert [lane for lane in rig.app.reads.due_lanes(10) if lane.endswith("/sweep")] == []


def test_a_job_that_ends_three_workers_in_a_row_is_set_aside(rig: Rig) -> None:
    """Each claim that ends without a word is a worker that died."""
    rig.hand_over()
    rig.work()
    rig.say("<<deadly>>")
    rig.say("<<after>>")
    lane = f"{rig.session().id}/ticket:{rig.session().links[0].id}"
    for _ in range(4):
        claim = rig.app.committer.run(claiming(lane))
        assert claim is not None
        rig.advance(31)
    rig.work()
    assert "workers in a row" in " ".join(str(row.error) for row in rig.parked() if row.kind == "ticket.append")
    assert pending(rig) == 0


def test_a_killed_reading_is_no_reason_to_stop_reading(rig: Rig) -> None:
    rig.hand_over()
    rig.work()
    ticket = str(rig.ticket())
    lane = f"{rig.session().id}/sync:{rig.session().links[0].id}"
    rig.app.committer.run(Job(run=lambda uow: look_again(uow, rig.connection, (ticket,))))
    for _ in range(4):
        assert rig.app.committer.run(claiming(lane)) is not None
        rig.advance(31)
    rig.work()
    rig.simulator.reply(int(ticket), "<<answer>>")
    rig.app.committer.run(Job(run=lambda uow: look_again(uow, rig.connection, (ticket,))))
    rig.work()
    assert "<<answer>>" in [m.message.text for m in rig.app.reads.messages(rig.session().id)]


def test_a_ticket_that_cannot_be_read_for_hours_is_read_in_the_end_without_any_webhook(rig: Rig) -> None:
    """The sweep has named it once and goes on; only the sync lane still knows."""
    rig.hand_over()
    rig.work()
    ticket = rig.ticket()
    rig.simulator.set_status(ticket, "solved")
    rig.simulator.faults.fail(500, method="GET", path=r"/tickets/\d+", count=None)
    for _ in range(60):
        rig.advance(1200)
        rig.work()
    rig.simulator.faults.clear()
    for _ in range(8):
        rig.advance(600)
        rig.work()
    assert rig.session().phase.value == "resolved"


# --- the rate budget ---------------------------------------------------------------------------------


def test_a_spent_budget_says_how_long_to_wait() -> None:
    limiter = ConnectionLimiter(budget_storage("memory://"), "c", (Budget(name="users", limit=2, window_s=60),))
    limiter.spend("users")
    limiter.spend("users")
    with pytest.raises(RateLimited) as refused:
        limiter.spend("users")
    assert 0 < refused.value.retry_after_s <= 60 and refused.value.scope == "ticket"


def test_one_budget_for_all_processes(redis_url: str) -> None:
    budgets = (Budget(name="*", limit=3, window_s=60),)
    name = f"c-{free_port()}"
    here, there = (ConnectionLimiter(budget_storage(redis_url), name, budgets) for _ in range(2))
    here.spend("a")
    there.spend("b")
    here.spend("c")
    with pytest.raises(RateLimited) as refused:
        there.spend("d")
    assert refused.value.scope == "connection"


def test_threads_that_come_at_once_do_not_overspend() -> None:
    limiter = ConnectionLimiter(budget_storage("memory://"), "c", (Budget(name="*", limit=5, window_s=60),))
    together = Barrier(16)

    def spend() -> bool:
        together.wait()
        try:
            limiter.spend("a")
        except RateLimited:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        spent = [threads.submit(spend) for _ in range(16)]
    assert sum(each.result() for each in spent) == 5


def test_a_counter_that_is_away_slows_one_call_and_stops_none() -> None:
    nobody = f"redis://127.0.0.1:{free_port()}"
    limiter = ConnectionLimiter(budget_storage(nobody), "c", (Budget(name="*", limit=1, window_s=60),))
    with capture_logs() as logs:
        for _ in range(100):
            limiter.spend("a")
    assert len(logs) == 1 and UNCOUNTED_S > 1


def test_a_row_that_nobody_can_read_hurts_only_its_lane(rig: Rig) -> None:
    rig.hand_over("sick")
    rig.hand_over("well")
    with rig.app.db.write.begin() as connection:
        session = rig.session("sick").id
        connection.execute(text("UPDATE outbox SET payload = '{}' WHERE session_id = :id"), {"id": session})
    with capture_logs() as logs:
        for lane in rig.app.reads.due_lanes(100):
            rig.app.runner.run(lane)
    assert rig.ticket("well")
    assert "Ana Ruiz" not in str(logs) and "input_value" not in str(logs)
