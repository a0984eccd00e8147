"""Every installed connector, clause by clause, against its own simulated helpdesk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handoff_sync.contract.registry import connector_class, kinds
from handoff_sync.simulator.desk import Desk, simulated
from tests.contract.suite.bench import Bench
from tests.contract.suite.clauses import clauses

CLAUSES = clauses()


@pytest.fixture(scope="module", params=kinds())
def running(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """One server for all clauses: starting it takes longer than most of them."""
    desk = simulated(request.param)
    desk.start()
    yield desk
    desk.stop()


@pytest.fixture
def bench(running: Desk) -> Iterator[Bench]:
    running.simulator.reset()
    running.calm()
    bench = Bench(running, connector_class(running.kind))
    yield bench
    bench.close()


@pytest.mark.parametrize("clause", CLAUSES)
def test_clause(clause: str, bench: Bench) -> None:
    CLAUSES[clause](bench)


def test_every_clause_says_its_rule() -> None:
    assert [name for name, clause in CLAUSES.items() if not clause.__doc__] == []
