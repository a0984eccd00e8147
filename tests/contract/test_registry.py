"""Connectors are found by their entry points."""

from __future__ import annotations

from pathlib import Path

import pytest

from handoff_sync.contract.registry import connector_class, kinds
from handoff_sync.errors import ConfigurationError


def plug_in(folder: Path, line: str) -> None:
    """An installed distribution, as far as entry points look."""
    info = folder / "plugged-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[handoff_sync.connectors]\n{line}\n")


def test_an_installed_package_brings_its_connector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plugged_desk.py").write_text("class Desk:\n    kind = 'desk'\n")
    plug_in(tmp_path, "desk = plugged_desk:Desk")
    monkeypatch.syspath_prepend(tmp_path)
    assert "desk" in kinds()
    assert connector_class("desk").kind == "desk"


def test_an_unknown_kind_names_the_known_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(tmp_path, "desk = plugged_desk:Desk")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match=r"no connector 'zendesc'.*desk"):
        connector_class("zendesc")


@pytest.mark.parametrize("target", ["no_such_module:Desk", "json:Desk", "json:dumps"])
def test_a_connector_that_cannot_be_loaded_says_why(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(tmp_path, f"desk = {target}")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match="desk"):
        connector_class("desk")
