"""The doorbell: nobody waits for it, it never fails anybody, and it fills no broker."""

from __future__ import annotations

import time
from collections.abc import Iterator

import dramatiq
import pytest

from handoff_sync.worker.broker import make_broker, waiting
from handoff_sync.worker.doorbell import LONG_QUEUE, REMIND_AFTER_S, RETRY_AFTER_S, Doorbell
from tests.e2e.stand import until
from tests.engines import free_port


class Ticking:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "redis"])
def broker(request: pytest.FixtureRequest) -> dramatiq.Broker:
    url = "memory://" if request.param == "memory" else str(request.getfixturevalue("redis_url"))
    broker = make_broker(url)
    broker.flush_all()
    return broker


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


@pytest.fixture
def bell(broker: dramatiq.Broker, ticking: Ticking) -> Iterator[Doorbell]:
    bell = Doorbell(broker, ticking)
    bell.start()
    yield bell
    bell.stop()


def heard(bell: Doorbell, broker: dramatiq.Broker) -> int:
    """How many messages there are once the bell has rung all it was asked for."""
    bell.stop()
    bell.start()
    return waiting(broker)


def test_a_ring_leaves_one_message_per_lane(bell: Doorbell, broker: dramatiq.Broker) -> None:
    bell.ring({"a", "b"})
    assert heard(bell, broker) == 2 and bell.ok


def test_a_lane_is_not_reminded_of_at_every_look(bell: Doorbell, broker: dramatiq.Broker, ticking: Ticking) -> None:
    for _ in range(3):
        bell.remind(["a", "b"])
    assert heard(bell, broker) == 2
    ticking.now += REMIND_AFTER_S
    bell.remind(["a"])
    assert heard(bell, broker) == 3


def test_however_long_workers_are_behind_reminders_fill_no_queue(
    bell: Doorbell, broker: dramatiq.Broker, ticking: Ticking
) -> None:
    lanes = [f"lane-{number}" for number in range(LONG_QUEUE)]
    for _ in range(5):
        bell.remind(lanes)
        heard(bell, broker)
        ticking.now += REMIND_AFTER_S
    assert waiting(broker) == LONG_QUEUE
    bell.ring({"new"})
    assert heard(bell, broker) == LONG_QUEUE + 1, "what has just become due is always rung"


def test_after_a_flush_everything_is_reminded_of_again(
    bell: Doorbell, broker: dramatiq.Broker, ticking: Ticking
) -> None:
    lanes = [f"lane-{number}" for number in range(LONG_QUEUE)]
    bell.remind(lanes)
    heard(bell, broker)
    broker.flush_all()
    ticking.now += REMIND_AFTER_S
    bell.remind(lanes)
    assert heard(bell, broker) == LONG_QUEUE


def test_a_broker_that_is_away_costs_nobody_anything_and_is_tried_again(ticking: Ticking) -> None:
    broker = make_broker(f"redis://127.0.0.1:{free_port()}")
    bell = Doorbell(broker, ticking)
    bell.start()
    try:
        started = time.monotonic()
        for number in range(1000):
            bell.ring({f"lane-{number}"})
        assert time.monotonic() - started < 0.5
        until("the silence is noticed", lambda: not bell.ok)
        ticking.now += RETRY_AFTER_S
        assert bell.ok
        bell.remind(["a"])
        until("the silence is noticed again", lambda: not bell.ok)
    finally:
        bell.stop()
