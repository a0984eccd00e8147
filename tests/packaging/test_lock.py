"""The lock file: what anybody on the public internet can install."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PUBLIC = {"pypi.org", "files.pythonhosted.org"}


def test_the_lock_names_the_public_index_only() -> None:
    text = (ROOT / "uv.lock").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://([^/\"]+)", text)) == PUBLIC
    assert "file://" not in text


def test_the_lock_pins_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locked = {package["name"] for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]}
    groups = project["dependency-groups"]
    wanted = project["project"]["dependencies"] + [line for group in groups.values() for line in group]
    names = {re.split(r"[\[<>=; ]", line)[0].lower().replace("_", "-") for line in wanted}
    assert names - locked == set()


def test_no_index_is_configured() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "index" not in project["tool"]["uv"]
    assert "sources" not in project["tool"]["uv"]
