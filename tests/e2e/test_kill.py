"""kill -9 around every outside call: always one ticket, each message once, and work resumes by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.simulator.faults import Fault, FaultKind
from tests.e2e.stand import Stand, until

CHECKPOINTS = (
    "open.before",
    "open.answered",
    "open.settling",
    "append.before",
    "append.answered",
    "append.settling",
)
SEARCH_LAG_S = 5


@pytest.fixture
def simulator() -> Iterator[ZendeskSimulator]:
    simulator = ZendeskSimulator()
    simulator.start()
    simulator.apply_settings({"search_lag_s": SEARCH_LAG_S})
    yield simulator
    simulator.stop()


@pytest.fixture(params=["embedded", "production"])
def stand(request: pytest.FixtureRequest, tmp_path: Path, simulator: ZendeskSimulator) -> Iterator[Stand]:
    if request.param == "embedded":
        stand = Stand(tmp_path, simulator, f"sqlite:///{tmp_path}/handoff.db", "memory://")
    else:
        stand = Stand(
            tmp_path, simulator, request.getfixturevalue("postgres_url"), request.getfixturevalue("redis_url")
        )
    yield stand
    stand.stop()


def say(stand: Stand, number: int) -> None:
    stand.send(
        id=f"say-{number}",
        type="customer.message",
        conversation_id="talk",
        customer={"external_id": "u-1", "name": "Ana Ruiz"},
        message={"id": f"m-{number}", "text": f"<<words {number}>>"},
    )


def hand_over(stand: Stand) -> None:
    stand.send(
        id="please", type="handoff.requested", conversation_id="talk", trigger="customer_request", reason="asked"
    )


def everything_arrived(stand: Stand, messages: int) -> None:
    """The rule of the whole file."""
    until(
        f"{messages} messages stand on the ticket",
        lambda: all(f"<<words {n}>>" in stand.texts() for n in range(1, messages + 1)),
    )
    until("all deliveries are done", lambda: not stand.get("/v1/deliveries?status=pending")["items"])
    state, texts = stand.simulator.state, stand.texts()
    places = [texts.index(f"<<words {n}>>") for n in range(1, messages + 1)]
    assert places == sorted(places)
    said = texts.split("Conversation", 1)[-1]  # above it stands an extract of the last messages
    assert all(said.count(f"<<words {n}>>") == 1 for n in range(1, messages + 1))
    assert set(state.creations.values()) == {1} and len(state.tickets) == 1, state.creations
    assert set(state.markers.values()) == {1}, state.markers
    assert stand.get("/v1/deliveries?status=parked")["items"] == []


@pytest.mark.parametrize("point", CHECKPOINTS)
def test_killed_at_a_checkpoint(stand: Stand, point: str) -> None:
    stand.start(point)
    say(stand, 1)
    say(stand, 2)
    hand_over(stand)
    stand.was_killed()
    stand.start()
    say(stand, 3)
    say(stand, 4)
    everything_arrived(stand, messages=4)


@pytest.mark.parametrize("applied", [True, False], ids=["applied", "not-applied"])
@pytest.mark.parametrize("method", ["POST", "PUT"], ids=["open", "append"])
def test_killed_while_the_helpdesk_has_the_request(stand: Stand, method: str, applied: bool) -> None:
    """After the request was sent and before any answer: the helpdesk may or may not have done it."""
    fault = stand.simulator.faults.add(
        Fault(kind=FaultKind.HANG, method=method, path=r"/tickets(/\d+)?(\.json)?$", applied=applied, delay_s=60)
    )
    stand.start()
    say(stand, 1)
    hand_over(stand)
    until("the request is under way", lambda: fault.hits)
    os.kill(stand.delivering.pid, signal.SIGKILL)
    stand.delivering.wait()
    stand.start()
    say(stand, 2)
    everything_arrived(stand, messages=2)


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.CUT, FaultKind.HTML], ids=lambda kind: kind.value)
def test_applied_but_the_answer_is_lost(stand: Stand, kind: FaultKind) -> None:
    """Nobody is killed; the helpdesk did what was asked and its answer never came, for both kinds of write."""
    for method in ("POST", "PUT"):
        stand.simulator.faults.add(Fault(kind=kind, method=method, path=r"/tickets(/\d+)?(\.json)?$", applied=True))
    stand.start()
    say(stand, 1)
    hand_over(stand)
    say(stand, 2)
    everything_arrived(stand, messages=2)
