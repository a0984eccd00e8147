"""What people install: complete, and free of what is not theirs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built as a release is."""
    uv = shutil.which("uv", path=os.pathsep.join((str(ROOT / ".tools" / "bin"), os.environ.get("PATH", ""))))
    if uv is None:
        if os.environ.get("CI"):
            pytest.fail("uv is missing; `python3 run.py test` brings it")
        pytest.skip("needs uv to build the wheel; `python3 run.py test` brings it")
    folder = tmp_path_factory.mktemp("wheel")
    build = [uv, "build", "--wheel", "--quiet", "--python", sys.executable, "--out-dir", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def sources(folder: Path, prefix: str) -> set[str]:
    """The files below a folder, under the name that they have in the wheel."""
    return {
        f"{prefix}/{path.relative_to(folder).as_posix()}"
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_service_the_connectors_and_the_templates(names: set[str]) -> None:
    expected = (
        sources(ROOT / "src" / "handoff_sync", "handoff_sync")
        | sources(ROOT / "connectors" / "handoff_connectors", "handoff_connectors")
        | sources(ROOT / "templates", "handoff_sync/templates")
    )
    assert any("/store/migrations/versions/" in name for name in expected)
    assert any(name.endswith(".html.j2") for name in expected)
    assert expected - names == set()


def test_the_wheel_holds_nothing_else(names: set[str]) -> None:
    assert {name.split("/")[0].split("-")[0] for name in names} == {"handoff_sync", "handoff_connectors"}
    assert [name for name in names if "fixtures" in name and name.endswith(".py")] == []
    assert [name for name in names if name.endswith((".db", ".pyc", ".env"))] == []


def test_the_wheel_registers_every_connector(wheel: Path) -> None:
    parser = ConfigParser()
    with zipfile.ZipFile(wheel) as archive:
        entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        parser.read_string(archive.read(entry).decode())
    folders = {path.parent.name for path in (ROOT / "connectors" / "handoff_connectors").glob("*/__init__.py")}
    assert set(parser["handoff_sync.connectors"]) == folders
    assert parser["console_scripts"]["handoff-sync"] == "handoff_sync.cli:main"


def test_the_wheel_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """Unpacked into an empty folder it answers, and finds its templates, pages and migrations there."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "import handoff_sync, pathlib; from handoff_sync.emails.render import *; from handoff_sync.cli import main; "
        f"assert pathlib.Path(handoff_sync.__file__).is_relative_to({str(tmp_path)!r}), handoff_sync.__file__; main()"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", program, "migrate"]
    environment["HANDOFF_DATA_DIR"] = str(tmp_path / "data")
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / "handoff.db").exists()
