"""A fourth helpdesk is one folder and one line: `fourth/` is a project of its own, installed and tried as it stands."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pytest

from handoff_sync.contract.registry import GROUP
from tests.contract.suite.clauses import clauses

ROOT: Final = Path(__file__).parents[2]
FOURTH: Final = Path(__file__).with_name("fourth")
KIND: Final = "paperdesk"
ALLOWED: Final = ("handoff_sync.contract", "handoff_sync.core", "handoff_sync.errors")
CLI: Final = (sys.executable, "-c", "from handoff_sync.cli import main; main()")
PATIENCE_S: Final = 480


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of a process in which the fourth helpdesk is installed, as an installer would have left it."""
    site = tmp_path_factory.mktemp("site")
    info = site / "handoff_paperdesk-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: handoff-paperdesk\nVersion: 0\n")
    lines = [f"{name} = {target}" for name, target in _entry_points()[GROUP].items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))
    paths = [str(site), str(FOURTH), *filter(None, [os.environ.get("PYTHONPATH")])]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**inherited, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.timeout(PATIENCE_S)
def test_it_keeps_the_whole_contract(installed: Mapping[str, str], tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    suite = ("tests/contract/test_suite.py", "-k", KIND, "-p", "no:cacheprovider", "-q", f"--junitxml={report}")
    ended = _run(installed, sys.executable, "-m", "pytest", *suite)
    assert ended.returncode == 0, ended.stdout[-5000:]
    passed, skipped = _outcomes(report)
    assert passed | set(skipped) == set(clauses())
    assert len(skipped) * 5 < len(passed), "most of the contract is kept, not excused"
    told = json.loads(_run(installed, *CLI, "helpdesks", KIND, "--json").stdout)
    reasons = {feature["why not"] for feature in told[0]["features"] if not feature["can"]}
    assert {clause for clause, why in skipped.items() if not why.endswith(tuple(reasons))} == set()


@pytest.mark.timeout(PATIENCE_S)
def test_the_commands_know_it(installed: Mapping[str, str], tmp_path: Path) -> None:
    shown = _run(installed, *CLI, "helpdesks", KIND)
    assert shown.returncode == 0, shown.stderr[-2000:]
    assert "Paperdesk: Settings" in shown.stdout and "webhook_secret_previous" in shown.stdout
    one = tmp_path / "one.jsonl"
    dialogues = (ROOT / "examples" / "dialogues.jsonl").read_text(encoding="utf-8").splitlines()
    one.write_text(f"{dialogues[0]}\n", encoding="utf-8")
    words = ("demo", "--once", "--helpdesks", KIND, "--dialogues", str(one))
    played = _run(installed, *CLI, *words)
    assert played.returncode == 0, played.stdout[-5000:] + played.stderr[-2000:]
    assert "Every step held." in played.stdout


def test_one_line_brings_it() -> None:
    assert _entry_points() == {GROUP: {KIND: "handoff_paperdesk:PaperdeskConnector"}}
    assert KIND not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_it_imports_only_what_a_connector_may() -> None:
    paths = sorted(FOURTH.rglob("*.py"))
    assert len(paths) >= 7
    for path in paths:
        simulating = "simulator" in path.relative_to(FOURTH).parts
        ours = (*ALLOWED, "handoff_sync.simulator") if simulating else ALLOWED
        others = {"handoff_paperdesk", "pydantic", *sys.stdlib_module_names, *(["starlette"] if simulating else [])}
        for name in _imported(path):
            fine = name.startswith(ours) if name.startswith("handoff_sync") else name.partition(".")[0] in others
            assert fine, f"{path.name} imports {name}"
            assert simulating or not name.startswith("handoff_paperdesk.simulator"), f"{path.name} imports {name}"


def _entry_points() -> Mapping[str, Mapping[str, str]]:
    project = tomllib.loads((FOURTH / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: Mapping[str, Mapping[str, str]] = project["entry-points"]
    return found


def _run(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=PATIENCE_S, check=False
    )


def _outcomes(report: Path) -> tuple[set[str], dict[str, str]]:
    """The clauses that passed, and those that were left out with the reason."""
    passed, skipped = set(), {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("name", "").partition(f"[{KIND}-")[2].removesuffix("]")
        left_out = case.find("skipped")
        if left_out is not None:
            skipped[name] = left_out.get("message", "")
        elif name:
            passed.add(name)
    return passed, skipped


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path.name} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
