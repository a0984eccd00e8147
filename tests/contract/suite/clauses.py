"""The contract's clauses: every public function of the modules beside this one that takes a bench.

A clause's docstring is its rule. It may be run with any connector, a broken one too, and then fails with an
AssertionError or with whatever the connector raised.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType

from tests.contract.suite import (
    appending,
    discretion,
    files,
    leaving,
    limits,
    opening,
    papers,
    reading,
    refusals,
    statuses,
    sweeping,
    webhooks,
    whispering,
)
from tests.contract.suite.bench import Bench

Clause = Callable[[Bench], None]
MODULES = (
    opening,
    appending,
    files,
    statuses,
    reading,
    whispering,
    leaving,
    sweeping,
    refusals,
    webhooks,
    limits,
    discretion,
    papers,
)


def clauses() -> dict[str, Clause]:
    """Every clause by `<module>.<function>`."""
    return {f"{_short(module)}.{name}": clause for module in MODULES for name, clause in _of(module)}


def _of(module: ModuleType) -> list[tuple[str, Clause]]:
    return [
        (name, found)
        for name, found in vars(module).items()
        if inspect.isfunction(found) and found.__module__ == module.__name__ and not name.startswith("_")
    ]


def _short(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]
