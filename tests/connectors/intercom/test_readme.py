"""The connector's README and its code tell the same."""

from __future__ import annotations

import re
from pathlib import Path

import handoff_connectors.intercom
from handoff_connectors.intercom import IntercomConnector
from handoff_connectors.intercom.api import VERSION
from handoff_connectors.intercom.settings import SECRET_FIELDS, IntercomSettings
from handoff_connectors.intercom.webhook import TICKET_TOPICS, TOPICS

ROOM = Path(handoff_connectors.intercom.__file__).parent
README = (ROOM / "README.md").read_text()
TESTS = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))


def test_every_quirk_has_a_number_a_line_and_a_test() -> None:
    lines = re.findall(r"^\| IC-(\d+) \|.*$", README, re.MULTILINE)
    assert [int(number) for number in lines] == list(range(1, len(lines) + 1))
    named = set(re.findall(r"`(test_\w+)`", README))
    assert {name for name in named if f"def {name}(" not in TESTS} == set()
    for line in re.findall(r"^\| IC-\d+ \|.*$", README, re.MULTILINE):
        assert "`test_" in line, line[:12]


def test_every_quirk_of_the_code_is_in_the_readme() -> None:
    code = "".join(path.read_text() for path in ROOM.glob("*.py"))
    assert set(re.findall(r"IC-\d+", code)) <= set(re.findall(r"IC-\d+", README))


def test_every_setting_is_explained() -> None:
    table = README.partition("### Settings")[2].partition("### Webhooks")[0]
    assert set(IntercomSettings.model_fields) <= set(re.findall(r"`(\w+)`", table))
    sealed = {name for name in IntercomSettings.model_fields if re.search("secret|token|code", name)}
    assert sealed == SECRET_FIELDS


def test_the_figures_are_those_of_the_code() -> None:
    budgets = {budget.name: f"{budget.limit:,}" for budget in IntercomConnector.budgets}
    assert f"{IntercomConnector.capabilities.max_comment_bytes:,} bytes" in README
    assert f"{budgets['*']} in 10 seconds" in README
    assert f"sweeps {budgets['sweep']} of them" in README
    assert f"searched after {IntercomConnector.capabilities.settle_s:.0f} s" in README
    assert f"({IntercomSettings().recreate_after_s})" in README
    assert f"version {VERSION}" in README


def test_the_topics_are_those_of_the_code() -> None:
    listed = README.partition("Topics:")[2].partition(". With")[0]
    assert set(re.findall(r"`([\w.]+)`", listed)) == set(TOPICS)


def test_the_topics_of_tickets_are_those_of_the_code() -> None:
    listed = README.partition("topics of their own:")[2].partition(". Subscribe")[0]
    assert set(re.findall(r"`([\w.]+)`", listed)) == set(TICKET_TOPICS)
