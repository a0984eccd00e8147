"""A rig per test: the delivery in one thread on simulated time, at Zendesk or at every helpdesk in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.contract import registry
from handoff_sync.simulator.desk import Desk, simulated
from tests.delivery.desk_rig import DeskRig, desk_rig
from tests.delivery.house import House, furnished
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


# --- at every helpdesk --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def running_desk() -> Iterator[Callable[[str], Desk]]:
    """The simulated helpdesk of a kind, started by whoever needs it first."""
    with ExitStack() as stack:
        running: dict[str, Desk] = {}

        def of(kind: str) -> Desk:
            if kind not in running:
                desk = running[kind] = simulated(kind)
                desk.start()
                stack.callback(desk.stop)
            return running[kind]

        yield of


@pytest.fixture(params=registry.kinds())
def desk(request: pytest.FixtureRequest, running_desk: Callable[[str], Desk]) -> Desk:
    """A fresh account of each helpdesk in turn, without limits and lags."""
    desk = running_desk(request.param)
    desk.simulator.reset()
    desk.calm()
    return desk


@pytest.fixture
def at_desk(tmp_path: Path, sqlite_url: str, desk: Desk) -> Iterator[DeskRig]:
    with desk_rig(tmp_path, sqlite_url, desk) as rig:
        yield rig


@pytest.fixture(params=["hooks", "sweep"])
def by_itself(request: pytest.FixtureRequest, tmp_path: Path, sqlite_url: str, desk: Desk) -> Iterator[DeskRig]:
    """As `at_desk`, but changes are noticed by the helpdesk's own webhooks, or by its list of changes alone."""
    with desk_rig(tmp_path, sqlite_url, desk, request.param) as rig:
        yield rig


@pytest.fixture
def house(tmp_path: Path, sqlite_url: str, running_desk: Callable[[str], Desk]) -> Iterator[House]:
    """With a fresh Zendesk account."""
    desk = running_desk("zendesk")
    desk.simulator.reset()
    desk.calm()
    with furnished(tmp_path, sqlite_url, desk) as house:
        yield house
