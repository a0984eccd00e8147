"""`python -m tests.contract.mutations KIND [WORD]`: every clause against every mutation (whose name holds WORD)."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from handoff_sync.simulator.desk import simulated
from tests.contract.mutations.breaking import Mutation, broken, fails
from tests.contract.suite.clauses import clauses


def main(kind: str, word: str = "") -> None:
    mutations: list[Mutation] = import_module(f"tests.contract.mutations.{kind}").MUTATIONS
    desk = simulated(kind)
    desk.start()
    try:
        for mutation in mutations:
            if word in mutation.wrong:
                print(f"A connector that {mutation.wrong}")
                with TemporaryDirectory() as folder, broken(kind, mutation, Path(folder)) as connector:
                    for name, clause in clauses().items():
                        if (why := fails(clause, desk, connector)) is not None:
                            print(f"    {'*' if name == mutation.caught_by else ' '} {name}: {why}")
    finally:
        desk.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
