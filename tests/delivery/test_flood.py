"""Many messages on one ticket: nothing lost, order kept, the helpdesk's limit respected, nobody else waits."""

from __future__ import annotations

from datetime import timedelta

from handoff_sync.simulator.request_log import LoggedRequest
from tests.delivery.rig import Rig

LIMIT, WINDOW = 30, timedelta(minutes=10)
MESSAGES = 31


def test_31_messages_within_a_minute(rig: Rig) -> None:
    rig.say("<<0>>")
    rig.hand_over()
    rig.work()
    for number in range(1, MESSAGES + 1):
        rig.say(f"<<{number}>>")
        rig.work()
        if number == 1:
            assert "<<1>>" in texts(rig), "the first message goes at once"
        rig.advance(60 / MESSAGES)
    for _ in range(60):
        rig.advance(20)
        rig.work()
    said = texts(rig)
    places = [said.index(f"<<{n}>>") for n in range(1, MESSAGES + 1)]
    assert places == sorted(places)
    assert all(said.count(f"<<{n}>>") == 1 for n in range(1, MESSAGES + 1))
    updates = [request.at for request in ticket_updates(rig)]
    for at in updates:
        assert sum(at - WINDOW < other <= at for other in updates) <= LIMIT
    assert not [request for request in rig.simulator.state.requests() if request.status == 429]
    assert rig.parked() == []


def test_a_ticket_that_must_wait_holds_up_no_other(rig: Rig) -> None:
    """One thread does everything here: if a lane slept, the other talk's ticket could not be opened."""
    rig.hand_over("busy")
    rig.work()
    for number in range(20):
        rig.say(f"{number}", "busy")
        rig.work()
    assert rig.app.reads.deliveries(rig.workspace, status="pending").items, "the busy ticket waits"
    rig.hand_over("other")
    rig.work()
    assert rig.ticket("other") != rig.ticket("busy")


def test_a_429_parks_the_lane_until_retry_after_and_loses_nothing(rig: Rig) -> None:
    rig.hand_over()
    rig.work()
    rig.simulator.faults.fail(429, method="PUT", path=r"/tickets/\d+", retry_after_s=40)
    rig.say("<<held>>")
    rig.work()
    assert "<<held>>" not in texts(rig)
    rig.advance(39)
    rig.work()
    assert "<<held>>" not in texts(rig), "nobody comes back before Retry-After"
    rig.advance(2)
    rig.work()
    assert texts(rig).count("<<held>>") == 1


def texts(rig: Rig) -> str:
    return "\n".join(rig.simulator.state.texts(rig.ticket()))


def ticket_updates(rig: Rig) -> list[LoggedRequest]:
    return [
        request
        for request in rig.simulator.state.requests("PUT", f"/tickets/{rig.ticket()}")
        if "/tags" not in request.path
    ]
