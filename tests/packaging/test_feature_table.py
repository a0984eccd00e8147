"""The feature table in connectors/README.md is what the connectors say of themselves."""

from __future__ import annotations

from pathlib import Path

from handoff_sync.contract.comparison import markdown
from handoff_sync.contract.features import Feature
from handoff_sync.contract.registry import installed

README = Path(__file__).parents[2] / "connectors" / "README.md"
BEGIN, END = "<!-- features: begin -->\n", "<!-- features: end -->"


def test_the_table_is_up_to_date() -> None:
    page = README.read_text(encoding="utf-8")
    shown = page.partition(BEGIN)[2].partition(END)[0]
    assert shown == markdown(installed()), "Put the output of `handoff-sync helpdesks --markdown` between the marks."


def test_every_feature_has_its_row_and_every_no_its_reason() -> None:
    page = markdown(installed())
    assert all(f"| {feature.value} |" in page for feature in Feature)
    assert all(reason in page for found in installed().values() for reason in found.capabilities.cannot.values())
