"""What operators and newcomers read must be true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handoff_sync.api.metrics import Backlog, Metrics
from tests.e2e.command import ROOT
from tests.e2e.command import handoff_here as handoff

PAGES = (ROOT / "README.md", ROOT / "docs" / "operators.md")


def test_the_table_of_settings_is_the_one_that_the_command_prints(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    held = re.search(r"<!-- settings:.*?-->\n(.*?)<!-- /settings -->", text, flags=re.DOTALL)
    assert held is not None
    assert held[1].strip() == handoff("config", "table", folder=tmp_path).stdout.strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_exists(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {tuple(words.split()) for words in re.findall(r"(?:`|\$ )handoff-sync ([a-z-]+(?: [a-z]+)?)", text)}
    assert named
    for words in sorted(named):
        answers = [handoff(*words[:length], "--help", folder=tmp_path) for length in (len(words), 1)]
        assert any(answer.returncode == 0 for answer in answers), words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_figure_that_is_named_exists() -> None:
    metrics = Metrics()
    metrics.event("pause", "block")
    shown = metrics.render(Backlog()).decode()
    named = set(re.findall(r"`(handoff_[a-z_]+)`", (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")))
    assert len(named) >= 6
    assert [name for name in named if name.removesuffix("_total") not in shown] == []
