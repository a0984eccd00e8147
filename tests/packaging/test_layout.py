"""The house: who may import whom, what each library's home is, and how long a file may get."""

from __future__ import annotations

import ast
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

from handoff_sync.simulator.desk import simulated

ROOT = Path(__file__).parents[2]
SOURCES = (ROOT / "src" / "handoff_sync", ROOT / "connectors" / "handoff_connectors")
LONGEST = 400
NAMELESS = {"utils", "helpers", "common", "manager", "misc"}


def files(*folders: Path) -> Iterator[Path]:
    for folder in folders or SOURCES:
        yield from (path for path in sorted(folder.rglob("*.py")) if "migrations" not in path.parts)


def connectors() -> set[str]:
    return {path.parent.name for path in (ROOT / "connectors" / "handoff_connectors").glob("*/__init__.py")}


def test_imports_point_down_and_every_library_has_one_home() -> None:
    """All contracts of import-linter; a new top-level module fails until the layers name it."""
    linter = Path(sysconfig.get_path("scripts")) / "lint-imports"
    done = subprocess.run([linter, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_core_needs_the_standard_library_alone() -> None:
    package = ROOT / "src" / "handoff_sync"
    foreign = {
        f"{path.relative_to(package)}: {name}"
        for path in (*files(package / "core"), package / "errors.py", package / "secret_keys.py")
        for name in imported(path)
        if name.split(".")[0] not in sys.stdlib_module_names | {"handoff_sync"}
    }
    assert foreign == set()


def test_clients_for_http_are_made_in_one_file() -> None:
    """Only there addresses are checked, times limited and redirects refused."""
    makers = {
        str(path.relative_to(ROOT))
        for path in files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("httpx.Client", "httpx.AsyncClient", "httpx.get")
    }
    assert makers <= {"src/handoff_sync/contract/http.py"}


def test_no_file_is_too_long_to_read() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files()}
    assert {str(path): lines for path, lines in lengths.items() if lines > LONGEST} == {}


def test_every_module_has_a_name_that_says_something() -> None:
    assert [path for path in files() if NAMELESS & {*path.parts, path.stem}] == []


def test_every_connector_is_registered_and_brings_its_helpdesk() -> None:
    """A folder without an entry point would be dead code; an entry point without a folder a crash."""
    entries = entry_points(group="handoff_sync.connectors")
    assert {entry.name for entry in entries} == connectors()
    for entry in entries:
        assert entry.value.startswith(f"handoff_connectors.{entry.name}:")
        assert isinstance(entry.load(), type)
        assert simulated(entry.name).kind == entry.name


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
