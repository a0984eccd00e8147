"""A rig per test: the delivery in one thread on simulated time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from tests.delivery.rig import Rig, make_rig


@pytest.fixture(scope="module")
def running_simulator() -> Iterator[ZendeskSimulator]:
    simulator = ZendeskSimulator()
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.fixture
def simulator(running_simulator: ZendeskSimulator) -> ZendeskSimulator:
    running_simulator.reset()
    return running_simulator


@pytest.fixture
def rig(tmp_path: Path, simulator: ZendeskSimulator) -> Iterator[Rig]:
    rig = make_rig(tmp_path, simulator)
    yield rig
    rig.app.stop()
