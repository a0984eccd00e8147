"""SIGTERM under load: out in time, nothing lost, nothing twice (G23)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from handoff_sync.simulator.desk import Desk
from handoff_sync.simulator.faults import Fault, FaultKind
from handoff_sync.store.engine import open_database
from tests.e2e.arrival import everything_arrived
from tests.e2e.stand import Stand, lagging, until

TALKS = 6
"""Zendesk makes about one new customer a second."""
EXIT_S = 25.0


@pytest.fixture
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    """All in one process, or the processes of the Procfile as they are."""
    kind, _, how = request.param.partition("-")
    urls = f"sqlite:///{tmp_path}/handoff.db", "memory://"
    if how == "commands":
        urls = request.getfixturevalue("postgres_url"), request.getfixturevalue("redis_url")
    desk = lagging(kind)
    desk.start()
    stand = Stand(tmp_path, desk, *urls, commands=how == "commands")
    yield stand
    stand.stop()
    desk.stop()


def talks(count: int = TALKS) -> dict[str, int]:
    return {f"talk-{number}": 2 for number in range(count)}


def load(stand: Stand) -> None:
    for talk in talks():
        stand.say(talk, 1)
        stand.hand_over(talk)
        stand.say(talk, 2)


def held_lanes(stand: Stand) -> int:
    """Lanes on which the process that has ended still has its hand, as the database itself says."""
    db = open_database(stand.database_url)
    try:
        with db.read.connect() as connection:
            asked = connection.exec_driver_sql("SELECT count(*) FROM lanes WHERE lease_until IS NOT NULL")
            return int(asked.scalar_one())
    finally:
        db.dispose()


def slow(desk: Desk) -> None:
    desk.simulator.faults.add(Fault(kind=FaultKind.SLOW, delay_s=0.05, path=r"/(tickets|conversations)", count=None))


@pytest.mark.parametrize("stand", ["zendesk-embedded", "zendesk-commands", "intercom-commands"], indirect=True)
def test_terminated_again_and_again_under_load(stand: Stand) -> None:
    slow(stand.desk)
    stand.start()
    sending = threading.Thread(target=load, args=(stand,))
    sending.start()
    for opened in (1, 3):
        until("tickets are being opened", lambda: len(stand.desk.ticket_ids()) >= opened, 60)  # noqa: B023
        assert stand.terminate(EXIT_S) <= EXIT_S
        assert held_lanes(stand) == 0  # each was finished or given back
        stand.start()
    sending.join(60)
    assert not sending.is_alive()
    everything_arrived(stand, talks())
    assert "Traceback" not in stand.logs()


@pytest.mark.parametrize("stand", ["zendesk-embedded", "zendesk-commands"], indirect=True)
def test_a_helpdesk_that_hangs_delays_the_end_by_no_more_than_its_share(stand: Stand) -> None:
    call = stand.desk.opening
    hanging = stand.desk.simulator.faults.add(
        Fault(kind=FaultKind.HANG, method=call.method, path=call.path, delay_s=3600)
    )
    stand.start()
    stand.say("talk-0", 1)
    stand.hand_over("talk-0")
    until("the request is under way", lambda: hanging.hits)
    assert stand.terminate(EXIT_S) <= EXIT_S
    stand.desk.simulator.faults.clear()
    stand.start()
    stand.say("talk-0", 2)
    everything_arrived(stand, talks(1))
