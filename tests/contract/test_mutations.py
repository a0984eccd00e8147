"""The suite catches connectors that are broken on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from handoff_sync.contract.registry import kinds
from handoff_sync.simulator.desk import Desk, simulated
from tests.contract.mutations.breaking import Mutation, broken, fails
from tests.contract.suite.clauses import clauses

KINDS = tuple(kind for kind in kinds() if (Path(__file__).parent / "mutations" / f"{kind}.py").is_file())
FEWEST = 10


def mutations(kind: str) -> list[Mutation]:
    listed: list[Mutation] = import_module(f"tests.contract.mutations.{kind}").MUTATIONS
    return listed


@pytest.fixture(scope="module")
def desks() -> Iterator[dict[str, Desk]]:
    running = {kind: simulated(kind) for kind in KINDS}
    for desk in running.values():
        desk.start()
    yield running
    for desk in running.values():
        desk.stop()


@pytest.mark.parametrize(
    ("kind", "mutation"),
    [pytest.param(kind, one, id=f"{kind} {one.wrong}") for kind in KINDS for one in mutations(kind)],
)
def test_it_is_caught(kind: str, mutation: Mutation, desks: dict[str, Desk], tmp_path: Path) -> None:
    with broken(kind, mutation, tmp_path) as connector:
        why = fails(clauses()[mutation.caught_by], desks[kind], connector)
    assert why is not None, f"A connector that {mutation.wrong} passes {mutation.caught_by}."


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_enough_of_them(kind: str) -> None:
    names = {mutation.wrong for mutation in mutations(kind)}
    assert len(names) == len(mutations(kind)) >= FEWEST
