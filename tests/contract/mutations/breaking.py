"""Makes a broken copy of a connector: its folder under another name, with one place of one file changed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any

import pytest

from handoff_sync.contract.registry import connector_class, package_of
from handoff_sync.errors import HandoffError
from handoff_sync.simulator.desk import Desk
from tests.contract.suite.bench import Bench

Clause = Callable[[Bench], None]
CAUGHT = (AssertionError, HandoffError, LookupError, TypeError, ValueError, pytest.fail.Exception)
"""How a clause ends that does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One mistake. `old` stands exactly once in `file` of the connector's folder; `caught_by` names a clause."""

    wrong: str
    """What the broken connector does, as the end of "a connector that …"."""
    file: str
    old: str
    new: str
    caught_by: str


@contextmanager
def broken(kind: str, mutation: Mutation, folder: Path) -> Iterator[type[Any]]:
    """The class of a connector with this mistake. `folder` is empty and thrown away afterwards.

    Raises:
        AssertionError: the place to change is not there, or there twice: the mutation must follow the code.
    """
    package = package_of(kind)
    source = Path(str(import_module(package).__file__)).parent
    name = f"broken_{kind}"
    copied = shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("simulator", "fixtures", "*.pyc"))
    _spoil(copied / mutation.file, mutation)
    for path in copied.rglob("*.py"):
        path.write_text(path.read_text(encoding="utf-8").replace(package, name), encoding="utf-8")
    sys.path.insert(0, str(folder))
    invalidate_caches()
    try:
        yield getattr(import_module(name), connector_class(kind).__name__)
    finally:
        sys.path.remove(str(folder))
        for module in [loaded for loaded in sys.modules if loaded == name or loaded.startswith(f"{name}.")]:
            del sys.modules[module]


def fails(clause: Clause, desk: Desk, connector: type[Any]) -> str | None:
    """Why the clause does not hold for this connector; None when it holds, or the helpdesk is exempt from it."""
    desk.simulator.reset()
    desk.calm()
    bench = Bench(desk, connector)
    try:
        clause(bench)
    except pytest.skip.Exception:
        return None
    except CAUGHT as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    finally:
        bench.close()
    return None


def _spoil(path: Path, mutation: Mutation) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(mutation.old) == 1, f"{mutation.wrong}: {mutation.old!r} stands {text.count(mutation.old)} times"
    path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
