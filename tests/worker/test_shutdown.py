"""SIGTERM under load: out in time, nothing lost, nothing twice (G23)."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from tests.e2e.stand import Stand, until

TALKS = 6
"""Zendesk makes about one new customer a second."""
EXIT_S = 25.0


@pytest.fixture
def simulator() -> Iterator[ZendeskSimulator]:
    with ZendeskSimulator() as simulator:
        simulator.apply_settings({"search_lag_s": 1})
        yield simulator


@pytest.fixture(params=["embedded", "production"])
def stand(request: pytest.FixtureRequest, tmp_path: Path, simulator: ZendeskSimulator) -> Iterator[Stand]:
    if request.param == "embedded":
        urls = (f"sqlite:///{tmp_path}/handoff.db", "memory://")
    else:
        urls = (str(request.getfixturevalue("postgres_url")), str(request.getfixturevalue("redis_url")))
    stand = Stand(tmp_path, simulator, *urls)
    yield stand
    stand.stop()


def say(stand: Stand, talk: int, number: int) -> None:
    stand.send(
        id=f"say-{talk}-{number}",
        type="customer.message",
        conversation_id=f"talk-{talk}",
        customer={"external_id": f"u-{talk}", "name": "Ana Ruiz"},
        message={"id": f"m-{number}", "text": f"<<{talk}.{number}>>"},
    )


def load(stand: Stand) -> None:
    for talk in range(TALKS):
        say(stand, talk, 1)
        stand.send(
            id=f"please-{talk}", type="handoff.requested", conversation_id=f"talk-{talk}", trigger="customer_request"
        )
        say(stand, talk, 2)


def terminated(process: subprocess.Popen[bytes]) -> float:
    """Asks the process to end; returns how long it took."""
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code = process.wait(timeout=EXIT_S + 10)
    assert code in (0, -signal.SIGTERM), code
    return time.monotonic() - started


def test_terminated_again_and_again_under_load(stand: Stand, simulator: ZendeskSimulator) -> None:
    simulator.faults.slow(0.05, path=r"/api/v2/tickets", count=None)
    stand.start()
    sending = threading.Thread(target=load, args=(stand,))
    sending.start()
    for opened in (1, 3):
        until("tickets are being opened", lambda: len(simulator.state.tickets) >= opened, 60)  # noqa: B023
        assert terminated(stand.delivering) <= EXIT_S
        stand.start()
    sending.join(60)
    assert not sending.is_alive()
    words = [f"<<{talk}.{number}>>" for talk in range(TALKS) for number in (1, 2)]
    until("everything stands on a ticket", lambda: all(word in stand.texts() for word in words), 60)
    until("all deliveries are done", lambda: not stand.get("/v1/deliveries?status=pending")["items"])
    assert len(simulator.state.tickets) == TALKS
    assert set(simulator.state.creations.values()) == {1} and set(simulator.state.markers.values()) == {1}
    assert stand.get("/v1/deliveries?status=parked")["items"] == []
    assert "Traceback" not in stand.logs()


def test_a_helpdesk_that_hangs_delays_the_end_by_no_more_than_its_share(
    stand: Stand, simulator: ZendeskSimulator
) -> None:
    hanging = simulator.faults.hang(method="POST", path=r"/tickets(\.json)?$")
    stand.start()
    say(stand, 0, 1)
    stand.send(id="please", type="handoff.requested", conversation_id="talk-0", trigger="customer_request")
    until("the request is under way", lambda: hanging.hits)
    assert terminated(stand.delivering) <= EXIT_S
    simulator.faults.clear()
    stand.start()
    until("the ticket is open", lambda: "<<0.1>>" in stand.texts(), 60)
    until("all deliveries are done", lambda: not stand.get("/v1/deliveries?status=pending")["items"])
    assert len(simulator.state.tickets) == 1
